//! The demo's history in a database of its own, and somebody who may only read it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};

use end_to_end::database::Database;
use end_to_end::demo::{self, Expected, NOW};
use end_to_end::installation;
use local_stack::{READ, User};
use model::Timestamp;
use model::fact::{
    BuildFact, BuildFailureFact, ComponentFact, DeploymentFact, Fact, GateWaitFact, ManualStepFact, ReleaseCommitFact,
    ReleaseFact,
};
use serde_json::Value;
use warehouse::Warehouse;

use crate::made;

/// The time that is asked about: 90 days before the end of the history.
pub const SINCE: Timestamp = Timestamp(NOW.0 - 90 * 86_400_000);
pub const UNTIL: Timestamp = NOW;

pub struct World {
    /// What the history was, before anything was told of it.
    pub expected: Expected,
    facts: Vec<Fact>,
    binary: PathBuf,
    database: Database,
}

/// The rows of one table of the history, of the time that is asked about.
macro_rules! rows {
    ($($name:ident: $kind:ident($row:ty);)*) => {
        impl World {
            $(pub fn $name(&self) -> impl Iterator<Item = &$row> {
                self.facts.iter().filter_map(|fact| match fact {
                    Fact::$kind(row) if (SINCE..UNTIL).contains(&row.at) => Some(row),
                    _ => None,
                })
            })*
        }
    };
}

rows! {
    releases: Release(ReleaseFact);
    deployments: Deployment(DeploymentFact);
    commits: ReleaseCommit(ReleaseCommitFact);
    gates: GateWait(GateWaitFact);
    builds: Build(BuildFact);
    failures: BuildFailure(BuildFailureFact);
    steps: ManualStep(ManualStepFact);
}

impl World {
    /// The demo's history, and what is made by hand.
    pub async fn new() -> World {
        let world = Self::without_history().await;
        let told = tokio::task::spawn_blocking(|| {
            let demo = demo::generate(7, NOW);
            let facts = demo::facts(&demo, &demo.webhooks).unwrap();
            (demo.expected, facts)
        });
        let (expected, facts) = told.await.unwrap();
        let world = World { expected, facts, ..world };
        world.load(&world.facts).await;
        world.load(&made::decoys()).await;
        world
    }

    /// Only what is made by hand.
    pub async fn without_history() -> World {
        let binary = tokio::task::spawn_blocking(installation::build).await.unwrap().unwrap();
        let database = Database::migrated("t_queries", |line| eprintln!("{line}")).await.unwrap();
        let world = World { expected: Expected::default(), facts: Vec::new(), binary, database };
        world.load(&made::facts()).await;
        world
    }

    async fn load(&self, facts: &[Fact]) {
        self.database.load(facts, "queries").await.unwrap();
    }

    pub fn warehouse(&self, user: User) -> Warehouse {
        self.database.warehouse(user).unwrap()
    }

    /// Which team owns each component.
    pub fn teams(&self) -> BTreeMap<String, Option<String>> {
        let component = |fact: &Fact| match fact {
            Fact::Component(ComponentFact { component, team, .. }) => Some((component.to_string(), team.clone())),
            _ => None,
        };
        self.facts.iter().filter_map(component).collect()
    }

    /// All commits that ever reached an environment.
    pub fn all_commits(&self) -> impl Iterator<Item = &ReleaseCommitFact> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::ReleaseCommit(row) => Some(row),
            _ => None,
        })
    }

    /// The command, configured for the user that reads.
    pub fn throughline(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env("THROUGHLINE_CLICKHOUSE__URL", &self.database.url)
            .env("THROUGHLINE_CLICKHOUSE__DATABASE", &self.database.name)
            .env("THROUGHLINE_CLICKHOUSE__USER", READ.name)
            .env("THROUGHLINE_CLICKHOUSE__PASSWORD", READ.password)
            .env_remove("RUST_LOG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.throughline(arguments).output().unwrap()
    }

    /// What it prints where it succeeds.
    pub fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says where it fails.
    pub fn complaint(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    /// The answer to a question about [`SINCE`] to [`UNTIL`], where no other time is given.
    pub fn ask(&self, question: &str, given: &[(&str, String)]) -> Vec<Value> {
        let listed = self.list();
        let of_question = listed.iter().find(|listed| listed["name"] == question).unwrap();
        let has = |name: &str| of_question["parameters"].as_array().unwrap().iter().any(|p| p["name"] == name);
        let time = [("since", SINCE.to_string()), ("until", UNTIL.to_string())];
        let values: Vec<String> = time
            .iter()
            .filter(|(name, _)| has(name) && given.iter().all(|(given, _)| given != name))
            .chain(given)
            .map(|(name, value)| format!("--param={name}={value}"))
            .collect();
        let mut arguments = vec!["query", question, "--json"];
        arguments.extend(values.iter().map(String::as_str));
        self.said(&arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn list(&self) -> Vec<Value> {
        serde_json::from_str(&self.said(&["query", "--json"])).unwrap()
    }

    /// The names of all questions.
    pub fn questions(&self) -> BTreeSet<String> {
        self.list().iter().map(|question| question["name"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn remove(self) {
        self.database.remove().await.unwrap();
    }
}
