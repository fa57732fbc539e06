//! `throughline replay`.

mod inbox;
mod progress;
mod summary;

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use correlator::{Mended, OldRows, Rewound};
use prometheus::Registry;
use serde_json::{Value, json};

use super::say;
use crate::cli::{Replay, ReplayFrom};
use crate::config::{Config, sections};

pub fn run(file: Option<&Path>, arguments: &Replay) -> anyhow::Result<ExitCode> {
    match arguments.from {
        ReplayFrom::Events if arguments.dry_run => {
            bail!("--dry-run needs --from inbox: what follows from the events anew is known once they are read")
        }
        ReplayFrom::Events => events(file, arguments),
        ReplayFrom::Inbox if arguments.resend => {
            bail!("--resend needs --from events: what was lost behind the events is not in the inbox")
        }
        ReplayFrom::Inbox => inbox::run(file, arguments),
    }
}

fn events(file: Option<&Path>, arguments: &Replay) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let old = if arguments.resend { OldRows::Lost } else { OldRows::Kept };
    let rewound = correlator::replay(&config.correlate, &config.kafka, &metrics()?, Mended::default(), old)?;
    say(&if arguments.json { json_of(&rewound).to_string() } else { describe(&rewound, old) })?;
    Ok(ExitCode::SUCCESS)
}

/// Nobody asks a command for its metrics.
fn metrics() -> anyhow::Result<stream::Metrics> {
    Ok(stream::Metrics::register(&Registry::new())?)
}

fn json_of(rewound: &Rewound) -> Value {
    let Rewound { partitions, deleted, replaced } = rewound;
    json!({"realms": replaced, "forgotten_records": deleted, "partitions": partitions})
}

fn describe(rewound: &Rewound, old: OldRows) -> String {
    let Rewound { partitions, deleted, replaced } = rewound;
    let then = match old {
        OldRows::Kept => "what is there stays until they have read as much as before",
        OldRows::Lost => "every row is written again once they have read as much as before",
    };
    format!(
        "A new generation begins for {replaced} realms: {deleted} records of state are forgotten, and {partitions} partitions \
         are read from their start.\nStart the correlators: {then}."
    )
}
