//! Pull requests and their reviews.

use model::event::{Change, ChangeAction, ChangeReview, ChangeState};
use model::{CommitId, Timestamp};
use serde_json::{Value, json};

use super::parts::{Place, account, number, time};

/// `pull_request`.
pub fn pull_request(told: &Change, at: Timestamp) -> Value {
    let place = Place::of(&told.repository);
    let action = match told.action {
        ChangeAction::Opened => "opened",
        ChangeAction::Merged => "closed",
        _ => "synchronize",
    };
    let mut pull = pull(&place, told, at);
    let merged = told.state == ChangeState::Merged;
    pull["merged"] = merged.into();
    pull["merged_by"] = if merged { account(&told.merged_by) } else { Value::Null };
    pull["mergeable"] = Value::Null;
    pull["rebaseable"] = Value::Null;
    pull["mergeable_state"] = "unknown".into();
    pull["comments"] = 0.into();
    pull["review_comments"] = 0.into();
    pull["maintainer_can_modify"] = false.into();
    pull["commits"] = told.commit_count.unwrap_or(1).into();
    pull["additions"] = 40.into();
    pull["deletions"] = 12.into();
    pull["changed_files"] = 3.into();
    let body = json!({ "action": action, "number": pull["number"], "pull_request": pull });
    place.wrap(body, &told.actor, at)
}

/// `pull_request_review`.
pub fn review(told: &ChangeReview, of: &Change, at: Timestamp) -> Value {
    let place = Place::of(&told.repository);
    let pull = pull(&place, of, at);
    let id = number(&told.review);
    let page = place.page(&format!("/pull/{}#pullrequestreview-{id}", told.change));
    let body = json!({
        "action": "submitted",
        "review": {
            "id": id,
            "node_id": format!("PRR_kwDO{id:x}"),
            "user": account(&told.reviewer),
            "body": null,
            "commit_id": told.commit,
            "submitted_at": told.submitted_at.map(time),
            "state": "approved",
            "html_url": page,
            "pull_request_url": pull["url"],
            "author_association": "MEMBER",
            "_links": { "html": { "href": page }, "pull_request": { "href": pull["url"] } },
        },
        "pull_request": pull,
    });
    place.wrap(body, &told.reviewer, at)
}

/// A pull request as all of its webhooks carry it.
fn pull(place: &Place<'_>, told: &Change, at: Timestamp) -> Value {
    let (number, page) = (told.change.as_str(), place.page(&format!("/pull/{}", told.change)));
    let (api, issue) = (place.api(&format!("/pulls/{number}")), place.api(&format!("/issues/{number}")));
    let number: u64 = number.parse().unwrap_or_default();
    let statuses = place.api(&format!("/statuses/{}", id(told.head.as_ref())));
    let link = |to: String| json!({ "href": to });
    json!({
        "url": api,
        "id": 1_500_000_000 + number,
        "node_id": format!("PR_kwDO{number:08x}"),
        "html_url": page,
        "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"),
        "issue_url": issue,
        "number": number,
        "state": if told.state == ChangeState::Open { "open" } else { "closed" },
        "locked": false,
        "title": format!("Change number {number}"),
        "user": account(&told.author),
        "body": "What it changes, why, and how to try it.\n\n* [ ] tests\n* [ ] documentation\n",
        "created_at": told.created_at.map(time),
        "updated_at": time(at),
        "closed_at": told.closed_at.map(time),
        "merged_at": told.merged_at.map(time),
        "merge_commit_sha": told.merge_commit,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": null,
        "draft": false,
        "commits_url": format!("{api}/commits"),
        "review_comments_url": format!("{api}/comments"),
        "review_comment_url": place.api("/pulls/comments{/number}"),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "head": side(place, told.source_branch.as_deref(), told.head.as_ref(), at),
        "base": side(place, told.target_branch.as_deref(), told.base.as_ref(), at),
        "_links": {
            "self": link(api.clone()),
            "html": link(page.clone()),
            "issue": link(issue.clone()),
            "comments": link(format!("{issue}/comments")),
            "review_comments": link(format!("{api}/comments")),
            "review_comment": link(place.api("/pulls/comments{/number}")),
            "commits": link(format!("{api}/commits")),
            "statuses": link(statuses.clone()),
        },
        "author_association": "MEMBER",
        "auto_merge": null,
        "active_lock_reason": null,
    })
}

fn side(place: &Place<'_>, branch: Option<&str>, commit: Option<&CommitId>, at: Timestamp) -> Value {
    let branch = branch.unwrap_or("main");
    let repository = place.whole(at);
    json!({
        "label": format!("{}:{branch}", place.owner()),
        "ref": branch,
        "sha": id(commit),
        "user": repository["owner"],
        "repo": repository,
    })
}

fn id(commit: Option<&CommitId>) -> &str {
    commit.map_or(super::NOTHING, CommitId::as_str)
}
