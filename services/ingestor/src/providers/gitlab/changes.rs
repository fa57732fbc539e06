//! `merge_request`: changes, and approvals of them.

use model::event::{Actor, ActorKind, Change, ChangeAction, ChangeReview, ChangeState, ReviewState};
use model::{ChangeId, Repository, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::payload::{Account, Project, When, commit, nullable, text};
use super::place::Place;
use super::{Delivery, one};
use crate::providers::{Reading, Unreadable};

#[derive(Deserialize)]
struct MergeRequestPayload {
    object_attributes: MergeRequest,
    project: Project,
    user: Option<Account>,
    #[serde(default, deserialize_with = "nullable")]
    labels: Vec<Label>,
    #[serde(default, deserialize_with = "nullable")]
    changes: Changes,
    #[serde(default, deserialize_with = "nullable")]
    assignees: Vec<Account>,
    #[serde(default, deserialize_with = "nullable")]
    reviewers: Vec<Account>,
}

#[derive(Deserialize)]
struct MergeRequest {
    iid: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    action: Option<String>,
    #[serde(default, deserialize_with = "text")]
    state: Option<String>,
    draft: Option<bool>,
    /// What `draft` was called before.
    work_in_progress: Option<bool>,
    author_id: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    source_branch: Option<String>,
    #[serde(default, deserialize_with = "text")]
    target_branch: Option<String>,
    /// Null if the project has been deleted.
    source: Option<Project>,
    last_commit: Option<LastCommit>,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    #[serde(default)]
    created_at: When,
    #[serde(default)]
    updated_at: When,
    /// GitLab did it by itself: it took approvals back because somebody pushed.
    #[serde(default, deserialize_with = "nullable")]
    system: bool,
}

#[derive(Deserialize)]
struct LastCommit {
    id: String,
}

#[derive(Deserialize)]
struct Label {
    #[serde(default, deserialize_with = "text")]
    title: Option<String>,
}

/// What this action changed, as far as it matters here.
#[derive(Default, Deserialize)]
struct Changes {
    draft: Option<Changed<Value>>,
    reviewers: Option<Changed<Vec<Account>>>,
    updated_at: Option<Changed<When>>,
}

#[derive(Deserialize)]
struct Changed<T> {
    previous: Option<T>,
    current: Option<T>,
}

impl MergeRequestPayload {
    /// The number is missing from what older versions sent for groups, and stands in the address.
    fn change(&self) -> Result<ChangeId, Unreadable> {
        let told = &self.object_attributes;
        let in_address = || told.url.as_deref()?.rsplit('/').next()?.parse::<u64>().ok();
        let iid = told.iid.or_else(in_address);
        iid.map(|iid| ChangeId::new(iid.to_string())).ok_or_else(|| {
            Unreadable::Value("the merge request has neither an `iid` nor an address that ends in it".to_owned())
        })
    }

    /// The author is told by number only: the name is that of whoever else is named and has the number.
    fn author(&self) -> Option<&Account> {
        let id = self.object_attributes.author_id?;
        self.user.iter().chain(&self.assignees).chain(&self.reviewers).find(|account| account.id == Some(id))
    }

    fn state(&self) -> ChangeState {
        let told = &self.object_attributes;
        match (told.state.as_deref(), told.action.as_deref()) {
            (Some("merged"), _) | (None, Some("merge")) => ChangeState::Merged,
            (Some("closed"), _) | (None, Some("close")) => ChangeState::Abandoned,
            _ => ChangeState::Open,
        }
    }

    fn updated(&self) -> ChangeAction {
        let flag = |value: &Option<Value>| value.as_ref().and_then(Value::as_bool);
        let changed = &self.changes;
        match changed.draft.as_ref().map(|draft| (flag(&draft.previous), flag(&draft.current))) {
            Some((Some(true), Some(false))) => return ChangeAction::Ready,
            Some((Some(false), Some(true))) => return ChangeAction::Drafted,
            _ => {}
        }
        let count = |list: &Option<Vec<Account>>| list.as_ref().map_or(0, Vec::len);
        match changed.reviewers.as_ref().map(|list| count(&list.current).cmp(&count(&list.previous))) {
            Some(std::cmp::Ordering::Greater) => ChangeAction::ReviewRequested,
            Some(std::cmp::Ordering::Less) => ChangeAction::ReviewWithdrawn,
            _ => ChangeAction::Updated,
        }
    }
}

/// `merge_request`: a change as it stands after the action, or what one person thinks of it.
pub(super) fn merge_request(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: MergeRequestPayload = delivery.payload()?;
    let told = &payload.object_attributes;
    let state = payload.state();
    let action = match told.action.as_deref() {
        // `approved` is the approval by which the rules are met, `approval` any other; each is sent for the act of one person.
        Some("approved" | "approval") => return review(delivery, &payload, ReviewState::Approved),
        Some("unapproved" | "unapproval") => return review(delivery, &payload, ReviewState::Dismissed),
        Some("open") => ChangeAction::Opened,
        Some("reopen") => ChangeAction::Reopened,
        Some("close") => ChangeAction::Abandoned,
        Some("merge") => ChangeAction::Merged,
        // It does not tell when the merge was, and must not move it.
        other if state == ChangeState::Merged => {
            return Ok(delivery.ignored(other.unwrap_or_default(), "after its merge"));
        }
        _ => payload.updated(),
    };
    let at = match action {
        ChangeAction::Opened => told.created_at.0.or(told.updated_at.0),
        _ => told.updated_at.0,
    };
    let at = at.unwrap_or(delivery.received_at);
    let place = Place::new(delivery.people, &payload.project.web_url);
    let link = told.url.clone();
    Ok(one(at, link, change(&place, &payload, (action, state), at)?))
}

fn change(
    place: &Place<'_>,
    payload: &MergeRequestPayload,
    (action, state): (ChangeAction, ChangeState),
    at: Timestamp,
) -> Result<Change, Unreadable> {
    let told = &payload.object_attributes;
    // Null where the branch was moved forward to the last commit of the change.
    let merged_as = told.merge_commit_sha.as_deref().or(told.squash_commit_sha.as_deref());
    let source = told.source.as_ref().map(|source| Repository::from_url(&source.web_url));
    let actor = place.account(payload.user.as_ref());
    let is_merge = action == ChangeAction::Merged;
    let mut labels: Vec<String> = payload.labels.iter().filter_map(|label| label.title.clone()).collect();
    labels.sort_unstable();
    Ok(Change {
        draft: told.draft.or(told.work_in_progress),
        source_repository: source.filter(|source| *source != place.repository),
        source_branch: told.source_branch.clone(),
        target_branch: told.target_branch.clone(),
        head: told.last_commit.as_ref().and_then(|last| commit(Some(&last.id))),
        merge_commit: commit(merged_as).filter(|_| state == ChangeState::Merged),
        created_at: told.created_at.0,
        // The merge and the closing are the updates of which these deliveries tell.
        merged_at: is_merge.then_some(at),
        closed_at: (is_merge || action == ChangeAction::Abandoned).then_some(at),
        author: place.account(payload.author()),
        merged_by: if is_merge { actor.clone() } else { Actor::default() },
        actor,
        labels,
        ..Change::new(place.repository.clone(), payload.change()?, action, state)
    })
}

/// An approval, or that one was taken back. It has no id and no time of its own: it touches the merge request only sometimes, and
/// else the delivery is the clock. What was taken back is not named, so both are reviews by themselves.
fn review(delivery: &Delivery<'_>, payload: &MergeRequestPayload, state: ReviewState) -> Result<Reading, Unreadable> {
    let told = &payload.object_attributes;
    let place = Place::new(delivery.people, &payload.project.web_url);
    let touched_at = payload.changes.updated_at.as_ref().and_then(|changed| changed.current?.0);
    let at = touched_at.unwrap_or(delivery.received_at);
    let reviewer = match told.system {
        true => Actor { key: None, kind: ActorKind::Machine },
        false => place.account(payload.user.as_ref()),
    };
    let by_author =
        payload.user.as_ref().and_then(|user| user.id).zip(told.author_id).map(|(user, author)| user == author);
    let review = format!("{}/{}", reviewer.key.as_deref().unwrap_or("somebody"), at.0);
    let told = ChangeReview {
        commit: told.last_commit.as_ref().and_then(|last| commit(Some(&last.id))),
        submitted_at: Some(at),
        reviewer,
        reviewer_is_author: by_author.filter(|_| !told.system),
        ..ChangeReview::new(place.repository.clone(), payload.change()?, review, state)
    };
    Ok(one(at, payload.object_attributes.url.clone(), told))
}
