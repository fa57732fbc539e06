//! Writes down what the front door sees, and what it could not see.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Millis, Source, Timestamp};
use prometheus::{IntCounterVec, Opts, Registry};
use stream::KafkaConfig;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::gaps::{Interval, away};
use super::notes::{Known, NoteError, Notes};
use super::record::{Alive, Cause, Gap, SourceRecord};
use super::watch::Watch;
use crate::receive::Metrics;
use crate::{chain, clock};

/// Pause after the topic could not be read.
const PAUSE: Duration = Duration::from_secs(5);

/// Writes down what the front door of one instance sees.
pub struct Recorder {
    kafka: KafkaConfig,
    notes: Notes,
    watch: Watch,
    instance: String,
    /// No front door open for so long is a gap.
    least: Millis,
    alive_at: Option<Timestamp>,
    /// Sources that any front door ever had a delivery of.
    heard: BTreeSet<Source>,
    front_door: Metrics,
    metrics: RecorderMetrics,
}

impl Recorder {
    /// A recorder for the front door that tells `watch`. `least` is the shortest absence that counts as a gap.
    #[must_use]
    pub fn new(
        kafka: KafkaConfig,
        notes: Notes,
        watch: Watch,
        instance: String,
        least: Millis,
        (front_door, metrics): (Metrics, RecorderMetrics),
    ) -> Self {
        Self { kafka, notes, watch, instance, least, alive_at: None, heard: BTreeSet::new(), front_door, metrics }
    }

    /// Runs until the front door is closed, and writes what is left.
    pub async fn run(mut self, closed: CancellationToken) {
        if closed.run_until_cancelled(self.restore()).await.is_none() {
            return;
        }
        // It may miss once, and a second time by a little, before it counts as away. A source that sends all the time is written less often.
        let every = Duration::from_millis(self.least.0.unsigned_abs() / 3);
        loop {
            self.write(self.least).await;
            if closed.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
                break;
            }
        }
        self.write(Millis(0)).await;
    }

    /// Reads what was written before.
    async fn restore(&mut self) {
        let known = loop {
            let kafka = self.kafka.clone();
            match tokio::task::spawn_blocking(move || Known::read(&kafka)).await {
                Ok(Ok(known)) => break known,
                Ok(Err(error)) => self.metrics.unread(&chain(&error)),
                Err(error) => self.metrics.unread(&chain(&error)),
            }
            tokio::time::sleep(PAUSE).await;
        };
        self.alive_at = known.alive_at();
        self.watch.restore(&self.instance, &known.all_seen().collect::<Vec<_>>());
        let mut accepted_at: BTreeMap<&Source, Timestamp> = BTreeMap::new();
        for seen in known.all_seen() {
            if let Some(at) = seen.accepted_at.filter(|_| self.watch.has(&seen.source)) {
                let last = accepted_at.entry(&seen.source).or_insert(at);
                *last = at.max(*last);
            }
        }
        for (source, at) in accepted_at {
            self.front_door.accepted_before(source.as_str(), at);
            self.heard.insert(source.clone());
        }
    }

    async fn write(&mut self, source_every: Millis) {
        // While Kafka is away, so is the front door: the time until it is back becomes a gap.
        if !self.notes.is_ready() {
            return;
        }
        if let Err(error) = self.try_write(source_every).await {
            self.metrics.unwritten(&error);
        }
    }

    /// Gaps come first: once it is written that the front door is open, nobody would look for them any more.
    async fn try_write(&mut self, source_every: Millis) -> Result<(), NoteError> {
        let now = clock::now();
        let absence = away(self.alive_at, now, self.least);
        if let Some(interval) = absence {
            self.watch.awake(now);
            // A source that never sent anything has nothing to miss.
            self.heard.extend(self.watch.heard());
            for source in self.heard.clone() {
                self.gap(source, interval, Cause::Away).await?;
            }
        }
        for (source, interval) in self.watch.refusals() {
            if absence.is_none_or(|absence| interval.from < absence.from) {
                self.gap(source.clone(), interval, Cause::Refused).await?;
            }
            self.watch.forget_refusals(&source, interval.to);
        }
        self.notes.write(&SourceRecord::Alive(Alive { instance: self.instance.clone(), at: now })).await?;
        self.alive_at = Some(now);
        for seen in self.watch.changed(now + Millis(-source_every.0)) {
            self.notes.write(&SourceRecord::Seen(seen.clone())).await?;
            self.watch.written(&seen, now);
        }
        Ok(())
    }

    async fn gap(&self, source: Source, interval: Interval, cause: Cause) -> Result<(), NoteError> {
        let gap = Gap::new(source, interval, cause);
        self.notes.write(&SourceRecord::Gap(gap.clone())).await?;
        self.metrics.found(&gap);
        Ok(())
    }
}

/// What happens while it is written down what the front door sees: each with its log line and its number.
#[derive(Clone, Debug)]
pub struct RecorderMetrics {
    found: IntCounterVec,
}

impl RecorderMetrics {
    /// Registers all metrics.
    ///
    /// # Errors
    /// Where the registry has them already: register once and clone.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = Opts::new("throughline_receive_gaps_total", "Intervals found in which deliveries may be missing.");
        let found = IntCounterVec::new(opts, &["source", "cause"])?;
        registry.register(Box::new(found.clone()))?;
        Ok(Self { found })
    }

    /// Deliveries of a source may be missing.
    pub(crate) fn found(&self, gap: &Gap) {
        let Gap { source, interval: Interval { from, to }, cause, .. } = gap;
        let cause_name = match cause {
            Cause::Away => "away",
            Cause::Refused => "refused",
            Cause::Silence | Cause::Silent => "silence",
        };
        warn!(source = source.as_str(), %from, %to, why = cause.words(), "deliveries may be missing");
        self.found.with_label_values(&[source.as_str(), cause_name]).inc();
    }

    /// What was seen before the start is not known yet.
    fn unread(&self, error: &str) {
        info!(error, "what was seen of the sources before is not known yet; trying again");
    }

    /// What was seen is not written; it is written with what is seen next.
    fn unwritten(&self, error: &NoteError) {
        warn!(error = chain(error), "what was seen of the sources is not written; trying again");
    }
}
