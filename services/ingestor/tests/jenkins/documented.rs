//! A snapshot of what each fixture tells.

use ingestor::providers::Provider;
use ingestor::providers::jenkins::Jenkins;
use serde_json::{Value, json};

use crate::shown::shown;
use crate::{delivery, people};

macro_rules! fixtures {
    ($($name:literal)*) => {
        /// Every fixture with its name.
        pub const FIXTURES: &[(&str, &str)] = &[$(($name, include_str!(concat!("fixtures/", $name, ".json"))),)*];
    };
}

fixtures! {
    "notification.queued" "notification.started" "notification.completed" "notification.finalized"
    "cdevents.queued" "cdevents.started" "cdevents.finished" "cdevents.step" "cdevents.other"
    "pipeline" "pipeline.deployment"
}

pub fn fixture(name: &str) -> Value {
    let (_, text) = FIXTURES.iter().find(|(known, _)| *known == name).expect(name);
    serde_json::from_str(text).expect(name)
}

#[test]
fn every_fixture_tells_what_its_snapshot_says() {
    let named = json!({"repository": {"html_url": "https://github.com/acme/shop"}, "users": [{"login": "octocat"}]});
    for (name, _) in FIXTURES {
        let delivery = delivery(fixture(name).to_string());
        assert_eq!(Jenkins.event(&delivery).as_deref(), name.split('.').next());
        let reading = Jenkins.read(&delivery, &people());
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(*name, shown(&reading, &named));
        });
    }
}
