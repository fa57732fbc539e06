//! Services and incidents.

use model::event::{
    Actor, Deployment, DeploymentAction, Incident, IncidentDetected, IncidentResolved, Outcome, Phase, References,
};
use model::{ArtifactId, DeploymentId, IncidentId};

use super::{Observation, Observer, UNKNOWN, named};
use crate::providers::Unreadable;

impl Observer<'_> {
    /// A service event tells of a deployment that is over and went well: the vocabulary has no word for the others.
    pub(super) fn deployment(&self) -> Result<Observation, Unreadable> {
        let action = match self.kind.predicate {
            "deployed" => DeploymentAction::Deploy,
            "upgraded" => DeploymentAction::Upgrade,
            "rolledback" => DeploymentAction::RollBack,
            "removed" => DeploymentAction::Remove,
            "published" => DeploymentAction::Publish,
            _ => return Ok(UNKNOWN),
        };
        let Some(environment) = self.named.environment.clone() else {
            return match action {
                // These two may leave it out.
                DeploymentAction::Remove | DeploymentAction::Publish => {
                    Ok(Observation::Nothing("names no environment"))
                }
                _ => Err(Unreadable::Value(format!(
                    "service.{} has no `subject.content.environment.id`: where it was deployed is not known",
                    self.kind.predicate
                ))),
            };
        };
        let mut deployment = Deployment::new(DeploymentId::new(self.event_id()), environment, action, Phase::Finished);
        deployment.repository = self.named.repository.clone();
        deployment.service = Some(self.event.subject.id.clone());
        deployment.outcome = Some(Outcome::Success);
        deployment.commit = self.named.commit.clone();
        deployment.ref_name = self.named.ref_name.clone();
        deployment.version = self.named.version.clone();
        // The digest is inside the package URL, perhaps encoded; by itself it meets image references of other providers.
        let digest = self.event.subject.content.artifact_id.get().and_then(named::digest);
        deployment.artifacts = self.artifact_id().into_iter().chain(digest.map(ArtifactId::new)).collect();
        deployment.run = self.named.run.clone();
        deployment.finished_at = Some(self.at);
        deployment.url = self.url.clone();
        Ok(deployment.into())
    }

    /// Detected and reported both say that the incident was noticed; the earlier of them counts, whichever comes first.
    pub(super) fn incident(&self) -> Observation {
        let at = Some(self.at);
        match self.kind.predicate {
            "detected" | "reported" => {
                IncidentDetected { incident: self.incident_details(), detected_at: at, detected_by: Actor::default() }
                    .into()
            }
            "resolved" => {
                IncidentResolved { incident: self.incident_details(), resolved_at: at, resolved_by: Actor::default() }
                    .into()
            }
            _ => UNKNOWN,
        }
    }

    fn incident_details(&self) -> Incident {
        let content = &self.event.subject.content;
        let mut incident = Incident::new(IncidentId::new(self.subject()));
        incident.number = Some(self.event.subject.id.clone());
        incident.severity = content.severity.owned();
        incident.services = self.named.service.clone().into_iter().collect();
        incident.environment = self.named.environment.clone();
        let about = References {
            artifact: self.artifact_id(),
            ticket: self.named.ticket.clone().or_else(|| content.ticket_uri.owned()),
            ..self.named.clone()
        };
        // Service and environment alone are the incident's own, not a link to what caused it.
        let own = References {
            service: about.service.clone(),
            environment: about.environment.clone(),
            ..References::default()
        };
        if about != own {
            incident.about.push(about);
        }
        incident.url = self.url.clone();
        incident
    }

    fn artifact_id(&self) -> Option<ArtifactId> {
        self.event.subject.content.artifact_id.get().map(ArtifactId::new)
    }
}
