//! Incidents, and what people said about them and about releases.

use std::collections::BTreeSet;

use model::event::{ActorKind, References};
use model::{Component, Environment, IncidentId, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::lattice::{Latest, Least, join_fields};
use crate::sorted::SortedMap;

/// A release: a component at a version.
pub type ReleaseKey = (Component, Version);

/// Something that happened to an incident. Of one instant, the later kind in this order comes later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IncidentAct {
    /// Noticed, by a monitor or a person.
    Detected { by: ActorKind },
    /// Somebody took it on.
    Acknowledged,
    /// Over.
    Resolved,
    /// Not over.
    Reopened,
    /// It turned out to be another one.
    Merged { into: IncidentId },
    /// It was none.
    Retracted,
}

/// A person's word on the release that an incident belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Correction {
    /// It belongs to this one; none: to none.
    pub release: Option<ReleaseKey>,
    /// It does not belong to this one.
    pub previous: Option<ReleaseKey>,
}

/// An incident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Number or key shown to people.
    pub number: Latest<String>,
    /// Severity by the provider's name.
    pub severity: Latest<String>,
    /// Priority by the provider's name.
    pub priority: Latest<String>,
    /// Services by the provider's names; an empty list tells nothing.
    pub services: Latest<Vec<String>>,
    /// Environment by the provider's name.
    pub environment: Latest<Environment>,
    /// Kinds and labels; an empty list tells nothing.
    pub kinds: Latest<Vec<String>>,
    /// When the trouble began.
    pub started_at: Latest<Timestamp>,
    /// What it names as its cause or its object, each with an event that told it.
    pub about: SortedMap<References, Least<String>>,
    /// First sign of it; none while only others speak of it.
    pub seen_at: Least<Timestamp>,
    /// What happened, each with an event that told it.
    pub acts: SortedMap<(Timestamp, IncidentAct), Least<String>>,
    /// What people said, each with an event that told it.
    pub corrections: SortedMap<(Timestamp, Correction), Least<String>>,
    /// Page for people.
    pub url: Latest<String>,
}

/// Whether a release is left out of the figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Left out, or taken back in.
    pub excluded: Latest<bool>,
}

join_fields! {
    Incident {
        number, severity, priority, services, environment, kinds, started_at, about, seen_at, acts, corrections, url,
    }
    Exclusion { excluded }
}

/// What happened to an incident, taken in the order of the source's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// When the trouble began, where told.
    pub started_at: Option<Timestamp>,
    /// When it was noticed.
    pub detected_at: Option<Timestamp>,
    /// Who noticed.
    pub detected_by: ActorKind,
    /// When somebody first took it on.
    pub acknowledged_at: Option<Timestamp>,
    /// When it was over for good: told again without a reopening in between, it was over when that was told first.
    pub resolved_at: Option<Timestamp>,
    /// How many times it turned out not to be over: told again without an end in between, it was one time.
    pub reopened: usize,
    /// The one that it is said to be.
    pub merged_into: Option<IncidentId>,
    /// It was none.
    pub retracted: bool,
}

impl Course {
    /// Beginning of the trouble: where told, else when it was noticed.
    pub fn began_at(&self) -> Option<Timestamp> {
        self.started_at.or(self.detected_at)
    }
}

impl Incident {
    /// What happened to it. A reopening also takes back that it was another one, or none.
    pub fn course(&self) -> Course {
        let mut course = Course { started_at: self.started_at.get().copied(), ..Course::default() };
        let mut is_open_again = false;
        for (at, act) in self.acts.keys() {
            match act {
                IncidentAct::Detected { by } => {
                    course.detected_at.get_or_insert(*at);
                    if course.detected_by == ActorKind::Unknown {
                        course.detected_by = *by;
                    }
                }
                IncidentAct::Acknowledged => {
                    course.acknowledged_at.get_or_insert(*at);
                }
                IncidentAct::Resolved => {
                    course.resolved_at.get_or_insert(*at);
                }
                IncidentAct::Reopened => {
                    course.reopened += usize::from(!is_open_again);
                    (course.resolved_at, course.merged_into, course.retracted) = (None, None, false);
                }
                IncidentAct::Merged { into } => {
                    (course.merged_into, course.retracted) = (Some(into.clone()), false);
                }
                IncidentAct::Retracted => (course.merged_into, course.retracted) = (None, true),
            }
            is_open_again = match act {
                IncidentAct::Detected { .. } | IncidentAct::Acknowledged => is_open_again,
                IncidentAct::Reopened => true,
                IncidentAct::Resolved | IncidentAct::Merged { .. } | IncidentAct::Retracted => false,
            };
        }
        course
    }

    /// When it was noticed; before that is told, the first sign of it. None while only others speak of it.
    pub fn noticed_at(&self) -> Option<Timestamp> {
        let detected =
            |(at, act): &(Timestamp, IncidentAct)| matches!(act, IncidentAct::Detected { .. }).then_some(*at);
        self.acts.keys().find_map(detected).or(self.seen_at.0)
    }

    /// Repositories that it names.
    pub fn repositories(&self) -> BTreeSet<&model::Repository> {
        self.about.keys().filter_map(|about| about.repository.as_ref()).collect()
    }
}
