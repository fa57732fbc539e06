//! Human hours: everything in whole seconds since 1970, UTC, as GitHub tells them.

use fastrand::Rng;
use model::Timestamp;

/// Seconds since 1970-01-01T00:00:00Z.
pub type Seconds = i64;

pub const MINUTE: Seconds = 60;
pub const HOUR: Seconds = 60 * MINUTE;
pub const DAY: Seconds = 24 * HOUR;

/// Working time is 08:00 to 18:00, Monday to Friday.
const DAY_STARTS: Seconds = 8 * HOUR;
const DAY_ENDS: Seconds = 18 * HOUR;

/// 0 Monday to 6 Sunday; 1970-01-01 was a Thursday.
pub fn weekday(t: Seconds) -> i64 {
    (t.div_euclid(DAY) + 3).rem_euclid(7)
}

pub fn midnight(t: Seconds) -> Seconds {
    t - t.rem_euclid(DAY)
}

pub fn is_workday(t: Seconds) -> bool {
    weekday(t) < 5
}

/// Hours in which everybody wants a runner.
pub fn is_office_hours(t: Seconds) -> bool {
    is_workday(t) && (9 * HOUR..17 * HOUR).contains(&t.rem_euclid(DAY))
}

/// The instant itself when somebody is at work, else the next morning.
pub fn at_work(t: Seconds) -> Seconds {
    let mut t = t;
    loop {
        let (day, hour) = (midnight(t), t.rem_euclid(DAY));
        match (is_workday(t), hour) {
            (true, hour) if hour < DAY_STARTS => return day + DAY_STARTS,
            (true, hour) if hour < DAY_ENDS => return t,
            _ => t = day + DAY,
        }
    }
}

/// When somebody who starts at `t` has worked for `span`.
pub fn after_work(t: Seconds, span: Seconds) -> Seconds {
    let (mut t, mut left) = (at_work(t), span);
    loop {
        let end = midnight(t) + DAY_ENDS;
        if t + left < end {
            return t + left;
        }
        left -= end - t;
        t = at_work(end);
    }
}

/// When somebody who has done with `span` of work at `t` began.
pub fn before_work(t: Seconds, span: Seconds) -> Seconds {
    let (mut t, mut left) = (t, span);
    loop {
        let morning = midnight(t) + DAY_STARTS;
        let worked = if is_workday(t) { (t.min(midnight(t) + DAY_ENDS) - morning).max(0) } else { 0 };
        if left < worked {
            return t.min(midnight(t) + DAY_ENDS) - left;
        }
        left -= worked;
        t = midnight(t) - 1;
    }
}

/// Both ends belong to the range.
pub fn between(rng: &mut Rng, (least, most): (Seconds, Seconds)) -> Seconds {
    rng.i64(least..=most.max(least))
}

pub fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

/// `2024-05-01T09:30:00Z`.
pub fn rfc3339(t: Seconds) -> String {
    jiff::Timestamp::from_second(t).unwrap_or_default().to_string()
}

pub fn timestamp(t: Seconds) -> Timestamp {
    Timestamp::from_seconds(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Friday.
    const FRIDAY: Seconds = 1_714_694_400;

    #[test]
    fn weekends_are_off() {
        assert_eq!(rfc3339(FRIDAY), "2024-05-03T00:00:00Z");
        assert_eq!(weekday(FRIDAY), 4);
        assert_eq!(at_work(FRIDAY + 20 * HOUR), FRIDAY + 3 * DAY + 8 * HOUR);
        assert_eq!(after_work(FRIDAY + 17 * HOUR, 2 * HOUR), FRIDAY + 3 * DAY + 9 * HOUR);
        assert_eq!(before_work(FRIDAY + 3 * DAY + 9 * HOUR, 2 * HOUR), FRIDAY + 17 * HOUR);
        assert_eq!(before_work(FRIDAY + 2 * DAY, HOUR), FRIDAY + 17 * HOUR);
    }
}
