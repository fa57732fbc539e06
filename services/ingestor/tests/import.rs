//! The import adapter: the documented lines, what it brings to one form, and what it refuses.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops, in its helpers too")]

use std::collections::BTreeSet;

use ingestor::people::People;
use ingestor::providers::import::{Import, check_line};
use ingestor::providers::{Observed, Provider, Reading, Unreadable};
use model::event::{ActorKind, Body, CiBody};
use model::inbox::InboxRecord;
use model::{Realm, Source, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The lines that the documentation of the format shows.
const EXAMPLES: &str = include_str!("import/examples.jsonl");

fn people() -> People {
    People::new(b"a key for tests")
}

fn read(line: &str) -> Result<Reading, Unreadable> {
    let delivery = InboxRecord {
        source: Source::from("history"),
        realm: Realm::from("default"),
        provider: "import".to_owned(),
        delivery: "1".to_owned(),
        event: None,
        content_type: None,
        headers: Default::default(),
        received_at: Timestamp(0),
        body: line.as_bytes().to_vec().into(),
    };
    Import.read(&delivery, &people())
}

fn only(line: &str) -> Observed {
    match read(line) {
        Ok(Reading::Events(mut events)) if events.len() == 1 => events.remove(0),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_documented_lines_cover_every_kind() {
    let mut kinds = BTreeSet::new();
    for line in EXAMPLES.lines() {
        assert!(check_line(line.as_bytes()).is_ok(), "{line}: {:?}", check_line(line.as_bytes()));
        kinds.insert(only(line).body.kind());
    }
    assert_eq!(kinds, Body::KINDS.iter().copied().collect());
}

#[test]
fn no_account_leaves_in_plain_text() {
    let accounts = ["author@example.org", "github.com/author", "github.com/reviewer", "github.com/lead", "on-call@"];
    assert!(accounts.iter().all(|account| EXAMPLES.contains(account)));
    for line in EXAMPLES.lines() {
        let text = serde_json::to_string(&only(line).body).unwrap();
        for account in accounts {
            assert!(!text.contains(account), "{text}");
        }
    }
}

/// The adapter finds accounts by the name of their field, and commits too.
#[test]
fn a_key_is_always_an_account_and_an_id_always_a_commit() {
    fn walk(schema: &Value, found: &mut BTreeSet<(String, String)>) {
        match schema {
            Value::Object(object) => {
                for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
                    found.insert((object["name"].to_string(), field["name"].to_string()));
                }
                object.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for file in ["approval.events", "ci.events", "control", "incident.events", "review.events"] {
        let path = format!("{}/../../schemas/avro/{file}.avsc", env!("CARGO_MANIFEST_DIR"));
        walk(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(), &mut found);
    }
    let records = |name: &str| -> Vec<&str> {
        let fields = found.iter().filter(|(_, field)| field.trim_matches('"') == name);
        fields.map(|(record, _)| record.trim_matches('"')).collect()
    };
    assert_eq!(records("key"), ["Actor"]);
    assert_eq!(records("id"), ["CommitInfo"]);
}

#[test]
fn an_account_is_the_one_that_webhooks_name() {
    let author = |key: &str| {
        let line = json!({"occurred_at": "2024-05-01T09:00:00Z", "body": {"Tag":
            {"repository": "a/b", "tag": "v1", "action": "tagged", "actor": {"key": key, "kind": "human"}}}});
        match only(&line.to_string()).body {
            Body::Ci(CiBody::Tag(tag)) => tag.actor,
            other => panic!("{other:?}"),
        }
    };
    let people = people();
    assert_eq!(author("GitHub.com/Octocat"), people.actor("github.com", "octocat", ActorKind::Human));
    assert_eq!(author("a@example.org"), people.actor("mail", "a@example.org", ActorKind::Human));
    assert_eq!(author("octocat"), people.actor("import", "octocat", ActorKind::Human));
    assert_eq!(author("  ").key, None);
}

#[test]
fn texts_are_brought_to_one_form() {
    let sha = "6DCB09B5B57875F334F61AEBED695E2E4193DB5E";
    let line = json!({"occurred_at": 1_714_555_800_000_i64, "body": {"Push": {
        "repository": "git@github.com:Acme/Shop.git", "ref_name": "refs/heads/main",
        "before": "0".repeat(40), "after": sha,
        "commits": [{"id": sha, "parents": ["ABCDEF1"], "reverts": [sha]}],
    }}});
    let Body::Ci(CiBody::Push(push)) = only(&line.to_string()).body else { panic!("a push") };
    assert_eq!(push.repository.as_str(), "github.com/acme/shop");
    assert_eq!(push.before, None);
    assert_eq!(push.after.unwrap().as_str(), sha.to_lowercase());
    assert_eq!(push.commits[0].id.as_str(), sha.to_lowercase());
    assert_eq!(push.commits[0].parents.as_ref().unwrap()[0].as_str(), "abcdef1");
    assert_eq!(push.commits[0].reverts[0].as_str(), sha.to_lowercase());
}

#[test]
fn what_is_refused_names_the_place() {
    let at = "\"occurred_at\": \"2024-05-01T09:30:00Z\"";
    let tag = "\"repository\": \"a/b\", \"tag\": \"v1\", \"action\": \"tagged\"";
    let commits =
        |commit: &str| format!(r#"{{{at}, "body": {{"Commits": {{"repository": "a/b", "commits": [{commit}]}}}}}}"#);
    for (line, why) in [
        (
            format!(r#"{{{at}, "body": {{"Tag": {{{tag}, "comit": "x", "actor": {{"name": "n"}}}}}}}}"#),
            "unknown: `body.Tag.comit`, `body.Tag.actor.name`; check the spelling",
        ),
        (format!(r#"{{{at}, "when": 1, "body": {{"Tag": {{{tag}}}}}}}"#), "unknown: `when`"),
        (commits(r#"{"id": "abcdef1", "extra": 1}"#), "unknown: `body.Commits.commits.0.extra`"),
        (commits(r#"{"id": "main"}"#), "`body.Commits.commits.0.id`: `main` is no commit id"),
        (commits(r#"{"id": "0000000"}"#), "`body.Commits.commits.0.id`: `0000000` names no commit"),
        (
            commits(r#"{"id": "abcdef1", "parents": ["0000000"]}"#),
            "`body.Commits.commits.0.parents.0`: names no commit",
        ),
        (
            commits(r#"{"id": "abcdef1", "authored_at": "yesterday"}"#),
            "`body.Commits.commits.0.authored_at`: `yesterday` is not a time",
        ),
        (
            format!(r#"{{{at}, "body": {{"Tag": {{"repository": "", "tag": "v", "action": "tagged"}}}}}}"#),
            "`body.Tag.repository`: is empty",
        ),
        (
            format!(r#"{{{at}, "body": {{"Tag": {{"tag": "v1", "action": "tagged"}}}}}}"#),
            "`body.Tag`: missing field `repository`",
        ),
        (format!(r#"{{{at}, "body": {{"Tag": {{{tag}}}, "Push": {{}}}}}}"#), "`Push` is a second one"),
        (format!(r#"{{{at}, "body": {{"Tags": {{}}}}}}"#), "unknown variant `Tags`, expected one of `Push`"),
        (format!(r#"{{{at}, "body": {{}}}}"#), "it must name a kind"),
        (format!(r#"{{"body": {{"Tag": {{{tag}}}}}}}"#), "missing field `occurred_at`"),
        (
            format!(r#"{{"occurred_at": 1714555800, "body": {{"Tag": {{{tag}}}}}}}"#),
            "`occurred_at`: 1714555800 means 1970-01-20T",
        ),
        (
            format!(r#"{{{at}, "link": "javascript:x", "body": {{"Tag": {{{tag}}}}}}}"#),
            "`link`: `javascript:x` is no address",
        ),
        (format!(r#"{{{at}, "body": {{"Tag": {{{tag}}}}}}} trailing"#), "one event in JSON on one line"),
        (String::new(), "one event in JSON on one line"),
    ] {
        let error = check_line(line.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{line}\n{error}");
        assert_eq!(read(&line).unwrap_err().to_string(), error);
    }
}

proptest! {
    #[test]
    fn no_line_stops_it(line in "\\PC{0,200}") {
        prop_assert_eq!(check_line(line.as_bytes()).is_ok(), read(&line).is_ok());
    }

    #[test]
    fn no_cut_or_changed_byte_stops_it(
        example in prop::sample::select(EXAMPLES.lines().collect::<Vec<_>>()),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut line = example.as_bytes().to_vec();
        let at = at.index(line.len());
        if cut { line.truncate(at) } else { line[at] = byte }
        let checked = check_line(&line).is_ok();
        if let Ok(line) = std::str::from_utf8(&line) {
            prop_assert_eq!(checked, read(line).is_ok());
        }
    }

    /// Reading what was read changes nothing but the accounts, which are hashed again.
    #[test]
    fn the_one_form_is_stable(example in prop::sample::select(EXAMPLES.lines().collect::<Vec<_>>())) {
        let first = only(example);
        let line = json!({"occurred_at": first.occurred_at, "link": first.link, "body": first.body}).to_string();
        let again = only(&line);
        let nameless = |body: &Body| {
            let mut json = serde_json::to_value(body).unwrap();
            forget_keys(&mut json);
            json
        };
        prop_assert_eq!(nameless(&again.body), nameless(&first.body));
        prop_assert_eq!((again.occurred_at, again.link), (first.occurred_at, first.link));
    }
}

fn forget_keys(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("key");
            fields.values_mut().for_each(forget_keys);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_keys),
        _ => {}
    }
}
