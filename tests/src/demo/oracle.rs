//! The history through the adapters and the correlation, without any server: what comes out must be what the history was.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use model::fact::{Fact, ReleaseFact};

use super::*;

/// The history and what comes out of it; made once for all tests.
pub fn plain() -> &'static (Demo, Vec<Fact>) {
    static PLAIN: OnceLock<(Demo, Vec<Fact>)> = OnceLock::new();
    PLAIN.get_or_init(|| {
        let demo = generate(7, NOW);
        let facts = facts(&demo, &demo.webhooks).unwrap();
        (demo, facts)
    })
}

/// What is known after these webhooks, without a catalog.
pub fn realm(webhooks: &[Webhook]) -> correlation::Realm {
    facts::realm_of(webhooks.iter().map(delivery)).unwrap()
}

/// Lines that stand on one side only.
fn difference(told: &BTreeSet<String>, expected: &BTreeSet<String>) -> Vec<String> {
    let surplus = told.difference(expected).map(|line| format!("+ {line}"));
    let missing = expected.difference(told).map(|line| format!("- {line}"));
    surplus.chain(missing).collect()
}

fn assert_same(what: &str, told: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let wrong = difference(told, expected);
    assert!(wrong.is_empty(), "{what}: {} of {} differ\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}

#[test]
fn releases_are_those_of_the_history() {
    let (demo, facts) = plain();
    assert_releases(demo, facts);
}

/// The history ends today, whatever day that is.
#[test]
fn releases_are_those_of_the_history_on_any_day() {
    for day in 0..6 {
        let demo = generate(day, NOW + model::Millis(day as i64 * 31 * 86_400_000));
        assert_releases(&demo, &facts(&demo, &demo.webhooks).unwrap());
    }
}

fn assert_releases(demo: &Demo, facts: &[Fact]) {
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Release(ReleaseFact {
                component,
                version,
                kind,
                production_at: Some(at),
                commits,
                lead_time,
                lead_time_longest,
                ..
            }) => Some(format!("{component} {version} {kind:?} {at} {commits} {lead_time:?} {lead_time_longest:?}")),
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .releases
        .iter()
        .map(|r| {
            let ExpectedRelease { component, version, kind, production_at, commits, lead_time, lead_time_longest } = r;
            let count = commits.len();
            format!("{component} {version} {kind:?} {production_at} {count} {lead_time:?} {lead_time_longest:?}")
        })
        .collect();
    assert_same("releases", &told, &expected);
}

#[test]
fn gates_are_those_of_the_history() {
    let (demo, facts) = plain();
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::GateWait(g) => Some(format!(
                "{} {} {:?} {:?} {:?} {:?}",
                g.component, g.gate, g.requested_at, g.decided_at, g.outcome, g.wait
            )),
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .gates
        .iter()
        .map(|g| {
            format!(
                "{} {} {:?} {:?} {:?} {:?}",
                g.component,
                g.gate,
                Some(g.requested_at),
                g.decided_at,
                g.outcome,
                g.wait
            )
        })
        .collect();
    assert_same("gates", &told, &expected);
}

#[test]
fn deployments_are_those_of_the_history() {
    let (demo, facts) = plain();
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Deployment(d) => {
                let success = d.finished_at.map(|_| d.outcome == Some(model::event::Outcome::Success));
                Some(format!(
                    "{} {} {} {:?} {:?} {success:?}",
                    d.component, d.environment, d.deployment, d.commit, d.finished_at
                ))
            }
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .deployments
        .iter()
        .map(|d| {
            format!(
                "{} {} {} {:?} {:?} {:?}",
                d.component,
                d.environment,
                d.deployment,
                Some(&d.commit),
                d.finished_at,
                d.success
            )
        })
        .collect();
    assert_same("deployments", &told, &expected);
}

#[test]
fn builds_are_those_of_the_history() {
    let (demo, facts) = plain();
    // Which component a run of the monorepo belongs to, its history does not say.
    let told = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Build(b) => {
                let success = b.finished_at.map(|_| b.outcome == Some(model::event::Outcome::Success));
                Some(format!("{} {} {} {:?} {success:?}", b.run, b.attempt, b.pipeline, b.finished_at))
            }
            _ => None,
        })
        .collect();
    let expected = demo
        .expected
        .builds
        .iter()
        .map(|b| format!("{} {} {} {:?} {:?}", b.run, b.attempt, b.pipeline, b.finished_at, b.success))
        .collect();
    assert_same("builds", &told, &expected);
}

#[test]
fn disorder_changes_nothing() {
    let (demo, plain) = plain();
    let disturbed = facts(demo, &disturb(&demo.webhooks, 11)).unwrap();
    let lines = |facts: &[Fact]| -> BTreeSet<String> { facts.iter().map(|fact| format!("{fact:?}")).collect() };
    assert_same("facts", &lines(&disturbed), &lines(plain));
}
