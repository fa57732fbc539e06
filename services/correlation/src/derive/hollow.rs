//! Hollow passes: reasons to doubt that passing a gate meant anything.

use model::event::{ActorKind, GateKind, Outcome, Phase};
use model::fact::{GateOutcome, Hollow};
use model::{CommitId, Millis, RunId, Timestamp};

use super::gates::{Held, Meeting, Settled};
use crate::entity::{Attempt, Gate};
use crate::graph::Place;
use crate::state::State;

/// A person who approves this soon after being asked has looked at nothing: to open what is to be approved takes as long.
const SECONDS: Millis = Millis(10_000);

impl State {
    /// Reasons to doubt that passing the gate meant anything; none where it was not approved. Only what is known is a reason.
    pub(super) fn hollow(
        &self,
        gate: &Gate,
        meeting: &Meeting,
        held: &Held<'_>,
        by_author: Option<bool>,
    ) -> Vec<Hollow> {
        let Some(settled) = meeting.settled.as_ref().filter(|settled| settled.outcome == GateOutcome::Approved) else {
            return Vec::new();
        };
        let kind = self.kind_of_gate(gate);
        let deployed = held.placed.and_then(|placed| placed.head);
        let looked_at = settled.commit.as_ref().zip(deployed);
        let commit = self.commit_held(gate, held);
        // A check is one of those that run side by side; a clock looks at nothing.
        let judges = !matches!(kind, GateKind::Check | GateKind::Timer);
        let reasons = [
            (Hollow::NoTests, is_check(kind, gate) && self.ran_nothing(gate, settled.at)),
            (Hollow::OtherCommit, looked_at.is_some_and(|(given, deployed)| self.is_other(given, deployed))),
            (Hollow::BeforeChecks, judges && commit.is_some_and(|commit| self.checks_ran(gate, commit, settled.at))),
            (Hollow::ByAuthor, by_author == Some(true)),
            (Hollow::WithinSeconds, within_seconds(meeting, settled)),
        ];
        reasons.into_iter().filter(|(_, holds)| *holds).map(|(reason, _)| reason).collect()
    }

    /// Whether all that ended in the gate's run before it was passed was left out or stopped.
    fn ran_nothing(&self, gate: &Gate, decided_at: Timestamp) -> bool {
        let attempt = gate.attempt.0.unwrap_or(1);
        let Some(run) = gate.run.get() else { return false };
        let mut attempts = self.checks_of(run).filter_map(|task| task.attempts.get(&attempt));
        let mut ended = false;
        let idle = attempts.all(|attempt| {
            let before = ended_at(attempt).is_some_and(|at| at <= decided_at);
            ended |= before;
            let ran = !matches!(attempt.outcome(), Some(Outcome::Skipped | Outcome::Cancelled | Outcome::Neutral));
            !(before && ran || is_under_way(attempt, attempt.started_at.0, decided_at))
        });
        ended && idle
    }

    /// Whether the commit that was looked at is another one than was deployed. The last commit of a change stands for the one that
    /// merged it.
    fn is_other(&self, given: &CommitId, deployed: Place) -> bool {
        let id = self.records.graph.id(deployed);
        let looked_at = match self.find(Some(given)) {
            Some(place) => self.records.graph.id(place),
            None if given.is_full() => given.clone(),
            None => return false,
        };
        let merged = || {
            let (_, change, _) = self.brought_by(deployed)?;
            change.head.get().filter(|_| change.merged.get().is_some_and(|(_, merge)| merge.as_ref() == Some(&id)))
        };
        looked_at != id && merged() != Some(&looked_at)
    }

    /// Whether a check of the commit was under way at an instant. The run that the gate held back counts by its tasks alone: as a
    /// whole it was waiting for the gate. A task that deploys is no check.
    fn checks_ran(&self, gate: &Gate, commit: Place, at: Timestamp) -> bool {
        let own = gate.run.get();
        let others = self.runs_on(commit).filter(|run| Some(*run) != own);
        let in_runs = others.chain(own).any(|run| self.check_of_run_ran(run, Some(run) == own, at));
        in_runs
            || self.loose_tasks_on(commit).any(|(_, task)| {
                let begun = |attempt: &Attempt| attempt.started_at.0.or(attempt.queued_at.0).or(task.created_at.0);
                task.attempts.values().any(|attempt| is_under_way(attempt, begun(attempt), at))
            })
    }

    fn check_of_run_ran(&self, id: &RunId, own: bool, at: Timestamp) -> bool {
        let is_under_way = |attempt: &Attempt| is_under_way(attempt, attempt.started_at.0, at);
        if self.tasks_of(id).next().is_some() {
            return self.checks_of(id).any(|task| task.attempts.values().any(is_under_way));
        }
        // A run that deploys, and tells of no task, may be doing just that.
        let deploys = self.deployments_of(id).next().is_some();
        !own && !deploys && self.records.runs.get(id).is_some_and(|run| run.attempts.values().any(is_under_way))
    }
}

/// A gate that tests are to open: by its kind, or, where nobody told it, by its name.
fn is_check(kind: GateKind, gate: &Gate) -> bool {
    let names = |name: &String| {
        let mut words = name.split(|c: char| !c.is_alphanumeric());
        words.any(|word| ["check", "checks", "test", "tests"].iter().any(|named| word.eq_ignore_ascii_case(named)))
    };
    kind == GateKind::Check || kind == GateKind::Unknown && gate.name.get().is_some_and(names)
}

/// A person decided, and sooner than anything can be looked at.
fn within_seconds(meeting: &Meeting, settled: &Settled) -> bool {
    let after = meeting.closed_at.map(|closed| settled.at - closed);
    settled.by.kind == ActorKind::Human && after.is_some_and(|after| (Millis(0)..=SECONDS).contains(&after))
}

fn ended_at(attempt: &Attempt) -> Option<Timestamp> {
    attempt.finished_at().filter(|_| attempt.phase() == Phase::Finished)
}

/// Begun before an instant and not ended by then, as far as is known.
fn is_under_way(attempt: &Attempt, begun: Option<Timestamp>, at: Timestamp) -> bool {
    let ended = match ended_at(attempt) {
        Some(ended) => ended <= at,
        None => attempt.phase() == Phase::Superseded,
    };
    begun.is_some_and(|begun| begun < at) && !ended
}
