//! Every line that is documented does what it says.

use ingestor::providers::generic::{EVENTS, GENERIC};
use ingestor::providers::{Expected, Provider, Reading};
use serde_json::{Value, json};

use crate::shown::shown;
use crate::{delivery, people, read};

const README: &str = include_str!("../../../../schemas/README.md");

/// The body that a documented line sends.
pub fn body(line: &str) -> Value {
    let (_, body) = line.split_once("-d '").expect("a line that sends a body");
    serde_json::from_str(body.strip_suffix('\'').expect("a closed quote")).expect("JSON")
}

/// Whom the documented lines name.
fn named() -> Value {
    let accounts = [json!({"login": "octocat"}), json!({"login": "hubot"})];
    let addresses = [json!({"email": "author@example.org"}), json!({"email": "approver@example.org"})];
    json!({"repository": {"html_url": "https://github.com/acme/shop"}, "accounts": accounts, "addresses": addresses})
}

#[test]
fn every_line_is_read() {
    let mut all = String::new();
    for Expected { event, setting, tells, .. } in EVENTS {
        let delivery = delivery(body(setting).to_string());
        assert_eq!(GENERIC.event(&delivery).as_deref(), Some(*event));
        let reading = GENERIC.read(&delivery, &people());
        assert!(matches!(&reading, Ok(Reading::Events(events)) if events.len() == 1), "{setting}: {reading:?}");
        all += &format!("{event}: {tells}\n{}\n", shown(&reading, &named()));
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("documented", all);
    });
}

#[test]
fn the_lines_of_the_page_are_those_of_the_readme() {
    let section = README.split("## Generic JSON").nth(1).unwrap().split("\n## ").next().unwrap();
    let documented: Vec<&str> = section.lines().filter(|line| line.starts_with("curl ")).collect();
    let page: Vec<String> =
        EVENTS.iter().map(|line| line.setting.replace("{url}", "$URL").replace("{secret}", "$SECRET")).collect();
    assert_eq!(documented, page);
}

#[test]
fn all_lines_in_one_list_are_read_as_one_by_one() {
    // A review and a test may go without an id: then their place in the list is one.
    let lines = EVENTS.iter().filter(|line| !matches!(line.event, "review" | "test"));
    let bodies: Vec<Value> = lines.map(|line| body(line.setting)).collect();
    let one_by_one: Vec<_> = bodies.iter().map(crate::only).collect();
    assert_eq!(read(&Value::from(bodies)), Ok(Reading::Events(one_by_one)));
}
