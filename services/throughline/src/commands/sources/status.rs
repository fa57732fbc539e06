//! `throughline sources status`: what arrives, what should and does not, and the gaps.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use ingestor::providers::{self, Expected};
use ingestor::reconcile::advice;
use ingestor::sources::{Gap, Interval, Known, Seen, State, date};
use model::{Millis, Source, Timestamp};
use serde::Serialize;

use crate::cli::SourcesStatus;
use crate::commands::dead_letters::letters;
use crate::commands::table::columns;
use crate::commands::{now, say};
use crate::config::{Config, sections};

const DAY_MS: i64 = 86_400_000;
/// What has not come in so many days does not come.
const DAYS: i64 = 7;
/// Gaps that were closed are shown up to so many.
const CLOSED_SHOWN: usize = 5;

/// How it stands with a source.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Status {
    source: String,
    provider: Option<String>,
    last_accepted_at: Option<Timestamp>,
    /// Deliveries accepted since midnight UTC.
    today: u64,
    /// Mean of the days before, of seven at most.
    per_day: Option<u64>,
    /// Deliveries of seven days whose signature was wrong.
    rejected: u64,
    last_rejected_at: Option<Timestamp>,
    dead_letters: u64,
    missing: Vec<Missing>,
    gaps: Vec<ShownGap>,
}

/// An event that should come and does not.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Missing {
    event: &'static str,
    /// What it is called where it is chosen.
    setting: &'static str,
    last_at: Option<Timestamp>,
    /// What to do.
    advice: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ShownGap {
    #[serde(flatten)]
    gap: Gap,
    /// What to do.
    advice: Option<String>,
}

pub fn run(file: Option<&Path>, arguments: &SourcesStatus) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let known = Known::read(&config.kafka)?;
    let letters = letters::count(&config.kafka)?;
    let configured = config.receive.sources.iter().map(|(name, source)| (name.clone(), Some(source.provider.clone())));
    let unconfigured = known.sources().into_iter().map(|source| (source.as_str().to_owned(), None));
    let mut providers: BTreeMap<String, Option<String>> = unconfigured.chain(configured).collect();
    if let Some(name) = &arguments.name {
        providers.retain(|source, _| source == name);
        if providers.is_empty() {
            let sources: Vec<&str> = config.receive.sources.keys().map(String::as_str).collect();
            bail!("`{name}` is no source of the configuration ({}), and nothing came of it", sources.join(", "));
        }
    }
    let now = now();
    let of = |(name, provider): (String, Option<String>)| {
        let letters = letters.get(&name).copied().unwrap_or_default();
        Status::of(name, provider, &known, letters, now)
    };
    let all: Vec<Status> = providers.into_iter().map(of).collect();
    say(&if arguments.json {
        serde_json::to_string(&serde_json::json!({ "sources": all }))?
    } else {
        shown(&all, now)
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Status {
    fn of(source: String, provider: Option<String>, known: &Known, dead_letters: u64, now: Timestamp) -> Self {
        let mut seen = Seen::nothing(Source::new(source.as_str()), String::new());
        known.seen(&source).into_iter().for_each(|of| seen.add(of));
        let day = |ago: i64| seen.days.get(&date(now + Millis(-ago * DAY_MS)));
        let accepted = |ago: i64| day(ago).map_or(0, |day| day.accepted);
        let before = (1..=DAYS)
            .rev()
            .find(|ago| seen.days.keys().next().is_some_and(|first| *first <= date(now + Millis(-ago * DAY_MS))));
        let per_day = before.map(|days| {
            let (sum, days) = ((1..=days).map(accepted).sum::<u64>(), days.unsigned_abs());
            (sum + days / 2) / days
        });
        let missing = missing(&source, provider.as_deref(), &seen, now);
        let show = |gap: Gap| {
            let from = match &gap.state {
                State::Lost { part, .. } => Some(part.from),
                _ => None,
            };
            let advice = from.and_then(|from| advice(provider.as_deref()?, from));
            ShownGap { gap, advice }
        };
        Self {
            today: accepted(0),
            per_day,
            rejected: (0..DAYS).filter_map(day).map(|day| day.rejected).sum(),
            last_accepted_at: seen.accepted_at,
            last_rejected_at: seen.rejected_at,
            dead_letters,
            missing,
            gaps: known.gaps(&source).into_iter().map(show).collect(),
            source,
            provider,
        }
    }

    fn count(&self, state: &str) -> usize {
        self.gaps.iter().filter(|gap| gap.gap.state.name() == state).count()
    }

    fn row(&self, now: Timestamp) -> Vec<String> {
        let gaps: Vec<String> = ["open", "lost", "recovered"]
            .into_iter()
            .filter_map(|state| {
                Some(self.count(state)).filter(|count| *count > 0).map(|count| format!("{count} {state}"))
            })
            .collect();
        vec![
            self.source.clone(),
            self.provider.clone().unwrap_or_else(|| "–".to_owned()),
            self.last_accepted_at.map_or_else(|| "never".to_owned(), |at| ago(at, now)),
            self.today.to_string(),
            self.per_day.map_or_else(|| "–".to_owned(), |count| count.to_string()),
            self.rejected.to_string(),
            self.dead_letters.to_string(),
            if gaps.is_empty() { "none".to_owned() } else { gaps.join(", ") },
        ]
    }

    /// What is to be said of it beside its row.
    fn lines(&self, now: Timestamp) -> Vec<String> {
        let Self { source, provider, .. } = self;
        let mut lines = Vec::new();
        if provider.is_none() {
            lines.push("it is in the configuration no more".to_owned());
        } else if self.last_accepted_at.is_none() {
            lines.push(format!("nothing has ever arrived: `throughline sources {source}` says how to connect it"));
        }
        if let Some(at) = self.last_rejected_at.filter(|_| self.rejected > 0) {
            let (count, ago) = (self.rejected, ago(at, now));
            lines.push(format!(
                "{count} rejected in {DAYS} days for their signature or token, the last {ago}: is the secret the same on both sides?"
            ));
        }
        if self.dead_letters > 0 {
            let count = self.dead_letters;
            lines.push(format!("{count} could not be read: `throughline dead-letters list --source {source}`"));
        }
        lines.extend(self.missing.iter().map(|missing| missing.advice.clone()));
        let closed = self.count("recovered").saturating_sub(CLOSED_SHOWN);
        let (old, rest): (Vec<_>, Vec<_>) =
            self.gaps.iter().partition(|gap| matches!(gap.gap.state, State::Recovered { .. }));
        let mut gaps: Vec<&ShownGap> = old.into_iter().skip(closed).chain(rest).collect();
        gaps.sort_by_key(|gap| gap.gap.interval);
        lines.extend(gaps.into_iter().flat_map(ShownGap::lines));
        lines
    }
}

impl ShownGap {
    fn lines(&self) -> Vec<String> {
        let Gap { interval, cause, state, .. } = &self.gap;
        let gap = format!("gap {}, {}", span(*interval), cause.words());
        let mut lines = Vec::new();
        match state {
            State::Open { by: Some(_), .. } => lines.push(format!("{gap}: is being closed")),
            State::Open { reason, .. } => {
                let reason = reason.as_deref().map_or(String::new(), |reason| format!(", {reason}"));
                lines.push(format!("{gap}: still to be closed{reason}"));
            }
            State::Recovered { counts } => {
                let sum = counts.redelivered + counts.fetched + counts.history;
                let how = [
                    (counts.redelivered, "sent again"),
                    (counts.fetched, "fetched"),
                    (counts.history, "told by the history"),
                ];
                let how = how.iter().filter(|(count, _)| *count > 0).map(|(count, by)| format!("{count} {by}"));
                let how = how.collect::<Vec<_>>().join(", ");
                lines.push(format!("{gap}: closed, {}", if sum == 0 { "nothing was missing" } else { &how }));
            }
            State::Lost { part, reason, .. } => {
                lines.push(format!("{gap}: lost"));
                lines.push(format!("  what was sent {} is not all there: {reason}", span(*part)));
            }
        }
        lines.extend(self.advice.as_ref().map(|advice| format!("  try `{advice}`")));
        lines
    }
}

/// What a source should send and does not. Only one whose every delivery names its event can be judged, and only while it sends.
fn missing(source: &str, provider: Option<&str>, seen: &Seen, now: Timestamp) -> Vec<Missing> {
    let Some(provider) = provider.and_then(providers::find) else { return Vec::new() };
    let week_ago = now + Millis(-DAYS * DAY_MS);
    let expected = provider.page().events;
    let sends = seen.accepted_at.is_some_and(|at| at > week_ago);
    let named = seen.unnamed == 0 && expected.iter().any(|expected| seen.events.contains_key(expected.event));
    if !sends || !named {
        return Vec::new();
    }
    let long = seen.days.keys().next().is_some_and(|first| *first <= date(week_ago));
    let judge = |Expected { event, setting, .. }: &Expected| {
        let last_at = seen.events.get(*event).map(|event| event.at);
        let when = if long || last_at.is_some() { format!("in {DAYS} days") } else { "so far".to_owned() };
        let advice =
            format!("no {event} from {source} {when}: tick \u{201c}{setting}\u{201d} in the webhook's settings");
        last_at.is_none_or(|at| at <= week_ago).then_some(Missing { event, setting, last_at, advice })
    };
    expected.iter().filter(|expected| expected.essential).filter_map(judge).collect()
}

fn shown(all: &[Status], now: Timestamp) -> String {
    if all.is_empty() {
        return "No source is configured: `throughline sources` lists who can tell something.".to_owned();
    }
    let heading = ["source", "provider", "last event", "today", "per day", "rejected", "dead letters", "gaps"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|status| status.row(now)));
    let mut text = columns(&rows, |column| (3..=6).contains(&column));
    for status in all {
        let lines = status.lines(now);
        if !lines.is_empty() {
            text.push_str(&format!("\n\n{}", status.source));
            lines.iter().for_each(|line| text.push_str(&format!("\n  {line}")));
        }
    }
    text
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", Millis((now - at).0.max(0)))
}

/// `2026-11-28 09:00:00 to 2026-11-28 10:12:41 UTC`.
fn span(Interval { from, to }: Interval) -> String {
    format!("{} to {} UTC", seconds(from), seconds(to))
}

fn seconds(at: Timestamp) -> String {
    at.to_string().chars().take(19).collect::<String>().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use ingestor::sources::{Cause, Counts};

    use super::*;

    const NOON: Timestamp = Timestamp(1_714_564_800_000);

    fn days_ago(days: i64) -> Timestamp {
        Timestamp(NOON.0 - days * DAY_MS)
    }

    fn seen(events: &[(&str, i64)]) -> Seen {
        let mut seen = Seen::nothing("shop".into(), "0".to_owned());
        let mut events = events.to_vec();
        events.sort_by_key(|(_, days)| -days);
        events.into_iter().for_each(|(event, days)| seen.accept(Some(event), None, days_ago(days)));
        seen
    }

    fn missed(seen: &Seen) -> Vec<String> {
        missing("shop", Some("github"), seen, NOON).into_iter().map(|missing| missing.advice).collect()
    }

    #[test]
    fn what_should_come_and_does_not_is_named_with_what_to_do() {
        let most = ["push", "pull_request", "pull_request_review", "workflow_run", "workflow_job", "deployment"];
        let mut events: Vec<(&str, i64)> = most.iter().map(|event| (*event, 1)).collect();
        let tick = "tick \u{201c}Deployment statuses\u{201d} in the webhook's settings";
        assert_eq!(missed(&seen(&events)), [format!("no deployment_status from shop so far: {tick}")]);
        events.push(("push", 8));
        assert_eq!(missed(&seen(&events)), [format!("no deployment_status from shop in 7 days: {tick}")]);
        events.push(("deployment_status", 9));
        assert_eq!(missed(&seen(&events)).len(), 1, "the last one is too old");
        events.push(("deployment_status", 2));
        assert!(missed(&seen(&events)).is_empty());
    }

    #[test]
    fn what_cannot_be_judged_is_not_complained_about() {
        assert!(missed(&seen(&[])).is_empty(), "nothing ever came");
        assert!(missed(&seen(&[("push", 8)])).is_empty(), "it is silent altogether");
        assert!(missed(&seen(&[("System Hook", 1)])).is_empty(), "its header does not name the event");
        let mut unnamed = seen(&[("push", 1)]);
        unnamed.accept(None, None, NOON);
        assert!(missed(&unnamed).is_empty());
        assert!(missing("shop", None, &seen(&[("push", 1)]), NOON).is_empty());
    }

    #[test]
    fn a_status_is_a_table_and_what_to_do() {
        let part = Interval { from: days_ago(5), to: days_ago(3) };
        let lost = State::Lost { part, reason: "kept no more".to_owned(), counts: Counts::default(), mendable: true };
        let gap =
            |from, state| Gap { state, ..Gap::new("shop".into(), Interval { from, to: days_ago(2) }, Cause::Away) };
        let counts = Counts { fetched: 4, ..Counts::default() };
        let gaps = [gap(days_ago(5), lost), gap(days_ago(3), State::Recovered { counts })];
        let shop = Status {
            source: "shop".to_owned(),
            provider: Some("github".to_owned()),
            last_accepted_at: Some(Timestamp(NOON.0 - 90_000)),
            today: 12,
            per_day: Some(40),
            rejected: 3,
            last_rejected_at: Some(days_ago(1)),
            dead_letters: 2,
            missing: Vec::new(),
            gaps: gaps.map(|gap| ShownGap { advice: None, gap }).into(),
        };
        let new = Status::of("tills".to_owned(), Some("generic".to_owned()), &Known::default(), 0, NOON);
        assert_eq!(
            shown(&[shop, new], NOON),
            "\
source  provider  last event      today  per day  rejected  dead letters  gaps
shop    github    1 min 30 s ago     12       40         3             2  1 lost, 1 recovered
tills   generic   never               0        –         0             0  none

shop
  3 rejected in 7 days for their signature or token, the last 1 d ago: is the secret the same on both sides?
  2 could not be read: `throughline dead-letters list --source shop`
  gap 2024-04-26 12:00:00 to 2024-04-29 12:00:00 UTC, no delivery could be taken: lost
    what was sent 2024-04-26 12:00:00 to 2024-04-28 12:00:00 UTC is not all there: kept no more
  gap 2024-04-28 12:00:00 to 2024-04-29 12:00:00 UTC, no delivery could be taken: closed, 4 fetched

tills
  nothing has ever arrived: `throughline sources tills` says how to connect it"
        );
    }
}
