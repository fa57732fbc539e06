//! The shapes that several kinds of deliveries share: only the members that are read.
//!
//! GitHub leaves members out, sends null, or sends an empty text where there is nothing; all three mean "not told" here. The
//! source of the shapes is <https://docs.github.com/en/webhooks/webhook-events-and-payloads> and what was seen in deliveries.

use model::{ChangeId, CommitId};
use serde::Deserialize;

pub(super) use crate::providers::lenient::{When, nullable, text};

/// A repository.
#[derive(Debug, Deserialize)]
pub(super) struct Repo {
    pub(super) id: Option<u64>,
    /// Its page; the host tells github.com from a GitHub Enterprise Server.
    pub(super) html_url: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) default_branch: Option<String>,
    #[serde(default)]
    pub(super) pushed_at: When,
}

/// A user, a bot or an organisation.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Account {
    #[serde(default, deserialize_with = "text")]
    pub(super) login: Option<String>,
    #[serde(rename = "type", default, deserialize_with = "text")]
    pub(super) kind: Option<String>,
}

/// Author or committer of a commit. `username` is there if GitHub knows an account of that address.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GitUser {
    #[serde(default, deserialize_with = "text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) date: When,
}

/// A pull request as runs and checks name it.
#[derive(Debug, Deserialize)]
pub(super) struct PullRef {
    number: u64,
    base: Option<PullBase>,
}

#[derive(Debug, Deserialize)]
struct PullBase {
    repo: Option<RepoId>,
}

#[derive(Debug, Deserialize)]
struct RepoId {
    id: Option<u64>,
}

/// Numbers of the pull requests into `repository`. A run in a fork also names the pull requests into the repository it was forked
/// from, whose numbers mean something else here.
pub(super) fn changes(pulls: &[PullRef], repository: &Repo) -> Vec<ChangeId> {
    let base = |pull: &PullRef| pull.base.as_ref().and_then(|base| base.repo.as_ref()).and_then(|repo| repo.id);
    pulls
        .iter()
        .filter(|pull| base(pull).zip(repository.id).is_none_or(|(base, here)| base == here))
        .map(|pull| ChangeId::new(pull.number.to_string()))
        .collect()
}

/// The pull request that a branch of the merge queue was made for: `gh-readonly-queue/main/pr-12-<sha>`. A group of several is
/// named after the last one.
pub(super) fn queued_change(branch: &str) -> Option<ChangeId> {
    let (_, name) = branch_or_tag(branch).strip_prefix("gh-readonly-queue/")?.rsplit_once('/')?;
    let (number, _) = name.strip_prefix("pr-")?.split_once('-')?;
    number.parse::<u64>().ok().map(|n| ChangeId::new(n.to_string()))
}

/// Name of a branch or tag without `refs/heads/` or `refs/tags/`.
pub(super) fn branch_or_tag(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name)
}

/// A commit, where one is named.
pub(super) fn commit(id: Option<&str>) -> Option<CommitId> {
    id.and_then(CommitId::given)
}

/// Whether two accounts are one; null where one of them is not told.
pub(super) fn same_account(a: Option<&Account>, b: Option<&Account>) -> Option<bool> {
    let (a, b) = (a?.login.as_ref()?, b?.login.as_ref()?);
    Some(a.eq_ignore_ascii_case(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_of_the_merge_queue_names_its_pull_request() {
        let of = |branch| queued_change(branch).map(|change| change.to_string());
        assert_eq!(of("refs/heads/gh-readonly-queue/main/pr-104-929f8209").as_deref(), Some("104"));
        assert_eq!(of("gh-readonly-queue/release/v1/pr-7-929f8209").as_deref(), Some("7"));
        assert_eq!(of("refs/heads/main"), None);
        assert_eq!(of("gh-readonly-queue/main/pr-x-1"), None);
    }
}
