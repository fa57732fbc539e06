//! Deliveries written after what Atlassian and ServiceNow document: `fixtures/<provider>/<what>.json`.

use std::fmt::Write as _;

use ingestor::providers::{PROVIDERS, Provider, Reading};
use serde_json::Value;

use crate::{delivery, read, shown::shown};

macro_rules! fixtures {
    ($($provider:literal: $($name:literal)*;)*) => {
        /// All of them: provider, file name without `.json`, content.
        pub const FIXTURES: &[(&str, &str, &str)] = &[$($(
            ($provider, $name, include_str!(concat!("fixtures/", $provider, "/", $name, ".json"))),
        )*)*];
    };
}

fixtures! {
    "jira": "incident.created" "incident.acknowledged" "incident.resolved" "incident.reopened" "incident.canceled"
        "incident.duplicate" "incident.deleted" "incident.data-center" "incident.issue-data-jira-format"
        "incident.issue-data-automation-format" "incident.rule"
        "change.approvals.pending" "change.approvals.approved" "change.approvals.declined" "change.approvals.canceled"
        "change.created-waiting" "change.requested" "change.approved" "change.declined" "change.withdrawn"
        "change.next-approval" "change.deleted" "change.implemented" "change.rule"
        "bug.created" "comment_created";
    "servicenow": "change_request.new" "change_request.requested" "change_request.authorize" "change_request.approved"
        "change_request.rejected" "change_request.canceled" "change_request.standard" "change_request.plain"
        "change_request.plain-closed" "change_request.table-api"
        "sysapproval_approver.requested" "sysapproval_approver.approved" "sysapproval_approver.rejected"
        "incident.new" "incident.in-progress" "incident.resolved" "incident.reopened" "incident.closed"
        "incident.canceled" "problem";
}

pub fn fixture(provider: &str, name: &str) -> Value {
    let known = FIXTURES.iter().find(|known| (known.0, known.1) == (provider, name));
    serde_json::from_str(known.unwrap_or_else(|| panic!("no fixture {name} of {provider}")).2).unwrap()
}

fn provider(name: &str) -> &'static dyn Provider {
    *PROVIDERS.iter().find(|provider| provider.name() == name).unwrap()
}

#[test]
fn what_is_documented_is_read() {
    for name in ["jira", "servicenow"] {
        let mut text = String::new();
        for (_, file, _) in FIXTURES.iter().filter(|fixture| fixture.0 == name) {
            let body = fixture(name, file);
            write!(text, "{file}\n{}", shown(&read(name, &body), &body)).unwrap();
        }
        insta::with_settings!({ prepend_module_to_snapshot => false }, { insta::assert_snapshot!(name, text) });
    }
}

#[test]
fn every_event_to_choose_has_a_fixture_and_is_named() {
    for provider in ["jira", "servicenow"].map(provider) {
        let of_provider = FIXTURES.iter().filter(|fixture| fixture.0 == provider.name());
        let named: Vec<_> = of_provider.filter_map(|fixture| provider.event(&delivery(fixture.0, fixture.2))).collect();
        for expected in provider.page().events {
            assert!(named.iter().any(|name| name == expected.event), "no fixture of {}", expected.event);
        }
    }
}

#[test]
fn no_account_leaves_in_plain_text() {
    for (provider, name, _) in FIXTURES {
        let Ok(Reading::Events(events)) = read(provider, &fixture(provider, name)) else { continue };
        let told = format!("{events:?}").to_lowercase();
        for word in ["person", "example.com/", "@", "account-", "login", "jirauser"] {
            // The address of a Data Center installation is no account.
            let told = told.replace("tracker.example.com/", "");
            assert!(!told.contains(word), "{provider} {name}: {word} in {told}");
        }
    }
}

#[test]
fn a_provider_that_sends_nothing_else_is_set_up_with_what_the_page_shows() {
    let steps = |name| provider(name).page().steps.join("\n");
    // The body of the rule at Jira, with values in place of smart values, is a webhook.
    let rule = steps("jira");
    let (from, to) = (rule.find("{\"webhookEvent\"").unwrap(), rule.rfind("}}").unwrap() + 2);
    let smart = without_braces(&rule[from..to]);
    let body: Value = serde_json::from_str(&smart).unwrap_or_else(|error| panic!("{error}: {smart}"));
    assert_eq!(body["issue"]["fields"]["created"], "issue.created.jiraDateTime");
    assert!(body["references"].is_object());
    assert!(steps("servicenow").contains("setEndpoint('{url}')"));
}

/// Smart values by their names alone: `{{issue.key}}` as `issue.key`.
fn without_braces(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\"{{") {
        let (value, after) = after.split_once("}}\"").unwrap();
        write!(plain, "{before}\"{value}\"").unwrap();
        rest = after;
    }
    plain + rest
}
