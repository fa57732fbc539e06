//! What a backfill tells that no webhook does.

use ingestor::providers::Observed;
use model::event::{ApprovalBody, Body, CommitInfo, Decision};
use model::{Timestamp, event};
use serde_json::{Value, json};

use crate::{RECEIVED_AT, events, read, told};

const ID: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
const PARENT: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";

fn at(time: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("2024-05-01T{time}Z")).unwrap()
}

fn repository() -> Value {
    json!({ "id": 1, "html_url": "https://github.com/octo-org/shop", "default_branch": "main" })
}

/// A commit of the API, and the same one as a push tells it.
fn commit_both_ways() -> (Value, Value) {
    let person = |date: &str| json!({ "name": "Mona", "email": "mona@example.com", "date": date });
    let github = json!({ "name": "GitHub", "email": "noreply@github.com", "date": "2024-05-01T10:00:00Z" });
    let api = json!({
        "sha": ID,
        "html_url": format!("https://github.com/octo-org/shop/commit/{ID}"),
        "commit": { "author": person("2024-05-01T09:00:00Z"), "committer": github, "message": "Fix (#12)" },
        "author": { "login": "octocat", "type": "User" },
        "committer": { "login": "web-flow", "type": "User" },
        "parents": [{ "sha": PARENT }],
        "files": [
            { "filename": "b.rs", "status": "renamed", "previous_filename": "a.rs" },
            { "filename": "d.rs", "status": "copied", "previous_filename": "c.rs" },
        ],
    });
    let with_login = |mut user: Value, login: &str| {
        user["username"] = json!(login);
        user
    };
    let pushed = json!({
        "id": ID, "message": "Fix (#12)", "timestamp": "2024-05-01T10:00:00Z",
        "author": with_login(person("2024-05-01T09:00:00Z"), "octocat"),
        "committer": with_login(github, "web-flow"),
        "added": ["b.rs", "d.rs"], "removed": ["a.rs"], "modified": [],
    });
    (
        json!({ "commit": api, "repository": repository() }),
        json!({ "ref": "refs/heads/main", "before": PARENT, "after": ID, "commits": [pushed], "repository": repository() }),
    )
}

#[test]
fn a_commit_is_told_as_a_push_tells_it_and_with_its_parents() {
    let (api, push) = commit_both_ways();
    let Observed { occurred_at, .. } = events("backfill.commit", &api).remove(0);
    assert_eq!(occurred_at, at("10:00:00"));
    let commits = told!(Commits, "backfill.commit", &api);
    let pushed = told!(Push, "push", &push).commits.remove(0);
    assert_eq!(commits.commits, [CommitInfo { parents: Some(vec![PARENT.into()]), ..pushed }]);
}

#[test]
fn paths_that_were_not_asked_for_are_not_told() {
    let (mut api, _) = commit_both_ways();
    api["commit"].as_object_mut().unwrap().remove("files");
    assert_eq!(told!(Commits, "backfill.commit", &api).commits[0].paths, None);
    api["commit"]["sha"] = json!("main");
    assert!(read("backfill.commit", &api).unwrap_err().to_string().contains("`main`, which is no commit"));
}

/// When it was made is the best that is known; that it stands there is known of the time of reading alone.
#[test]
fn a_tag_stands_when_it_is_read() {
    let tag = json!({ "name": "v1", "commit": ID, "created_at": "2024-05-01T09:00:00Z" });
    let body = json!({ "tag": tag, "repository": repository() });
    assert_eq!(events("backfill.tag", &body)[0].occurred_at, RECEIVED_AT);
    let told = told!(Tag, "backfill.tag", &body);
    assert_eq!((told.tag.as_str(), told.commit, told.created_at), ("v1", Some(ID.into()), Some(at("09:00:00"))));
}

fn approvals(answers: &[&str], states: &[(&str, &str)]) -> Vec<Observed> {
    let answer =
        |state: &&str| json!({ "state": state, "user": { "login": "grace", "type": "User" }, "comment": "by Grace" });
    let status = |(state, time): &(&str, &str)| json!({ "state": state, "created_at": format!("2024-05-01T{time}Z") });
    events(
        "backfill.approvals",
        &json!({
            "approvals": answers.iter().map(answer).collect::<Vec<_>>(),
            "reviewers": null,
            "deployment": { "id": 5, "environment": "production", "created_at": "2024-05-01T08:59:00Z" },
            "deployment_statuses": states.iter().map(status).collect::<Vec<_>>(),
            "workflow_run": { "id": 7, "run_attempt": 2, "head_sha": ID, "triggering_actor": { "login": "octocat" } },
            "workflow_job": { "id": 9, "html_url": "https://github.com/octo-org/shop/actions/runs/7/job/9" },
            "repository": repository(),
        }),
    )
}

/// Whether and when it was asked for, and whether and when it was decided.
fn gate(events: &[Observed]) -> (Timestamp, Option<(Decision, Timestamp)>) {
    let Body::Approval(ApprovalBody::GateRequested(event::GateRequested { gate, requested_at, .. })) = &events[0].body
    else {
        panic!("{events:?}")
    };
    assert_eq!(gate.gate.as_str(), "github.com/octo-org/shop/actions/runs/7/attempts/2/environments/production");
    let decided = events.get(1).map(|observed| match &observed.body {
        Body::Approval(ApprovalBody::GateDecided(decided)) => {
            assert_eq!(decided.by_author, Some(false));
            (decided.decision, decided.decided_at.unwrap())
        }
        other => panic!("{other:?}"),
    });
    (requested_at.unwrap(), decided)
}

/// The answers have no time: it is that of what they moved.
#[test]
fn a_deployment_that_went_on_was_approved_then() {
    let told = approvals(
        &["approved"],
        &[("waiting", "09:00:00"), ("queued", "11:00:00"), ("in_progress", "11:00:05"), ("success", "11:05:00")],
    );
    assert_eq!(gate(&told), (at("09:00:00"), Some((Decision::Approved, at("11:00:00")))));
    assert!(!format!("{told:?}").contains("Grace"));
    let told = approvals(&["rejected"], &[("waiting", "09:00:00"), ("failure", "11:00:00")]);
    assert_eq!(gate(&told), (at("09:00:00"), Some((Decision::Rejected, at("11:00:00")))));
}

/// Of an earlier attempt, say; or an administrator let it pass.
#[test]
fn an_answer_that_says_something_else_decided_nothing() {
    let states = [("waiting", "09:00:00"), ("in_progress", "11:00:00")];
    assert_eq!(gate(&approvals(&["rejected"], &states)), (at("09:00:00"), None));
    assert_eq!(gate(&approvals(&[], &states[..1])), (at("09:00:00"), None));
}

#[test]
fn a_status_of_the_api_names_its_run_by_the_page_of_its_log() {
    let page = "https://github.com/octo-org/shop/actions/runs/7/job/9";
    let body = json!({
        "action": "created",
        "deployment_status": { "state": "success", "created_at": "2024-05-01T09:00:00Z", "log_url": page },
        "deployment": { "id": 5, "sha": ID, "environment": "production" },
        "repository": repository(),
    });
    let told = told!(Deployment, "deployment_status", &body);
    assert_eq!(told.run.unwrap().as_str(), "github.com/octo-org/shop/actions/runs/7");
    assert_eq!(told.job.unwrap().as_str(), "github.com/octo-org/shop/checks/9");
}
