//! Incidents, and what people said about them.

use std::collections::BTreeMap;

use model::event::{
    self, ActorKind, AttributionCorrected, Body, Event, IncidentBody, References, ReleaseRef, ReviewBody,
};
use model::{Component, Environment, IncidentId, Repository, Timestamp, Version};

use super::{group, latest, least};

/// A release: a component at a version.
pub type ReleaseKey = (Component, Version);

/// Something that happened. Of one instant, the later kind in this order comes later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Detected { by: ActorKind },
    Acknowledged,
    Resolved,
    Reopened,
    Merged { into: IncidentId },
    Retracted,
}

/// That an incident belongs to a release, or to none; and that it does not belong to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    pub release: Option<ReleaseKey>,
    pub previous: Option<ReleaseKey>,
}

/// An incident. Each thing told comes with the least of the events that told it.
#[derive(Debug)]
pub struct Incident {
    pub number: Option<String>,
    pub severity: Option<String>,
    pub priority: Option<String>,
    pub services: Vec<String>,
    pub environment: Option<Environment>,
    pub kinds: Vec<String>,
    /// When the trouble began.
    pub started_at: Option<Timestamp>,
    /// What it names as its cause or its object.
    pub about: BTreeMap<References, String>,
    /// First sign of it; none while only others speak of it.
    seen_at: Option<Timestamp>,
    acts: BTreeMap<(Timestamp, Act), String>,
    pub said: BTreeMap<(Timestamp, Said), String>,
    pub url: Option<String>,
}

impl Incident {
    fn first(&self, of: impl Fn(&Act) -> bool) -> Option<Timestamp> {
        self.acts.keys().find(|(_, act)| of(act)).map(|(at, _)| *at)
    }

    pub fn detected_at(&self) -> Option<Timestamp> {
        self.first(|act| matches!(act, Act::Detected { .. }))
    }

    /// Who noticed: the first of whom it is told what they are.
    pub fn detected_by(&self) -> ActorKind {
        let by = |(_, act): &(Timestamp, Act)| match act {
            Act::Detected { by } if *by != ActorKind::Unknown => Some(*by),
            _ => None,
        };
        self.acts.keys().find_map(by).unwrap_or_default()
    }

    pub fn acknowledged_at(&self) -> Option<Timestamp> {
        self.first(|act| *act == Act::Acknowledged)
    }

    /// How many times it turned out not to be over: told again without an end in between, it was one time.
    pub fn reopened(&self) -> usize {
        let says_whether_over = |act: &&Act| !matches!(act, Act::Detected { .. } | Act::Acknowledged);
        let acts: Vec<&Act> = self.acts.keys().map(|(_, act)| act).filter(says_whether_over).collect();
        let before = |n: usize| n.checked_sub(1).map(|n| acts[n]);
        (0..acts.len()).filter(|n| *acts[*n] == Act::Reopened && before(*n) != Some(&Act::Reopened)).count()
    }

    /// What happened since it last turned out not to be over.
    fn since_reopened(&self) -> Vec<&(Timestamp, Act)> {
        let acts: Vec<&(Timestamp, Act)> = self.acts.keys().collect();
        let from = acts.iter().rposition(|(_, act)| *act == Act::Reopened);
        acts[from.unwrap_or(0)..].to_vec()
    }

    /// When it was over for good: told again, it was over when that was told first.
    pub fn resolved_at(&self) -> Option<Timestamp> {
        self.since_reopened().into_iter().find(|(_, act)| *act == Act::Resolved).map(|(at, _)| *at)
    }

    /// The last word on whether it is an incident of its own.
    fn no_own_incident(&self) -> Option<&Act> {
        let acts = self.since_reopened().into_iter().map(|(_, act)| act);
        acts.rev().find(|act| matches!(act, Act::Merged { .. } | Act::Retracted))
    }

    pub fn is_retracted(&self) -> bool {
        self.no_own_incident() == Some(&Act::Retracted)
    }

    pub fn merged_into(&self) -> Option<&IncidentId> {
        match self.no_own_incident()? {
            Act::Merged { into } => Some(into),
            _ => None,
        }
    }

    /// Beginning of the trouble: where told, else when it was noticed.
    pub fn began_at(&self) -> Option<Timestamp> {
        self.started_at.or(self.detected_at())
    }

    /// When it was noticed, else the first sign of it; none while only others speak of it.
    pub fn noticed_at(&self) -> Option<Timestamp> {
        self.detected_at().or(self.seen_at)
    }

    /// Events that told what happened to it.
    pub fn act_evidence(&self) -> impl Iterator<Item = &String> {
        self.acts.values()
    }

    pub fn repositories(&self) -> Vec<&Repository> {
        self.about.keys().filter_map(|about| about.repository.as_ref()).collect()
    }
}

/// What one event tells.
enum Told<'a> {
    Incident(&'a event::Incident, Option<Timestamp>, Option<Act>),
    Correction(&'a AttributionCorrected),
}

pub fn all(events: &[&Event<Body>]) -> BTreeMap<IncidentId, Incident> {
    let tellings = group(events, |event| match &event.body {
        Body::Incident(body) => {
            let (incident, at, act) = parts(body);
            vec![(incident.incident.clone(), (event, Told::Incident(incident, at, act)))]
        }
        Body::Review(ReviewBody::AttributionCorrected(said)) => {
            vec![(said.incident.clone(), (event, Told::Correction(said)))]
        }
        _ => Vec::new(),
    });
    tellings.into_iter().map(|(id, told)| (id, put_together(&told))).collect()
}

/// The incident that an event tells of.
pub fn told_of(body: &IncidentBody) -> &event::Incident {
    parts(body).0
}

/// The incident, when something happened to it, and what.
fn parts(body: &IncidentBody) -> (&event::Incident, Option<Timestamp>, Option<Act>) {
    match body {
        IncidentBody::IncidentDetected(b) => {
            (&b.incident, b.detected_at, Some(Act::Detected { by: b.detected_by.kind }))
        }
        IncidentBody::IncidentAcknowledged(b) => (&b.incident, b.acknowledged_at, Some(Act::Acknowledged)),
        IncidentBody::IncidentUpdated(b) => (&b.incident, b.updated_at, None),
        IncidentBody::IncidentResolved(b) => (&b.incident, b.resolved_at, Some(Act::Resolved)),
        IncidentBody::IncidentReopened(b) => (&b.incident, b.reopened_at, Some(Act::Reopened)),
        IncidentBody::IncidentMerged(b) => (&b.incident, b.merged_at, Some(Act::Merged { into: b.into.clone() })),
        IncidentBody::IncidentRetracted(b) => (&b.incident, b.retracted_at, Some(Act::Retracted)),
    }
}

fn put_together(told: &[(&Event<Body>, Told)]) -> Incident {
    let of_incident = || {
        told.iter().filter_map(|(event, told)| match told {
            Told::Incident(incident, at, act) => Some((*event, *incident, at.unwrap_or(event.occurred_at), act)),
            Told::Correction(_) => None,
        })
    };
    let list = |of: &[String]| (!of.is_empty()).then(|| of.to_vec());
    let all = || of_incident().map(|(event, incident, ..)| (event.occurred_at, incident));
    let mut incident = Incident {
        number: latest(all().map(|(at, i)| (at, i.number.clone()))),
        severity: latest(all().map(|(at, i)| (at, i.severity.clone()))),
        priority: latest(all().map(|(at, i)| (at, i.priority.clone()))),
        services: latest(all().map(|(at, i)| (at, list(&i.services)))).unwrap_or_default(),
        environment: latest(all().map(|(at, i)| (at, i.environment.clone()))),
        kinds: latest(all().map(|(at, i)| (at, list(&i.kinds)))).unwrap_or_default(),
        started_at: latest(all().map(|(at, i)| (at, i.started_at))),
        about: BTreeMap::new(),
        seen_at: least(of_incident().map(|(event, _, at, _)| Some(at.min(event.occurred_at)))),
        acts: BTreeMap::new(),
        said: BTreeMap::new(),
        url: latest(of_incident().map(|(e, i, ..)| (e.occurred_at, i.url.clone().or_else(|| e.link.clone())))),
    };
    for (event, of, at, act) in of_incident() {
        for about in of.about.iter().filter(|about| **about != References::default()) {
            tell(&mut incident.about, about.clone(), event.id());
        }
        if let Some(act) = act {
            tell(&mut incident.acts, (at, act.clone()), event.id());
        }
    }
    for (event, told) in told {
        if let Told::Correction(AttributionCorrected { release, previous, .. }) = told {
            let said = Said { release: release.as_ref().map(key), previous: previous.as_ref().map(key) };
            tell(&mut incident.said, (event.occurred_at, said), event.id());
        }
    }
    incident
}

fn tell<K: Ord>(all: &mut BTreeMap<K, String>, what: K, event: String) {
    let known = all.entry(what).or_insert_with(|| event.clone());
    *known = event.min(known.clone());
}

pub fn key(release: &ReleaseRef) -> ReleaseKey {
    (release.component.clone(), release.version.clone())
}
