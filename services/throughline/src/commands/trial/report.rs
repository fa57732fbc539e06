//! What a trial found: the releases, where their time went, and what nobody has told yet.

use std::collections::BTreeMap;

use model::event::Tier;
use model::fact::{Fact, ReleaseFact, ReleaseKind, SEGMENTS};
use model::{Component, Millis, Timestamp, Version};
use serde::Serialize;

/// The figures are over the releases of so long before the newest: a year.
const PERIOD: Millis = Millis(365 * 86_400_000);

/// What a trial found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Releases, the newest first.
    pub releases: Vec<Release>,
    /// The figures of the last year.
    pub year: Year,
    /// What cannot be seen, and what would show it.
    pub unseen: Vec<Unseen>,
}

/// A release that reached production.
#[derive(Debug, Serialize)]
pub struct Release {
    pub component: Component,
    pub version: Version,
    pub at: Timestamp,
    pub kind: ReleaseKind,
    /// Commits that it was the first to ship.
    pub commits: i32,
    /// All of them are known.
    pub commits_complete: bool,
    /// Of the lower median commit.
    pub lead_time: Option<Millis>,
    pub lead_time_longest: Option<Millis>,
    /// Of the lower median commit, in the order of the way.
    pub segments: [Option<Millis>; 10],
}

/// The figures of the releases of a year.
#[derive(Debug, Default, Serialize)]
pub struct Year {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub releases: usize,
    pub commits: i64,
    /// Lower median over the releases.
    pub lead_time: Option<Millis>,
    /// Lower median over the commits.
    pub lead_time_of_commits: Option<Millis>,
    /// Where the time of the releases went, in all.
    pub segments: BTreeMap<&'static str, Millis>,
}

/// Something that nobody has told yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// What is not seen.
    pub what: &'static str,
    /// What it would add.
    pub adds: &'static str,
    /// Kinds of events that would show it; any of them is enough.
    #[serde(skip)]
    kinds: &'static [&'static str],
    /// Who tells it.
    pub source: &'static str,
}

const UNSEEN: [Unseen; 5] = [
    Unseen {
        what: "reviews",
        adds: "how long a change waited for its first review, and for its approval",
        kinds: &["Change"],
        source: "pull requests or merge requests of GitHub or GitLab",
    },
    Unseen {
        what: "builds",
        adds: "the wait for a runner, the build itself, what failed and was run again",
        kinds: &["PipelineRun", "TaskRun"],
        source: "GitHub Actions, GitLab CI, Jenkins, or whatever sends CDEvents",
    },
    Unseen {
        what: "deployments",
        adds: "when a release really reached production, hand-offs between environments, rollbacks",
        kinds: &["Deployment"],
        source: "deployments of GitHub or GitLab, Argo CD, or one curl at the end of the script that deploys",
    },
    Unseen {
        what: "approvals",
        adds: "how long each gate was the only thing in the way, and whether it caught anything",
        kinds: &["GateRequested", "GateDecided"],
        source: "environment approvals of GitHub or GitLab, ServiceNow, Jira",
    },
    Unseen {
        what: "incidents",
        adds: "which releases failed, and how long production took to recover",
        kinds: &["IncidentDetected", "IncidentResolved"],
        source: "PagerDuty, Alertmanager, Opsgenie, Jira Service Management",
    },
];

impl Report {
    /// Works the report out from everything that is known.
    pub fn new(facts: &[Fact], kinds: &BTreeMap<&'static str, u64>) -> Self {
        let mut releases: Vec<Release> = facts.iter().filter_map(Release::of).collect();
        releases.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.version.cmp(&b.version)));
        let year = Year::of(&releases, facts);
        let is_unseen = |unseen: &Unseen| !unseen.kinds.iter().any(|kind| kinds.contains_key(kind));
        Self { year, unseen: UNSEEN.into_iter().filter(is_unseen).collect(), releases }
    }
}

impl Release {
    fn of(fact: &Fact) -> Option<Self> {
        let Fact::Release(release) = fact else { return None };
        let ReleaseFact { component, version, kind, commits, commits_complete, lead_time, lead_time_longest, .. } =
            release;
        Some(Self {
            component: component.clone(),
            version: version.clone(),
            at: release.production_at?,
            kind: *kind,
            commits: *commits,
            commits_complete: *commits_complete,
            lead_time: *lead_time,
            lead_time_longest: *lead_time_longest,
            segments: release.segments(),
        })
    }
}

impl Year {
    fn of(releases: &[Release], facts: &[Fact]) -> Self {
        let Some(until) = releases.first().map(|release| release.at) else { return Self::default() };
        let within = |at: Timestamp| until - at <= PERIOD;
        let counted: Vec<&Release> = releases.iter().filter(|release| within(release.at)).collect();
        let mut segments = BTreeMap::new();
        for (name, span) in counted.iter().flat_map(|release| SEGMENTS.into_iter().zip(release.segments)) {
            let all = segments.entry(name).or_insert(Millis(0));
            *all = *all + span.unwrap_or_default();
        }
        let of_commits = facts.iter().filter_map(|fact| match fact {
            Fact::ReleaseCommit(commit) if commit.tier == Tier::Production && within(commit.at) => commit.lead_time,
            _ => None,
        });
        Self {
            from: counted.last().map(|release| release.at),
            until: Some(until),
            releases: counted.len(),
            commits: counted.iter().map(|release| i64::from(release.commits)).sum(),
            lead_time: lower_median(counted.iter().filter_map(|release| release.lead_time).collect()),
            lead_time_of_commits: lower_median(of_commits.collect()),
            segments,
        }
    }
}

/// The middle one, of an even number the lower of both.
fn lower_median(mut spans: Vec<Millis>) -> Option<Millis> {
    spans.sort_unstable();
    spans.get(spans.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(version: &str, at: i64, lead_time: i64) -> Fact {
        let whole = Some(Millis(lead_time));
        ReleaseFact {
            version: version.into(),
            at: Timestamp(at),
            production_at: Some(Timestamp(at)),
            commits: 2,
            lead_time: whole,
            coding: Some(Millis(1)),
            unaccounted: Some(Millis(lead_time - 1)),
            ..ReleaseFact::default()
        }
        .into()
    }

    #[test]
    fn the_newest_release_comes_first_and_the_year_ends_with_it() {
        let day = 86_400_000;
        let facts = [release("old", 0, 7), release("b", 400 * day, 5), release("a", 400 * day, 9)];
        let report = Report::new(&facts, &BTreeMap::new());
        let versions: Vec<&str> = report.releases.iter().map(|release| release.version.as_str()).collect();
        assert_eq!(versions, ["a", "b", "old"]);
        let year = report.year;
        assert_eq!((year.releases, year.commits, year.lead_time), (2, 4, Some(Millis(5))));
        assert_eq!((year.segments["coding"], year.segments["unaccounted"]), (Millis(2), Millis(12)));
    }

    #[test]
    fn what_is_told_is_not_unseen() {
        let unseen = |kinds: &[&'static str]| -> Vec<&str> {
            let kinds = kinds.iter().map(|kind| (*kind, 1)).collect();
            Report::new(&[], &kinds).unseen.iter().map(|unseen| unseen.what).collect()
        };
        assert_eq!(unseen(&["Commits", "Tag"]), ["reviews", "builds", "deployments", "approvals", "incidents"]);
        assert_eq!(unseen(&["Change", "TaskRun", "Deployment"]), ["approvals", "incidents"]);
    }

    #[test]
    fn what_is_to_be_told_has_a_name_in_the_model() {
        let kinds = UNSEEN.iter().flat_map(|unseen| unseen.kinds);
        assert!(kinds.into_iter().all(|kind| model::event::Body::KINDS.contains(kind)));
    }
}
