//! Incidents, what people say, and what steers the derivation.

use model::event::{
    AttributionCorrected, BaselineNone, GatePurposeSaid, Horizon, ImprovementDone, ImprovementDropped,
    ImprovementPicked, Incident, IncidentAcknowledged, IncidentDetected, IncidentMerged, IncidentReopened,
    IncidentResolved, IncidentRetracted, IncidentUpdated, Layer, ManualStepNamed, References, ReleaseExcluded,
    ReleaseRef, ShiftAcknowledged,
};
use model::{Component, IncidentId, Timestamp, Version};

use super::moves::Course;
use super::story::{MINUTE, Story, back, machine, person};

impl Story {
    pub fn incident(&mut self, course: Course, about: u8) {
        let n = self.number();
        let incident = Incident {
            severity: Some("2".into()),
            services: [Some("api"), Some("web"), None][n as usize % 3].map(str::to_owned).into_iter().collect(),
            environment: self.environment_of(0).filter(|_| about.is_multiple_of(2)),
            kinds: vec!["latency".into()],
            about: self.causes(about),
            started_at: Some(Timestamp(self.now - 5 * MINUTE)),
            ..Incident::new(IncidentId::new(format!("incident/{n}")))
        };
        let before = self.incident.replace(incident.incident.clone());
        self.tell(IncidentDetected { incident: incident.clone(), detected_at: None, detected_by: machine() });
        self.wait(4);
        let acknowledged_by = person(n);
        self.tell(IncidentAcknowledged { incident: incident.clone(), acknowledged_at: None, acknowledged_by });
        self.wait(10);
        self.tell(IncidentUpdated { incident: incident.clone(), updated_at: None });
        self.wait(30);
        match course {
            Course::Acknowledged => {}
            Course::Resolved => self.resolve_incident(incident),
            Course::Reopened => {
                self.resolve_incident(incident.clone());
                self.wait(20);
                self.tell(IncidentReopened { incident: incident.clone(), reopened_at: None });
                self.wait(20);
                self.resolve_incident(incident);
            }
            Course::Merged => {
                let into = before.unwrap_or_else(|| IncidentId::new("incident/0"));
                self.tell(IncidentMerged { incident, into, merged_at: None });
            }
            Course::Retracted => self.tell(IncidentRetracted { incident, retracted_at: None }),
        }
    }

    fn resolve_incident(&mut self, incident: Incident) {
        self.tell(IncidentResolved { incident, resolved_at: None, resolved_by: person(2) });
    }

    /// What an incident says that it comes from: one thing, two, or nothing.
    fn causes(&self, about: u8) -> Vec<References> {
        let deployment = |by| {
            let deployment = back(&self.deployments, by).map(|deployed| deployed.told.deployment.clone());
            References { deployment, ..References::default() }
        };
        if about == 8 { vec![deployment(0), deployment(1)] } else { self.cause(about).into_iter().collect() }
    }

    /// One thing that an incident says that it comes from.
    fn cause(&self, about: u8) -> Option<References> {
        let deployed = back(&self.deployments, about)?;
        let mut references = References::default();
        match about {
            0 => references.deployment = Some(deployed.told.deployment.clone()),
            1 => references.commit = deployed.told.commit.clone(),
            2 => references.artifact = deployed.told.artifacts.first().cloned(),
            3 => references.version = deployed.told.version.clone(),
            4 => references.run = deployed.told.run.clone(),
            5 => {
                references.repository = Some(self.repository(0));
                references.change = Some(model::ChangeId::new("1"));
            }
            6 => references.repository = Some(self.repository(0)),
            7 => {
                let commit = self.on_main(0, 1)?;
                references.commit = commit.as_str().get(..9).map(model::CommitId::new);
            }
            _ => return None,
        }
        Some(references)
    }

    pub fn say(&mut self, what: u8) {
        let component = Component::new("acme/shop");
        let deployed = back(&self.deployments, what / 8).and_then(|deployed| deployed.told.commit.clone());
        let version = deployed.or(self.tip(0)).map_or_else(|| Version::new("v1"), |id| Version::new(id.as_str()));
        let release = ReleaseRef { component: component.clone(), version };
        let (improvement, note, by) = ("improvement".to_owned(), Some("as agreed".to_owned()), person(1));
        let now = Timestamp(self.now);
        match what % 8 {
            0 => self.tell(ImprovementPicked {
                release,
                improvement,
                finding: "finding".into(),
                layer: Layer::Platform,
                picked_by: by,
                note,
            }),
            1 => self.tell(ImprovementDone { component, improvement, done_at: None, done_by: by }),
            2 => self.tell(ImprovementDropped { component, improvement, dropped_by: by, note }),
            3 => {
                let incident = self.incident.clone().unwrap_or_else(|| IncidentId::new("incident/1"));
                let n = self.number();
                let (release, previous) = match n % 4 {
                    0 => (None, None),
                    1 => (None, Some(release)),
                    _ => (Some(release), None),
                };
                self.tell(AttributionCorrected { incident, release, previous, corrected_by: by, note });
            }
            4 => self.tell(ReleaseExcluded { release, excluded: true, excluded_by: by, note }),
            5 => {
                let started_at = Timestamp(self.now - 20 * MINUTE);
                let name = "told operations".to_owned();
                self.tell(ManualStepNamed { release, name, started_at, finished_at: now, named_by: by });
            }
            6 => {
                // Half an hour ago, told now; or told as it is said.
                let acknowledged_at = self.number().is_multiple_of(2).then(|| Timestamp(self.now - 30 * MINUTE));
                self.tell(ShiftAcknowledged { component, acknowledged_at, acknowledged_by: by, note });
            }
            _ => {
                let (gate, purposes) = ("board".to_owned(), vec!["latency".to_owned()]);
                self.tell(GatePurposeSaid { component: Some(component), gate, purposes, said_by: by });
            }
        }
    }

    pub fn freeze(&mut self) {
        self.tell(Horizon { frozen_before: Timestamp(self.now - 1_000 * MINUTE) });
    }

    pub fn baseline_none(&mut self, component: u8) {
        let component = Component::new(["acme/shop", "api", "shop"][usize::from(component) % 3]);
        self.tell(BaselineNone { component });
    }
}
