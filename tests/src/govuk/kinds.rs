//! What each deployment is by the definitions, found again from the order of the deployments and the graph of commits alone.
//!
//! A rollback moves no commit; a redeploy ships nothing new. Of what ships nothing new, a rollback brings back a commit that had come
//! there no later than the one it replaces; the same commit again, or forward again, is a redeploy.

use std::collections::{BTreeMap, HashMap};

use model::{CommitId, DeploymentId, Timestamp};

/// What a change to an environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The first deployment seen there.
    Baseline,
    /// It brings new commits.
    Forward,
    /// It brings an older commit back.
    Rollback,
    /// It ships nothing new and brings nothing back.
    Redeploy,
    /// A deployment of a commit that is not known.
    Unresolved,
    /// No deployment: the image stays.
    NoDeployment,
}

impl Kind {
    /// Kind of this name, as tables and data have it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "baseline" => Self::Baseline,
            "forward" => Self::Forward,
            "rollback" => Self::Rollback,
            "redeploy" => Self::Redeploy,
            "unresolved" => Self::Unresolved,
            "flag-change-only" => Self::NoDeployment,
            _ => return None,
        })
    }
}

/// A change to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Id of the deployment that it is.
    pub deployment: DeploymentId,
    /// Environment.
    pub environment: String,
    /// When.
    pub at: Timestamp,
    /// Commit of the image; none where it is not known.
    pub commit: Option<CommitId>,
    /// Whether another image runs afterwards; if not, it is no deployment.
    pub image_changes: bool,
    /// What the data call it.
    pub label: Kind,
}

/// What a row is by the definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defined {
    /// Kind.
    pub kind: Kind,
    /// The commit is the one that was there before.
    pub same_commit: bool,
}

/// What every row is by the definitions, in the order of `rows`.
#[must_use]
pub fn by_definition(rows: &[Row], parents: &BTreeMap<String, Vec<String>>) -> Vec<Defined> {
    // Deployments of one instant come in the order of their versions, which are their commits, and then of their ids.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|place| {
        let row = &rows[*place];
        (row.at, &row.commit, &row.deployment)
    });
    let mut environments: HashMap<&str, Walk<'_>> = HashMap::new();
    let mut defined = vec![Defined { kind: Kind::NoDeployment, same_commit: false }; rows.len()];
    for place in order {
        let row = &rows[place];
        if row.image_changes {
            defined[place] = environments.entry(&row.environment).or_default().deploy(row.commit.as_ref(), parents);
        }
    }
    defined
}

/// An environment, as far as its history has been walked.
#[derive(Debug, Default)]
struct Walk<'a> {
    /// Which deployment brought each commit.
    first: HashMap<&'a str, usize>,
    deployments: usize,
    running: Option<&'a str>,
}

impl<'a> Walk<'a> {
    fn deploy(&mut self, commit: Option<&'a CommitId>, parents: &'a BTreeMap<String, Vec<String>>) -> Defined {
        let Some(commit) = commit.map(CommitId::as_str) else {
            return Defined { kind: Kind::Unresolved, same_commit: false };
        };
        let known = self.first.len();
        self.deployments += 1;
        let mut open = vec![commit];
        while let Some(reached) = open.pop() {
            if !self.first.contains_key(reached) {
                self.first.insert(reached, self.deployments);
                open.extend(parents.get(reached).into_iter().flatten().map(String::as_str));
            }
        }
        let replaced = self.running.replace(commit);
        let kind = match replaced {
            None => Kind::Baseline,
            Some(_) if self.first.len() > known => Kind::Forward,
            Some(replaced) if replaced != commit && self.first[commit] <= self.first[replaced] => Kind::Rollback,
            Some(_) => Kind::Redeploy,
        };
        Defined { kind, same_commit: replaced == Some(commit) }
    }
}

/// Why a row is not what its label says; none where it is. Each reason is what the definition found.
#[must_use]
pub fn why_labelled_otherwise(label: Kind, defined: Defined) -> Option<&'static str> {
    use Kind::{Baseline, Forward, NoDeployment, Redeploy, Rollback, Unresolved};
    if label == defined.kind {
        return None;
    }
    Some(match (label, defined.kind) {
        (NoDeployment, _) => "labelled a changed switch, but the image changes",
        (_, NoDeployment) => "labelled a deployment, but the image stays",
        (Unresolved, _) => "labelled unresolved, but its commit is told",
        (_, Unresolved) => "labelled as if traced, but its commit is not told",
        (Baseline, _) => "labelled baseline, but another came before",
        (_, Baseline) => "labelled as if another came before, but it is the first",
        (Forward, _) => "labelled forward, but all of its commits had been there",
        (_, Forward) => "labelled as if nothing were new, but it brings new commits",
        (Rollback, _) if defined.same_commit => "labelled rollback, but it is the commit that was there",
        (Rollback, _) => "labelled rollback, but its commit came there later than the one it replaces",
        (Redeploy, _) => "labelled redeploy, but its commit came there no later than the one it replaces",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, environment: &str, commit: &str, label: &str) -> Row {
        Row {
            deployment: DeploymentId::new(seq.to_string()),
            environment: environment.to_owned(),
            at: Timestamp::from_seconds(seq),
            commit: CommitId::given(commit),
            image_changes: label != "flag-change-only",
            label: Kind::named(label).unwrap(),
        }
    }

    /// `c` follows `b` follows `a`; `x` stands beside them.
    fn parents() -> BTreeMap<String, Vec<String>> {
        let of = |id: &str, parent: &str| (id.to_owned(), vec![parent.to_owned()]);
        BTreeMap::from([of("b", "a"), of("c", "b"), of("x", "a")])
    }

    /// Each row is labelled with what it is, in words of the definitions.
    #[test]
    fn what_ships_nothing_new_is_a_rollback_or_a_redeploy() {
        let rows = [
            row(1, "live", "a", "baseline"),
            row(2, "live", "c", "forward"),
            row(3, "live", "a", "rollback"),
            row(4, "live", "b", "redeploy"), // Forward again.
            row(5, "live", "b", "redeploy"), // The same.
            row(6, "live", "b", "flag-change-only"),
            row(7, "live", "", "unresolved"),
            row(8, "live", "b", "redeploy"), // Nothing is known of what it replaces: against the one before.
            row(9, "live", "x", "forward"),
            row(10, "live", "c", "rollback"),
        ];
        let found: Vec<Kind> = by_definition(&rows, &parents()).into_iter().map(|defined| defined.kind).collect();
        assert_eq!(found, rows.iter().map(|row| row.label).collect::<Vec<_>>());
    }

    #[test]
    fn an_environment_is_by_itself_and_one_instant_is_in_the_order_of_versions() {
        let at_once = |commit| Row { at: Timestamp::from_seconds(2), ..row(2, "live", commit, "forward") };
        let rows = [row(1, "test", "c", "baseline"), row(1, "live", "a", "baseline"), at_once("c"), at_once("b")];
        let found: Vec<Kind> = by_definition(&rows, &parents()).into_iter().map(|defined| defined.kind).collect();
        assert_eq!(found, [Kind::Baseline, Kind::Baseline, Kind::Forward, Kind::Forward]);
    }

    #[test]
    fn a_reason_names_what_the_definition_found() {
        let why = |label, kind, same_commit| why_labelled_otherwise(label, Defined { kind, same_commit });
        assert_eq!(why(Kind::Rollback, Kind::Rollback, false), None);
        assert!(why(Kind::Rollback, Kind::Redeploy, false).unwrap().contains("later than the one it replaces"));
        assert!(why(Kind::Rollback, Kind::Redeploy, true).unwrap().contains("is the commit that was there"));
        assert!(why(Kind::Unresolved, Kind::NoDeployment, false).unwrap().contains("the image stays"));
        assert!(why(Kind::Forward, Kind::Rollback, false).unwrap().contains("had been there"));
    }
}
