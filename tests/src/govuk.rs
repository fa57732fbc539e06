//! Real deployments of real applications, with the truth about every commit.
//!
//! The reader takes a folder with one folder for each application and in it `env-events.csv` and `commit-lead-times.csv`, plain or
//! gzipped: each deployment to integration, staging and production, and each commit with the time at which it came there, as
//! `git merge-base` found it. Beside them may lie `deploy-events.csv`, the deployments of every application there is ([`Replay`]).

mod kinds;
mod replay;
#[cfg(test)]
mod suggested;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use model::event::{Actor, ActorKind, Deployment, DeploymentAction, Outcome, Phase};
use model::{CommitId, DeploymentId, Environment, Repository, Timestamp};
use serde::Deserialize;

pub use self::kinds::{Kind, Row, by_definition, why_labelled_otherwise};
pub use self::replay::{Count, Replay};
use crate::history::{self, CommitRow, Told};

/// Environments of the history, in the order of the way to production.
pub const ENVIRONMENTS: [&str; 3] = ["integration", "staging", "production"];

/// The history of one application.
#[derive(Clone, Debug)]
pub struct App {
    /// Name.
    pub name: String,
    /// What happened, in the order of time.
    pub history: Vec<Told>,
    /// What the data say of every change to an environment, deployments and others.
    pub rows: Vec<Row>,
    /// Parents of each commit.
    pub parents: BTreeMap<String, Vec<String>>,
    /// Commits, with the time at which each came to an environment.
    pub truth: BTreeMap<String, BTreeMap<&'static str, Timestamp>>,
}

#[derive(Debug, Deserialize)]
struct EventRow {
    seq: u64,
    env: String,
    effective_unix: i64,
    requested_unix: i64,
    image_tag: String,
    commit: String,
    kind: String,
    actor: String,
}

#[derive(Debug, Deserialize)]
struct LeadTimeRow {
    commit_sha: String,
    parents: String,
    author_unix: i64,
    commit_unix: i64,
    author_hash: String,
    integration_unix: Option<i64>,
    staging_unix: Option<i64>,
    production_unix: Option<i64>,
}

impl App {
    /// Reads the history of an application.
    ///
    /// # Errors
    /// Where a file is missing or a row cannot be read, with its name.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let events: Vec<EventRow> = history::rows(&folder.join(name).join("env-events.csv"))?;
        let commits: Vec<LeadTimeRow> = history::rows(&folder.join(name).join("commit-lead-times.csv"))?;
        let repository = repository(name);
        let told: Vec<CommitRow<'_>> = commits.iter().map(LeadTimeRow::commit).collect();
        let mut history: Vec<Told> = history::commits(&repository, &told).collect();
        let rows = rows(name, &events)?;
        let deployments = events.iter().zip(&rows).filter(|(_, row)| row.image_changes);
        history.extend(deployments.map(|(event, _)| event.told(name)));
        history.sort_by_key(|told| told.at);
        let parents = commits.iter().map(LeadTimeRow::parents).collect();
        let truth = commits.iter().map(LeadTimeRow::truth).collect();
        Ok(Self { name: name.to_owned(), history, rows, parents, truth })
    }

    /// Names of the applications in a folder.
    ///
    /// # Errors
    /// Where the folder cannot be read or holds none.
    pub fn names(folder: &Path) -> Result<Vec<String>> {
        history::folders_with(folder, "env-events.csv")
    }
}

fn repository(app: &str) -> Repository {
    Repository::new(format!("github.com/alphagov/{app}"))
}

/// Component that a catalog would not have to name: the repository without its host.
#[must_use]
pub fn component(app: &str) -> String {
    format!("alphagov/{app}")
}

fn deployment_id(app: &str, seq: u64) -> DeploymentId {
    DeploymentId::new(format!("govuk/{app}/{seq}"))
}

/// What the rows say, and whether each changes the image: one that changes a switch alone is no deployment, whatever its label.
fn rows(app: &str, events: &[EventRow]) -> Result<Vec<Row>> {
    let mut running: BTreeMap<&str, &str> = BTreeMap::new();
    let mut rows = Vec::with_capacity(events.len());
    for EventRow { seq, env, effective_unix, image_tag, commit, kind, .. } in events {
        let label = Kind::named(kind)
            .with_context(|| format!("env-events.csv of {app}: `{kind}` of row {seq} is no kind of event"))?;
        rows.push(Row {
            deployment: deployment_id(app, *seq),
            environment: env.clone(),
            at: Timestamp::from_seconds(*effective_unix),
            commit: CommitId::given(commit),
            image_changes: running.insert(env, image_tag) != Some(image_tag),
            label,
        });
    }
    Ok(rows)
}

/// What all sources tell of a deployment to an environment.
struct Deployed<'a> {
    app: &'a str,
    seq: u64,
    environment: &'a str,
    action: DeploymentAction,
    commit: Option<CommitId>,
    image_tag: &'a str,
    actor: &'a str,
    requested: i64,
    effective: i64,
}

impl Deployed<'_> {
    fn told(self) -> Told {
        let kind = if self.actor == "ci" { ActorKind::Machine } else { ActorKind::Human };
        let at = Timestamp::from_seconds(self.effective);
        let (id, environment) = (deployment_id(self.app, self.seq), Environment::new(self.environment));
        // Where the image could not be traced to a commit, its tag is all there is.
        let tag =
            (self.commit.is_none() && !self.image_tag.is_empty()).then(|| format!("refs/tags/{}", self.image_tag));
        let deployment = Deployment {
            repository: Some(repository(self.app)),
            outcome: Some(Outcome::Success),
            commit: self.commit,
            ref_name: tag,
            triggered_by: Actor { key: None, kind },
            created_at: Some(Timestamp::from_seconds(self.requested)),
            finished_at: Some(at),
            ..Deployment::new(id, environment, self.action, Phase::Finished)
        };
        Told { at, body: deployment.into() }
    }
}

impl EventRow {
    fn told(&self, app: &str) -> Told {
        let deployed = Deployed {
            app,
            seq: self.seq,
            environment: &self.env,
            action: DeploymentAction::Deploy,
            commit: CommitId::given(&self.commit),
            image_tag: &self.image_tag,
            actor: &self.actor,
            requested: self.requested_unix,
            effective: self.effective_unix,
        };
        deployed.told()
    }
}

impl LeadTimeRow {
    fn commit(&self) -> CommitRow<'_> {
        CommitRow {
            id: &self.commit_sha,
            parents: &self.parents,
            authored: self.author_unix,
            committed: self.commit_unix,
            author: &self.author_hash,
        }
    }

    fn parents(&self) -> (String, Vec<String>) {
        (self.commit_sha.clone(), self.parents.split_whitespace().map(str::to_owned).collect())
    }

    fn truth(&self) -> (String, BTreeMap<&'static str, Timestamp>) {
        let times = [self.integration_unix, self.staging_unix, self.production_unix];
        let reached = ENVIRONMENTS
            .into_iter()
            .zip(times)
            .filter_map(|(environment, at)| Some((environment, Timestamp::from_seconds(at?))));
        (self.commit_sha.clone(), reached.collect())
    }
}

#[cfg(test)]
mod tests {
    use model::event::{Body, CiBody};

    use super::*;
    use crate::history::tests::write;

    const EVENTS: &str = "\
seq,env,effective_time,effective_unix,requested_unix,image_tag,commit,kind,new_commits,actor,auto,promote
1,staging,,100,90,release-a,a,baseline,9,human,true,
2,production,,110,90,release-a,a,baseline,9,human,true,
5,staging,,200,190,v2,b,forward,1,ci,true,
7,staging,,250,250,v2,b,flag-change-only,0,human,false,
8,staging,,300,290,a-branch,,unresolved,0,human,false,
9,staging,,310,310,a-branch,,unresolved,0,human,true,
";
    const COMMITS: &str = "\
commit_sha,parents,author_unix,commit_unix,author_hash,integration_unix,staging_unix,production_unix
b,a,150,160,h1,,200,
";

    fn shop(folder: &Path) -> Result<App> {
        write(folder, "shop/env-events.csv", EVENTS);
        write(folder, "shop/commit-lead-times.csv.gz", COMMITS);
        App::read(folder, "shop")
    }

    #[test]
    fn a_changed_switch_is_no_deployment_whatever_its_label() {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path()).unwrap();
        assert_eq!(App::names(folder.path()).unwrap(), ["shop"]);
        assert_eq!(
            shop.rows.iter().map(|row| row.image_changes).collect::<Vec<_>>(),
            [true, true, true, false, true, false]
        );
        let ids = shop.history.iter().filter_map(|told| match &told.body {
            Body::Ci(CiBody::Deployment(deployment)) => Some(deployment.deployment.as_str()),
            _ => None,
        });
        assert_eq!(ids.collect::<Vec<_>>(), ["govuk/shop/1", "govuk/shop/2", "govuk/shop/5", "govuk/shop/8"]);
    }

    #[test]
    fn a_deployment_tells_its_commit_or_else_its_tag() {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path()).unwrap();
        let of = |at| {
            let told = shop.history.iter().filter(|told| told.at == Timestamp(at));
            let mut found = told.filter_map(|told| match &told.body {
                Body::Ci(CiBody::Deployment(deployment)) => Some(deployment.clone()),
                _ => None,
            });
            found.next_back().unwrap()
        };
        let (forward, unresolved) = (of(200_000), of(300_000));
        assert_eq!((forward.commit, forward.ref_name), (Some(CommitId::new("b")), None));
        assert_eq!(forward.triggered_by.kind, ActorKind::Machine);
        assert_eq!((unresolved.commit, unresolved.ref_name.as_deref()), (None, Some("refs/tags/a-branch")));
        assert_eq!(unresolved.created_at, Some(Timestamp(290_000)));
    }

    #[test]
    fn the_truth_of_a_commit_is_when_it_came_where() {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path()).unwrap();
        assert_eq!(shop.truth["b"], BTreeMap::from([("staging", Timestamp(200_000))]));
        assert_eq!(shop.parents["b"], ["a"]);
    }

    #[test]
    fn a_label_that_nobody_knows_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "shop/env-events.csv", &EVENTS.replace("forward", "sideways"));
        write(folder.path(), "shop/commit-lead-times.csv", COMMITS);
        let error = format!("{:#}", App::read(folder.path(), "shop").unwrap_err());
        assert!(error.contains("`sideways` of row 5"), "{error}");
    }
}
