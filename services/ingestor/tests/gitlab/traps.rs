//! One test for each trap known from real deliveries, and named after it: pushes, tags, merge requests, releases.

use ingestor::providers::gitlab::GitLab;
use ingestor::providers::{Provider, Reading};
use model::event::{ActorKind, ChangeAction, ChangeState, ReviewState, TagAction};
use model::{ChangeId, CommitId, Timestamp};
use serde_json::{Value, json};

use crate::documented::{FIXTURES, fixture, with};
use crate::{RECEIVED_AT, delivery, events, ignored, people, told};

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

pub fn some(text: &str) -> Option<Timestamp> {
    Some(at(text))
}

fn sha(digit: &str) -> CommitId {
    CommitId::new(digit.repeat(40))
}

#[test]
fn times_come_in_three_forms() {
    for text in [
        "2024-05-01 10:03:59 UTC",
        "2024-05-01 12:03:59 +0200",
        "2024-05-01T10:03:59Z",
        "2024-05-01T12:03:59.000+02:00",
    ] {
        let body = with("deployment.success", &[("/status_changed_at", json!(text))]);
        assert_eq!(events(&body)[0].occurred_at, at("2024-05-01T10:03:59Z"), "{text}");
    }
}

#[test]
fn a_member_may_be_there_twice() {
    for (name, text) in FIXTURES {
        let body = fixture(name);
        let first: String = body.as_object().unwrap().keys().map(|member| format!("\"{member}\": [],")).collect();
        let twice = text.replacen('{', &format!("{{{first}"), 1);
        let once = GitLab.read(&delivery(*text), &people()).unwrap();
        assert_eq!(GitLab.read(&delivery(twice), &people()).ok(), Some(once), "{name}");
    }
}

#[test]
fn deleted_refs_have_a_zero_sha_and_no_checkout_sha() {
    let body = fixture("push.branch-deleted");
    assert!(body["checkout_sha"].is_null());
    let branch = told!(Push, &body);
    assert_eq!((branch.before, branch.after, branch.commits_cut, branch.forced), (Some(sha("2")), None, false, false));
    assert_eq!(events(&body)[0].link, None, "nothing is there to be shown");
    let tag = told!(Tag, &fixture("tag_push.deleted"));
    assert_eq!((tag.action, tag.commit), (TagAction::Deleted, None));
    assert_eq!(told!(Push, &fixture("push.branch-created")).before, None);
}

#[test]
fn a_list_of_commits_may_be_cut() {
    let cut = |members: &[(&str, Value)]| told!(Push, &with("push", members)).commits_cut;
    assert!(!cut(&[]));
    assert!(cut(&[("/total_commits_count", json!(21))]), "GitLab sends the newest 20");
    assert!(cut(&[("/after", json!("5".repeat(40)))]), "the last one is missing");
    assert!(!cut(&[("/commits", json!([])), ("/total_commits_count", json!(0))]));
    assert!(!cut(&[("/total_commits_count", json!(null))]));
}

#[test]
fn a_forced_push_looks_like_any_other() {
    let forced = |members: &[(&str, Value)]| told!(Push, &with("push", members)).forced;
    let unprotected = ("/ref_protected", json!(false));
    assert!(!forced(&[]));
    assert!(!forced(std::slice::from_ref(&unprotected)), "the default branch");
    assert!(!forced(&[("/ref", json!("refs/heads/stable"))]), "a protected branch");
    assert!(forced(&[unprotected, ("/ref", json!("refs/heads/cards"))]), "nothing says that it was not");
    assert!(forced(&[("/commits", json!([])), ("/total_commits_count", json!(0))]), "it can only have moved back");
}

#[test]
fn the_sha_of_an_annotated_tag_is_not_its_commit() {
    let body = fixture("tag_push.annotated");
    assert_ne!(body["after"], body["checkout_sha"]);
    assert_eq!(told!(Tag, &body).commit, Some(sha("3")));
}

#[test]
fn a_push_does_not_tell_when_it_was() {
    assert_eq!(events(&fixture("push"))[0].occurred_at, RECEIVED_AT);
    let commit = told!(Push, &fixture("push")).commits.remove(0);
    assert_eq!((commit.authored_at, commit.committed_at), (None, some("2024-05-01T09:05:00Z")));
}

#[test]
fn a_merge_names_its_change_and_a_copied_one_that_of_another_project() {
    let changes =
        |text: &str| told!(Push, &with("push", &[("/commits/1/message", json!(text))])).commits.remove(1).changes;
    assert_eq!(changes("Merge\n\nSee merge request acme/shop!12"), [ChangeId::from("12")]);
    assert_eq!(changes("Merge\n\nSee merge request acme/till!12"), []);
}

#[test]
fn both_approval_and_approved_are_the_act_of_one_person() {
    let approval = told!(ChangeReview, &fixture("merge_request.approval"));
    let approved = told!(ChangeReview, &fixture("merge_request.approved"));
    assert_eq!((approval.state, approved.state), (ReviewState::Approved, ReviewState::Approved));
    assert_ne!(approval.review, approved.review);
    assert_eq!((approval.reviewer_is_author, approval.commit), (Some(false), Some(sha("2"))));
    assert_eq!(approval.submitted_at, Some(RECEIVED_AT), "an approval need not touch the merge request");
    assert_eq!(approved.submitted_at, some("2024-05-01T08:50:00Z"));
    for action in ["unapproval", "unapproved"] {
        let body = with("merge_request.approval", &[("/object_attributes/action", json!(action))]);
        assert_eq!(told!(ChangeReview, &body).state, ReviewState::Dismissed, "{action}");
    }
}

#[test]
fn approvals_taken_back_by_a_push_are_not_the_act_of_who_pushed() {
    let reset = told!(ChangeReview, &fixture("merge_request.unapproved"));
    assert_eq!((reset.reviewer.key, reset.reviewer.kind), (None, ActorKind::Machine));
    assert_eq!(reset.reviewer_is_author, None);
}

#[test]
fn an_author_is_told_by_number_only() {
    let opened = told!(Change, &fixture("merge_request.open"));
    let merged = told!(Change, &fixture("merge_request.merge"));
    assert!(opened.author.key.is_some() && opened.author == opened.actor);
    assert_eq!(merged.author, opened.author, "the assignee with that number");
    assert_ne!(merged.merged_by, merged.author);
    let unknown = with("merge_request.merge", &[("/assignees", json!([]))]);
    assert_eq!(told!(Change, &unknown).author, model::event::Actor::default());
}

#[test]
fn merge_commit_sha_counts_once_it_is_merged() {
    let early = with("merge_request.update", &[("/object_attributes/merge_commit_sha", json!("4".repeat(40)))]);
    assert_eq!(told!(Change, &early).merge_commit, None);
    let merged = told!(Change, &fixture("merge_request.merge"));
    assert_eq!((merged.merge_commit, merged.merged_at), (Some(sha("3")), some("2024-05-01T09:10:01Z")));
    assert_eq!((merged.action, merged.state), (ChangeAction::Merged, ChangeState::Merged));
}

#[test]
fn an_update_after_the_merge_does_not_move_the_merge() {
    let body = with("merge_request.merge", &[("/object_attributes/action", json!("update"))]);
    assert_eq!(ignored(&body), "merge_request.update: after its merge");
}

#[test]
fn ready_and_drafted_are_updates() {
    let action = |changes: Value| told!(Change, &with("merge_request.update", &[("/changes", changes)])).action;
    assert_eq!(action(json!({ "draft": { "previous": true, "current": false } })), ChangeAction::Ready);
    assert_eq!(action(json!({ "draft": { "previous": false, "current": true } })), ChangeAction::Drafted);
    let reviewers = |before: Value, now: Value| json!({ "reviewers": { "previous": before, "current": now } });
    assert_eq!(action(reviewers(json!([]), json!([{ "id": 2 }]))), ChangeAction::ReviewRequested);
    assert_eq!(action(reviewers(json!([{ "id": 2 }]), json!([]))), ChangeAction::ReviewWithdrawn);
    assert_eq!(action(json!({})), ChangeAction::Updated);
}

#[test]
fn a_merge_request_without_its_number_has_it_in_its_address() {
    let mut body = fixture("merge_request.merge");
    for member in ["iid", "state"] {
        body["object_attributes"].as_object_mut().unwrap().remove(member);
    }
    let change = told!(Change, &body);
    assert_eq!((change.change, change.state), (ChangeId::from("12"), ChangeState::Merged));
}

#[test]
fn a_release_tells_when_it_was_made_and_not_when_it_was_removed() {
    let made = events(&fixture("release.create"));
    assert_eq!(made[0].occurred_at, at("2024-05-01T10:10:00Z"));
    let tag = told!(Tag, &fixture("release.create"));
    assert_eq!((tag.action, tag.published_at), (TagAction::Published, some("2024-05-01T10:09:00Z")));
    assert_eq!(events(&fixture("release.delete"))[0].occurred_at, RECEIVED_AT);
    assert_eq!(told!(Tag, &fixture("release.delete")).action, TagAction::Unpublished, "its tag stays");
    let updated = told!(Tag, &with("release.create", &[("/action", json!("update"))]));
    assert_eq!(updated, tag);
}

#[test]
fn a_system_hook_names_the_kind_by_event_name() {
    let mut by_system = delivery(fixture("push.system").to_string());
    by_system.event = Some("System Hook".to_owned());
    let told = GitLab.read(&by_system, &people()).unwrap();
    assert_eq!(told, Reading::Events(events(&fixture("push"))));
}

#[test]
fn reasons_for_ignoring_name_kind_and_action_and_nothing_else() {
    let issue = json!({ "object_kind": "issue", "object_attributes": { "action": "open", "title": "secret" } });
    assert_eq!(ignored(&issue), "issue.open: bears on no delivery");
    assert_eq!(ignored(&json!({ "event_name": "user_add_to_group" })), "user_add_to_group: bears on no delivery");
    assert_eq!(
        ignored(&json!({ "object_kind": "milestone", "action": "close" })),
        "milestone.close: bears on no delivery"
    );
    assert_eq!(ignored(&json!({ "object_kind": "New Kind!", "action": "a b" })), "other.other: bears on no delivery");
}

#[test]
fn every_gitlab_has_its_own_host() {
    let here = told!(Push, &fixture("push"));
    let there = told!(Push, &with("push", &[("/project/web_url", json!("https://gitlab.com/Acme/Shop"))]));
    assert_eq!(there.repository.as_str(), "gitlab.com/acme/shop");
    assert_ne!(there.pushed_by.key, here.pushed_by.key);
}
