//! Where each delivery was when, found out afterwards from what Kafka and ClickHouse have written down, so that nothing is disturbed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use model::codec;
use model::event::{ApprovalBody, Body, CiBody, Deployment, Event, Outcome, Phase, PipelineRun};
use model::fact::Fact;
use model::schema::Subject;
use model::{DeploymentId, GateId, RunId};
use stream::{KafkaConfig, Record, Topic, scan, topics};

use super::loads::Loads;
use super::send::Sent;

/// What a delivery leads to: a row that is not there before, or not with what the delivery tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    /// In `builds`: an attempt of a run with its end.
    Build(RunId, i32),
    /// In `deployments`: one with its end.
    Deployment(DeploymentId),
    /// In `gate_waits`: one with its decision.
    Gate(GateId),
    /// In `releases`: the one that a deployment brought to production.
    Release(DeploymentId),
}

/// A delivery on its way to its row. Times are microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// When it was to be sent.
    pub due: i64,
    /// When it was in the inbox, by the broker's clock; in whole milliseconds, as the next two.
    pub inbox: i64,
    /// When its event was written.
    pub event: i64,
    /// When the row was written as a fact.
    pub fact: i64,
    /// When the row was there for everybody.
    pub visible: i64,
}

/// Every delivery that was accepted, and its event; and those that lead to a row of their own.
#[derive(Debug, Default)]
pub struct Stations {
    /// Deliveries in the inbox, and when they were there.
    inbox: HashMap<String, i64>,
    /// Deliveries that became events.
    told: HashSet<String>,
    /// The delivery that leads to each row, and when its event was written.
    wanted: HashMap<Row, (String, i64)>,
    /// Rows as facts: when they were written, and where.
    facts: HashMap<Row, (i64, Place)>,
}

/// A record of a topic of facts.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub topic: &'static Topic,
    pub partition: i32,
    pub offset: i64,
}

/// The topics in which the rows are.
const FACTS: [Subject; 4] = [Subject::Builds, Subject::Deployments, Subject::GateWaits, Subject::Releases];

impl Row {
    /// Table of the row.
    pub const fn table(&self) -> &'static str {
        match self {
            Self::Build(..) => "builds",
            Self::Deployment(_) => "deployments",
            Self::Gate(_) => "gate_waits",
            Self::Release(_) => "releases",
        }
    }

    /// The rows that an event leads to.
    fn of_event(body: Body) -> Vec<Self> {
        match body {
            Body::Ci(CiBody::PipelineRun(PipelineRun { run, attempt, phase: Phase::Finished, .. })) => {
                vec![Self::Build(run, attempt)]
            }
            Body::Ci(CiBody::Deployment(Deployment {
                deployment,
                phase: Phase::Finished,
                outcome,
                production,
                ..
            })) => {
                let released = outcome == Some(Outcome::Success) && production == Some(true);
                let release = released.then(|| Self::Release(deployment.clone()));
                release.into_iter().chain([Self::Deployment(deployment)]).collect()
            }
            Body::Approval(ApprovalBody::GateDecided(decided)) => vec![Self::Gate(decided.gate.gate)],
            _ => Vec::new(),
        }
    }

    /// The row that a fact is, once it says what is waited for.
    fn of_fact(fact: Fact) -> Option<Self> {
        match fact {
            Fact::Build(row) => row.finished_at.map(|_| Self::Build(row.run, row.attempt)),
            Fact::Deployment(row) => row.finished_at.map(|_| Self::Deployment(row.deployment)),
            Fact::GateWait(row) => row.decided_at.map(|_| Self::Gate(row.gate)),
            Fact::Release(row) => row.production_at.and(row.deployment).map(Self::Release),
            _ => None,
        }
    }
}

impl Stations {
    /// Reads them out of Kafka. Blocks.
    ///
    /// # Errors
    /// Where a topic cannot be read, or something in it cannot.
    pub fn read(kafka: &KafkaConfig) -> Result<Self> {
        let mut stations = Self::default();
        each(kafka, &topics::INBOX, |record| {
            let key = String::from_utf8(record.key.unwrap_or_default()).context("a key of the inbox is no text")?;
            let (_, delivery) = key.split_once('/').with_context(|| format!("`{key}` names no delivery"))?;
            stations.inbox.entry(delivery.to_owned()).or_insert(micros(record.timestamp));
            Ok(())
        })?;
        for (topic, subject) in
            [(&topics::CI_EVENTS, Subject::CiEvents), (&topics::APPROVAL_EVENTS, Subject::ApprovalEvents)]
        {
            each(kafka, topic, |record| {
                let Event { delivery, body, .. } = codec::decode_event(subject, &record.payload.unwrap_or_default())?;
                for row in Row::of_event(body) {
                    stations.wanted.entry(row).or_insert_with(|| (delivery.clone(), micros(record.timestamp)));
                }
                stations.told.insert(delivery);
                Ok(())
            })?;
        }
        for subject in FACTS {
            let topic = topics::find(subject.topic()).context("a table without a topic")?;
            each(kafka, topic, |record| {
                let fact = codec::decode_fact(subject, &record.payload.unwrap_or_default())?;
                let place = Place { topic, partition: record.partition, offset: record.offset };
                if let Some(row) = (!fact.is_deleted()).then(|| Row::of_fact(fact)).flatten() {
                    stations.facts.entry(row).or_insert((micros(record.timestamp), place));
                }
                Ok(())
            })?;
        }
        Ok(stations)
    }

    /// Accepted deliveries that became no event; each of those that are sent tells something.
    pub fn silent<'a>(&self, sent: &'a [Sent]) -> Vec<&'a str> {
        let silent = |sent: &&Sent| sent.accepted && !self.told.contains(&sent.delivery);
        sent.iter().filter(silent).map(|sent| sent.delivery.as_str()).collect()
    }

    /// Rows that must be there. Not every deployment to production is a release.
    pub fn wanted(&self) -> impl Iterator<Item = &Row> {
        self.wanted.keys().filter(|row| !matches!(row, Row::Release(_)))
    }

    /// The way of each delivery that leads to a row, with its table.
    pub fn ways(&self, sent: &[Sent], loads: &Loads) -> Vec<(&'static str, Way)> {
        let due: BTreeMap<&str, i64> = sent.iter().map(|sent| (sent.delivery.as_str(), sent.due)).collect();
        let way = |(row, (delivery, event)): (&Row, &(String, i64))| {
            let (fact, place) = self.facts.get(row)?;
            let (inbox, event, fact) = (*self.inbox.get(delivery)?, *event, *fact);
            let way = Way { due: *due.get(delivery.as_str())?, inbox, event, fact, visible: loads.visible(*place)? };
            Some((row.table(), way))
        };
        self.wanted.iter().filter_map(way).collect()
    }
}

/// Visits every committed record of a topic, each partition in its order.
fn each(kafka: &KafkaConfig, topic: &'static Topic, mut visit: impl FnMut(Record) -> Result<()>) -> Result<()> {
    let mut wrong = Ok(());
    scan::read_all(kafka, topic, |record| {
        let (partition, offset) = (record.partition, record.offset);
        match visit(record) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                wrong = Err(error)
                    .with_context(|| format!("the record at offset {offset} of {topic} partition {partition}"));
                ControlFlow::Break(())
            }
        }
    })?;
    wrong
}

const fn micros(millis: i64) -> i64 {
    millis.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use correlation::Realm;

    use super::super::github::tests::told;
    use super::*;

    #[test]
    fn what_is_waited_for_comes() {
        let (mut realm, mut wanted) = (Realm::new("default".into()), HashSet::new());
        for event in told(60_000).into_iter().flat_map(|(_, _, read)| read) {
            wanted.extend(Row::of_event(event.body.clone()));
            realm.apply(event);
        }
        let there: HashSet<Row> = realm.derive_everything().into_iter().filter_map(Row::of_fact).collect();
        let mut tables: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &wanted {
            assert!(there.contains(row) || matches!(row, Row::Release(_)), "{row:?}");
            *tables.entry(row.table()).or_default() += usize::from(there.contains(row));
        }
        assert!(tables.len() == 4 && tables.values().all(|rows| *rows > 50), "{tables:?}");
    }
}
