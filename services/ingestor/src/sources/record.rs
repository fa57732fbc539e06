//! The records of the topic `sources`. They are JSON: nobody derives a figure from them, and people may read them.

use std::collections::BTreeMap;

use model::{Millis, Source, Timestamp};
use serde::{Deserialize, Serialize};

use super::gaps::Interval;

/// Days that are kept of each source: enough for two weekends.
pub const DAYS: i64 = 14;
/// Names of events that are kept of each source. A sender that makes up more has them counted as unnamed.
const NAMES: usize = 100;
const LONGEST_NAME: usize = 100;
const DAY_MS: i64 = 86_400_000;

/// One record. Its key is [`SourceRecord::key`]; of one key the last counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum SourceRecord {
    /// A front door was open.
    Alive(Alive),
    /// What a front door has seen of a source.
    Seen(Seen),
    /// An interval in which deliveries may be missing.
    Gap(Gap),
}

/// A front door was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// Which one.
    pub instance: String,
    /// When it was last known to take deliveries.
    pub at: Timestamp,
}

/// What a front door has seen of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Name of the source in the configuration.
    pub source: Source,
    /// Which front door.
    pub instance: String,
    /// When it last had a delivery accepted.
    #[serde(default)]
    pub accepted_at: Option<Timestamp>,
    /// When it last had one refused for its signature.
    #[serde(default)]
    pub rejected_at: Option<Timestamp>,
    /// The last `DAYS` days with any, by their date (UTC).
    #[serde(default)]
    pub days: BTreeMap<String, Day>,
    /// The deliveries accepted, by the name of the event that a header gives.
    #[serde(default)]
    pub events: BTreeMap<String, Event>,
    /// Deliveries accepted without such a header.
    #[serde(default)]
    pub unnamed: u64,
}

/// A day of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Deliveries accepted.
    #[serde(default)]
    pub accepted: u64,
    /// Deliveries refused for their signature.
    #[serde(default)]
    pub rejected: u64,
    /// The longest time without a delivery that ended on this day.
    #[serde(default)]
    pub silence: Millis,
}

/// A kind of event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When the last one came.
    pub at: Timestamp,
    /// How many came.
    pub count: u64,
}

/// An interval in which deliveries of a source may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Name of the source in the configuration.
    pub source: Source,
    /// When.
    #[serde(flatten)]
    pub interval: Interval,
    /// Why they may be missing.
    pub cause: Cause,
    /// What became of it.
    pub state: State,
}

/// Why deliveries may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No front door was open, or none could reach Kafka.
    Away,
    /// Deliveries were answered with an error of ours.
    Refused,
    /// The source was silent beyond its habit, and spoke again.
    Silence,
    /// The source is silent beyond its habit.
    Silent,
}

/// What became of a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    /// It is to be closed.
    Open {
        /// Why it was not closed so far.
        #[serde(default)]
        reason: Option<String>,
        /// Not to be tried before; another instance may be at it.
        #[serde(default)]
        again_at: Option<Timestamp>,
        /// Instance that is at it.
        #[serde(default)]
        by: Option<String>,
    },
    /// Everything that was sent is in the inbox.
    Recovered {
        /// How much of it had to be fetched.
        #[serde(flatten)]
        counts: Counts,
    },
    /// Something is missing for good, or nobody can tell.
    Lost {
        /// What is missing is of this part of the gap.
        part: Interval,
        /// Why.
        reason: String,
        /// What was fetched nevertheless.
        #[serde(flatten)]
        counts: Counts,
        /// Another configuration may change it: it is tried again after a start.
        #[serde(default)]
        mendable: bool,
    },
}

/// How a gap was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Deliveries that the provider sent again.
    #[serde(default)]
    pub redelivered: u64,
    /// Deliveries that were fetched as they had been sent.
    #[serde(default)]
    pub fetched: u64,
    /// Deliveries made of the provider's history.
    #[serde(default)]
    pub history: u64,
}

impl SourceRecord {
    /// The key of the record.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Alive(alive) => format!("alive/{}", alive.instance),
            Self::Seen(seen) => format!("seen/{}/{}", seen.source, seen.instance),
            Self::Gap(gap) => gap.key(),
        }
    }
}

impl Gap {
    /// A gap that was just found.
    #[must_use]
    pub fn new(source: Source, interval: Interval, cause: Cause) -> Self {
        Self { source, interval, cause, state: State::open() }
    }

    /// The key of its record.
    #[must_use]
    pub fn key(&self) -> String {
        format!("gap/{}/{}", self.source, self.interval.from.0)
    }
}

impl State {
    /// Of a gap that nobody has tried to close.
    #[must_use]
    pub const fn open() -> Self {
        Self::Open { reason: None, again_at: None, by: None }
    }

    /// Its name in one word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Recovered { .. } => "recovered",
            Self::Lost { .. } => "lost",
        }
    }
}

impl Cause {
    /// In words, behind "because".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Away => "no delivery could be taken",
            Self::Refused => "deliveries were answered with an error",
            Self::Silence => "it was silent beyond its habit",
            Self::Silent => "it is silent beyond its habit",
        }
    }
}

impl Seen {
    /// Of a source of which nothing was seen.
    #[must_use]
    pub fn nothing(source: Source, instance: String) -> Self {
        Self {
            source,
            instance,
            accepted_at: None,
            rejected_at: None,
            days: BTreeMap::new(),
            events: BTreeMap::new(),
            unnamed: 0,
        }
    }

    /// A delivery was accepted, so long after the one before where that is known.
    pub fn accept(&mut self, event: Option<&str>, silence: Option<Millis>, now: Timestamp) {
        let day = self.day(now);
        day.accepted += 1;
        day.silence = day.silence.max(silence.unwrap_or_default());
        self.accepted_at = self.accepted_at.max(Some(now));
        match event.filter(|name| name.len() <= LONGEST_NAME) {
            Some(name) if self.events.contains_key(name) || self.events.len() < NAMES => {
                let event = self.events.entry(name.to_owned()).or_insert(Event { at: now, count: 0 });
                event.at = event.at.max(now);
                event.count += 1;
            }
            _ => self.unnamed += 1,
        }
    }

    /// A delivery was refused for its signature.
    pub fn reject(&mut self, now: Timestamp) {
        self.day(now).rejected += 1;
        self.rejected_at = self.rejected_at.max(Some(now));
    }

    /// Adds what was seen besides: earlier, or by another front door.
    pub fn add(&mut self, other: &Self) {
        self.accepted_at = self.accepted_at.max(other.accepted_at);
        self.rejected_at = self.rejected_at.max(other.rejected_at);
        self.unnamed += other.unnamed;
        for (date, other) in &other.days {
            let day = self.days.entry(date.clone()).or_default();
            day.accepted += other.accepted;
            day.rejected += other.rejected;
            day.silence = day.silence.max(other.silence);
        }
        for (name, other) in &other.events {
            let event = self.events.entry(name.clone()).or_insert(Event { at: other.at, count: 0 });
            event.at = event.at.max(other.at);
            event.count += other.count;
        }
    }

    fn day(&mut self, now: Timestamp) -> &mut Day {
        let oldest = date(now + Millis(-DAYS * DAY_MS));
        self.days.retain(|date, _| *date > oldest);
        self.days.entry(date(now)).or_default()
    }
}

/// The date of an instant, UTC: `2026-11-30`.
#[must_use]
pub fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_714_564_800_000);

    #[test]
    fn a_record_survives_its_bytes() {
        let mut seen = Seen::nothing("shop".into(), "0".to_owned());
        seen.accept(Some("push"), Some(Millis(5)), NOON);
        seen.accept(None, None, NOON);
        seen.reject(NOON);
        let part = Interval { from: Timestamp(1), to: Timestamp(2) };
        let counts = Counts { fetched: 3, ..Counts::default() };
        let lost = State::Lost { part, reason: "why".to_owned(), counts, mendable: true };
        for record in [
            SourceRecord::Alive(Alive { instance: "0".to_owned(), at: NOON }),
            SourceRecord::Seen(seen),
            SourceRecord::Gap(Gap::new("shop".into(), part, Cause::Away)),
            SourceRecord::Gap(Gap {
                state: State::Recovered { counts },
                ..Gap::new("shop".into(), part, Cause::Silent)
            }),
            SourceRecord::Gap(Gap { state: lost, ..Gap::new("shop".into(), part, Cause::Refused) }),
        ] {
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<SourceRecord>(&text).unwrap(), record, "{text}");
        }
    }

    #[test]
    fn days_are_counted_and_old_ones_forgotten() {
        let mut seen = Seen::nothing("shop".into(), "0".to_owned());
        for day in 0..20 {
            seen.accept(Some("push"), Some(Millis(day)), Timestamp(NOON.0 + day * DAY_MS));
        }
        assert_eq!((seen.days.len(), seen.days.keys().next().map(String::as_str)), (14, Some("2024-05-07")));
        assert_eq!(seen.days["2024-05-20"], Day { accepted: 1, rejected: 0, silence: Millis(19) });
        assert_eq!(seen.events["push"].count, 20);
        let mut both = seen.clone();
        both.add(&seen);
        assert_eq!((both.days["2024-05-20"].accepted, both.events["push"].count), (2, 40));
    }

    #[test]
    fn a_sender_cannot_fill_the_record() {
        let mut seen = Seen::nothing("shop".into(), "0".to_owned());
        for n in 0..200 {
            seen.accept(Some(&format!("kind-{n}")), None, NOON);
        }
        seen.accept(Some(&"x".repeat(101)), None, NOON);
        assert_eq!((seen.events.len(), seen.unnamed), (100, 101));
    }
}
