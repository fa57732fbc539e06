//! What a GitHub App needs to be told of [`EVENTS`](super::EVENTS).
//!
//! Each event asks for a permission of its own: <https://docs.github.com/en/webhooks/webhook-events-and-payloads>. All of them are to
//! read, and what a backfill reads needs no others.

/// A permission of a GitHub App, to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name in a manifest: `pull_requests`.
    pub key: &'static str,
    /// Events that it lets the App choose.
    pub events: &'static [&'static str],
}

/// The least that an App must be allowed. `metadata` is what every App may read; without it there is none.
pub const PERMISSIONS: &[Permission] = &[
    Permission { key: "metadata", events: &[] },
    Permission { key: "contents", events: &["push", "create", "delete", "release"] },
    Permission { key: "pull_requests", events: &["pull_request", "pull_request_review"] },
    Permission { key: "merge_queues", events: &["merge_group"] },
    Permission { key: "actions", events: &["workflow_run", "workflow_job"] },
    Permission { key: "checks", events: &["check_run", "check_suite"] },
    Permission { key: "statuses", events: &["status"] },
    Permission { key: "deployments", events: &["deployment", "deployment_status", "deployment_review"] },
];

/// Events that no App should choose that only looks on. One that chooses `deployment_protection_rule` is itself offered as a rule
/// for every environment; where somebody ticked it, each deployment would wait for an answer that it may not give. GitHub tells it of
/// no other App's rules.
pub const UNCHOSEN: &[&str] = &["deployment_protection_rule"];

/// Events that the App chooses.
pub fn events() -> impl Iterator<Item = &'static str> {
    PERMISSIONS.iter().flat_map(|permission| permission.events.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::EVENTS;
    use super::*;

    #[test]
    fn every_event_has_its_permission_and_every_permission_an_event() {
        let chosen: Vec<&str> = events().collect();
        let all: BTreeSet<&str> = chosen.iter().chain(UNCHOSEN).copied().collect();
        assert_eq!(all.len(), chosen.len() + UNCHOSEN.len(), "an event stands twice");
        assert_eq!(all, EVENTS.iter().map(|expected| expected.event).collect());
        let idle = PERMISSIONS.iter().filter(|permission| permission.events.is_empty());
        assert_eq!(idle.map(|permission| permission.key).collect::<Vec<_>>(), ["metadata"]);
    }
}
