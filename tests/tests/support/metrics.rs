//! What a role tells at `/metrics`.

use std::collections::BTreeMap;

use end_to_end::installation::{Installation, Role};

/// The samples of one moment, in Prometheus' text format.
pub struct Metrics(String);

impl Metrics {
    /// Those of a running role.
    pub async fn of(installation: &Installation, role: Role) -> Metrics {
        let admin = installation.admin(role).expect("a running role");
        let answer = reqwest::get(format!("{admin}/metrics")).await.unwrap().error_for_status().unwrap();
        Metrics(answer.text().await.unwrap())
    }

    /// The sum over the samples of a metric that have these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        self.samples(name).filter(|(own, _)| labels.iter().all(|label| own.contains(label))).map(|(_, n)| n).sum()
    }

    /// The samples of a metric by the value of one label.
    pub fn by(&self, name: &str, label: &str) -> BTreeMap<&str, u64> {
        let start = format!("{label}=\"");
        let value = |labels: &'_ str| -> Option<std::ops::Range<usize>> {
            let from = labels.find(&start)? + start.len();
            Some(from..from + labels[from..].find('"')?)
        };
        self.samples(name).filter_map(|(labels, n)| Some((labels.get(value(labels)?)?, n))).collect()
    }

    /// What became of the deliveries: all that were normalised, by outcome.
    pub fn outcomes(&self) -> BTreeMap<&str, u64> {
        self.by("throughline_normalise_records_total", "outcome")
    }

    /// Labels and value, of counters and gauges: whole numbers.
    fn samples(&self, name: &str) -> impl Iterator<Item = (&str, u64)> {
        self.0.lines().filter_map(move |line| {
            let (labels, value) = line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once("} ")?;
            Some((labels, value.parse().unwrap_or_else(|_| panic!("{line} is no whole number"))))
        })
    }
}
