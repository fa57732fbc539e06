//! Approvals, in the 0.6 draft.

use model::GateId;
use model::event::{Decision, Gate, GateCancelled, GateDecided, GateDelegated, GateExpired, GateRequested};

use super::{Observation, Observer, UNKNOWN};
use crate::providers::Unreadable;

impl Observer<'_> {
    pub(super) fn approval(&self) -> Result<Observation, Unreadable> {
        match self.kind.predicate {
            "created" => Ok(self.approval_requested()),
            "updated" => self.approval_updated(),
            "closed" => self.approval_closed(),
            _ => Ok(UNKNOWN),
        }
    }

    /// The gate. An approval has no name under which it is met again, so that of its system stands for it, unless `customData` has one.
    fn gate(&self) -> Gate {
        let source = self.event.subject.source.get().unwrap_or(&self.event.context.source);
        let name = self.name.clone().unwrap_or_else(|| source.to_owned());
        let mut gate = Gate::new(GateId::new(self.subject()), name);
        gate.environment = self.named.environment.clone();
        gate
    }

    fn approval_requested(&self) -> Observation {
        let mut requested = GateRequested::new(self.gate(), self.named.clone());
        requested.requested_at = Some(self.at);
        requested.requested_by = self.actor(&self.event.subject.content.requestor);
        requested.url = self.url.clone();
        requested.into()
    }

    /// One of perhaps several decisions; which state the approval ends in is told when it is closed.
    fn approval_updated(&self) -> Result<Observation, Unreadable> {
        let content = &self.event.subject.content;
        let decision = match content.decision.get() {
            Some("approved") => Decision::Approved,
            Some("rejected") => Decision::Rejected,
            Some("requestChanges") => Decision::ChangesRequested,
            Some("deferred") => Decision::Deferred,
            Some("escalated") => Decision::Escalated,
            Some("delegate") => {
                let mut delegated = GateDelegated::new(self.gate(), self.named.clone());
                delegated.delegated_at = Some(self.at);
                delegated.delegated_by = self.actor(&content.responder);
                return Ok(delegated.into());
            }
            other => {
                return Err(unknown(
                    "decision",
                    other,
                    "approved, rejected, requestChanges, deferred, delegate, escalated",
                ));
            }
        };
        Ok(self.decided(decision, false))
    }

    fn approval_closed(&self) -> Result<Observation, Unreadable> {
        let content = &self.event.subject.content;
        let (gate, about) = (self.gate(), self.named.clone());
        match content.status.get() {
            Some("approved") => Ok(self.decided(Decision::Approved, true)),
            Some("rejected") => Ok(self.decided(Decision::Rejected, true)),
            Some("expired") => Ok(GateExpired { gate, about, expired_at: Some(self.at) }.into()),
            Some("cancelled") => {
                let cancelled_by = self.actor(&content.responder);
                Ok(GateCancelled { gate, about, cancelled_at: Some(self.at), cancelled_by }.into())
            }
            other => Err(unknown("status", other, "approved, rejected, cancelled, expired")),
        }
    }

    fn decided(&self, decision: Decision, is_final: bool) -> Observation {
        let mut decided = GateDecided::new(self.gate(), self.named.clone(), decision);
        decided.decided_at = Some(self.at);
        decided.decided_by = self.actor(&self.event.subject.content.responder);
        decided.commit = self.named.commit.clone();
        decided.final_decision = Some(is_final);
        decided.url = self.url.clone();
        decided.into()
    }
}

/// A word that decides over a gate must not be guessed.
fn unknown(key: &str, word: Option<&str>, words: &str) -> Unreadable {
    let word = word.unwrap_or("");
    Unreadable::Value(format!("`subject.content.{key}` is `{word}`, which is none of {words}"))
}
