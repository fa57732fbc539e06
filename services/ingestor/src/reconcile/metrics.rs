//! What the reconciler does: each thing with its log line and its numbers, and nothing else logs or counts.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};
use tracing::{info, warn};

use super::provider::advice;
use crate::chain;
use crate::sources::{Cause, Counts, Gap, Interval, Known, NoteError};

/// The metrics of the reconciler.
#[derive(Clone, Debug)]
pub struct Metrics {
    gaps: IntGaugeVec,
    silent: IntGaugeVec,
    recovered: IntCounterVec,
}

impl Metrics {
    /// Registers all metrics.
    ///
    /// # Errors
    /// Where the registry has them already: register once and clone.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gaps = IntGaugeVec::new(
            Opts::new(
                "throughline_reconcile_gaps",
                "Gaps of the last 90 days by what became of them: open, recovered or lost.",
            ),
            &["source", "state"],
        )?;
        let silent = IntGaugeVec::new(
            Opts::new("throughline_reconcile_silent", "1 while a source is silent beyond its habit, else 0."),
            &["source"],
        )?;
        let recovered = IntCounterVec::new(
            Opts::new(
                "throughline_reconcile_deliveries_total",
                "Deliveries that had been missing, by how they came: redelivery, fetched or history.",
            ),
            &["source", "by"],
        )?;
        registry.register(Box::new(gaps.clone()))?;
        registry.register(Box::new(silent.clone()))?;
        registry.register(Box::new(recovered.clone()))?;
        Ok(Self { gaps, silent, recovered })
    }

    /// So it stands with the gaps, and with a silence whatever its provider says of it.
    pub(super) fn stands<'a>(&self, sources: impl Iterator<Item = &'a str>, known: &Known) {
        for source in sources {
            let gaps = known.gaps(source);
            for state in ["open", "recovered", "lost"] {
                let count = gaps.iter().filter(|gap| gap.state.name() == state).count();
                self.gaps.with_label_values(&[source, state]).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
            let silent = gaps.iter().any(|gap| gap.cause == Cause::Silent);
            self.silent.with_label_values(&[source]).set(i64::from(silent));
        }
    }

    /// What was missing of a gap is there.
    pub(super) fn recovered(&self, gap: &Gap, counts: Counts) {
        let (source, Interval { from, to }) = (gap.source.as_str(), gap.interval);
        let Counts { redelivered, fetched, history } = counts;
        info!(source, %from, %to, redelivered, fetched, history, "the gap is closed");
        self.count(source, counts);
    }

    /// Something is missing, or nobody can tell.
    pub(super) fn lost(&self, gap: &Gap, part: Interval, reason: &str, counts: Counts, provider: &str) {
        let (source, Interval { from, to }) = (gap.source.as_str(), part);
        let try_this = advice(provider, from);
        warn!(
            source,
            %from,
            %to,
            because = gap.cause.words(),
            reason,
            try_this,
            "what was sent in this interval is not all there, and cannot be fetched"
        );
        self.count(source, counts);
    }

    /// A gap could not be closed for now.
    pub(super) fn later(&self, gap: &Gap, reason: &str) {
        let (source, Interval { from, to }) = (gap.source.as_str(), gap.interval);
        info!(source, %from, %to, reason, "the gap is still open; trying again");
    }

    /// The topic could not be read.
    pub(super) fn unread(&self, error: &str) {
        info!(error, "the gaps of the sources are not known; trying again");
    }

    /// What became of a gap could not be written: it is found open again.
    pub(super) fn unwritten(&self, error: &NoteError) {
        warn!(error = chain(error), "what became of a gap is not written; trying again");
    }

    fn count(&self, source: &str, counts: Counts) {
        for (by, count) in
            [("redelivery", counts.redelivered), ("fetched", counts.fetched), ("history", counts.history)]
        {
            self.recovered.with_label_values(&[source, by]).inc_by(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::sources::State;

    #[test]
    fn a_silence_is_shown_until_it_ends_whatever_became_of_its_gap() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let mut known = Known::default();
        let mut shows = |cause, state: State| {
            let interval = Interval { from: Timestamp(1), to: Timestamp(2) };
            known.set(Gap { state, ..Gap::new("scripts".into(), interval, cause) });
            metrics.stands(["scripts", "github"].into_iter(), &known);
            ["scripts", "github"].map(|source| metrics.silent.with_label_values(&[source]).get())
        };
        let recovered = State::Recovered { counts: Counts::default() };
        assert_eq!(shows(Cause::Away, State::open()), [0, 0]);
        assert_eq!(shows(Cause::Silent, State::open()), [1, 0]);
        assert_eq!(shows(Cause::Silent, recovered.clone()), [1, 0], "nothing was sent, and that is the news");
        assert_eq!(shows(Cause::Silence, recovered), [0, 0]);
    }
}
