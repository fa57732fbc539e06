//! Real projects by their tags: every commit with the tag that released it first.
//!
//! The reader takes a folder with one folder for each project and in it `commits.csv` and `tags.csv`, plain or gzipped. Each tag is a
//! deployment to production, and no history came before the first.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use model::event::{BaselineNone, Deployment, DeploymentAction, Outcome, Phase};
use model::{CommitId, Component, DeploymentId, Environment, Millis, Repository, Timestamp};
use serde::Deserialize;

use crate::history::{self, CommitRow, Told};

/// The history of one project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Name.
    pub name: String,
    /// What happened, in the order of time.
    pub history: Vec<Told>,
    /// How many tags there are.
    pub tags: usize,
    /// Which tags those are, where the repository has others as well: each is the name of the project, `-` and a number.
    pub pattern: Option<String>,
    /// Commits and how each was released first.
    pub truth: BTreeMap<String, FirstRelease>,
}

/// The first release of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstRelease {
    /// Its tag.
    pub tag: String,
    /// Time of the tag.
    pub at: Timestamp,
    /// Author time to the time of the tag; negative where clocks disagree.
    pub lead_time: Millis,
    /// Commit time to the time of the tag; negative where a tag is older than its commit.
    pub since_commit: Millis,
}

#[derive(Debug, Deserialize)]
struct TagRow {
    tag: String,
    tag_time_unix: i64,
    tag_commit: String,
}

#[derive(Debug, Deserialize)]
struct ReleasedRow {
    tag: String,
    tag_time_unix: i64,
    commit_sha: String,
    author_time_unix: i64,
    commit_time_unix: i64,
    parents: String,
    author_hash: String,
    lead_author_s: i64,
    lead_commit_s: i64,
}

impl Project {
    /// Reads the history of a project.
    ///
    /// # Errors
    /// Where a file is missing, a row cannot be read, or a commit is there twice.
    pub fn read(folder: &Path, name: &str) -> Result<Self> {
        let tags: Vec<TagRow> = history::rows(&folder.join(name).join("tags.csv"))?;
        let released: Vec<ReleasedRow> = history::rows(&folder.join(name).join("commits.csv"))?;
        // No file names the host; the path without it is the component.
        let repository = Repository::new(format!("localhost/{name}"));
        let commits: Vec<CommitRow<'_>> = released.iter().map(ReleasedRow::commit).collect();
        let first = tags.iter().map(|tag| tag.tag_time_unix).min().unwrap_or_default();
        let known_whole = BaselineNone { component: Component::new(name) };
        let mut history = vec![Told { at: Timestamp::from_seconds(first), body: known_whole.into() }];
        history.extend(history::commits(&repository, &commits));
        history.extend(tags.iter().map(|tag| tag.told(name, &repository)));
        history.sort_by_key(|told| told.at);
        let truth: BTreeMap<_, _> = released.iter().map(|row| (row.commit_sha.clone(), row.first_release())).collect();
        ensure!(truth.len() == released.len(), "{name}: a commit is released first by two tags in commits.csv");
        let prefix = format!("{name}-");
        let numbered =
            |tag: &TagRow| tag.tag.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with(char::is_numeric));
        let pattern = tags.iter().all(numbered).then(|| format!("{prefix}[0-9]*"));
        Ok(Self { name: name.to_owned(), history, tags: tags.len(), pattern, truth })
    }

    /// Names of the projects in a folder.
    ///
    /// # Errors
    /// Where the folder cannot be read or holds none.
    pub fn names(folder: &Path) -> Result<Vec<String>> {
        history::folders_with(folder, "commits.csv")
    }
}

impl TagRow {
    fn told(&self, project: &str, repository: &Repository) -> Told {
        let at = Timestamp::from_seconds(self.tag_time_unix);
        let id = DeploymentId::new(format!("localhost/{project}/{}", self.tag));
        let deployment = Deployment {
            repository: Some(repository.clone()),
            outcome: Some(Outcome::Success),
            commit: CommitId::given(&self.tag_commit),
            version: Some(self.tag.clone()),
            finished_at: Some(at),
            ..Deployment::new(id, Environment::new("production"), DeploymentAction::Deploy, Phase::Finished)
        };
        Told { at, body: deployment.into() }
    }
}

impl ReleasedRow {
    fn commit(&self) -> CommitRow<'_> {
        CommitRow {
            id: &self.commit_sha,
            parents: &self.parents,
            authored: self.author_time_unix,
            committed: self.commit_time_unix,
            author: &self.author_hash,
        }
    }

    fn first_release(&self) -> FirstRelease {
        FirstRelease {
            tag: self.tag.clone(),
            at: Timestamp::from_seconds(self.tag_time_unix),
            lead_time: Millis(self.lead_author_s * 1000),
            since_commit: Millis(self.lead_commit_s * 1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::event::{Body, CiBody, ControlBody};

    use super::*;
    use crate::history::tests::write;

    const COMMITS: &str = "\
tag,tag_type,tag_time,tag_time_unix,tag_commit,commit_sha,author_time,author_time_unix,commit_time,commit_time_unix,parents,author_hash,lead_author_s,lead_commit_s
v1,annotated,,300,b,a,,100,,110,,h1,200,190
v1,annotated,,300,b,b,,310,,290,a,h2,-10,10
";
    const TAGS: &str = "tag,tag_type,tag_time_unix,tag_commit\nv1,annotated,300,b\nv1-again,lightweight,300,b\n";

    #[test]
    fn tags_are_deployments_and_the_first_release_of_a_commit_is_its_truth() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "shop/commits.csv.gz", COMMITS);
        write(folder.path(), "shop/tags.csv", TAGS);
        assert_eq!(Project::names(folder.path()).unwrap(), ["shop"]);
        let shop = Project::read(folder.path(), "shop").unwrap();
        let at = Timestamp(300_000);
        let release = |lead_time, since_commit| FirstRelease {
            tag: "v1".to_owned(),
            at,
            lead_time: Millis(lead_time),
            since_commit: Millis(since_commit),
        };
        assert_eq!(shop.truth["a"], release(200_000, 190_000));
        assert_eq!(shop.truth["b"], release(-10_000, 10_000));
        assert_eq!((shop.tags, shop.pattern), (2, None));
        let [commits, baseline, tag, again] = &shop.history[..] else { panic!("{:?}", shop.history) };
        assert!(matches!(&commits.body, Body::Ci(CiBody::Commits(commits)) if commits.commits.len() == 2));
        assert!(matches!(&baseline.body, Body::Control(ControlBody::BaselineNone(_))));
        for (told, version) in [(tag, "v1"), (again, "v1-again")] {
            let Body::Ci(CiBody::Deployment(deployment)) = &told.body else { panic!("{told:?}") };
            assert_eq!((deployment.finished_at, deployment.version.as_deref()), (Some(at), Some(version)));
        }
    }

    #[test]
    fn a_commit_is_released_first_once() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "shop/commits.csv", &COMMITS.replace(",b,b,", ",b,a,"));
        write(folder.path(), "shop/tags.csv", TAGS);
        let error = Project::read(folder.path(), "shop").unwrap_err().to_string();
        assert!(error.contains("two tags"), "{error}");
    }

    #[test]
    fn tags_of_one_package_of_many_have_its_name() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "shop/commits.csv", &COMMITS.replace("v1,", "shop-1.0,"));
        write(folder.path(), "shop/tags.csv", "tag,tag_type,tag_time_unix,tag_commit\nshop-1.0,annotated,300,b\n");
        assert_eq!(Project::read(folder.path(), "shop").unwrap().pattern.as_deref(), Some("shop-[0-9]*"));
    }
}
