//! `compare`: the facts of two correlators, the columns that both fill.
//!
//! Left out is what the peer does not express: `deployments`, `builds` and `components` altogether; of releases the segments, the
//! kind beyond the baseline, `commits_complete`, `machine_commits` and `merge_to_production`; of their commits `lineage` and
//! `author_kind`; of gates the version, who decided, and the evidence.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Result, anyhow};
use clap::Args;
use model::codec;
use model::fact::{Fact, GateWaitFact, Identity, ReleaseCommitFact, ReleaseFact};
use serde::Serialize;
use stream::{Topic, topics};

use crate::kafka::Place;

/// Tables that both write.
const TABLES: [&str; 3] = ["releases", "release_commits", "gate_waits"];
/// How many differences are shown of a table.
const SHOWN: usize = 5;

#[derive(Debug, Args)]
pub struct Compare {
    #[command(flatten)]
    place: Place,
    /// What the topics of the other one begin with.
    #[arg(long)]
    with: String,
}

/// Rows of a table that hold.
#[derive(Debug, Serialize)]
struct Table {
    table: &'static str,
    rows: usize,
    /// Rows that only one has, or that differ.
    differ: usize,
}

#[derive(Debug, Serialize)]
struct Verdict {
    equal: bool,
    tables: Vec<Table>,
}

/// A fact by its identity: revision, and the columns compared; none where it was taken back.
type Rows = BTreeMap<(String, Identity), (i64, Option<String>)>;

impl Compare {
    pub fn run(&self) -> Result<()> {
        let mut verdict = Verdict { equal: true, tables: Vec::new() };
        for table in TABLES {
            let topic = topics::facts_of(table).ok_or_else(|| anyhow!("there is no table `{table}`"))?;
            let ours = self.read(&self.place.prefix, topic)?;
            let other = self.read(&self.with, topic)?;
            let differ = differences(table, &ours, &other);
            verdict.equal &= differ == 0 && !ours.is_empty();
            verdict.tables.push(Table { table, rows: ours.len(), differ });
        }
        crate::finish(&verdict)
    }

    /// The rows that hold: of one identity the highest revision, without those taken back.
    fn read(&self, prefix: &str, topic: &'static Topic) -> Result<BTreeMap<(String, Identity), String>> {
        let subject =
            model::schema::Subject::of_topic(topic.name).ok_or_else(|| anyhow!("{topic} carries no facts"))?;
        let mut rows = Rows::new();
        let mut failed = None;
        stream::scan::read_all(&self.place.config(prefix), topic, |record| {
            let payload = record.payload.unwrap_or_default();
            match codec::decode_fact(subject, &payload).map(columns) {
                Ok(Some((realm, identity, revision, row))) => {
                    let known = rows.entry((realm, identity)).or_insert((i64::MIN, None));
                    if revision >= known.0 {
                        *known = (revision, row);
                    }
                    ControlFlow::Continue(())
                }
                Ok(None) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(rows.into_iter().filter_map(|(key, (_, row))| Some((key, row?))).collect()),
        }
    }
}

/// Realm, identity, revision and the columns compared.
fn columns(fact: Fact) -> Option<(String, Identity, i64, Option<String>)> {
    let (identity, deleted) = (fact.identity(), fact.is_deleted());
    let (realm, revision, row) = match fact {
        Fact::Release(row) => (row.realm.clone(), row.revision, release(&row)),
        Fact::ReleaseCommit(row) => (row.realm.clone(), row.revision, release_commit(&row)),
        Fact::GateWait(row) => (row.realm.clone(), row.revision, gate_wait(&row)),
        Fact::Deployment(_)
        | Fact::Build(_)
        | Fact::BuildFailure(_)
        | Fact::ManualStep(_)
        | Fact::Incident(_)
        | Fact::IncidentAttribution(_)
        | Fact::RollupHourly(_)
        | Fact::RollupDaily(_)
        | Fact::Component(_) => return None,
    };
    Some((realm.as_str().to_owned(), identity, revision, (!deleted).then_some(row)))
}

fn release(row: &ReleaseFact) -> String {
    let ReleaseFact { production_at, deployment, commit, commits, lead_time, lead_time_longest, median_commit, .. } =
        row;
    format!("{:?}", (production_at, deployment, commit, commits, lead_time, lead_time_longest, median_commit))
}

fn release_commit(row: &ReleaseCommitFact) -> String {
    let ReleaseCommitFact { version, deployment, tier, baseline, .. } = row;
    let ReleaseCommitFact { authored_at, committed_at, merged_at, lead_time, change, .. } = row;
    format!("{:?}", (version, deployment, tier, baseline, authored_at, committed_at, merged_at, lead_time, change))
}

fn gate_wait(row: &GateWaitFact) -> String {
    let GateWaitFact { requested_at, blocking_from, decided_at, wait, outcome, approvals, required, requests, .. } =
        row;
    format!("{:?}", (requested_at, blocking_from, decided_at, wait, outcome, approvals, required, requests))
}

fn differences<K: Ord + std::fmt::Debug>(
    table: &str,
    ours: &BTreeMap<K, String>,
    other: &BTreeMap<K, String>,
) -> usize {
    let missing = other.keys().filter(|key| !ours.contains_key(*key)).map(|key| (key, None, other.get(key)));
    let changed = ours.iter().map(|(key, row)| (key, Some(row), other.get(key))).filter(|(_, a, b)| a != b);
    let mut count = 0;
    for (key, ours, other) in changed.chain(missing) {
        if count < SHOWN {
            eprintln!("{table}: {key:?}\n  ours  {ours:?}\n  other {other:?}");
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_one_lacks_is_a_difference() {
        let rows = |list: &[(i32, &str)]| list.iter().map(|(key, row)| (*key, (*row).to_owned())).collect();
        let of = |a: &[(i32, &str)], b: &[(i32, &str)]| differences("t", &rows(a), &rows(b));
        assert_eq!(of(&[(1, "a"), (2, "b")], &[(1, "a"), (2, "b")]), 0);
        assert_eq!(of(&[(1, "a"), (2, "b")], &[(1, "a"), (2, "c")]), 1);
        assert_eq!(of(&[(1, "a"), (2, "b")], &[(2, "b"), (3, "c")]), 2);
    }

    #[test]
    fn what_was_taken_back_is_told_by_its_revision() {
        let fact = ReleaseFact { component: "shop".into(), revision: 7, ..ReleaseFact::default() };
        let gone = ReleaseFact { deleted: true, revision: 8, ..fact.clone() };
        let (held, taken) = (columns(fact.into()).unwrap(), columns(gone.into()).unwrap());
        assert_eq!((&held.1, held.2, held.3.is_some()), (&taken.1, 7, true));
        assert_eq!((taken.2, taken.3), (8, None));
    }
}
