//! `pull_request` and `pull_request_review`.

use model::event::{Change, ChangeAction, ChangeReview, ChangeState, ReviewState};
use model::{ChangeId, Repository};
use serde::Deserialize;

use super::payload::{Account, Repo, When, commit, nullable, same_account, text};
use super::place::Place;
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

#[derive(Deserialize)]
struct PullPayload {
    action: String,
    pull_request: PullRequest,
    sender: Option<Account>,
    repository: Repo,
}

#[derive(Deserialize)]
struct ReviewPayload {
    action: String,
    review: Review,
    pull_request: PullRequest,
    repository: Repo,
}

/// Reviews carry a pull request without `merged`, `merged_by` and the counts.
#[derive(Deserialize)]
struct PullRequest {
    number: u64,
    state: String,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
    user: Option<Account>,
    draft: Option<bool>,
    merged: Option<bool>,
    merged_by: Option<Account>,
    merge_commit_sha: Option<String>,
    #[serde(default)]
    created_at: When,
    #[serde(default)]
    updated_at: When,
    #[serde(default)]
    merged_at: When,
    #[serde(default)]
    closed_at: When,
    head: End,
    base: End,
    #[serde(default, deserialize_with = "nullable")]
    labels: Vec<Label>,
    commits: Option<i32>,
    additions: Option<i32>,
    deletions: Option<i32>,
    changed_files: Option<i32>,
}

/// One end of a pull request. The repository is null if it has been deleted.
#[derive(Deserialize)]
struct End {
    #[serde(rename = "ref", default, deserialize_with = "text")]
    branch: Option<String>,
    sha: Option<String>,
    repo: Option<Repo>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Review {
    id: u64,
    state: String,
    user: Option<Account>,
    commit_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
    #[serde(default)]
    submitted_at: When,
    #[serde(default)]
    updated_at: When,
}

/// `pull_request`: a change as it stands after the action.
pub(super) fn pull_request(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: PullPayload = delivery.payload()?;
    let pull = &payload.pull_request;
    let state = state(pull);
    let action = match payload.action.as_str() {
        "opened" => ChangeAction::Opened,
        "reopened" => ChangeAction::Reopened,
        "synchronize" | "edited" | "labeled" | "unlabeled" => ChangeAction::Updated,
        "ready_for_review" => ChangeAction::Ready,
        "converted_to_draft" => ChangeAction::Drafted,
        "review_requested" => ChangeAction::ReviewRequested,
        "review_request_removed" => ChangeAction::ReviewWithdrawn,
        "enqueued" => ChangeAction::Enqueued,
        "dequeued" => ChangeAction::Dequeued,
        "closed" if state == ChangeState::Merged => ChangeAction::Merged,
        "closed" => ChangeAction::Abandoned,
        other => return Ok(delivery.ignored(other, "moves no change")),
    };
    let at = match action {
        ChangeAction::Opened => pull.created_at.0,
        ChangeAction::Merged => pull.merged_at.0.or(pull.closed_at.0),
        ChangeAction::Abandoned => pull.closed_at.0,
        _ => None,
    };
    let at = at.or(pull.updated_at.0).unwrap_or(delivery.received_at);
    let place = Place::new(delivery.people, &payload.repository);
    let change = change(&place, &payload, action, state);
    Ok(one(at, pull.html_url.clone(), change))
}

fn state(pull: &PullRequest) -> ChangeState {
    if pull.merged == Some(true) || pull.merged_at.0.is_some() {
        ChangeState::Merged
    } else if pull.state.eq_ignore_ascii_case("closed") {
        ChangeState::Abandoned
    } else {
        ChangeState::Open
    }
}

fn change(place: &Place<'_>, payload: &PullPayload, action: ChangeAction, state: ChangeState) -> Change {
    let pull = &payload.pull_request;
    // Before the merge it is a trial merge that no branch ever sees.
    let merge_commit = commit(pull.merge_commit_sha.as_deref()).filter(|_| state == ChangeState::Merged);
    let source = pull.head.repo.as_ref().map(|repo| Repository::from_url(&repo.html_url));
    let mut labels: Vec<String> = pull.labels.iter().map(|label| label.name.clone()).collect();
    labels.sort_unstable();
    Change {
        draft: pull.draft,
        source_repository: source.filter(|source| *source != place.repository),
        source_branch: pull.head.branch.clone(),
        target_branch: pull.base.branch.clone(),
        head: commit(pull.head.sha.as_deref()),
        base: commit(pull.base.sha.as_deref()),
        merge_commit,
        commit_count: pull.commits,
        created_at: pull.created_at.0,
        merged_at: pull.merged_at.0,
        closed_at: pull.closed_at.0,
        author: place.account(pull.user.as_ref()),
        actor: place.account(payload.sender.as_ref()),
        merged_by: place.account(pull.merged_by.as_ref()),
        labels,
        added_lines: pull.additions,
        deleted_lines: pull.deletions,
        changed_files: pull.changed_files,
        ..Change::new(place.repository.clone(), ChangeId::new(pull.number.to_string()), action, state)
    }
}

/// `pull_request_review`: a verdict, its new wording, or its dismissal.
pub(super) fn pull_request_review(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let ReviewPayload { action, review, pull_request: pull, repository } = delivery.payload()?;
    let at = match action.as_str() {
        "submitted" => review.submitted_at.0,
        // The review keeps the time of its submission: when it was changed, the pull request knows.
        "edited" | "dismissed" => review.updated_at.0.or(pull.updated_at.0),
        other => return Ok(delivery.ignored(other, "gives no verdict")),
    };
    let state = match review.state.to_ascii_lowercase().as_str() {
        "approved" => ReviewState::Approved,
        "changes_requested" => ReviewState::ChangesRequested,
        "commented" => ReviewState::Commented,
        "dismissed" => ReviewState::Dismissed,
        other => return Ok(delivery.ignored(&action, &format!("a review that is {}", super::label(other)))),
    };
    let place = Place::new(delivery.people, &repository);
    let change = ChangeId::new(pull.number.to_string());
    let told = ChangeReview {
        commit: commit(review.commit_id.as_deref()),
        submitted_at: review.submitted_at.0,
        reviewer: place.account(review.user.as_ref()),
        reviewer_is_author: same_account(review.user.as_ref(), pull.user.as_ref()),
        ..ChangeReview::new(place.repository.clone(), change, review.id.to_string(), state)
    };
    let at = at.or(review.submitted_at.0).unwrap_or(delivery.received_at);
    Ok(one(at, review.html_url.or(pull.html_url), told))
}
