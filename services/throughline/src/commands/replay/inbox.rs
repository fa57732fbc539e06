//! `throughline replay --from inbox`: deliveries that a mended adapter reads differently.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use correlator::{Mended, OldRows, Rewound};
use ingestor::normalise::adapters;
use ingestor::people::People;
use ingestor::replay::{Comparison, Reader, Superseded, Written, compare};

use super::metrics;
use super::progress::Progress;
use super::summary::Summary;
use crate::cli::Replay;
use crate::commands::say;
use crate::config::{Config, sections};

/// Examples for each source and each way in which its deliveries are not read as before.
const EXAMPLES: usize = 3;

pub fn run(file: Option<&Path>, arguments: &Replay) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA_AND_PEOPLE)?;
    config.log.start()?;
    let adapters = adapters().with(config.receive.generic()?);
    let (people, metrics) = (People::new(config.people.required_key()?), metrics()?);
    if !arguments.dry_run {
        correlator::prepare_replay(&config.correlate, &config.kafka, &metrics)?;
    }
    let reader = Reader { kafka: &config.kafka, adapters: &adapters, people: &people };
    let known = correlator::superseded(&config.kafka)?.into_iter().map(of_the_correlator);
    let mut progress = Progress::new();
    let comparison = compare(reader, known, |step| progress.show(step))?;
    let mut summary = Summary::new(&comparison, arguments.dry_run);
    summary.examples = comparison.examples(EXAMPLES)?;
    if !arguments.dry_run && summary.total.different > 0 {
        summary.begun = write(&config, &metrics, comparison, &mut progress)?;
    }
    progress.finish();
    say(&if arguments.json { serde_json::to_string(&summary)? } else { summary.to_string() })?;
    Ok(if summary.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is only more is read by the correlators as whatever is new; where something is superseded, they begin anew.
fn write(
    config: &Config,
    metrics: &stream::Metrics,
    comparison: Comparison<'_>,
    progress: &mut Progress,
) -> anyhow::Result<Option<Rewound>> {
    let Written { events, superseded, ends } = comparison.write(metrics, |step| progress.show(step))?;
    if superseded.is_empty() {
        return Ok(None);
    }
    let mended = Mended { superseded: superseded.into_iter().map(for_the_correlator).collect(), written: ends };
    let begun =
        correlator::replay(&config.correlate, &config.kafka, metrics, mended, OldRows::Kept).with_context(|| {
            format!("{events} events are written beside those that they replace; run the command again to finish it")
        })?;
    Ok(Some(begun))
}

fn of_the_correlator((partition, superseded): correlator::Superseded) -> Superseded {
    let correlation::Superseded { realm, source, delivery, adapter } = superseded;
    Superseded { partition, realm, source, delivery, adapter }
}

fn for_the_correlator(superseded: Superseded) -> correlator::Superseded {
    let Superseded { partition, realm, source, delivery, adapter } = superseded;
    (partition, correlation::Superseded { realm, source, delivery, adapter })
}
