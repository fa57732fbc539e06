//! A flat JSON object, read member by member. Every complaint names the member, the value, what is wanted, and an example.

use model::event::{Actor, ActorKind};
use model::{ChangeId, CommitId, Environment, Repository, Timestamp};
use serde_json::{Map, Value};

use crate::people::People;
use crate::providers::Unreadable;
use crate::providers::lenient::YEAR_2;

/// A value as long as this is shown whole.
const LONGEST_SHOWN: usize = 80;

/// What is told about how alike two names must be for one to be taken for the other misspelt.
const ALIKE: f64 = 0.75;

/// The members of one object.
pub(in crate::providers) struct Members {
    members: Map<String, Value>,
}

impl Members {
    /// Takes an object all of whose members are among the `known` ones.
    ///
    /// # Errors
    /// Where one is not: it is a misspelt one, and its value would be missed in silence.
    pub(in crate::providers) fn new(members: Map<String, Value>, known: &[&[&str]]) -> Result<Self, Unreadable> {
        let known = || known.iter().copied().flatten().copied();
        match members.keys().find(|name| !known().any(|known| known == *name)) {
            None => Ok(Self { members }),
            Some(name) => {
                let meant = alike(name, known());
                let all = known().collect::<Vec<_>>().join(", ");
                Err(Unreadable::Value(format!("`{}` is no member here{meant}; members are {all}", cut(name))))
            }
        }
    }

    /// A member that was told: null and an empty text mean that it was not.
    fn told(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })
    }

    /// A text; a number is taken as its digits.
    pub(in crate::providers) fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        self.told(name).map(|value| text_of(name, value)).transpose()
    }

    /// A text that must be there; `example` is one.
    pub(in crate::providers) fn needed(&self, name: &str, example: &str) -> Result<String, Unreadable> {
        self.text(name)?.ok_or_else(|| missing(name, example))
    }

    /// One text, or a list of them.
    pub(in crate::providers) fn texts(&self, name: &str) -> Result<Vec<String>, Unreadable> {
        match self.told(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| text_of(name, item)).collect(),
            Some(value) => Ok(vec![text_of(name, value)?]),
        }
    }

    /// A list as it stands.
    pub(in crate::providers) fn list(&self, name: &str, wanted: &str) -> Result<Option<&[Value]>, Unreadable> {
        match self.told(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(value) => Err(wrong(name, value, wanted)),
        }
    }

    /// True or false, which a shell may write as a text.
    pub(in crate::providers) fn flag(&self, name: &str) -> Result<Option<bool>, Unreadable> {
        match self.told(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(value) => Err(wrong(name, value, "true or false")),
        }
    }

    /// A whole number from 0, which a shell may write as a text.
    pub(in crate::providers) fn count(&self, name: &str) -> Result<Option<i64>, Unreadable> {
        let Some(value) = self.told(name) else { return Ok(None) };
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| *number >= 0);
        number.map(Some).ok_or_else(|| wrong(name, value, "a whole number such as 142"))
    }

    /// The same for numbers that the model keeps in 32 bits.
    pub(in crate::providers) fn small_count(&self, name: &str) -> Result<Option<i32>, Unreadable> {
        let small = |number| {
            i32::try_from(number).map_err(|_| wrong(name, &Value::from(number), "a whole number below 2147483648"))
        };
        self.count(name)?.map(small).transpose()
    }

    /// A time.
    pub(in crate::providers) fn time(&self, name: &str) -> Result<Option<Timestamp>, Unreadable> {
        self.told(name).map_or(Ok(None), |value| time_of(name, value))
    }

    /// A commit, full or abbreviated; none for the all-zero id.
    pub(in crate::providers) fn commit(&self, name: &str) -> Result<Option<CommitId>, Unreadable> {
        self.text(name)?.map_or(Ok(None), |text| commit_of(name, &text))
    }

    /// Commits, full or abbreviated.
    pub(in crate::providers) fn commits(&self, name: &str) -> Result<Vec<CommitId>, Unreadable> {
        let commits = self.texts(name)?;
        commits.iter().filter_map(|text| commit_of(name, text).transpose()).collect()
    }

    /// A commit by its full id.
    pub(in crate::providers) fn full_commit(&self, name: &str) -> Result<Option<CommitId>, Unreadable> {
        match self.commit(name)? {
            Some(id) if !id.is_full() => {
                Err(wrong(name, &Value::from(id.as_str()), "the full id of a commit, 40 or 64 hex digits"))
            }
            found => Ok(found),
        }
    }

    /// A repository with its host.
    pub(in crate::providers) fn repository(&self, name: &str) -> Result<Option<Repository>, Unreadable> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let repository = Repository::from_url(&text);
        let has_host = match repository.as_str().split_once('/') {
            // A host without a dot is one of an intranet; that it is a host is certain in an address only.
            Some((host, path)) => {
                !path.is_empty() && (host.contains('.') || text.contains("://") || text.contains('@'))
            }
            None => false,
        };
        if has_host {
            return Ok(Some(repository));
        }
        let wanted = "host and path, such as github.com/acme/shop, or an address: https://…, git@…";
        Err(wrong(name, &Value::from(text), wanted))
    }

    /// A repository that must be there.
    pub(in crate::providers) fn needed_repository(&self) -> Result<Repository, Unreadable> {
        self.repository("repository")?.ok_or_else(|| missing("repository", "github.com/acme/shop"))
    }

    /// A change by its number, which may be written `#12` or `!12`.
    pub(in crate::providers) fn change(&self, name: &str) -> Result<Option<ChangeId>, Unreadable> {
        Ok(self.text(name)?.map(|text| ChangeId::new(text.trim_start_matches(['#', '!']))))
    }

    /// An environment by the name that the sender has for it.
    pub(in crate::providers) fn environment(&self) -> Result<Option<Environment>, Unreadable> {
        Ok(self.text("environment")?.map(Environment::new))
    }

    /// The address of a page.
    pub(in crate::providers) fn page(&self, name: &str) -> Result<Option<String>, Unreadable> {
        match self.text(name)? {
            Some(text) if !text.starts_with("https://") && !text.starts_with("http://") => {
                Err(wrong(name, &Value::from(text), "the address of a page, such as https://ci.example.org/shop/142"))
            }
            page => Ok(page),
        }
    }

    /// One of these words.
    pub(in crate::providers) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Unreadable> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        // Senders differ in the case of their words and in what joins them.
        let plain = text.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        let found = words.iter().find(|(word, _)| *word == plain).map(|(_, meaning)| Some(*meaning));
        found.ok_or_else(|| {
            let meant = alike(&plain, words.iter().map(|(word, _)| *word));
            wrong(name, &Value::from(text), &format!("one of {}{meant}", list_of(words)))
        })
    }

    /// One of these words, which must be there.
    pub(in crate::providers) fn needed_word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, Unreadable> {
        self.word(name, words)?
            .ok_or_else(|| Unreadable::Value(format!("`{name}` is missing: wanted is one of {}", list_of(words))))
    }

    /// An account or an address, hashed.
    pub(in crate::providers) fn actor(&self, name: &str, people: &People) -> Result<Actor, Unreadable> {
        let kind = match self.flag("automated")? {
            Some(true) => ActorKind::Machine,
            Some(false) => ActorKind::Human,
            None => ActorKind::Unknown,
        };
        Ok(match self.text(name)? {
            Some(account) => people.account("generic", &account, kind),
            None => Actor { key: None, kind },
        })
    }
}

fn text_of(name: &str, value: &Value) -> Result<String, Unreadable> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(wrong(name, other, "a text")),
    }
}

fn commit_of(name: &str, text: &str) -> Result<Option<CommitId>, Unreadable> {
    match CommitId::given(text) {
        Some(id) if !id.is_full() && !id.is_abbreviation() => {
            let wanted = "the id of a commit: 40 or 64 hex digits, or an abbreviation of 7 or more";
            Err(wrong(name, &Value::from(text), wanted))
        }
        found => Ok(found),
    }
}

/// RFC 3339 with an offset, whole seconds (`date +%s`), or whole milliseconds since 1970. Times of the year 1 mean "not set".
fn time_of(name: &str, value: &Value) -> Result<Option<Timestamp>, Unreadable> {
    const WANTED: &str = "a time: 2026-05-01T09:30:00Z with its offset, or the seconds of `date +%s`";
    /// 1973: what is earlier is no time of a delivery, and as milliseconds no number of seconds that anybody means.
    const EARLIEST: i64 = 100_000_000;
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => return Err(wrong(name, value, WANTED)),
    };
    let at = match (number, value) {
        // 100,000,000,000 is the year 5138 in seconds and 1973 in milliseconds.
        (Some(number), _) if (EARLIEST..EARLIEST * 1000).contains(&number) => Timestamp::from_seconds(number),
        (Some(number), _) if (EARLIEST * 1000..EARLIEST * 1_000_000).contains(&number) => Timestamp(number),
        (None, Value::String(text)) => Timestamp::parse_rfc3339(text).map_err(|_| wrong(name, value, WANTED))?,
        _ => return Err(wrong(name, value, WANTED)),
    };
    if at.0 < YEAR_2 {
        return Ok(None);
    }
    if at < Timestamp::from_seconds(EARLIEST) { Err(wrong(name, value, WANTED)) } else { Ok(Some(at)) }
}

/// A value that cannot be taken.
pub(in crate::providers) fn wrong(name: &str, value: &Value, wanted: &str) -> Unreadable {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Unreadable::Value(format!("`{name}` is `{}`: wanted is {wanted}", cut(&shown)))
}

/// A member without which the rest is of no use.
pub(in crate::providers) fn missing(name: &str, example: &str) -> Unreadable {
    Unreadable::Value(format!("`{name}` is missing: it must be told, such as \"{name}\": \"{example}\""))
}

/// `; did you mean …?` where a known name is like the given one.
pub(super) fn alike<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    let given: String = given.chars().take(LONGEST_SHOWN).collect();
    let nearest = known
        .map(|name| (strsim::jaro_winkler(&given, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.map(|(_, name)| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn list_of<T>(words: &[(&str, T)]) -> String {
    words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(value: Value) -> Members {
        Members { members: value.as_object().unwrap().clone() }
    }

    #[test]
    fn times_come_as_texts_seconds_and_milliseconds() {
        let at = |value: Value| members(json!({"at": value})).time("at").map_err(|e| e.to_string());
        let expected = Ok(Some(Timestamp::from_seconds(1_777_627_800)));
        for told in [
            json!("2026-05-01T09:30:00Z"),
            json!("2026-05-01T11:30:00+02:00"),
            json!(1_777_627_800),
            json!("1777627800"),
            json!(1_777_627_800_000_i64),
        ] {
            assert_eq!(at(told.clone()), expected, "{told}");
        }
        for untold in [json!(null), json!(""), json!("0001-01-01T00:00:00Z")] {
            assert_eq!(at(untold.clone()), Ok(None), "{untold}");
        }
        for bad in [
            json!("yesterday"),
            json!("2026-05-01T09:30:00"),
            json!(1_777_627_800.5),
            json!(0),
            json!(-1),
            json!("1777627800123456789"),
            json!(true),
            json!("1970-01-21T00:00:00Z"),
        ] {
            let error = at(bad.clone()).unwrap_err();
            assert!(error.starts_with("`at` is `") && error.contains("wanted is a time"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_repository_has_a_host() {
        let read = |text: &str| members(json!({"r": text})).repository("r").map_err(|e| e.to_string());
        for text in ["github.com/Acme/Shop", "https://github.com/acme/shop.git", "git@github.com:acme/shop.git"] {
            assert_eq!(read(text), Ok(Some(Repository::from("github.com/acme/shop"))), "{text}");
        }
        assert_eq!(read("http://git/acme/shop"), Ok(Some(Repository::from("git/acme/shop"))));
        for text in ["acme/shop", "shop", "github.com"] {
            assert!(read(text).unwrap_err().contains("such as github.com/acme/shop"), "{text}");
        }
    }

    #[test]
    fn words_are_known_by_any_case_and_a_misspelt_one_by_its_likeness() {
        let words = [("in_progress", 1), ("success", 2)];
        let read = |text: &str| members(json!({"status": text})).word("status", &words).map_err(|e| e.to_string());
        assert_eq!(read("IN PROGRESS"), Ok(Some(1)));
        assert_eq!(read(""), Ok(None));
        assert_eq!(
            read("sucess").unwrap_err(),
            "`status` is `sucess`: wanted is one of in_progress, success (did you mean `success`?)"
        );
    }

    #[test]
    fn a_long_value_is_cut_in_a_complaint() {
        let error = members(json!({"status": "é".repeat(500)})).flag("status").unwrap_err().to_string();
        assert!(error.chars().count() < 140, "{error}");
    }
}
