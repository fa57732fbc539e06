//! What was emitted of each unit, and which units have rows in a day of a component.

use indexmap::IndexMap;
use model::fact::Identity;
use model::{Component, Timestamp};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::changelog::Emitted;
use crate::state::Unit;

/// A day of a component: its begin, UTC.
pub type Day = (Component, Timestamp);

/// Milliseconds of an hour and of a day.
pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

/// Units other than commits, with what was emitted of them.
#[derive(Debug, Default)]
pub struct Units {
    /// A unit of which nothing is left stays, empty: the numbers of the others do not change.
    emitted: IndexMap<Unit, Emitted, FxBuildHasher>,
    /// Numbers of the units with rows in a day, in order.
    days: FxHashMap<Day, Vec<u32>>,
}

impl Units {
    /// What was emitted of a unit; none where that is nothing.
    pub fn get(&self, unit: &Unit) -> Option<&Emitted> {
        self.emitted.get(unit).filter(|rows| !rows.is_empty())
    }

    /// Units of which something was emitted.
    pub fn iter(&self) -> impl Iterator<Item = (&Unit, &Emitted)> {
        self.emitted.iter().filter(|(_, rows)| !rows.is_empty())
    }

    /// Takes out what was emitted of a unit, to be put back by [`Self::replace`].
    pub fn take(&mut self, unit: &Unit) -> Emitted {
        self.emitted.get_mut(unit).map(std::mem::take).unwrap_or_default()
    }

    /// Replaces what was emitted of a unit.
    pub fn set(&mut self, unit: Unit, rows: Emitted) {
        let before = self.take(&unit);
        self.replace(unit, &before, rows);
    }

    /// The same, where that was taken out before.
    pub fn replace(&mut self, unit: Unit, before: &Emitted, rows: Emitted) {
        let (number, _) = self.emitted.insert_full(unit, rows);
        let rows = &self.emitted[number];
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let is_in = |rows: &Emitted, day: &Day| rows.iter().any(|(identity, _)| day_of(identity).as_ref() == Some(day));
        for day in before.iter().filter_map(|(identity, _)| day_of(identity)).filter(|day| !is_in(rows, day)) {
            if let Some(numbers) = self.days.get_mut(&day) {
                numbers.retain(|other| *other != number);
                if numbers.is_empty() {
                    self.days.remove(&day);
                }
            }
        }
        for day in rows.iter().filter_map(|(identity, _)| day_of(identity)) {
            let numbers = self.days.entry(day).or_default();
            if let Err(at) = numbers.binary_search(&number) {
                numbers.insert(at, number);
            }
        }
    }

    /// Units with rows in a day.
    pub fn of_day(&self, day: &Day) -> impl Iterator<Item = &Unit> {
        let numbers = self.days.get(day).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| Some(self.emitted.get_index(*number as usize)?.0))
    }

    /// Days in which units have rows.
    pub fn days(&self) -> impl Iterator<Item = &Day> {
        self.days.keys()
    }
}

/// The day whose sums a row is part of; none for a row of a table that is not summed up.
pub fn day_of(identity: &Identity) -> Option<Day> {
    match identity {
        Identity::Release { component, at, .. }
        | Identity::Deployment { component, at, .. }
        | Identity::GateWait { component, at, .. }
        | Identity::Build { component, at, .. }
        | Identity::ManualStep { component, at, .. } => Some((component.clone(), begin(*at, DAY))),
        Identity::ReleaseCommit { .. }
        | Identity::BuildFailure { .. }
        | Identity::Incident { .. }
        | Identity::IncidentAttribution { .. }
        | Identity::RollupHourly { .. }
        | Identity::RollupDaily { .. }
        | Identity::Component { .. } => None,
    }
}

/// Begin of the span of that length that an instant is in.
pub const fn begin(at: Timestamp, length: i64) -> Timestamp {
    Timestamp(at.0.div_euclid(length).saturating_mul(length))
}

#[cfg(test)]
mod tests {
    use model::DeploymentId;

    use super::*;

    fn deployment(at: i64) -> (Identity, u64) {
        let (component, environment, deployment) = ("shop".into(), "production".into(), DeploymentId::new("d"));
        (Identity::Deployment { component, environment, deployment, at: Timestamp(at) }, 1)
    }

    #[test]
    fn a_unit_is_in_the_days_of_its_rows() {
        let mut units = Units::default();
        let [one, other] = ["one", "other"].map(|id| Unit::Deployment(DeploymentId::new(id)));
        let day = |n: i64| (Component::new("shop"), Timestamp(n * DAY));
        let of_day = |units: &Units, n: i64| units.of_day(&day(n)).cloned().collect::<Vec<_>>();
        units.set(other.clone(), vec![deployment(5)]);
        units.set(one.clone(), vec![deployment(DAY - 1), deployment(-1)]);
        assert_eq!(of_day(&units, 0), [other.clone(), one.clone()]);
        assert_eq!(of_day(&units, -1), std::slice::from_ref(&one));
        units.set(one.clone(), vec![deployment(7)]);
        units.set(other.clone(), Vec::new());
        assert_eq!((of_day(&units, 0), of_day(&units, -1)), (vec![one.clone()], vec![]));
        assert_eq!((units.get(&other), units.iter().count(), units.days().count()), (None, 1, 1));
        units.set(other.clone(), vec![deployment(9)]);
        assert_eq!(of_day(&units, 0), [other, one]);
    }

    #[test]
    fn nonsensical_times_have_a_day() {
        assert_eq!(begin(Timestamp(i64::MIN), DAY), Timestamp(i64::MIN));
        assert_eq!(begin(Timestamp(-1), DAY), Timestamp(-DAY));
        assert!(begin(Timestamp(i64::MAX), DAY).0 > i64::MAX - DAY);
    }
}
