//! What happens to sources: pushes, commits, changes and their reviews, tags.

use serde::{Deserialize, Serialize};

use crate::event::{Actor, CommitInfo};
use crate::{ChangeId, CommitId, Repository, Timestamp};

/// A branch moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// Repository pushed to.
    pub repository: Repository,
    /// Full name: `refs/heads/main`.
    pub ref_name: String,
    /// Where the branch stood; null when it was created.
    #[serde(default)]
    pub before: Option<CommitId>,
    /// Where it stands; null when it was deleted.
    #[serde(default)]
    pub after: Option<CommitId>,
    /// Commits new to the branch, oldest first.
    #[serde(default)]
    pub commits: Vec<CommitInfo>,
    /// The provider left some of those commits out.
    #[serde(default)]
    pub commits_cut: bool,
    /// The branch did not move forward: `before` is not an ancestor of `after`.
    #[serde(default)]
    pub forced: bool,
    /// Default branch of the repository, without `refs/heads/`.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Who pushed.
    #[serde(default)]
    pub pushed_by: Actor,
}

/// Bare commits, learnt apart from any push: a clone, an import, an API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commits {
    /// Repository.
    pub repository: Repository,
    /// Commits, in any order.
    #[serde(default)]
    pub commits: Vec<CommitInfo>,
}

/// What happened to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// Opened.
    Opened,
    /// Opened again.
    Reopened,
    /// Commits or details changed.
    Updated,
    /// No draft any more: review can begin.
    Ready,
    /// A draft again.
    Drafted,
    /// A review was asked for.
    ReviewRequested,
    /// A request for review was taken back.
    ReviewWithdrawn,
    /// Put into the merge queue.
    Enqueued,
    /// Taken out of the merge queue.
    Dequeued,
    /// Merged.
    Merged,
    /// Closed without a merge.
    Abandoned,
}

/// State of a change after the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    /// Open.
    Open,
    /// Merged.
    Merged,
    /// Closed without a merge.
    Abandoned,
}

/// How a change was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// A merge commit with both histories.
    Merge,
    /// One new commit for all.
    Squash,
    /// New commits, one for each.
    Rebase,
    /// The same commits.
    FastForward,
}

/// A change (pull request, merge request) as it stands after an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Repository it is to be merged into.
    pub repository: Repository,
    /// Number within the repository.
    pub change: ChangeId,
    /// What happened.
    pub action: ChangeAction,
    /// State afterwards.
    pub state: ChangeState,
    /// A draft afterwards.
    #[serde(default)]
    pub draft: Option<bool>,
    /// Where the commits come from, when it is a fork.
    #[serde(default)]
    pub source_repository: Option<Repository>,
    /// Branch the commits come from.
    #[serde(default)]
    pub source_branch: Option<String>,
    /// Branch it is to be merged into.
    #[serde(default)]
    pub target_branch: Option<String>,
    /// Last commit of the change.
    #[serde(default)]
    pub head: Option<CommitId>,
    /// Commit of the target branch it was compared with.
    #[serde(default)]
    pub base: Option<CommitId>,
    /// Commit that brought it into the target; set on merged changes only.
    #[serde(default)]
    pub merge_commit: Option<CommitId>,
    /// How it was merged, where the provider tells.
    #[serde(default)]
    pub merge_method: Option<MergeMethod>,
    /// Its commits, oldest first, where the provider lists them.
    #[serde(default)]
    pub commits: Option<Vec<CommitId>>,
    /// How many commits it has.
    #[serde(default)]
    pub commit_count: Option<i32>,
    /// When it was opened.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it was merged.
    #[serde(default)]
    pub merged_at: Option<Timestamp>,
    /// When it was merged or closed.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// Who opened it.
    #[serde(default)]
    pub author: Actor,
    /// Who did this action.
    #[serde(default)]
    pub actor: Actor,
    /// Who merged it.
    #[serde(default)]
    pub merged_by: Actor,
    /// Labels, sorted.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Lines added.
    #[serde(default)]
    pub added_lines: Option<i32>,
    /// Lines deleted.
    #[serde(default)]
    pub deleted_lines: Option<i32>,
    /// Files changed.
    #[serde(default)]
    pub changed_files: Option<i32>,
}

/// Verdict of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Approved.
    Approved,
    /// Changes requested.
    ChangesRequested,
    /// Commented without a verdict.
    Commented,
    /// Withdrawn or overruled.
    Dismissed,
}

/// Somebody reviewed a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeReview {
    /// Repository of the change.
    pub repository: Repository,
    /// The change.
    pub change: ChangeId,
    /// Id of the review at the provider.
    pub review: String,
    /// Verdict.
    pub state: ReviewState,
    /// Commit that was reviewed.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// When it was submitted.
    #[serde(default)]
    pub submitted_at: Option<Timestamp>,
    /// Who reviewed.
    #[serde(default)]
    pub reviewer: Actor,
    /// The author of the change reviewed it.
    #[serde(default)]
    pub reviewer_is_author: Option<bool>,
}

/// What happened to a tag or the release published on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagAction {
    /// The tag was made or moved.
    Tagged,
    /// A release was published on it.
    Published,
    /// The release was taken back to a draft.
    Unpublished,
    /// The release or the tag was removed.
    Deleted,
}

/// A tag, or a release published on one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Repository.
    pub repository: Repository,
    /// Name without `refs/tags/`.
    pub tag: String,
    /// What happened.
    pub action: TagAction,
    /// Commit it points to; null when the provider did not tell.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Branch it was cut from, where told.
    #[serde(default)]
    pub target_branch: Option<String>,
    /// Marked as not for production.
    #[serde(default)]
    pub prerelease: Option<bool>,
    /// When the tag or the release was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When the release was published.
    #[serde(default)]
    pub published_at: Option<Timestamp>,
    /// Who did this.
    #[serde(default)]
    pub actor: Actor,
    /// Page for people.
    #[serde(default)]
    pub url: Option<String>,
}

impl Push {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, ref_name: String) -> Self {
        Self {
            repository,
            ref_name,
            before: None,
            after: None,
            commits: Vec::new(),
            commits_cut: false,
            forced: false,
            default_branch: None,
            pushed_by: Actor::default(),
        }
    }
}

impl Change {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, change: ChangeId, action: ChangeAction, state: ChangeState) -> Self {
        Self {
            repository,
            change,
            action,
            state,
            draft: None,
            source_repository: None,
            source_branch: None,
            target_branch: None,
            head: None,
            base: None,
            merge_commit: None,
            merge_method: None,
            commits: None,
            commit_count: None,
            created_at: None,
            merged_at: None,
            closed_at: None,
            author: Actor::default(),
            actor: Actor::default(),
            merged_by: Actor::default(),
            labels: Vec::new(),
            added_lines: None,
            deleted_lines: None,
            changed_files: None,
        }
    }
}

impl ChangeReview {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, change: ChangeId, review: String, state: ReviewState) -> Self {
        Self {
            repository,
            change,
            review,
            state,
            commit: None,
            submitted_at: None,
            reviewer: Actor::default(),
            reviewer_is_author: None,
        }
    }
}

impl Tag {
    /// What must be told; the rest is not told.
    #[must_use]
    pub fn new(repository: Repository, tag: String, action: TagAction) -> Self {
        Self {
            repository,
            tag,
            action,
            commit: None,
            target_branch: None,
            prerelease: None,
            created_at: None,
            published_at: None,
            actor: Actor::default(),
            url: None,
        }
    }
}
