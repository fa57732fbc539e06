use std::collections::{BTreeMap, BTreeSet};

use model::fact::{GateOutcome, ReleaseKind};
use model::{Component, Environment};
use serde_json::Value;

use super::*;

/// 2026-05-20T12:00:00Z, a Wednesday.
const NOW: Timestamp = Timestamp(1_779_278_400_000);

fn demo() -> Demo {
    generate(7, NOW)
}

/// Bodies of one of GitHub's events, in order of occurrence.
fn bodies(demo: &Demo, event: &str) -> Vec<Value> {
    let mut webhooks: Vec<&Webhook> = demo.webhooks.iter().filter(|w| w.event.as_deref() == Some(event)).collect();
    webhooks.sort_by_key(|webhook| webhook.occurred_at);
    webhooks.iter().map(|webhook| serde_json::from_slice(&webhook.body).unwrap()).collect()
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} of {body}"))
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, two, other) = (demo(), demo(), generate(8, NOW));
    assert_eq!(one.webhooks, two.webhooks);
    assert_eq!(one.expected, two.expected);
    assert_ne!(one.webhooks, other.webhooks);
}

#[test]
fn size_is_that_of_a_demo() {
    for seed in 0..6 {
        let demo = generate(seed, NOW);
        let count = demo.webhooks.len();
        assert!((6_000..=12_000).contains(&count), "seed {seed}: {count} webhooks");
        let largest = demo.webhooks.iter().map(|webhook| webhook.body.len()).max().unwrap();
        assert!(largest < 64 * 1024, "seed {seed}: {largest} bytes");
    }
}

#[test]
fn it_ends_now_and_no_delivery_has_the_id_of_another() {
    let demo = demo();
    let first = demo.webhooks.iter().map(|webhook| webhook.occurred_at).min().unwrap();
    let last = demo.webhooks.iter().map(|webhook| webhook.occurred_at).max().unwrap();
    assert!(last <= NOW && NOW - last < model::Millis(DAY * 1000), "{last}");
    assert!(first.0 >= NOW.0 - (DAYS + 1) * DAY * 1000, "{first}");
    let ids: BTreeSet<(&str, &str)> = demo.webhooks.iter().map(|w| (w.source, w.delivery.as_str())).collect();
    assert_eq!(ids.len(), demo.webhooks.len());
}

#[test]
fn push_chains_are_unbroken() {
    let demo = demo();
    let mut tips: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for push in bodies(&demo, "push") {
        let branch = (text(&push, "/repository/full_name").to_owned(), text(&push, "/ref").to_owned());
        let (before, after) = (text(&push, "/before"), text(&push, "/after"));
        match tips.get(&branch) {
            Some(tip) => assert_eq!(before, tip, "{branch:?}"),
            None if branch.1 == "refs/heads/main" => {}
            None => assert_eq!(before, github::NOTHING, "{branch:?}"),
        }
        let commits: Vec<&str> = push["commits"].as_array().unwrap().iter().map(|commit| text(commit, "/id")).collect();
        match commits.last() {
            Some(last) => assert_eq!(*last, after, "{branch:?}"),
            None => assert!(after == github::NOTHING || known.contains(after), "{branch:?} at {after}"),
        }
        known.extend(commits.into_iter().map(str::to_owned));
        tips.insert(branch, after.to_owned());
    }
    for body in bodies(&demo, "deployment").iter().chain(&bodies(&demo, "deployment_status")) {
        let sha = text(body, "/deployment/sha");
        assert!(known.contains(sha), "{sha} is deployed and was never pushed");
    }
    for run in bodies(&demo, "workflow_run") {
        assert!(known.contains(text(&run, "/workflow_run/head_sha")), "{run}");
    }
}

#[test]
fn every_peculiarity_occurs_with_any_seed_on_any_day() {
    for seed in 0..7 {
        let now = NOW + model::Millis(seed as i64 * (DAY + 7 * clock::HOUR) * 1000);
        let found = generate(seed, now).expected.peculiarities;
        for peculiarity in Peculiarity::ALL {
            assert!(found.contains_key(&peculiarity), "seed {seed}: no {peculiarity:?}");
        }
        assert_eq!(found.len(), Peculiarity::ALL.len());
    }
}

#[test]
fn peculiarities_are_told() {
    let demo = demo();
    let pushes = bodies(&demo, "push");
    assert!(pushes.iter().any(|push| push["forced"] == true));
    assert!(pushes.iter().any(|push| push["deleted"] == true));
    assert!(pushes.iter().any(|push| text(push, "/ref").starts_with("refs/tags/v1.")));
    let runs = bodies(&demo, "workflow_run");
    assert!(runs.iter().any(|run| run["workflow_run"]["run_attempt"] == 2));
    let reviews = bodies(&demo, "deployment_review");
    for action in ["requested", "approved", "rejected"] {
        assert!(reviews.iter().any(|review| review["action"] == action), "{action}");
    }
    let statuses = bodies(&demo, "deployment_status");
    for state in ["waiting", "in_progress", "success", "failure", "error", "inactive"] {
        assert!(statuses.iter().any(|status| status["deployment_status"]["state"] == state), "{state}");
    }
    assert!(bodies(&demo, "deployment").iter().any(|d| d["deployment"]["payload"]["service"] == "ledger"));
    assert!(bodies(&demo, "pull_request").iter().any(|p| p["pull_request"]["user"]["login"] == "dependabot[bot]"));
    let late =
        demo.webhooks.windows(2).filter(|pair| pair[1].occurred_at.0 < pair[0].occurred_at.0 - 3_600_000).count();
    assert_eq!(late, 1);
}

#[test]
fn the_board_speaks_the_import_form() {
    let demo = demo();
    let mut kinds = BTreeSet::new();
    for webhook in demo.webhooks.iter().filter(|webhook| webhook.source == BOARD) {
        let line: Value = serde_json::from_slice(&webhook.body).unwrap();
        let body: model::event::Body = serde_json::from_value(line["body"].clone()).unwrap();
        kinds.insert(body.kind());
    }
    assert_eq!(kinds, BTreeSet::from(["GateBypassed", "GateExpired"]));
}

#[test]
fn expected_sums_are_those_of_the_story() {
    let Demo { expected, catalog, .. } = demo();
    for component in &catalog.components {
        let of = |release: &&ExpectedRelease| release.component == component.component;
        let releases: Vec<&ExpectedRelease> = expected.releases.iter().filter(of).collect();
        assert!(releases.len() >= 15, "{}: {} releases", component.component, releases.len());
        assert_eq!(releases[0].kind, ReleaseKind::Baseline);
        assert_eq!(releases[0].lead_time, None);
        for release in &releases[1..] {
            assert_ne!(release.kind, ReleaseKind::Baseline, "{release:?}");
            let lead_time = release.lead_time.unwrap();
            assert!(lead_time.0 > 0 && lead_time <= release.lead_time_longest.unwrap(), "{release:?}");
        }
        let shipped: Vec<_> = releases.iter().flat_map(|r| &r.commits).map(|commit| &commit.commit).collect();
        assert_eq!(shipped.len(), shipped.iter().collect::<BTreeSet<_>>().len(), "a commit ships once");
    }
    let outcomes: BTreeSet<GateOutcome> = expected.gates.iter().map(|gate| gate.outcome).collect();
    for outcome in [GateOutcome::Approved, GateOutcome::Rejected, GateOutcome::Expired, GateOutcome::Bypassed] {
        assert!(outcomes.contains(&outcome), "{outcome:?}");
    }
    assert!(expected.gates.iter().all(|gate| gate.wait.is_none_or(|wait| wait.0 >= 0)));
    let failed = expected.builds.iter().filter(|build| build.success == Some(false)).count();
    assert!(failed > 20 && expected.builds.len() > 10 * failed / 3, "{failed} of {}", expected.builds.len());
    let places = expected.deployments_by_place();
    assert!(places[&(Component::from("storefront"), Environment::from("production"))] > 100);
    assert_eq!(places.len(), 3 + 3 + 2 + 2 + 2 + 2);
}

#[test]
fn teams_differ_as_they_should() {
    let Demo { expected, .. } = demo();
    let typical = |component: &str| {
        let mut times: Vec<_> = expected
            .releases
            .iter()
            .filter(|r| r.component.as_str() == component)
            .filter_map(|r| r.lead_time)
            .collect();
        times.sort_unstable();
        times[times.len() / 2].0 / 3_600_000
    };
    assert!(typical("storefront") < 8, "{} h", typical("storefront"));
    assert!((24..24 * 21).contains(&typical("billing")), "{} h", typical("billing"));
    assert!(typical("billing") > typical("search"));
}

#[test]
fn a_disturbed_history_is_the_same_history() {
    let demo = demo();
    let disturbed = disturb(&demo.webhooks, 3);
    assert_eq!(disturbed, disturb(&demo.webhooks, 3));
    let set = |webhooks: &[Webhook]| {
        webhooks.iter().map(|w| (w.source, w.delivery.clone(), w.body.clone())).collect::<BTreeSet<_>>()
    };
    assert_eq!(set(&disturbed), set(&demo.webhooks));
    let twice = disturbed.len() - demo.webhooks.len();
    assert!((demo.webhooks.len() / 50..demo.webhooks.len() / 25).contains(&twice), "{twice} arrive twice");
    let late = disturbed.windows(2).filter(|pair| pair[1].occurred_at.0 < pair[0].occurred_at.0 - 3_600_000).count();
    assert!(late > demo.webhooks.len() / 50, "{late} arrive late");
}

#[test]
fn the_catalog_reads() {
    let catalog = catalog();
    assert_eq!(catalog.components.len(), 6);
    assert!(catalog.components.iter().all(|c| catalog.teams.iter().any(|t| Some(&t.team) == c.team.as_ref())));
    assert_eq!(catalog.calendars[0].day_ends, 18 * 60);
}

/// The example of GitHub's documentation, "Testing the webhook payload validation".
#[test]
fn signs_as_github_does() {
    assert_eq!(
        sign_github(b"It's a Secret to Everybody", b"Hello, World!"),
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
    let demo = demo();
    let webhook = demo.webhooks.iter().find(|webhook| webhook.source == GITHUB).unwrap();
    let headers = webhook.signed_headers(b"secret");
    let of = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(of("x-hub-signature-256"), Some(sign_github(b"secret", &webhook.body)));
    assert_eq!(of("x-github-delivery").as_deref(), Some(webhook.delivery.as_str()));
}
