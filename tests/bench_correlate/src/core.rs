//! `core`: what the correlation itself costs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use correlation::Realm;
use serde::Serialize;

#[derive(Debug, Args)]
pub struct Core {
    #[command(flatten)]
    load: crate::Load,
    /// Derive facts after so many events.
    #[arg(long, default_value_t = 2_000)]
    batch: usize,
}

/// What it took.
#[derive(Debug, Default, Serialize)]
struct Found {
    events: u64,
    events_per_s: f64,
    apply_s: f64,
    derive_s: f64,
    facts: u64,
    changelog: u64,
}

impl Core {
    pub fn run(&self) -> Result<()> {
        let mut realms: BTreeMap<model::Realm, Realm> = BTreeMap::new();
        let (mut applying, mut deriving) = (Duration::ZERO, Duration::ZERO);
        let mut found = Found::default();
        let mut world = self.load.world();
        while found.events < self.load.events {
            let size = self.batch.min(usize::try_from(self.load.events - found.events)?);
            let batch: Vec<_> = world.by_ref().take(size).collect();
            found.events += batch.len() as u64;
            let started = Instant::now();
            let mut touched = BTreeSet::new();
            for event in batch {
                let name = event.realm.clone();
                realms.entry(name.clone()).or_insert_with(|| Realm::new(name.clone())).apply(event);
                touched.insert(name);
            }
            applying += started.elapsed();
            let started = Instant::now();
            for (_, realm) in realms.iter_mut().filter(|(name, _)| touched.contains(*name)) {
                let delta = realm.derive()?;
                found.facts += delta.facts.len() as u64;
                found.changelog += delta.changelog.len() as u64;
            }
            deriving += started.elapsed();
        }
        (found.apply_s, found.derive_s) = (applying.as_secs_f64(), deriving.as_secs_f64());
        let total = found.apply_s + found.derive_s;
        found.events_per_s = found.events as f64 / total;
        let sizes = realms.values().map(Realm::sizes);
        let (commits, deployments) = sizes.fold((0, 0), |(c, d), sizes| (c + sizes.commits, d + sizes.deployments));
        println!(
            "{commits} commits, {deployments} deployments, {} facts, {} changelog records",
            found.facts, found.changelog
        );
        println!(
            "{:.0} events/s: apply {:.0} %, derive {:.0} %",
            found.events_per_s,
            100.0 * found.apply_s / total,
            100.0 * found.derive_s / total
        );
        crate::finish(&found)
    }
}
