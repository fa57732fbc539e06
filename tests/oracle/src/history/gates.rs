//! Gates: who was asked, and what became of it.

use model::event::{
    Actor, Decision, Gate, GateBypassed, GateCancelled, GateDecided, GateDelegated, GateExpired, GateKind, GateQuorum,
    GateRequested, GateRequestedAgain, References,
};
use model::{Environment, GateId, TaskId};

use super::moves::{About, Meeting};
use super::story::{Story, back, machine, person};

/// A gate and what it is about.
type Met = (Gate, References);

impl Story {
    pub fn gate(&mut self, about: About, meeting: Meeting, environment: u8) {
        let n = self.number();
        let environment = [Some("production"), None, Some("staging")][usize::from(environment) % 3];
        let kinds = [
            GateKind::DeploymentProtection,
            GateKind::ManualJob,
            GateKind::ChangeBoard,
            GateKind::Unknown,
            GateKind::Check,
        ];
        let gate = Gate {
            kind: kinds[n as usize % 5],
            environment: environment.map(Environment::new),
            // A gate before a job has the name of the job.
            ..Gate::new(
                GateId::new(format!("gate/{n}")),
                if about == About::Task { "scan".into() } else { "board".into() },
            )
        };
        let met = (gate, self.about(about));
        self.wait(1);
        if meeting != Meeting::OnlyDecided {
            let required = if meeting == Meeting::ApprovedTwice { Some(2) } else { None };
            let requested = GateRequested::new(met.0.clone(), met.1.clone());
            let requested = GateRequested { required, approvers: Some(3), requested_by: person(n), ..requested };
            // Some requests are inferred, of them some are told besides, earlier or later.
            if n.is_multiple_of(3) {
                self.tell(GateRequested { inferred: true, ..requested.clone() });
                self.wait(i64::from(n % 4) - 2);
            }
            if !n.is_multiple_of(6) {
                self.tell(requested);
            }
        }
        // Some look at nothing before they decide.
        self.wait(if n.is_multiple_of(5) { -3 } else { 45 });
        match meeting {
            Meeting::Approved | Meeting::OnlyDecided => self.decide(&met, Decision::Approved, person(n + 1), None),
            Meeting::Rejected => self.decide(&met, Decision::Rejected, person(n + 1), None),
            Meeting::Deferred => {
                self.decide(&met, Decision::Deferred, person(n + 1), None);
                self.decide(&met, Decision::Approved, person(n + 1), None);
            }
            Meeting::ByAuthor => {
                let decided = GateDecided::new(met.0.clone(), met.1.clone(), Decision::Approved);
                self.tell(GateDecided { by_author: Some(true), decided_by: person(n), ..decided });
            }
            Meeting::NotFinal => {
                self.decide(&met, Decision::Approved, person(n + 1), Some(false));
                self.decide(&met, Decision::Approved, person(n + 2), Some(true));
            }
            Meeting::ApprovedTwice => {
                self.decide(&met, Decision::Approved, person(n + 1), None);
                self.decide(&met, Decision::Approved, person(n + 1), None);
                self.decide(&met, Decision::Approved, person(n + 2), None);
            }
            Meeting::ExpiredThenApproved => {
                self.expire(&met);
                self.ask_again(&met);
                self.decide(&met, Decision::Approved, person(n + 1), None);
            }
            Meeting::RejectedThenOpen => {
                self.decide(&met, Decision::Approved, Actor::default(), Some(false));
                self.decide(&met, Decision::Rejected, person(n + 1), None);
                self.ask_again(&met);
            }
            Meeting::Expired => self.expire(&met),
            Meeting::Counted | Meeting::Bypassed | Meeting::Cancelled | Meeting::Delegated | Meeting::Open => {
                self.go_around(met, meeting);
            }
        }
    }

    /// Ends that are no decision of a person.
    fn go_around(&mut self, (gate, about): Met, meeting: Meeting) {
        match meeting {
            Meeting::Counted => {
                for given in 1..3 {
                    let (gate, about) = (gate.clone(), about.clone());
                    self.tell(GateQuorum { gate, about, required: 2, given, met_at: None });
                    self.wait(5);
                }
            }
            Meeting::Bypassed => {
                self.tell(GateBypassed { gate, about, bypassed_at: None, bypassed_by: machine() });
            }
            Meeting::Cancelled => {
                self.tell(GateCancelled { gate, about, cancelled_at: None, cancelled_by: person(1) });
            }
            Meeting::Delegated => {
                self.tell(GateDelegated { delegated_to: person(3), ..GateDelegated::new(gate, about) });
            }
            _ => {}
        }
    }

    fn about(&self, about: About) -> References {
        let deployed = back(&self.deployments, 0);
        let run = back(&self.runs, 0);
        let mut references = References::default();
        match about {
            About::Deployment => references.deployment = deployed.map(|deployed| deployed.told.deployment.clone()),
            About::Run => {
                references.run = run.map(|ran| ran.told.run.clone());
                references.repository = run.map(|ran| self.repository(ran.project));
            }
            About::Commit => {
                references.commit = self.tip(0);
                references.repository = Some(self.repository(0));
            }
            About::Service => {
                references.service = Some("web".into());
                references.environment = self.environment_of(0);
            }
            About::Task => {
                references.run = run.map(|ran| ran.told.run.clone());
                // One provider names the job, of another only the run is known.
                let named = run.filter(|_| deployed.is_some()).map(|ran| format!("{}/3", ran.told.run));
                references.task = named.map(TaskId::new);
            }
            About::Nothing => {}
        }
        references
    }

    fn decide(&mut self, (gate, about): &Met, decision: Decision, decided_by: Actor, final_decision: Option<bool>) {
        let decided_at = Some(self.wait(3));
        // Who decides on a deployment has looked at the default branch.
        let commit = about.commit.clone().or_else(|| about.deployment.as_ref().and_then(|_| self.tip(0)));
        let decided = GateDecided::new(gate.clone(), about.clone(), decision);
        let decided = GateDecided { decided_at, decided_by, final_decision, commit, ..decided };
        // Some decisions are inferred, of them some are told besides, and then the inference may be wrong.
        let kind = decided_at.map_or(0, |at| at.0 / 60_000 % 6);
        if kind < 2 {
            self.tell(GateDecided { inferred: true, decided_by: person(7), ..decided.clone() });
            self.wait(kind);
        }
        if kind != 1 {
            self.tell(decided);
        }
    }

    fn expire(&mut self, (gate, about): &Met) {
        self.wait(600);
        self.tell(GateExpired { gate: gate.clone(), about: about.clone(), expired_at: None });
    }

    fn ask_again(&mut self, (gate, about): &Met) {
        self.wait(5);
        let requested_by = person(1);
        self.tell(GateRequestedAgain { gate: gate.clone(), about: about.clone(), requested_at: None, requested_by });
    }
}
