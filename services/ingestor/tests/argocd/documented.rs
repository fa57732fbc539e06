//! A snapshot of what each fixture tells.

use ingestor::providers::Provider;
use ingestor::providers::argocd::ArgoCd;
use serde_json::{Value, json};

use crate::shown::shown;
use crate::{delivery, people};

macro_rules! fixtures {
    ($($name:literal)*) => {
        /// Every fixture with its name.
        pub const FIXTURES: &[(&str, &str)] = &[$(($name, include_str!(concat!("fixtures/", $name, ".json"))),)*];
    };
}

fixtures! { "running" "succeeded" "several-sources" "failed" "removed" "never-synced" }

pub fn fixture(name: &str) -> Value {
    let (_, text) = FIXTURES.iter().find(|(known, _)| *known == name).expect(name);
    serde_json::from_str(text).expect(name)
}

#[test]
fn every_fixture_tells_what_its_snapshot_says() {
    let named = json!({"repository": {"html_url": "https://argocd.example.org/"}, "users": [{"login": "octocat"}]});
    for (name, _) in FIXTURES {
        let delivery = delivery(fixture(name).to_string());
        assert_eq!(ArgoCd.event(&delivery).as_deref(), Some("application"));
        let reading = ArgoCd.read(&delivery, &people());
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(*name, shown(&reading, &named));
        });
    }
}
