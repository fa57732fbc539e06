//! As much of SQL as has to be known before it is sent: its parameters, and what kind of statement it is.

/// How a statement that only reads may begin.
const READING: [&str; 7] = ["select", "with", "show", "describe", "desc", "explain", "exists"];

/// `{name:Type}` in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    pub name: String,
    /// Type, as it stands there.
    pub kind: String,
}

/// What stands outside of texts, quoted names and comments.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Placeholder(Placeholder),
    Sign(char),
}

/// The parameters of a query, each once, in their order.
pub fn placeholders(sql: &str) -> Vec<Placeholder> {
    let mut found: Vec<Placeholder> = Vec::new();
    for token in tokens(sql) {
        if let Token::Placeholder(placeholder) = token
            && found.iter().all(|known| known.name != placeholder.name)
        {
            found.push(placeholder);
        }
    }
    found
}

/// The first word of a statement that does not only read.
pub fn writing(sql: &str) -> Option<String> {
    let first = tokens(sql).into_iter().find_map(|token| match token {
        Token::Word(word) => Some(word.to_lowercase()),
        _ => None,
    });
    first.filter(|word| !READING.contains(&word.as_str()))
}

/// The form that a query itself asks for, by `FORMAT name` at its end.
pub fn format(sql: &str) -> Option<String> {
    let tokens = tokens(sql);
    let is = |token: Option<&Token>, word: &str| matches!(token, Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
    tokens.windows(2).enumerate().find_map(|(at, pair)| match pair {
        [Token::Word(format), Token::Word(name)] if format.eq_ignore_ascii_case("format") => {
            let behind = tokens.get(at + 2);
            let ends = matches!(behind, None | Some(Token::Sign(';'))) || is(behind, "settings");
            let orders = ["asc", "desc"].iter().any(|order| name.eq_ignore_ascii_case(order));
            (ends && !orders).then(|| (*name).to_owned())
        }
        _ => None,
    })
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' | '`' => quoted(rest, first),
            '-' if rest.starts_with("--") => line(rest),
            '#' if rest.starts_with("# ") || rest.starts_with("#!") => line(rest),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '{' => match placeholder(rest) {
                Some((placeholder, length)) => {
                    tokens.push(Token::Placeholder(placeholder));
                    length
                }
                None => 1,
            },
            _ if is_of_word(first) => {
                let length = rest.find(|char| !is_of_word(char)).unwrap_or(rest.len());
                tokens.push(Token::Word(&rest[..length]));
                length
            }
            _ => {
                if !first.is_whitespace() {
                    tokens.push(Token::Sign(first));
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Length of a text or a quoted name, with its quotes. Doubled quotes are two texts side by side, which comes to the same.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else if char == quote {
            return at + 1;
        }
    }
    text.len()
}

fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

fn placeholder(text: &str) -> Option<(Placeholder, usize)> {
    let end = text.find('}')?;
    let (name, kind) = text[1..end].split_once(':')?;
    let (name, kind) = (name.trim(), kind.trim());
    let is_name = !name.is_empty() && name.chars().all(is_of_word);
    (is_name && !kind.is_empty()).then(|| (Placeholder { name: name.to_owned(), kind: kind.to_owned() }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_where_they_count() {
        let sql = "SELECT '{a:String}', \"{b:String}\", {since:DateTime64(3,'UTC')}, 'it''s \\'' -- {c:Int8}\n\
                   /* {d:Int8} */ FROM t WHERE x = { n : UInt8 } AND y = {since:DateTime64(3,'UTC')} AND m = {'k': 1}";
        let found: Vec<(String, String)> = placeholders(sql).into_iter().map(|p| (p.name, p.kind)).collect();
        let wanted = [("since", "DateTime64(3,'UTC')"), ("n", "UInt8")];
        assert_eq!(found, wanted.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    }

    #[test]
    fn what_only_reads_is_told_from_what_does_not() {
        for sql in ["SELECT 1", "-- why\n(select 1)", "WITH 1 AS a SELECT a", "show tables", "EXPLAIN SELECT 1"] {
            assert_eq!(writing(sql), None, "{sql}");
        }
        assert_eq!(writing("/* x */ INSERT INTO FUNCTION url('u') SELECT 1").as_deref(), Some("insert"));
        assert_eq!(writing("kill query where 1").as_deref(), Some("kill"));
        assert_eq!(writing(" -- nothing"), None);
    }

    #[test]
    fn a_form_of_its_own_is_seen() {
        assert_eq!(format("SELECT 1 FORMAT JSON").as_deref(), Some("JSON"));
        assert_eq!(format("SELECT 1 format CSV settings max_threads = 1;").as_deref(), Some("CSV"));
        for sql in [
            "SELECT format('{}', a) FROM t",
            "SELECT format FROM t",
            "SELECT 1 -- FORMAT CSV",
            "SELECT a ORDER BY format DESC",
        ] {
            assert_eq!(format(sql), None, "{sql}");
        }
    }
}
