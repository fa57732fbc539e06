//! The figures as Prometheus takes them: gauges, because what is corrected afterwards cannot be taken back from a counter or a
//! histogram.
//!
//! Names follow <https://prometheus.io/docs/practices/naming/>: seconds and ratios. A figure that is not known has no series, and
//! all series of a look at the tables change together.

use std::sync::{Arc, PoisonError, RwLock};

use model::fact::SEGMENTS;
use model::{Millis, Timestamp};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts, Registry};

use super::found::Found;
use super::history::{Key, Open, Owned, Recent};
use crate::failures::{self, Share};
use crate::layer;
use crate::shift::{Shift, Verdict};

/// Labels of a component.
const COMPONENT: [&str; 3] = ["realm", "team", "component"];
/// A cause that no single segment is.
const SEVERAL: &str = "several";

/// What is served, and what the next look fills.
pub struct Board {
    served: Arc<RwLock<Figures>>,
    spare: Figures,
}

/// What the registry asks.
struct Served {
    figures: Arc<RwLock<Figures>>,
    descriptions: Vec<Desc>,
}

impl Board {
    /// A board without figures, served by this registry.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let (figures, spare) = (Figures::new()?, Figures::new()?);
        let descriptions = figures.all().into_iter().flat_map(GaugeVec::desc).cloned().collect();
        let served = Arc::new(RwLock::new(figures));
        registry.register(Box::new(Served { figures: Arc::clone(&served), descriptions }))?;
        Ok(Self { served, spare })
    }

    /// Serves other figures from now on, all at once.
    pub fn show(&mut self, fill: impl FnOnce(&Figures)) {
        self.spare.all().into_iter().for_each(GaugeVec::reset);
        fill(&self.spare);
        let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *served, &mut self.spare);
    }
}

impl Collector for Served {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let figures = self.figures.read().unwrap_or_else(PoisonError::into_inner);
        figures.all().into_iter().flat_map(GaugeVec::collect).collect()
    }
}

macro_rules! figures {
    ($($name:ident [$($label:literal),*] $help:literal;)*) => {
        /// Figures of all components.
        pub struct Figures {
            $($name: GaugeVec,)*
        }

        impl Figures {
            /// None yet.
            fn new() -> Result<Self, prometheus::Error> {
                let gauge = |name: &str, help: &str, more: &[&str]| {
                    let labels = [&COMPONENT, more].concat();
                    GaugeVec::new(Opts::new(format!("throughline_{name}"), help), &labels)
                };
                Ok(Self { $($name: gauge(stringify!($name), $help, &[$($label),*])?,)* })
            }

            fn all(&self) -> Vec<&GaugeVec> {
                vec![$(&self.$name),*]
            }
        }
    };
}

figures! {
    releases [] "Releases that came to production in the last days (review.days), but for a baseline.";
    lead_time_seconds [] "Lower median of the lead time of regular releases in the last days.";
    merge_to_production_seconds [] "Lower median from merge to production of regular releases in the last days.";
    segment_seconds ["segment", "layer"] "Lower median of a segment of the lead time of regular releases in the last days. Medians of segments do not add up.";
    gate_wait_seconds [] "Lower median of the waits at gates in the last days.";
    build_queue_seconds [] "Lower median of the waits of builds for a runner in the last days.";
    change_failure_ratio [] "Share of the releases of the last days that degraded production.";
    build_failure_ratio [] "Share of the builds of the last days that failed.";
    gates_open [] "Gates asked for in the last days at which somebody has to decide.";
    incidents_open [] "Incidents that are not over.";
    last_release_timestamp_seconds [] "When the newest release came to production, seconds since 1970.";
    lead_time_watched [] "1 with enough regular releases to tell a sustained shift of the time from merge to production, else 0.";
    lead_time_shift_ratio ["segment", "layer"] "How many times as long as before it takes from merge to production; there only while a sustained shift stands, with the segment that caused it.";
    lead_time_shift_before_seconds ["segment", "layer"] "Lower median from merge to production before the shift that stands.";
    lead_time_shift_after_seconds ["segment", "layer"] "Lower median from merge to production since the shift that stands.";
    gate_wait_watched [] "1 with enough regular releases to tell a sustained shift of their waits at gates, else 0.";
    gate_wait_shift_ratio ["layer"] "How many times as long as before releases wait at gates; there only while a sustained shift stands.";
    gate_wait_shift_before_seconds ["layer"] "Lower median of the waits of releases at gates before the shift that stands.";
    gate_wait_shift_after_seconds ["layer"] "Lower median of the waits of releases at gates since the shift that stands.";
    build_queue_watched [] "1 with enough builds to tell a sustained shift of their waits for a runner, else 0.";
    build_queue_shift_ratio ["layer"] "How many times as long as before builds wait for a runner; there only while a sustained shift stands.";
    build_queue_shift_before_seconds ["layer"] "Lower median over hours of the waits for a runner before the shift that stands.";
    build_queue_shift_after_seconds ["layer"] "Lower median over hours of the waits for a runner since the shift that stands.";
    change_failure_watched [] "1 with enough releases to tell that more of them fail than used to, else 0.";
    change_failure_shift_before_ratio [] "Share of the releases that failed before more of them did; there only while more do.";
    change_failure_shift_after_ratio [] "Share of the releases that have failed since; there only while more do.";
}

/// The gauges of one kind of shift.
struct ShiftGauges<'a> {
    ratio: &'a GaugeVec,
    before: &'a GaugeVec,
    after: &'a GaugeVec,
}

impl Figures {
    /// Adds what is known of a component.
    pub fn add(&self, key: &Key, owned: &Owned, found: &Found, recent: Option<&Recent>, open: Option<&Open>) {
        let labels = [key.0.as_str(), &owned.team, key.1.as_str()];
        self.add_found(&labels, found);
        if let Some(recent) = recent {
            self.add_recent(&labels, recent);
        }
        self.gates_open.with_label_values(&labels).set(open.map_or(0, |open| open.gates) as f64);
        self.incidents_open.with_label_values(&labels).set(open.map_or(0, |open| open.incidents) as f64);
    }

    fn add_recent(&self, labels: &[&str; 3], recent: &Recent) {
        let set = |gauge: &GaugeVec, value: Option<f64>| {
            if let Some(value) = value {
                gauge.with_label_values(labels).set(value);
            }
        };
        set(&self.releases, Some(recent.releases as f64));
        set(&self.lead_time_seconds, recent.lead_time.map(seconds));
        set(&self.merge_to_production_seconds, recent.merge_to_production.map(seconds));
        set(&self.gate_wait_seconds, recent.gate_wait.map(seconds));
        set(&self.build_queue_seconds, recent.build_queue.map(seconds));
        set(&self.change_failure_ratio, share(recent.failed, recent.releases));
        set(&self.build_failure_ratio, share(recent.builds_failed, recent.builds));
        for (segment, time) in SEGMENTS.into_iter().zip(recent.segments) {
            if let Some(time) = time {
                let layer = layer::word(layer::of_segment(segment));
                let labels = [labels[0], labels[1], labels[2], segment, layer];
                self.segment_seconds.with_label_values(&labels).set(seconds(time));
            }
        }
    }

    fn add_found(&self, labels: &[&str; 3], found: &Found) {
        if let Some(at) = found.last_release {
            self.last_release_timestamp_seconds.with_label_values(labels).set(since_1970(at));
        }
        let lead_time = ShiftGauges {
            ratio: &self.lead_time_shift_ratio,
            before: &self.lead_time_shift_before_seconds,
            after: &self.lead_time_shift_after_seconds,
        };
        let gate_wait = ShiftGauges {
            ratio: &self.gate_wait_shift_ratio,
            before: &self.gate_wait_shift_before_seconds,
            after: &self.gate_wait_shift_after_seconds,
        };
        let build_queue = ShiftGauges {
            ratio: &self.build_queue_shift_ratio,
            before: &self.build_queue_shift_before_seconds,
            after: &self.build_queue_shift_after_seconds,
        };
        let watched = [&self.lead_time_watched, &self.gate_wait_watched, &self.build_queue_watched];
        for (verdict, gauge) in [&found.lead_time, &found.gate_wait, &found.build_queue].into_iter().zip(watched) {
            gauge.with_label_values(labels).set(flag(!matches!(verdict, Verdict::NotEnough { .. })));
        }
        if let Verdict::Slower(shift) = &found.lead_time {
            let segment = shift.cause().map_or(SEVERAL, |change| change.segment);
            lead_time.set(labels, &[segment, layer::word(layer::of_segment(segment))], shift);
        }
        if let Verdict::Slower(shift) = &found.gate_wait {
            gate_wait.set(labels, &[layer::word(layer::of_segment("gate_wait"))], shift);
        }
        if let Verdict::Slower(shift) = &found.build_queue {
            build_queue.set(labels, &[layer::word(layer::of_segment("queue"))], shift);
        }
        self.add_failures(labels, &found.failures);
    }

    fn add_failures(&self, labels: &[&str; 3], verdict: &failures::Verdict) {
        let is_watched = !matches!(verdict, failures::Verdict::NotEnough { .. });
        self.change_failure_watched.with_label_values(labels).set(flag(is_watched));
        if let failures::Verdict::More { before, after } = verdict {
            let ratio = |share: &Share| share.failed as f64 / share.of.max(1) as f64;
            self.change_failure_shift_before_ratio.with_label_values(labels).set(ratio(before));
            self.change_failure_shift_after_ratio.with_label_values(labels).set(ratio(after));
        }
    }
}

impl ShiftGauges<'_> {
    fn set(&self, labels: &[&str; 3], more: &[&str], shift: &Shift) {
        let labels = [labels.as_slice(), more].concat();
        self.ratio.with_label_values(&labels).set(shift.ratio.estimate as f64 / 1000.0);
        self.before.with_label_values(&labels).set(seconds(shift.before));
        self.after.with_label_values(&labels).set(seconds(shift.after));
    }
}

/// Prometheus has seconds, and floats.
fn seconds(time: Millis) -> f64 {
    time.0 as f64 / 1000.0
}

fn since_1970(at: Timestamp) -> f64 {
    at.0 as f64 / 1000.0
}

fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shift::{Change, Ratio};
    use prometheus::{Encoder, TextEncoder};

    fn served(registry: &Registry) -> Vec<String> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&registry.gather(), &mut text).unwrap();
        let lines = String::from_utf8(text).unwrap();
        lines.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn found(lead_time: Verdict) -> Found {
        Found {
            lead_time,
            gate_wait: Verdict::Steady,
            build_queue: Verdict::NotEnough { have: 0, need: 20 },
            failures: failures::Verdict::More {
                before: Share { failed: 1, of: 20 },
                after: Share { failed: 3, of: 4 },
            },
            last_release: Some(Timestamp(1_500)),
        }
    }

    #[test]
    fn a_shift_has_a_series_only_while_it_stands() {
        let registry = Registry::new();
        let mut board = Board::register(&registry).unwrap();
        let key = ("default".into(), "shop".into());
        let owned: Owned =
            serde_json::from_str(r#"{"realm": "default", "component": "shop", "team": "web", "acknowledged": []}"#)
                .unwrap();
        let change = Change { segment: "queue", before: Millis(10), after: Millis(900_000) };
        let shift = Shift {
            since: 30,
            releases: 9,
            before: Millis(3_600_000),
            after: Millis(5_400_000),
            ratio: Ratio { estimate: 1520, low: 1300, high: 1700 },
            segments: vec![change],
        };
        let slower = found(Verdict::Slower(shift));
        board.show(|figures| figures.add(&key, &owned, &slower, None, None));
        let lines = served(&registry);
        let has = |line: &str| assert!(lines.iter().any(|served| served == line), "{line}\n{lines:#?}");
        let labels = r#"component="shop",layer="platform",realm="default",segment="queue",team="web""#;
        has(&format!("throughline_lead_time_shift_ratio{{{labels}}} 1.52"));
        has(&format!("throughline_lead_time_shift_before_seconds{{{labels}}} 3600"));
        has(&format!("throughline_lead_time_shift_after_seconds{{{labels}}} 5400"));
        has(r#"throughline_lead_time_watched{component="shop",realm="default",team="web"} 1"#);
        has(r#"throughline_build_queue_watched{component="shop",realm="default",team="web"} 0"#);
        has(r#"throughline_change_failure_shift_after_ratio{component="shop",realm="default",team="web"} 0.75"#);
        has(r#"throughline_last_release_timestamp_seconds{component="shop",realm="default",team="web"} 1.5"#);

        board.show(|figures| figures.add(&key, &owned, &found(Verdict::Steady), None, None));
        assert!(!served(&registry).iter().any(|line| line.contains("lead_time_shift")));
    }
}
