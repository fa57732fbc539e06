//! Working time: how much of a span falls into the hours that a calendar of the catalog names.
//!
//! An instant is working time where the clock on the wall of the calendar's zone shows a time of day within the working hours of a
//! day that is worked. An hour that the wall clock skips is none, one that it shows twice counts twice. So working time adds up
//! over neighbouring spans, and is never longer than the span.

use jiff::civil::Date;
use jiff::tz::TimeZoneDatabase;
use model::event::CatalogCalendar;
use model::{Millis, Timestamp};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Clocks are followed from 1970 until 2100; before and after, they stay as they were at that end.
const FOLLOWED_UNTIL: i64 = 4_102_444_800_000;

/// Times beyond this many milliseconds from 1970 (some 280 000 years) are taken for it, so that nothing overflows.
const FARTHEST: i64 = 1 << 53;

/// Monday to Friday, where a calendar names no days.
const USUAL_DAYS: [i32; 5] = [1, 2, 3, 4, 5];

/// What is wrong with a calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Its zone.
    #[error("calendar `{calendar}`: `{zone}` is no time zone like Europe/Berlin")]
    Zone {
        /// Name of the calendar.
        calendar: String,
        /// The zone given.
        zone: String,
    },
    /// Its hours.
    #[error("calendar `{calendar}`: the day is from minute {starts} to {ends}, which is not within 0 to 1440")]
    Hours {
        /// Name of the calendar.
        calendar: String,
        /// Minute of the day at which work begins.
        starts: i32,
        /// Minute of the day at which it ends.
        ends: i32,
    },
    /// A day of its week.
    #[error("calendar `{calendar}`: {day} is no day of the week (1 Monday to 7 Sunday)")]
    WorkDay {
        /// Name of the calendar.
        calendar: String,
        /// The day given.
        day: i32,
    },
    /// A day off.
    #[error("calendar `{calendar}`: the holiday `{day}` is no day like 2026-12-25")]
    Holiday {
        /// Name of the calendar.
        calendar: String,
        /// The day given.
        day: String,
    },
}

/// A calendar of the catalog, ready to be asked.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// Offsets of the zone, by the instant from which each holds; the first holds since ever.
    offsets: Vec<Offset>,
    /// Days worked in a week before each of its days, Monday first, and in a whole week.
    worked_before: [i64; 8],
    /// Days off that would be worked, as days since 1970, sorted.
    holidays: Vec<i64>,
    /// Time of day at which work begins.
    starts: i64,
    /// How long a day's work is.
    length: i64,
}

/// An offset from UTC that holds until the next one.
#[derive(Clone, Copy, Debug)]
struct Offset {
    from: i64,
    ahead: i64,
    /// What makes the count of working time go on from the offset before.
    base: i64,
}

impl Calendar {
    /// Compiles a calendar. Zones are those of the IANA database that is built in; nothing of the system is read.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(given: &CatalogCalendar) -> Result<Self, Vec<CalendarError>> {
        let mut wrong = Vec::new();
        let calendar = || given.calendar.clone();
        let (starts, ends) = (given.day_starts, given.day_ends);
        if !(0 <= starts && starts < ends && ends <= 24 * 60) {
            wrong.push(CalendarError::Hours { calendar: calendar(), starts, ends });
        }
        let days = if given.work_days.is_empty() { &USUAL_DAYS[..] } else { &given.work_days };
        let strange = days.iter().filter(|day| !(1..=7).contains(*day));
        wrong.extend(strange.map(|day| CalendarError::WorkDay { calendar: calendar(), day: *day }));
        let mut holidays = Vec::new();
        for day in &given.holidays {
            match day.parse::<Date>() {
                Ok(date) => holidays.push(days_since_1970(date)),
                Err(_) => wrong.push(CalendarError::Holiday { calendar: calendar(), day: day.clone() }),
            }
        }
        let Ok(zone) = TimeZoneDatabase::bundled().get(&given.zone) else {
            wrong.push(CalendarError::Zone { calendar: calendar(), zone: given.zone.clone() });
            return Err(wrong);
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut worked_before = [0; 8];
        for (n, day) in (1..=7).enumerate() {
            worked_before[n + 1] = worked_before[n] + i64::from(days.contains(&day));
        }
        let (starts, ends) = (i64::from(starts) * MINUTE, i64::from(ends) * MINUTE);
        let mut compiled = Self { offsets: Vec::new(), worked_before, holidays, starts, length: ends - starts };
        compiled.holidays.sort_unstable();
        compiled.holidays.dedup();
        compiled.holidays = compiled.holidays.iter().copied().filter(|day| compiled.in_week(*day)).collect();
        compiled.follow(&zone);
        Ok(compiled)
    }

    /// Takes in the offsets of a zone.
    fn follow(&mut self, zone: &jiff::tz::TimeZone) {
        let epoch = jiff::Timestamp::UNIX_EPOCH;
        let ahead = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * 1000;
        let mut last = Offset { from: i64::MIN, ahead: ahead(zone.to_offset(epoch)), base: 0 };
        self.offsets.push(last);
        for transition in zone.following(epoch) {
            let from = transition.timestamp().as_millisecond();
            if from >= FOLLOWED_UNTIL {
                break;
            }
            let ahead = ahead(transition.offset());
            if ahead != last.ahead {
                let base = last.base + self.on_the_wall(from + last.ahead) - self.on_the_wall(from + ahead);
                last = Offset { from, ahead, base };
                self.offsets.push(last);
            }
        }
    }

    /// Working time in `[from, to)`; none where `to` comes before.
    #[must_use]
    pub fn working(&self, from: Timestamp, to: Timestamp) -> Millis {
        (self.until(to) - self.until(from)).max(Millis(0))
    }

    /// Working time until an instant, from one that is the same for all.
    pub(crate) fn until(&self, at: Timestamp) -> Millis {
        let at = at.0.clamp(-FARTHEST, FARTHEST);
        let next = self.offsets.partition_point(|offset| offset.from <= at);
        let Some(offset) = next.checked_sub(1).and_then(|n| self.offsets.get(n)) else { return Millis(0) };
        Millis(offset.base + self.on_the_wall(at + offset.ahead))
    }

    /// Working time until a time of the wall clock (milliseconds as if it were UTC), were it never set.
    fn on_the_wall(&self, at: i64) -> i64 {
        let (day, time) = (at.div_euclid(DAY), at.rem_euclid(DAY));
        let (week, weekday) = week_of(day);
        let off = self.holidays.partition_point(|holiday| *holiday < day);
        let before = week * self.worked_before[7] + self.worked_before[weekday] - i64::try_from(off).unwrap_or(0);
        let worked = self.in_week(day) && self.holidays.get(off) != Some(&day);
        let today = if worked { (time - self.starts).clamp(0, self.length) } else { 0 };
        before * self.length + today
    }

    /// Whether the day is worked in a week without holidays.
    fn in_week(&self, day: i64) -> bool {
        let (_, weekday) = week_of(day);
        self.worked_before[weekday + 1] > self.worked_before[weekday]
    }
}

/// Week, and day of it from Monday on. 1970 began on a Thursday.
fn week_of(day: i64) -> (i64, usize) {
    let since_monday = day + 3;
    (since_monday.div_euclid(7), usize::try_from(since_monday.rem_euclid(7)).unwrap_or(0))
}

fn days_since_1970(date: Date) -> i64 {
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let at = jiff::tz::Offset::UTC.to_timestamp(midnight).map_or(0, |at| at.as_millisecond());
    at.div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn calendar(zone: &str, days: &[i32], hours: [i32; 2], holidays: &[&str]) -> CatalogCalendar {
        CatalogCalendar {
            calendar: "c".into(),
            zone: zone.into(),
            work_days: days.to_vec(),
            day_starts: hours[0],
            day_ends: hours[1],
            holidays: holidays.iter().map(|day| (*day).to_owned()).collect(),
        }
    }

    fn hours(calendar: &CatalogCalendar, from: &str, to: &str) -> i64 {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let working = Calendar::new(calendar).unwrap().working(at(from), at(to)).0;
        assert_eq!(working % (60 * MINUTE), 0);
        working / (60 * MINUTE)
    }

    #[test]
    fn a_week_a_holiday_and_the_nights_when_clocks_are_set() {
        let office = calendar("Europe/Berlin", &[], [540, 1020], &["2026-12-25"]);
        // 2026-12-21 is a Monday; Berlin is one hour ahead.
        assert_eq!(hours(&office, "2026-12-21T00:00:00Z", "2026-12-28T00:00:00Z"), 4 * 8);
        assert_eq!(hours(&office, "2026-12-21T09:00:00Z", "2026-12-21T15:00:00Z"), 6);
        assert_eq!(hours(&office, "2026-12-21T15:00:00Z", "2026-12-22T09:00:00Z"), 1 + 1);
        // In summer it is two hours ahead.
        assert_eq!(hours(&office, "2026-07-01T07:00:00Z", "2026-07-01T15:00:00Z"), 8);
        // Over the weekend on which the clock went from 2 to 3, and back from 3 to 2.
        let always = calendar("Europe/Berlin", &[1, 2, 3, 4, 5, 6, 7], [0, 1440], &[]);
        assert_eq!(hours(&always, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23);
        let early = calendar("Europe/Berlin", &[7], [60, 240], &[]);
        assert_eq!(hours(&early, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 2);
        assert_eq!(hours(&early, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 4);
    }

    #[test]
    fn a_year_of_a_zone_that_is_half_an_hour_off() {
        // 2025 has 261 days from Monday to Friday; the first of May is a Thursday, the third a Saturday.
        let office = calendar("Asia/Kolkata", &[], [600, 1080], &["2025-05-01", "2025-05-03"]);
        assert_eq!(hours(&office, "2024-12-31T18:30:00Z", "2025-12-31T18:30:00Z"), 260 * 8);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = Calendar::new(&calendar("Europe/Berlyn", &[0, 3], [600, 500], &["easter"])).unwrap_err();
        let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "calendar `c`: the day is from minute 600 to 500, which is not within 0 to 1440",
                "calendar `c`: 0 is no day of the week (1 Monday to 7 Sunday)",
                "calendar `c`: the holiday `easter` is no day like 2026-12-25",
                "calendar `c`: `Europe/Berlyn` is no time zone like Europe/Berlin",
            ]
        );
    }

    #[test]
    fn nonsensical_times_do_no_harm() {
        let office = Calendar::new(&calendar("America/New_York", &[], [540, 1020], &[])).unwrap();
        assert!(office.working(Timestamp(i64::MIN), Timestamp(i64::MAX)) > Millis(0));
        assert_eq!(office.working(Timestamp(i64::MAX), Timestamp(i64::MIN)), Millis(0));
    }

    fn any_calendar() -> impl Strategy<Value = CatalogCalendar> {
        let zones =
            vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"];
        let days = proptest::collection::vec(1i32..8, 0..7);
        let hours = (0i32..1440).prop_flat_map(|from| (Just(from), from + 1..=1440));
        let holidays = proptest::collection::vec(0i32..40, 0..6);
        (proptest::sample::select(zones), days, hours, holidays).prop_map(|(zone, days, (from, to), holidays)| {
            // Around the end of 2011, when Samoa left a day out, and the change of clocks in spring 2012.
            let day = |n: i32| jiff::civil::date(2011, 12, 15).checked_add((n * 3).days()).unwrap().to_string();
            let holidays: Vec<String> = holidays.into_iter().map(day).collect();
            let holidays: Vec<&str> = holidays.iter().map(String::as_str).collect();
            calendar(zone, &days, [from, to], &holidays)
        })
    }

    /// Counts minute by minute, as the clock on the wall shows them.
    fn counted(given: &CatalogCalendar, from: i64, to: i64) -> i64 {
        let zone: TimeZone = TimeZoneDatabase::bundled().get(&given.zone).unwrap();
        let works = |minute: i64| {
            let shown = zone.to_datetime(jiff::Timestamp::from_second(minute * 60).unwrap());
            let weekday = i32::from(shown.weekday().to_monday_one_offset());
            let worked = if given.work_days.is_empty() { weekday <= 5 } else { given.work_days.contains(&weekday) };
            let of_day = i32::from(shown.hour()) * 60 + i32::from(shown.minute());
            worked
                && !given.holidays.contains(&shown.date().to_string())
                && (given.day_starts..given.day_ends).contains(&of_day)
        };
        (from..to).filter(|minute| works(*minute)).count().try_into().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn it_is_what_counting_minutes_gives(given in any_calendar(), from in 0i64..170_000, length in 0i64..8_000) {
            let from = 22_065_000 + from;
            let working = Calendar::new(&given).unwrap().working(Timestamp(from * MINUTE), Timestamp((from + length) * MINUTE));
            prop_assert_eq!(working.0, counted(&given, from, from + length) * MINUTE);
        }
    }

    proptest! {
        #[test]
        fn it_adds_up_and_is_no_longer_than_the_span(
            given in any_calendar(),
            mut at in proptest::array::uniform3(-100_000_000_000i64..8_000_000_000_000),
        ) {
            at.sort_unstable();
            let [a, b, c] = at.map(Timestamp);
            let calendar = Calendar::new(&given).unwrap();
            let (first, second) = (calendar.working(a, b), calendar.working(b, c));
            prop_assert_eq!(first + second, calendar.working(a, c));
            prop_assert!(Millis(0) <= first && first <= b - a);
        }
    }
}
