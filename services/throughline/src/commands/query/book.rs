//! The questions of `schemas/QUERIES.md`: one text for people and for this program.

use std::sync::LazyLock;

use serde::Serialize;

use super::sql;

const TEXT: &str = include_str!("../../../../../schemas/QUERIES.md");

static QUESTIONS: LazyLock<Vec<Question>> = LazyLock::new(|| read(TEXT));

/// A question with its answer in SQL.
#[derive(Debug, Serialize)]
pub struct Question {
    /// Name on the command line.
    pub name: &'static str,
    /// As a person asks it.
    pub question: String,
    /// How to read the answer.
    pub reading: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The query.
    pub sql: &'static str,
}

/// A parameter of a question.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Type in ClickHouse.
    #[serde(rename = "type")]
    pub kind: String,
    /// Value where none is given; none where one must be.
    pub default: Option<String>,
    /// What it is.
    pub meaning: String,
}

/// All questions, in the order of the text.
pub fn questions() -> &'static [Question] {
    &QUESTIONS
}

/// The question of this name.
pub fn question(name: &str) -> Option<&'static Question> {
    questions().iter().find(|question| question.name == name)
}

/// Reads the text: `### name`, the question behind `>`, how to read the answer, `Parameters:` with defaults, the SQL.
fn read(text: &'static str) -> Vec<Question> {
    let meanings = meanings(text);
    text.split("\n### ").skip(1).filter_map(|part| of_part(part, &meanings)).collect()
}

/// The table of all parameters: name and meaning.
fn meanings(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let row = |line: &'static str| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((name, rest.strip_suffix(" |")?))
    };
    text.lines().filter_map(row).collect()
}

fn of_part(part: &'static str, meanings: &[(&str, &str)]) -> Option<Question> {
    let (name, rest) = part.split_once('\n')?;
    let (words, rest) = rest.split_once("```sql\n")?;
    let (sql, _) = rest.split_once("```")?;
    let blocks: Vec<String> = words.split("\n\n").map(|block| block.trim().replace('\n', " ")).collect();
    let question = blocks.iter().find_map(|block| block.strip_prefix("> "))?.to_owned();
    let given = blocks.iter().find_map(|block| block.strip_prefix("Parameters: ")).unwrap_or_default();
    let is_reading =
        |block: &&String| !block.is_empty() && !block.starts_with("> ") && !block.starts_with("Parameters: ");
    let reading = blocks.iter().filter(is_reading).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    let parameters = sql::placeholders(sql).into_iter().map(|placeholder| {
        let meaning = meanings.iter().find(|(name, _)| *name == placeholder.name).map(|(_, meaning)| *meaning);
        Parameter {
            default: default(given, &placeholder.name),
            meaning: meaning.unwrap_or_default().to_owned(),
            name: placeholder.name,
            kind: placeholder.kind,
        }
    });
    Some(Question { name: name.trim(), question, reading, parameters: parameters.collect(), sql: sql.trim_end() })
}

/// What stands for a parameter in ``Parameters: `since` = `90d`, `component`.``
fn default(given: &str, name: &str) -> Option<String> {
    let (_, rest) = given.split_once(&format!("`{name}` = `"))?;
    rest.split_once('`').map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_twenty_questions_and_each_is_whole() {
        assert_eq!(questions().len(), 20);
        assert_eq!(TEXT.matches("\n### ").count(), 20, "a question could not be read");
        let names: BTreeSet<&str> = questions().iter().map(|question| question.name).collect();
        assert_eq!(names.len(), 20);
        for Question { name, question, reading, parameters, sql } in questions() {
            let legal = |b: u8| b.is_ascii_lowercase() || b == b'-';
            assert!(name.bytes().all(legal), "{name}");
            assert!(question.ends_with('?'), "{name}: {question}");
            assert!(reading.len() > 100, "{name} does not say how to read its answer");
            assert!(sql.starts_with("SELECT") || sql.starts_with("WITH"), "{name}: {sql}");
            for parameter in parameters {
                assert!(!parameter.meaning.is_empty(), "{name}: {} is not in the table of parameters", parameter.name);
            }
        }
    }

    #[test]
    fn the_parameters_of_a_question_stand_in_its_text_in_the_order_of_its_sql() {
        for Question { name, parameters, .. } in questions() {
            let part = TEXT.split("\n### ").find(|part| part.lines().next() == Some(name)).unwrap();
            let told: Vec<String> = parameters
                .iter()
                .map(|p| match &p.default {
                    Some(default) => format!("`{}` = `{default}`", p.name),
                    None => format!("`{}`", p.name),
                })
                .collect();
            let line = format!("\nParameters: {}.\n", told.join(", "));
            assert!(part.contains(&line), "{name} should say: {line}");
        }
        let used: BTreeSet<&str> = questions().iter().flat_map(|q| &q.parameters).map(|p| p.name.as_str()).collect();
        let listed: BTreeSet<&str> = meanings(TEXT).into_iter().map(|(name, _)| name).collect();
        assert_eq!(listed, used);
    }

    #[test]
    fn questions_read_views_of_one_realm() {
        for Question { name, sql, .. } in questions() {
            assert!(!sql.contains("_rows") && !sql.contains("FINAL"), "{name} reads what is beneath the views");
            assert!(sql.contains("realm = {realm:String}"), "{name} mixes realms");
        }
    }
}
