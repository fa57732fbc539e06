//! `throughline replay`.

use std::path::Path;
use std::process::ExitCode;

use correlator::Mended;
use prometheus::Registry;
use serde_json::json;

use super::say;
use crate::config::{Config, sections};

pub fn run(file: Option<&Path>, as_json: bool) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let metrics = stream::Metrics::register(&Registry::new())?;
    let rewound = correlator::replay(&config.correlate, &config.kafka, &metrics, Mended::default())?;
    let (realms, forgotten, partitions) = (rewound.replaced, rewound.deleted, rewound.partitions);
    if as_json {
        say(&json!({"realms": realms, "forgotten_records": forgotten, "partitions": partitions}).to_string())?;
    } else {
        say(&format!(
            "A new generation begins for {realms} realms: {forgotten} records of state are forgotten, and {partitions} partitions \
             are read from their start.\nStart the correlators: what is there stays until they have read as much as before."
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
