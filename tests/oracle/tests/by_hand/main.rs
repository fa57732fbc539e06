//! The oracle by itself, with figures worked out by hand: both sides could be wrong in the same way.
#![allow(clippy::unwrap_used, reason = "a test program")]

mod builds;
mod gates;
mod incidents;
mod releases;
mod steps;
mod working;

use model::event::*;
use model::fact::{Fact, ReleaseFact};
use model::{CommitId, DeploymentId, Environment, Millis, Repository, RunId, TaskId, Timestamp, Version};
use oracle::Tables;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn repository() -> Repository {
    Repository::new("github.com/acme/shop")
}

fn sha(n: u8) -> CommitId {
    CommitId::new(format!("{n:02x}").repeat(20))
}

fn version(n: u8) -> Version {
    Version::new(sha(n).as_str())
}

/// A time of day.
const fn at(hours: i64, minutes: i64) -> i64 {
    hours * HOUR + minutes * MINUTE
}

#[allow(clippy::unnecessary_wraps, reason = "columns and fields hold it so")]
const fn time(hours: i64, minutes: i64) -> Option<Timestamp> {
    Some(Timestamp(at(hours, minutes)))
}

#[allow(clippy::unnecessary_wraps, reason = "columns hold it so")]
const fn minutes(n: i64) -> Option<Millis> {
    Some(Millis(n * MINUTE))
}

fn person(key: &str) -> Actor {
    Actor { key: Some(key.to_owned()), kind: ActorKind::Human }
}

/// The rows of a table.
macro_rules! rows {
    ($tables:expr, $table:ident) => {
        $tables
            .0
            .values()
            .filter_map(|fact| match fact {
                model::fact::Fact::$table(row) => Some(row.clone()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}
use rows;

fn tables(told: Vec<(i64, Body)>) -> Tables {
    let event = |(n, (at, body)): (usize, (i64, Body))| Event {
        realm: "default".into(),
        source: "test".into(),
        provider: "test".into(),
        delivery: format!("d{n}"),
        index: 0,
        adapter: 1,
        occurred_at: Timestamp(at),
        received_at: Timestamp(at),
        link: None,
        body,
    };
    oracle::tables(&told.into_iter().enumerate().map(event).collect::<Vec<_>>(), &"default".into())
}

fn release(tables: &Tables, n: u8) -> ReleaseFact {
    let of = |fact: &Fact| match fact {
        Fact::Release(row) if row.commit == Some(sha(n)) => Some(row.clone()),
        _ => None,
    };
    tables.0.values().find_map(of).unwrap()
}

fn deployed(id: &str, n: u8) -> Deployment {
    Deployment {
        repository: Some(repository()),
        commit: Some(sha(n)),
        outcome: Some(Outcome::Success),
        ..Deployment::new(
            DeploymentId::new(id),
            Environment::new("production"),
            DeploymentAction::Deploy,
            Phase::Finished,
        )
    }
}

fn pushed(branch: &str, before: Option<u8>, commits: &[(u8, i64)]) -> Body {
    let info = |(n, at): &(u8, i64)| CommitInfo { committed_at: Some(Timestamp(*at)), ..CommitInfo::new(sha(*n)) };
    Push {
        before: before.map(sha),
        after: commits.last().map(|(n, _)| sha(*n)),
        commits: commits.iter().map(info).collect(),
        default_branch: Some("main".into()),
        ..Push::new(repository(), format!("refs/heads/{branch}"))
    }
    .into()
}

/// An attempt of a run that has ended.
fn ran(run: &str, n: u8, attempt: i32, [queued, started, finished]: [i64; 3], outcome: Outcome) -> PipelineRun {
    PipelineRun {
        repository: Some(repository()),
        commit: Some(sha(n)),
        ref_name: Some("main".into()),
        queued_at: Some(Timestamp(queued)),
        started_at: Some(Timestamp(started)),
        finished_at: Some(Timestamp(finished)),
        outcome: Some(outcome),
        ..PipelineRun::new(RunId::new(run), attempt, "deliver".into(), Phase::Finished)
    }
}

/// An attempt of a job that has ended.
fn worked(run: &str, name: &str, attempt: i32, [queued, started, finished]: [i64; 3], outcome: Outcome) -> TaskRun {
    TaskRun {
        run: Some(RunId::new(run)),
        queued_at: Some(Timestamp(queued)),
        started_at: Some(Timestamp(started)),
        finished_at: Some(Timestamp(finished)),
        outcome: Some(outcome),
        ..TaskRun::new(TaskId::new(format!("{run}/{name}")), attempt, name.into(), TaskKind::Job, Phase::Finished)
    }
}
