//! Working time: a span is walked day by day, as the clock on the wall of the calendar's zone shows them.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use model::event::CatalogCalendar;
use model::{Millis, Timestamp};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// When work is done.
#[derive(Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// Days of the week, 1 Monday to 7 Sunday.
    days: BTreeSet<i32>,
    holidays: BTreeSet<Date>,
    /// Minutes of the day at which work begins and ends.
    hours: (i64, i64),
}

impl Calendar {
    /// As the catalog has it; none where that makes no sense. Without a word on days it is Monday to Friday.
    pub fn of(given: &CatalogCalendar) -> Option<Self> {
        let days = if given.work_days.is_empty() { &[1, 2, 3, 4, 5] } else { &given.work_days[..] };
        let days: BTreeSet<i32> = days.iter().copied().collect();
        let hours = (i64::from(given.day_starts), i64::from(given.day_ends));
        let makes_sense = days.iter().all(|day| (1..=7).contains(day)) && 0 <= hours.0 && hours.1 <= 24 * 60;
        let holidays: Result<BTreeSet<Date>, _> = given.holidays.iter().map(|day| day.parse()).collect();
        let zone = TimeZoneDatabase::bundled().get(&given.zone).ok()?;
        (makes_sense && hours.0 < hours.1).then_some(Self { zone, days, holidays: holidays.ok()?, hours })
    }

    /// How much of the time from one instant until another is worked; none of it where the other comes first. Not told beyond the
    /// years that a calendar has.
    pub fn working(&self, from: Timestamp, until: Timestamp) -> Option<Millis> {
        let mut total = 0;
        let mut date = self.zone.to_datetime(jiff::Timestamp::from_millisecond(from.0).ok()?).date();
        while self.midnight(date)? < until.0 {
            let tomorrow = date.tomorrow().ok()?;
            let day = (self.midnight(date)?, self.midnight(tomorrow)?);
            total += self.of_day(date, day, (from.0, until.0))?;
            date = tomorrow;
        }
        Some(Millis(total))
    }

    /// When a day begins; where the clock skips midnight, when it does.
    fn midnight(&self, date: Date) -> Option<i64> {
        Some(self.zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond())
    }

    /// What is worked of the part of a day that lies in a span.
    fn of_day(&self, date: Date, (begins, ends): (i64, i64), span: (i64, i64)) -> Option<i64> {
        let inside = |from: i64, until: i64| (until.min(span.1) - from.max(span.0)).max(0);
        if ends - begins == DAY {
            let (starts, stops) = (begins + self.hours.0 * MINUTE, begins + self.hours.1 * MINUTE);
            return Some(if self.is_worked(date) { inside(starts, stops) } else { 0 });
        }
        // The clock is set on this day: it is looked at every minute.
        let mut total = 0;
        for minute in (begins..ends).step_by(usize::try_from(MINUTE).ok()?) {
            if self.shows_work(minute)? {
                total += inside(minute, (minute + MINUTE).min(ends));
            }
        }
        Some(total)
    }

    fn is_worked(&self, date: Date) -> bool {
        self.days.contains(&i32::from(date.weekday().to_monday_one_offset())) && !self.holidays.contains(&date)
    }

    /// Whether the clock shows a time at which work is done.
    fn shows_work(&self, at: i64) -> Option<bool> {
        let shown = self.zone.to_datetime(jiff::Timestamp::from_millisecond(at).ok()?);
        let minute = i64::from(shown.hour()) * 60 + i64::from(shown.minute());
        Some(self.is_worked(shown.date()) && (self.hours.0..self.hours.1).contains(&minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(zone: &str, work_days: &[i32], hours: (i32, i32), holidays: &[&str]) -> Option<Calendar> {
        Calendar::of(&CatalogCalendar {
            calendar: "c".into(),
            zone: zone.into(),
            work_days: work_days.to_vec(),
            day_starts: hours.0,
            day_ends: hours.1,
            holidays: holidays.iter().map(|day| (*day).to_owned()).collect(),
        })
    }

    fn minutes(calendar: Option<Calendar>, from: &str, until: &str) -> i64 {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let working = calendar.unwrap().working(at(from), at(until)).unwrap().0;
        assert_eq!(working % MINUTE, 0);
        working / MINUTE
    }

    #[test]
    fn a_week_has_five_days_less_what_is_off() {
        let office = || calendar("Europe/Berlin", &[], (540, 1020), &["2023-12-25"]);
        assert_eq!(minutes(office(), "2023-12-18T00:00:00Z", "2023-12-25T00:00:00Z"), 5 * 480);
        assert_eq!(minutes(office(), "2023-12-25T00:00:00Z", "2024-01-01T00:00:00Z"), 4 * 480);
        // 9:30 to 16:20 of a Tuesday, an hour ahead of UTC; what ends before it begins is nothing.
        assert_eq!(minutes(office(), "2023-12-19T08:30:00Z", "2023-12-19T15:20:00Z"), 410);
        assert_eq!(minutes(office(), "2023-12-19T15:20:00Z", "2023-12-19T08:30:00Z"), 0);
    }

    /// Worked from 1:30 to 3:30 on Sundays, of which one is in the span: that on which the clock is set.
    #[test]
    fn an_hour_may_be_skipped_or_come_twice() {
        let early = |zone| calendar(zone, &[7], (90, 210), &[]);
        let whole = |zone, from: &str, until: &str| {
            minutes(early(zone), &format!("{from}T00:00:00Z"), &format!("{until}T00:00:00Z"))
        };
        assert_eq!(whole("Europe/Berlin", "2024-03-30", "2024-04-01"), 60);
        assert_eq!(whole("Europe/Berlin", "2023-10-28", "2023-10-30"), 180);
        assert_eq!(whole("America/New_York", "2024-03-09", "2024-03-11"), 60);
        // There the clock is set by half an hour, from 2:00 back to 1:30.
        assert_eq!(whole("Australia/Lord_Howe", "2024-04-06", "2024-04-08"), 150);
        assert_eq!(whole("UTC", "2024-03-30", "2024-04-01"), 120);
    }

    #[test]
    fn what_makes_no_sense_is_no_calendar() {
        for (zone, days, hours, holiday) in [
            ("Europe/Berlyn", 1, (540, 1020), "2023-12-25"),
            ("Europe/Berlin", 8, (540, 1020), "2023-12-25"),
            ("Europe/Berlin", 1, (1020, 540), "2023-12-25"),
            ("Europe/Berlin", 1, (540, 1441), "2023-12-25"),
            ("Europe/Berlin", 1, (540, 1020), "christmas"),
        ] {
            assert!(calendar(zone, &[days], hours, &[holiday]).is_none(), "{zone} {days} {hours:?} {holiday}");
        }
    }
}
