//! The deployments of every application there is, as one history.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Result;
use model::CommitId;
use model::event::DeploymentAction;
use serde::{Deserialize, Serialize};

use super::{App, Deployed, deployment_id};
use crate::history::{self, Told};

const FILE: &str = "deploy-events.csv";

/// How many rows an application has in an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Deployments: another image runs afterwards.
    pub deployments: u64,
    /// Removals: no image runs afterwards.
    pub removals: u64,
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, count| Self {
            deployments: sum.deployments + count.deployments,
            removals: sum.removals + count.removals,
        })
    }
}

/// The deployments of every application.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Rows of the file.
    pub rows: usize,
    /// Those that the histories of single applications do not tell already.
    pub history: Vec<Told>,
    /// What the file holds, by application and environment; rows that change a switch alone are neither.
    pub counts: BTreeMap<(String, String), Count>,
}

#[derive(Debug, Deserialize)]
struct DeployRow {
    seq: u64,
    effective_unix: i64,
    env: String,
    app: String,
    old_tag: String,
    new_tag: String,
    requested_unix: i64,
    actor: String,
}

impl Replay {
    /// Reads the file of all deployments; none where the folder has none. What `apps` tell of them is told with more detail there.
    ///
    /// # Errors
    /// Where a row cannot be read.
    pub fn read(folder: &Path, apps: &[App]) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        if !history::exists(&path) {
            return Ok(None);
        }
        let rows: Vec<DeployRow> = history::rows(&path)?;
        let told: HashSet<&str> = apps.iter().flat_map(|app| &app.rows).map(|row| row.deployment.as_str()).collect();
        let mut replay = Self { rows: rows.len(), ..Self::default() };
        for row in &rows {
            let Some(action) = row.action() else { continue };
            let count = replay.counts.entry((row.app.clone(), row.env.clone())).or_default();
            match action {
                DeploymentAction::Remove => count.removals += 1,
                _ => count.deployments += 1,
            }
            if !told.contains(deployment_id(&row.app, row.seq).as_str()) {
                replay.history.push(row.told(action));
            }
        }
        Ok(Some(replay))
    }
}

impl DeployRow {
    fn action(&self) -> Option<DeploymentAction> {
        if self.new_tag == self.old_tag {
            return None;
        }
        Some(if self.new_tag.is_empty() { DeploymentAction::Remove } else { DeploymentAction::Deploy })
    }

    fn told(&self, action: DeploymentAction) -> Told {
        let deployed = Deployed {
            app: &self.app,
            seq: self.seq,
            environment: &self.env,
            action,
            commit: commit_of(&self.new_tag),
            image_tag: &self.new_tag,
            actor: &self.actor,
            requested: self.requested_unix,
            effective: self.effective_unix,
        };
        deployed.told()
    }
}

/// Commit that the tag of an image names: its id, plain or after `release-`.
fn commit_of(image_tag: &str) -> Option<CommitId> {
    CommitId::given(image_tag.strip_prefix("release-").unwrap_or(image_tag)).filter(CommitId::is_full)
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::event::{Body, CiBody, Deployment};

    use super::*;
    use crate::govuk::{Kind, Row};
    use crate::history::tests::write;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn rows() -> String {
        format!(
            "seq,effective_unix,env,app,change,old_tag,new_tag,requested_unix,actor\n\
             1,100,live,shop,added,,{SHA},90,human\n\
             2,200,live,shop,modified,{SHA},release-{SHA},190,ci\n\
             3,300,live,shop,modified,release-{SHA},release-{SHA},290,human\n\
             4,400,live,shop,modified,release-{SHA},v7,390,ci\n\
             5,500,live,shop,deleted,v7,,490,human\n\
             6,600,test,cart,added,,,590,human\n\
             7,700,test,cart,modified,,v1,690,ci\n"
        )
    }

    fn deployments(replay: &Replay) -> Vec<Deployment> {
        let deployment = |told: &Told| match &told.body {
            Body::Ci(CiBody::Deployment(deployment)) => deployment.clone(),
            other => panic!("{other:?}"),
        };
        replay.history.iter().map(deployment).collect()
    }

    #[test]
    fn rows_are_deployments_removals_or_neither() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "deploy-events.csv.gz", &rows());
        let replay = Replay::read(folder.path(), &[]).unwrap().unwrap();
        assert_eq!(replay.rows, 7);
        let key = |app: &str, environment: &str| (app.to_owned(), environment.to_owned());
        let counts = [
            (key("shop", "live"), Count { deployments: 3, removals: 1 }),
            (key("cart", "test"), Count { deployments: 1, removals: 0 }),
        ];
        assert_eq!(replay.counts, BTreeMap::from(counts));
        let told = deployments(&replay);
        let commits: Vec<_> = told.iter().map(|d| d.commit.as_ref().map(CommitId::as_str)).collect();
        assert_eq!(commits, [Some(SHA), Some(SHA), None, None, None]);
        let tags: Vec<_> = told.iter().map(|d| d.ref_name.as_deref()).collect();
        assert_eq!(tags, [None, None, Some("refs/tags/v7"), None, Some("refs/tags/v1")]);
        assert_eq!(told[3].action, DeploymentAction::Remove);
    }

    #[test]
    fn what_an_application_tells_is_not_told_again() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Replay::read(folder.path(), &[]).unwrap().is_none());
        write(folder.path(), "deploy-events.csv", &rows());
        let row = Row {
            deployment: deployment_id("shop", 2),
            environment: "live".to_owned(),
            at: Timestamp::from_seconds(200),
            commit: None,
            image_changes: true,
            label: Kind::Forward,
        };
        let shop = App {
            name: "shop".to_owned(),
            history: Vec::new(),
            rows: vec![row],
            parents: BTreeMap::new(),
            truth: BTreeMap::new(),
        };
        let replay = Replay::read(folder.path(), &[shop]).unwrap().unwrap();
        let ids: Vec<_> = deployments(&replay).iter().map(|d| d.deployment.as_str().to_owned()).collect();
        assert_eq!(ids, ["govuk/shop/1", "govuk/shop/4", "govuk/shop/5", "govuk/cart/7"]);
        assert_eq!(replay.counts[&("shop".to_owned(), "live".to_owned())].deployments, 3);
    }
}
