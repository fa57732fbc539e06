//! What the front door sees of each source, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Millis, Source, Timestamp};

use super::gaps::Interval;
use super::record::Seen;

/// What the front door sees of each source. Clones share it.
#[derive(Clone, Debug)]
pub struct Watch {
    sources: Arc<Mutex<BTreeMap<String, Watched>>>,
}

#[derive(Debug)]
struct Watched {
    seen: Seen,
    /// Time before this says nothing of the source's habits: nothing could arrive.
    awake_since: Option<Timestamp>,
    /// Deliveries that were answered with an error of ours, from the first to the last.
    refused: Option<Interval>,
    /// What is not written yet.
    changed: bool,
    written_at: Option<Timestamp>,
}

impl Watch {
    /// Watches these sources. Whose front door it is, [`Watch::restore`] says.
    pub(crate) fn new<'a>(sources: impl Iterator<Item = &'a Source>) -> Self {
        let watched = |source: &Source| Watched {
            seen: Seen::nothing(source.clone(), String::new()),
            awake_since: None,
            refused: None,
            changed: false,
            written_at: None,
        };
        let sources = sources.map(|source| (source.as_str().to_owned(), watched(source))).collect();
        Self { sources: Arc::new(Mutex::new(sources)) }
    }

    pub(crate) fn accepted(&self, source: &Source, event: Option<&str>, now: Timestamp) {
        if let Some(watched) = self.lock().get_mut(source.as_str()) {
            let since = watched.seen.accepted_at.map(|at| watched.awake_since.map_or(at, |awake| awake.max(at)));
            watched.seen.accept(event, since.map(|since| (now - since).max(Millis(0))), now);
            watched.changed = true;
        }
    }

    pub(crate) fn rejected(&self, source: &Source, now: Timestamp) {
        if let Some(watched) = self.lock().get_mut(source.as_str()) {
            watched.seen.reject(now);
            watched.changed = true;
        }
    }

    /// A delivery was answered with an error of ours.
    pub(crate) fn refused(&self, source: &Source, now: Timestamp) {
        if let Some(watched) = self.lock().get_mut(source.as_str()) {
            let from = watched.refused.map_or(now, |refused| refused.from);
            watched.refused = Some(Interval { from, to: now });
        }
    }

    /// Adds what this front door had seen before it was started, and says who it is.
    pub(super) fn restore(&self, instance: &str, before: &[&Seen]) {
        for watched in self.lock().values_mut() {
            watched.seen.instance = instance.to_owned();
            let own = |seen: &&&Seen| seen.source == watched.seen.source && seen.instance == instance;
            if let Some(before) = before.iter().find(own) {
                watched.seen.add(before);
            }
        }
    }

    /// Nothing could arrive until now.
    pub(super) fn awake(&self, now: Timestamp) {
        self.lock().values_mut().for_each(|watched| watched.awake_since = Some(now));
    }

    /// The time of refusals of each source that has any.
    pub(super) fn refusals(&self) -> Vec<(Source, Interval)> {
        self.lock().values().filter_map(|watched| Some((watched.seen.source.clone(), watched.refused?))).collect()
    }

    /// Refusals up to then are dealt with.
    pub(super) fn forget_refusals(&self, source: &Source, up_to: Timestamp) {
        if let Some(watched) = self.lock().get_mut(source.as_str()) {
            let later = watched.refused.filter(|refused| refused.to > up_to);
            watched.refused = later.map(|refused| Interval { from: refused.from.max(up_to), ..refused });
        }
    }

    /// What is to be written: what has changed, and was not written after `before`.
    pub(super) fn changed(&self, before: Timestamp) -> Vec<Seen> {
        let due = |watched: &&Watched| watched.changed && watched.written_at.is_none_or(|at| at <= before);
        self.lock().values().filter(due).map(|watched| watched.seen.clone()).collect()
    }

    /// That was written.
    pub(super) fn written(&self, seen: &Seen, now: Timestamp) {
        if let Some(watched) = self.lock().get_mut(seen.source.as_str()) {
            watched.written_at = Some(now);
            watched.changed = watched.seen != *seen;
        }
    }

    /// The sources that had a delivery accepted.
    pub(super) fn heard(&self) -> Vec<Source> {
        let heard = |watched: &&Watched| watched.seen.accepted_at.is_some();
        self.lock().values().filter(heard).map(|watched| watched.seen.source.clone()).collect()
    }

    /// Whether a source is watched.
    pub(super) fn has(&self, source: &Source) -> bool {
        self.lock().contains_key(source.as_str())
    }

    /// What is counted stays right if somebody panicked while counting.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Watched>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_before_a_start_and_after_it_is_one_record() {
        let source = Source::new("shop");
        let watch = Watch::new([&source].into_iter());
        let at = Timestamp(1_714_564_800_000);
        watch.accepted(&source, Some("push"), at);
        watch.accepted(&Source::new("nobody"), Some("push"), at);
        let mut before = Seen::nothing(source.clone(), "7".to_owned());
        before.accept(Some("push"), Some(Millis(9)), Timestamp(at.0 - 10));
        let other = Seen { instance: "8".to_owned(), ..before.clone() };
        watch.restore("7", &[&other, &before]);
        let seen = watch.changed(at).remove(0);
        assert_eq!((seen.instance.as_str(), seen.events["push"].count, seen.accepted_at), ("7", 2, Some(at)));
        watch.written(&seen, at);
        assert!(watch.changed(at).is_empty());
        watch.rejected(&source, at);
        assert!(watch.changed(Timestamp(at.0 - 1)).is_empty(), "written a moment ago");
        assert_eq!(watch.changed(at).len(), 1);
    }

    #[test]
    fn time_in_which_nothing_could_arrive_is_no_silence() {
        let source = Source::new("shop");
        let watch = Watch::new([&source].into_iter());
        watch.accepted(&source, None, Timestamp(1000));
        watch.awake(Timestamp(9000));
        watch.accepted(&source, None, Timestamp(9100));
        let silence = |watch: &Watch| watch.changed(Timestamp(i64::MAX))[0].days["1970-01-01"].silence;
        assert_eq!(silence(&watch), Millis(100));
        watch.accepted(&source, None, Timestamp(9300));
        assert_eq!(silence(&watch), Millis(200));
    }

    #[test]
    fn refusals_are_one_interval() {
        let source = Source::new("shop");
        let watch = Watch::new([&source].into_iter());
        for at in [5, 7, 9] {
            watch.refused(&source, Timestamp(at));
        }
        assert_eq!(watch.refusals(), [(source.clone(), Interval { from: Timestamp(5), to: Timestamp(9) })]);
        watch.refused(&source, Timestamp(12));
        watch.forget_refusals(&source, Timestamp(9));
        assert_eq!(watch.refusals(), [(source.clone(), Interval { from: Timestamp(9), to: Timestamp(12) })]);
        watch.forget_refusals(&source, Timestamp(12));
        assert!(watch.refusals().is_empty());
    }
}
