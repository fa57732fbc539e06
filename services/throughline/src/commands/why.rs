//! `throughline why`: from a figure to its formula, to what it rests on, to the events, to the pages of the provider.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use correlation::{Entity, Key, Realm, WhyGate, WhyIncident, WhyRelease, told_of};
use model::codec;
use model::event::{Body, Event};
use model::fact::{Grade, SEGMENTS};
use model::schema::Subject;
use model::{Component, Millis, Timestamp};
use serde_json::{Value, json};
use stream::{KafkaConfig, scan, topics};

use super::say;
use super::table::columns;
use crate::cli::Why;
use crate::config::{Config, sections};

/// A commit in a line.
const ABBREVIATION: usize = 10;
const NONE: &str = "–";

/// An explanation, in parts that stand one after the other.
struct Answer {
    figure: String,
    formula: Vec<String>,
    steps: Vec<Vec<String>>,
    rests_on: Vec<Entity>,
}

/// An event that told of something that the figure rests on.
struct Told {
    at: Timestamp,
    source: String,
    kind: &'static str,
    id: String,
    link: Option<String>,
    of: Vec<Key>,
}

pub fn run(file: Option<&Path>, why: Why) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let realms = correlator::state(&config.kafka)?;
    let (json, realm, answer) = match &why {
        Why::Release { component, version, realm, json } => {
            let realm = one(&realms, realm.as_deref())?;
            (*json, realm, release(realm, component, version)?)
        }
        Why::Gate { gate, realm, json } => {
            let realm = one(&realms, realm.as_deref())?;
            (*json, realm, of_gate(realm, gate)?)
        }
        Why::Incident { incident, realm, json } => {
            let realm = one(&realms, realm.as_deref())?;
            (*json, realm, of_incident(realm, incident)?)
        }
    };
    let told = events(&config.kafka, realm.name(), &answer.rests_on)?;
    say(&if json { as_json(&answer, &told).to_string() } else { as_text(&answer, &told) })?;
    Ok(ExitCode::SUCCESS)
}

/// The realm that is meant: the named one, else the only one.
fn one<'a>(realms: &'a BTreeMap<model::Realm, Realm>, name: Option<&str>) -> anyhow::Result<&'a Realm> {
    let known = || realms.keys().map(model::Realm::as_str).collect::<Vec<_>>().join(", ");
    match (name, realms.len()) {
        (_, 0) => bail!("nothing is known yet: the correlator has no state"),
        (None, 1) => realms.values().next(),
        (None, _) => bail!("there are several realms, name one by --realm: {}", known()),
        (Some(name), _) => realms.get(&model::Realm::new(name)),
    }
    .ok_or_else(|| anyhow::anyhow!("no realm `{}`; there are {}", name.unwrap_or_default(), known()))
}

/// The only one of several that are alike.
fn only<T: Ord + ToString>(what: &str, asked: &str, found: BTreeSet<T>) -> anyhow::Result<T> {
    let names: Vec<String> = found.iter().take(5).map(ToString::to_string).collect();
    ensure!(found.len() < 2, "{} {what}s are like `{asked}`, say which: {}", found.len(), names.join(", "));
    found.into_iter().next().ok_or_else(|| anyhow::anyhow!("no {what} is like `{asked}`"))
}

fn release(realm: &Realm, component: &str, version: &str) -> anyhow::Result<Answer> {
    let name = Component::new(component);
    let exact = realm.versions(&name, version).into_iter().find(|found| found.as_str() == version);
    let version = match exact {
        Some(version) => version,
        None => only("release", &format!("{component} {version}"), realm.versions(&name, version))?,
    };
    let Some(WhyRelease { release, stretches, rests_on }) = realm.why_release(&name, &version) else {
        bail!("no release {component} {version}")
    };
    let mut formula = Vec::new();
    if let (Some(lead), Some(at), Some(commit)) = (release.lead_time, release.production_at, &release.median_commit) {
        formula.push(format!(
            "lead time = finish of its first successful deployment to production less the author time of its median commit: the \
             lower median by lead time of the {} commits that it was the first to ship",
            release.commits
        ));
        formula.push(format!("{} = {at} less {}   commit {commit}", lead, Timestamp(at.0 - lead.0)));
        let parts: Vec<String> = SEGMENTS
            .iter()
            .zip(release.segments())
            .filter_map(|(name, span)| Some(format!("{name} {}", span.filter(|span| span.0 != 0)?)))
            .collect();
        let clock = release.clock_correction.filter(|span| span.0 != 0);
        let clock = clock.map(|span| format!(" + clock_correction {span}")).unwrap_or_default();
        formula.push(format!("{lead} = {}{clock}", parts.join(" + ")));
    } else {
        formula
            .push("it has no lead time: it has not reached production, ships nothing new, or is a baseline".to_owned());
    }
    if !release.commits_complete {
        formula.push("the graph of its commits has a hole: figures are not shorter than the truth".to_owned());
    }
    let steps = stretches.iter().map(|stretch| {
        let by = stretch.by.as_ref().map_or_else(|| NONE.to_owned(), named);
        let took = (stretch.to - stretch.from).to_string();
        vec![seconds(stretch.from), seconds(stretch.to), took, stretch.segment.to_owned(), by]
    });
    let figure = format!("{component} {version}: lead time {}", span(release.lead_time));
    Ok(Answer { figure, formula, steps: steps.collect(), rests_on })
}

fn of_gate(realm: &Realm, asked: &str) -> anyhow::Result<Answer> {
    let id = only("gate", asked, realm.gates_like(asked))?;
    let Some(WhyGate { gate, rests_on }) = realm.why_gate(&id) else { bail!("nothing follows from gate {id} yet") };
    let at = |at: Option<Timestamp>| at.map_or_else(|| NONE.to_owned(), |at| at.to_string());
    let formula = vec![
        "wait = decision less the time since when the gate was the only thing in the way: it had been asked for, and nothing else \
         of its run was still to end"
            .to_owned(),
        format!("{} = {} less {}", span(gate.wait), at(gate.decided_at), at(gate.blocking_from)),
        format!("asked for {}, decided {}", at(gate.requested_at), at(gate.decided_at)),
    ];
    let version = gate.version.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string);
    let figure = format!("gate {} of {} {version}: wait {}", gate.name, gate.component, span(gate.wait));
    Ok(Answer { figure, formula, steps: Vec::new(), rests_on })
}

fn of_incident(realm: &Realm, asked: &str) -> anyhow::Result<Answer> {
    let id = only("incident", asked, realm.incidents_like(asked))?;
    let Some(WhyIncident { incident, attributions, rests_on }) = realm.why_incident(&id) else {
        bail!("nothing follows from incident {id} yet")
    };
    let mut formula = vec![
        "the best grade counts: said by a person; named by the incident (deployment, release, change); a commit or artifact that it \
         names; the last to come to its services within the window"
            .to_owned(),
    ];
    for row in &attributions {
        let after = row.after_deployment.map_or_else(String::new, |after| format!(", {after} after its deployment"));
        formula.push(format!("{} {}: {}{after}", row.component, row.version, grade(row.grade)));
    }
    if attributions.is_empty() {
        formula.push("nothing ties it to a release".to_owned());
    }
    let number = incident.number.clone().unwrap_or_else(|| incident.incident.to_string());
    let figure = format!("incident {number}: {}", grade(incident.grade));
    Ok(Answer { figure, formula, steps: Vec::new(), rests_on })
}

const fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Said => "said by a person",
        Grade::Explicit => "named by the incident",
        Grade::Commit => "by a commit or artifact that the incident names",
        Grade::Window => "the last to come to its services",
        Grade::Unattributed => "attributed to no release",
    }
}

/// Events that tell of any of these, in the order of their times.
fn events(kafka: &KafkaConfig, realm: &model::Realm, entities: &[Entity]) -> anyhow::Result<Vec<Told>> {
    let wanted: BTreeSet<&Key> = entities.iter().map(|entity| &entity.key).collect();
    let mut told = Vec::new();
    for topic in topics::EVENTS {
        let Some(subject) = Subject::of_topic(topic.name) else { continue };
        scan::read_all(kafka, topic, |record| {
            let event = record.payload.as_deref().and_then(|payload| codec::decode_event(subject, payload).ok());
            if let Some(event) = event.filter(|event| event.realm == *realm) {
                told.extend(tells(event, &wanted));
            }
            ControlFlow::Continue(())
        })?;
    }
    told.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    told.dedup_by(|a, b| a.id == b.id);
    Ok(told)
}

fn tells(event: Event<Body>, wanted: &BTreeSet<&Key>) -> Option<Told> {
    let (at, kind, id) = (event.occurred_at, event.body.kind(), event.id());
    let (source, link) = (event.source.to_string(), event.link.clone());
    let of: Vec<Key> = told_of(event).into_iter().filter(|key| wanted.contains(key)).collect();
    (!of.is_empty()).then_some(Told { at, source, kind, id, link, of })
}

fn as_text(answer: &Answer, told: &[Told]) -> String {
    let mut text = format!("{}\n\nFormula\n", answer.figure);
    answer.formula.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    let mut part = |title: &str, head: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let mut all = vec![head.iter().map(|cell| (*cell).to_owned()).collect()];
            all.extend(rows);
            let table = columns(&all, |column| head.get(column) == Some(&"took"));
            text.push_str(&format!("\n{title}\n"));
            table.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
    };
    part("Step by step", &["from", "to", "took", "segment", "by"], answer.steps.clone());
    let rests_on = answer.rests_on.iter().map(|entity| vec![named(entity), entity.link.clone().unwrap_or_default()]);
    part("Rests on", &["entity", "page"], rests_on.collect());
    let events = told.iter().map(|told| {
        let of = told.of.first().map(key).unwrap_or_default();
        let link = told.link.clone().unwrap_or_else(|| told.id.clone());
        vec![seconds(told.at), told.source.clone(), told.kind.to_owned(), of, link]
    });
    part("Told by", &["at", "source", "event", "of", "page, or id of the event"], events.collect());
    text.trim_end().to_owned()
}

fn as_json(answer: &Answer, told: &[Told]) -> Value {
    let Answer { figure, formula, steps, rests_on } = answer;
    let steps: Vec<Value> = steps
        .iter()
        .filter_map(|step| match &step[..] {
            [from, to, took, segment, by] => {
                Some(json!({"from": from, "to": to, "took": took, "segment": segment, "by": by}))
            }
            _ => None,
        })
        .collect();
    let rests_on: Vec<Value> =
        rests_on.iter().map(|entity| json!({"entity": named(entity), "page": entity.link})).collect();
    let events: Vec<Value> = told
        .iter()
        .map(|told| {
            let of: Vec<String> = told.of.iter().map(key).collect();
            json!({"at": told.at.to_string(), "source": told.source, "kind": told.kind, "of": of, "id": told.id, "page": told.link})
        })
        .collect();
    json!({"figure": figure, "formula": formula, "steps": steps, "rests_on": rests_on, "events": events})
}

fn named(entity: &Entity) -> String {
    match &entity.name {
        Some(name) => format!("{} ({name})", key(&entity.key)),
        None => key(&entity.key),
    }
}

fn key(key: &Key) -> String {
    match key {
        Key::Commit(id) => format!("commit {}", id.as_str().get(..ABBREVIATION).unwrap_or(id.as_str())),
        Key::Change(repository, id) => format!("change {repository} {id}"),
        Key::Run(id) => format!("run {id}"),
        Key::Task(id) => format!("task {id}"),
        Key::Deployment(id) => format!("deployment {id}"),
        Key::Gate(id) => format!("gate {id}"),
        Key::Tag(repository, name) => format!("tag {repository} {name}"),
        Key::Artifact(id) => format!("artifact {id}"),
        Key::Incident(id) => format!("incident {id}"),
        other => format!("{other:?}"),
    }
}

fn span(span: Option<Millis>) -> String {
    span.map_or_else(|| NONE.to_owned(), |span| span.to_string())
}

fn seconds(at: Timestamp) -> String {
    let text = at.to_string();
    text.split('.').next().unwrap_or(&text).replace('T', " ")
}
