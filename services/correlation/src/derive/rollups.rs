//! Rows of `rollup_hourly` and `rollup_daily`: what the other rows of a component amount to in a day.

use std::collections::BTreeMap;

use model::event::Outcome;
use model::fact::{
    BuildFact, DeploymentFact, Fact, FailureClass, GateOutcome, GateWaitFact, ManualStepFact, ReleaseFact, ReleaseKind,
    RollupDailyFact,
};
use model::{Environment, Millis, Realm, Timestamp};

use super::Paths;
use crate::observe::is_failure;
use crate::state::{State, Unit};
use crate::units::{Day, HOUR, begin, day_of};

/// The sums of a day, by the begin of the hour (none: of all of it), environment and kind.
type Sums = BTreeMap<(Option<Timestamp>, Environment, &'static str), RollupDailyFact>;

impl State {
    /// Rows of a day, from all units that have rows in it.
    pub fn rollup_facts<'u>(
        &self,
        realm: &Realm,
        day: &Day,
        units: impl Iterator<Item = &'u Unit>,
        paths: &mut Paths,
    ) -> Vec<Fact> {
        let mut sums = Sums::new();
        for unit in units {
            for fact in self.summed_facts(realm, unit, paths) {
                if day_of(&fact.identity()).as_ref() == Some(day) {
                    self.add_up(&fact, &mut sums);
                }
            }
        }
        rows(realm, day, sums)
    }

    /// The same of every day, from every fact.
    pub fn all_rollup_facts(&self, realm: &Realm, facts: &[Fact]) -> Vec<Fact> {
        let mut days: BTreeMap<Day, Sums> = BTreeMap::new();
        for fact in facts {
            if let Some(day) = day_of(&fact.identity()) {
                self.add_up(fact, days.entry(day).or_default());
            }
        }
        days.into_iter().flat_map(|(day, sums)| rows(realm, &day, sums)).collect()
    }

    fn add_up(&self, fact: &Fact, sums: &mut Sums) {
        let mut add = |at: Timestamp, environment: Option<&Environment>, kind, add: &dyn Fn(&mut RollupDailyFact)| {
            for hour in [None, Some(begin(at, HOUR))] {
                add(sums.entry((hour, environment.cloned().unwrap_or_default(), kind)).or_default());
            }
        };
        match fact {
            Fact::Release(row) if counts(row) => {
                let placed = row.deployment.as_ref().and_then(|id| self.placed.get(id));
                add(row.at, placed.map(|placed| &placed.environment), row.kind.word(), &|sum| add_release(sum, row));
            }
            Fact::Deployment(row) if row.finished_at.is_some() => {
                add(row.at, Some(&row.environment), "", &|sum| add_deployment(sum, row));
            }
            Fact::GateWait(row) => add(row.at, row.environment.as_ref(), "", &|sum| add_gate(sum, row)),
            Fact::Build(row) if row.finished_at.is_some() => add(row.at, None, "", &|sum| add_build(sum, row)),
            Fact::ManualStep(row) => add(row.at, row.environment.as_ref(), "", &|sum| add_step(sum, row)),
            _ => {}
        }
    }
}

/// Whether a release is part of the figures.
const fn counts(row: &ReleaseFact) -> bool {
    row.production_at.is_some() && !row.excluded && !matches!(row.kind, ReleaseKind::Baseline)
}

fn rows(realm: &Realm, (component, day): &Day, sums: Sums) -> Vec<Fact> {
    let row = |((hour, environment, kind), sum): ((Option<Timestamp>, Environment, &str), RollupDailyFact)| {
        let (realm, component, kind) = (realm.clone(), component.clone(), kind.to_owned());
        let mut row = RollupDailyFact { realm, component, environment, kind, at: hour.unwrap_or(*day), ..sum };
        row.durations().into_iter().for_each(|list| list.sort_unstable());
        if hour.is_some() { Fact::from(row.into_hourly()) } else { Fact::from(row) }
    };
    sums.into_iter().map(row).collect()
}

fn add_release(sum: &mut RollupDailyFact, row: &ReleaseFact) {
    sum.releases += 1;
    sum.commits = sum.commits.saturating_add(row.commits);
    sum.failed += i32::from(row.failed);
    sum.rework += i32::from(row.rework);
    sum.incidents = sum.incidents.saturating_add(row.incidents);
    let lists: [(&mut Vec<Millis>, Option<Millis>); 14] = [
        (&mut sum.lead_times, row.lead_time),
        (&mut sum.merge_to_production_times, row.merge_to_production),
        (&mut sum.coding_times, row.coding),
        (&mut sum.review_times, row.review),
        (&mut sum.merge_to_build_times, row.merge_to_build),
        (&mut sum.queue_times, row.queue),
        (&mut sum.build_and_test_times, row.build_and_test),
        (&mut sum.gate_wait_times, row.gate_wait),
        (&mut sum.batch_wait_times, row.batch_wait),
        (&mut sum.hand_off_times, row.hand_off),
        (&mut sum.deploy_times, row.deploy),
        (&mut sum.unaccounted_times, row.unaccounted),
        (&mut sum.lead_time_working_times, row.lead_time_working),
        (&mut sum.recovery_times, row.recovery),
    ];
    for (list, duration) in lists {
        list.extend(duration);
    }
}

fn add_deployment(sum: &mut RollupDailyFact, row: &DeploymentFact) {
    sum.deployments += 1;
    sum.deployments_succeeded += i32::from(row.outcome == Some(Outcome::Success));
    sum.deployments_failed += i32::from(row.outcome.is_some_and(is_failure));
}

fn add_gate(sum: &mut RollupDailyFact, row: &GateWaitFact) {
    sum.gates += 1;
    sum.gates_open += i32::from(row.outcome == GateOutcome::Open);
    sum.gates_rejected += i32::from(row.outcome == GateOutcome::Rejected);
    sum.gates_expired += i32::from(row.outcome == GateOutcome::Expired);
    sum.gates_bypassed += i32::from(row.outcome == GateOutcome::Bypassed);
    sum.gates_caught += i32::from(row.caught == Some(true));
    sum.gates_hollow += i32::from(!row.hollow.is_empty());
    sum.gate_waits.extend(row.wait);
}

fn add_build(sum: &mut RollupDailyFact, row: &BuildFact) {
    sum.builds += 1;
    sum.builds_failed += i32::from(row.outcome.is_some_and(is_failure));
    sum.builds_flaky += i32::from(row.class == Some(FailureClass::Flaky));
    sum.build_queue_times.extend(row.queue);
    sum.build_durations.extend(row.duration);
}

fn add_step(sum: &mut RollupDailyFact, row: &ManualStepFact) {
    sum.manual_steps += 1;
    sum.manual_waits.extend(row.wait);
}
