//! `throughline ingest`, `correlate`, `load`, `review`, `all`: roles that run until a signal.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use prometheus::{IntGaugeVec, Opts, Registry};
use tokio_util::sync::CancellationToken;

use super::version::{VERSION, commit};
use crate::admin::{self, Admin};
use crate::config::Config;
use crate::internal_events;
use crate::lifecycle::{End, Tasks, signals};
use crate::memory;
use crate::prepare;
use crate::readiness::Readiness;
use crate::roles::{self, Runtime};

/// Which roles a process has.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    name: &'static str,
    ingest: bool,
    correlate: bool,
    load: bool,
    review: bool,
}

impl Roles {
    const NONE: Self = Self { name: "", ingest: false, correlate: false, load: false, review: false };
    pub const INGEST: Self = Self { name: "ingest", ingest: true, ..Self::NONE };
    pub const CORRELATE: Self = Self { name: "correlate", correlate: true, ..Self::NONE };
    pub const LOAD: Self = Self { name: "load", load: true, ..Self::NONE };
    pub const REVIEW: Self = Self { name: "review", review: true, ..Self::NONE };
    pub const ALL: Self = Self { name: "all", ingest: true, correlate: true, load: true, review: true };

    /// Sections of the configuration whose secrets the roles need.
    fn sections(self) -> Vec<&'static str> {
        let mut sections = vec!["kafka"];
        sections.extend(self.ingest.then_some(["people", "sources", "receive"]).into_iter().flatten());
        sections.extend((self.load || self.review).then_some("clickhouse"));
        sections
    }
}

pub fn run(file: Option<&Path>, roles: Roles) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, &roles.sections())?;
    config.log.start()?;
    internal_events::started(roles.name, VERSION, commit());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?;
    let end = runtime.block_on(run_roles(config, roles));
    // A call that hangs in a library must not hold up the end.
    runtime.shutdown_background();
    Ok(match end {
        Ok(End::Drained) => {
            internal_events::ended("drained");
            ExitCode::SUCCESS
        }
        Ok(End::AtOnce(signal)) => {
            internal_events::ended("at once, by a second signal");
            ExitCode::from(signal.exit_code())
        }
        Err(error) => {
            internal_events::failed(&error);
            ExitCode::FAILURE
        }
    })
}

async fn run_roles(config: Config, roles: Roles) -> anyhow::Result<End> {
    let signals = signals()?;
    let (readiness, shutdown, registry) = (Readiness::default(), CancellationToken::new(), Registry::new());
    describe_build(&registry)?;
    let admin = Admin {
        readiness: readiness.clone(),
        metrics: registry.clone(),
        topic_prefix: config.kafka.topic_prefix.clone(),
        draining: shutdown.clone(),
    };
    // It answers to the very end: what drains wants to be watched.
    tokio::spawn(admin::serve(admin::bind(config.admin.listen).await?, admin));
    let drain = config.shutdown.drain();
    let mut tasks = Tasks::new(shutdown.clone());
    tasks.spawn("give memory back", memory::give_back(shutdown.clone()));
    let topics = prepare::topics(&config.kafka, &readiness, &mut tasks, &shutdown);
    let kafka_metrics = stream::Metrics::register(&registry)?;
    let runtime = Runtime { config, readiness, registry, kafka_metrics, shutdown };
    if roles.ingest {
        let door = roles::receive(&runtime, topics.clone(), &mut tasks).await?;
        roles::follow_catalogs(&runtime, &door.inbox, &topics, &mut tasks)?;
        roles::reconcile(&runtime, door, topics.clone(), &mut tasks)?;
        roles::normalise(&runtime, topics.clone(), &mut tasks)?;
    }
    if roles.correlate {
        roles::correlate(&runtime, topics.clone(), &mut tasks);
    }
    let tables = if roles.load { Some(prepare::tables(&runtime, &mut tasks)?) } else { None };
    if let Some(tables) = &tables {
        roles::load(&runtime, topics, tables.clone(), &mut tasks)?;
    }
    if roles.review {
        roles::review(&runtime, tables, &mut tasks)?;
    }
    tasks.supervise(drain, signals).await
}

/// The version as a metric, to lay beside every other one.
fn describe_build(registry: &Registry) -> anyhow::Result<()> {
    let build = IntGaugeVec::new(
        Opts::new("throughline_build_info", "1, with the version and the commit as labels."),
        &["version", "commit"],
    )?;
    registry.register(Box::new(build.clone()))?;
    build.with_label_values(&[VERSION, commit()]).set(1);
    Ok(())
}
