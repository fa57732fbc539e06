//! What the senders have in common: paths of runs, words for results, branches.

use model::event::{Outcome, PipelineRun, Trigger};
use model::{ChangeId, CommitId, Repository, RunId, Source};
use serde::Deserialize;

use crate::providers::lenient::text;

/// A run of a job, by its path on the controller.
#[derive(Debug, PartialEq)]
pub(super) struct RunPath {
    /// Folders and job: `acme/shop/main`.
    pub(super) job: String,
    pub(super) number: i64,
    /// `job/acme/job/shop/job/main/142`.
    path: String,
}

impl RunPath {
    /// The run in an address, whole or from the root of the controller on: `https://ci.example.org/jenkins/job/shop/142/`.
    pub(super) fn of(address: &str) -> Option<Self> {
        let parts: Vec<&str> = address.split(['?', '#']).next()?.split('/').filter(|part| !part.is_empty()).collect();
        let start = parts.iter().position(|part| *part == "job")?;
        let mut at = start;
        let mut names = Vec::new();
        while parts.get(at) == Some(&"job") {
            names.push(*parts.get(at + 1)?);
            at += 2;
        }
        let number = parts.get(at)?.parse().ok()?;
        Some(Self { job: names.join("/"), number, path: parts[start..=at].join("/") })
    }

    /// Unique over all providers.
    pub(super) fn id(&self, source: &Source) -> RunId {
        RunId::new(format!("{source}/{}", self.path))
    }
}

/// Where a run took its sources from.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Scm {
    #[serde(default, deserialize_with = "text")]
    pub(super) url: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) branch: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) commit: Option<String>,
}

impl Scm {
    pub(super) fn commit(&self) -> Option<CommitId> {
        self.commit.as_deref().and_then(CommitId::given).filter(|id| id.is_full() || id.is_abbreviation())
    }

    pub(super) fn repository(&self) -> Option<Repository> {
        self.url.as_deref().map(Repository::from_url)
    }

    /// Tells a run where its sources are from.
    pub(super) fn tell(&self, run: &mut PipelineRun) {
        run.repository = self.repository();
        run.commit = self.commit();
        run.ref_name = self.branch.as_deref().and_then(branch);
        // A multibranch job builds a change on a branch of this name, perhaps merged into its target: a commit of Jenkins' own.
        if let Some(change) = run.ref_name.as_deref().and_then(change) {
            run.changes = vec![change];
            run.trigger = Trigger::Change;
        }
    }
}

/// A branch without the remote that git names it by; none where the sources are at no branch.
fn branch(name: &str) -> Option<String> {
    let name = name.strip_prefix("refs/").unwrap_or(name);
    let name = ["remotes/", "heads/", "tags/"].into_iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name);
    let name = name.strip_prefix("origin/").unwrap_or(name);
    (name != "detached").then(|| name.to_owned())
}

/// The change that a multibranch job calls `PR-12` (GitHub, Bitbucket) or `MR-12` (GitLab).
fn change(branch: &str) -> Option<ChangeId> {
    let number = branch.strip_prefix("PR-").or_else(|| branch.strip_prefix("MR-"))?;
    let number = number.strip_suffix("-merge").or_else(|| number.strip_suffix("-head")).unwrap_or(number);
    number.parse::<u64>().ok().map(|number| ChangeId::new(number.to_string()))
}

/// How a run or a stage ended. `UNSTABLE` is that of a run whose tests failed.
/// <https://javadoc.jenkins.io/hudson/model/Result.html>
pub(super) fn outcome(result: &str) -> Outcome {
    match result.to_ascii_uppercase().as_str() {
        "SUCCESS" => Outcome::Success,
        "UNSTABLE" | "FAILURE" | "FAILED" => Outcome::Failure,
        "ABORTED" => Outcome::Cancelled,
        "NOT_BUILT" | "NOT_EXECUTED" => Outcome::Skipped,
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_by_its_path_wherever_it_is_named() {
        let run = |address| RunPath::of(address).map(|run| run.id(&"ci".into()).to_string());
        for address in [
            "job/acme/job/shop/142/",
            "https://ci.example.org/job/acme/job/shop/142/",
            "http://localhost:8080/jenkins/job/acme/job/shop/142",
            "https://ci.example.org/job/acme/job/shop/142/execution/node/3/",
        ] {
            assert_eq!(run(address).as_deref(), Some("ci/job/acme/job/shop/142"), "{address}");
        }
        for none in ["", "job", "job/", "job/shop", "job/shop/", "job/shop/lastBuild/", "https://ci.example.org/142/"] {
            assert_eq!(run(none), None, "{none}");
        }
        assert_eq!(RunPath::of("job/acme/job/shop/142/").map(|run| run.job).as_deref(), Some("acme/shop"));
    }

    #[test]
    fn branches_lose_their_remote() {
        for (given, name) in [
            ("origin/main", Some("main")),
            ("refs/remotes/origin/feature/a", Some("feature/a")),
            ("refs/heads/main", Some("main")),
            ("main", Some("main")),
            ("detached", None),
        ] {
            assert_eq!(branch(given).as_deref(), name, "{given}");
        }
        assert_eq!(change("PR-12"), Some(ChangeId::from("12")));
        assert_eq!(change("MR-7-merge"), Some(ChangeId::from("7")));
        assert_eq!(change("PR-fix"), None);
    }
}
