//! What a backfill tells that no webhook does.

use ingestor::providers::Observed;
use model::Timestamp;
use model::event::{ApprovalBody, Change, CommitInfo};
use serde_json::{Value, json};

use crate::documented::{fixture, with};
use crate::{RECEIVED_AT, approvals, events, read, told};

const PARENT: &str = "1111111111111111111111111111111111111111";

fn project() -> Value {
    json!({ "id": 42, "web_url": "https://gitlab.example.com/acme/shop", "default_branch": "main" })
}

/// The first commit of the fixture of a push, as the API tells it.
fn commit() -> Value {
    let pushed = &fixture("push")["commits"][0];
    let commit = json!({
        "id": pushed["id"],
        "parent_ids": [PARENT],
        "authored_date": "2024-05-01T11:00:00.000+02:00",
        "committed_date": "2024-05-01T11:05:00.000+02:00",
        "author_email": pushed["author"]["email"],
        "committer_email": pushed["author"]["email"],
        "message": pushed["message"],
        "web_url": pushed["url"],
        "diff": [
            { "old_path": "pay/card.rs", "new_path": "pay/card.rs", "renamed_file": false },
            { "old_path": "Cargo.toml", "new_path": "Cargo.toml" },
        ],
    });
    json!({ "object_kind": "backfill.commit", "commit": commit, "project": project() })
}

#[test]
fn a_commit_is_told_as_a_push_tells_it_and_with_its_parents() {
    let body = commit();
    let Observed { occurred_at, .. } = events(&body).remove(0);
    assert_eq!(occurred_at, Timestamp::parse_rfc3339("2024-05-01T09:05:00Z").unwrap());
    let told = told!(Commits, &body);
    let pushed = told!(Push, &fixture("push")).commits.remove(0);
    let beyond = CommitInfo {
        parents: Some(vec![PARENT.into()]),
        authored_at: Timestamp::parse_rfc3339("2024-05-01T09:00:00Z").ok(),
        committer: pushed.author.clone(),
        ..pushed
    };
    assert_eq!(told.commits, [beyond]);
}

#[test]
fn a_commit_without_its_parents_or_its_paths_is_none_without_any() {
    let mut body = commit();
    body["commit"].as_object_mut().unwrap().retain(|name, _| name != "parent_ids" && name != "diff");
    let told = told!(Commits, &body).commits.remove(0);
    assert_eq!((told.parents, told.paths), (None, None));
    body["commit"]["id"] = json!("main");
    assert!(read(&body).unwrap_err().to_string().contains("`main`, which is no commit"));
}

#[test]
fn a_renamed_file_was_touched_at_both_places() {
    let mut body = commit();
    body["commit"]["diff"] = json!([{ "old_path": "b.rs", "new_path": "a.rs", "renamed_file": true }]);
    assert_eq!(told!(Commits, &body).commits[0].paths, Some(vec!["a.rs".to_owned(), "b.rs".to_owned()]));
}

/// When it was made is the best that is known; that it stands there is known of the time of reading alone.
#[test]
fn a_tag_stands_when_it_is_read() {
    let tag = json!({ "name": "v1", "commit": PARENT, "created_at": "2024-05-01T09:00:00.500Z" });
    let body = json!({ "object_kind": "backfill.tag", "tag": tag, "project": project() });
    assert_eq!(events(&body)[0].occurred_at, RECEIVED_AT);
    let told = told!(Tag, &body);
    assert_eq!((told.tag.as_str(), told.commit), ("v1", Some(PARENT.into())));
    assert_eq!(told.created_at, Timestamp::parse_rfc3339("2024-05-01T09:00:00.500Z").ok());
}

#[test]
fn a_merge_request_is_told_as_opened_with_its_commits() {
    let kind = ("/object_kind", json!("backfill.merge_request"));
    let listed = told!(Change, &with("merge_request.open", &[kind.clone(), ("/commits", json!([PARENT]))]));
    let opened = told!(Change, &fixture("merge_request.open"));
    assert_eq!(opened.commits, None);
    assert_eq!(listed, Change { commits: Some(vec![PARENT.into()]), ..opened.clone() });
    assert_eq!(told!(Change, &with("merge_request.open", &[kind])), opened);
}

/// The request for an approval is the one that the pipeline tells while its job waits.
#[test]
fn an_approval_was_asked_for_when_its_job_was_made() {
    let job = with("build.success", &[("/object_kind", json!("backfill.approval"))]);
    let asked = approvals(&job).remove(0);
    let waiting = approvals(&fixture("pipeline.approval")).remove(0);
    let (ApprovalBody::GateRequested(asked), ApprovalBody::GateRequested(waiting)) = (&asked, &waiting) else {
        panic!("{asked:?} {waiting:?}")
    };
    assert_eq!(asked, waiting);
    let nowhere = with("build.success", &[("/object_kind", json!("backfill.approval")), ("/environment", Value::Null)]);
    assert!(read(&nowhere).unwrap_err().to_string().contains("names no `environment`"));
}

#[test]
fn what_is_missing_is_named_with_the_kind() {
    let body = json!({ "object_kind": "backfill.tag", "tag": { "commit": PARENT }, "project": project() });
    assert!(read(&body).unwrap_err().to_string().contains("GitLab backfill.tag, member tag"), "{:?}", read(&body));
}
