//! The roles: each is a task that waits for what it needs, runs until shutdown, and tells whether it is ready.

use correlator::Correlator;
use ingestor::normalise::{self, Normaliser};
use ingestor::people::People;
use ingestor::receive::{self, Inbox, Receiver};
use ingestor::reconcile::{self, Reconciler};
use ingestor::sources::{Notes, Recorder, RecorderMetrics};
use loader::Loader;
use prometheus::Registry;
use reviewer::gauges::Gauges;
use stream::producer::IngestProducer;
use tokio_util::sync::CancellationToken;
use warehouse::Warehouse;

use crate::catalog;
use crate::config::Config;
use crate::lifecycle::Tasks;
use crate::prepare::Gate;
use crate::readiness::Readiness;

const WAITS_FOR_TOPICS: &str = "waits for the topics";

/// What all roles of a process share.
pub struct Runtime {
    pub config: Config,
    pub readiness: Readiness,
    pub registry: Registry,
    pub kafka_metrics: stream::Metrics,
    pub shutdown: CancellationToken,
}

/// What a front door shares with the roles beside it.
pub struct FrontDoor {
    pub inbox: Inbox,
    notes: Notes,
    found: RecorderMetrics,
}

/// Takes deliveries, and writes down what it has seen of its sources. It opens at once and answers 503 while Kafka is away.
///
/// # Errors
/// Where the configuration cannot work or the port is taken.
pub async fn receive(runtime: &Runtime, topics: Gate, tasks: &mut Tasks) -> anyhow::Result<FrontDoor> {
    let config = &runtime.config;
    let producer = IngestProducer::start(&config.kafka, config.receive.ingest(), &runtime.kafka_metrics)?;
    let metrics = receive::Metrics::register(&runtime.registry)?;
    let (inbox, notes) = (Inbox::new(producer.clone()), Notes::new(producer));
    let receiver = Receiver::new(&config.receive, inbox.clone(), metrics.clone())?;
    let listener = receiver.bind().await?;
    let check = receiver.clone();
    let part = runtime.readiness.part("receive");
    part.ready_while(move || check.is_ready(), "Kafka was not reached a moment ago, or has no inbox");
    let found = RecorderMetrics::register(&runtime.registry)?;
    let recorder = Recorder::new(
        config.kafka.clone(),
        notes.clone(),
        receiver.watch(),
        config.normalise.instance.clone(),
        config.reconcile.away(),
        (metrics, found.clone()),
    );
    let (shutdown, closed) = (runtime.shutdown.clone(), CancellationToken::new());
    let is_closed = closed.clone();
    tasks.spawn("receive", async move {
        receive::serve(&receiver, listener, receive::router(receiver.clone()), shutdown).await;
        closed.cancel();
        Ok(())
    });
    tasks.spawn("record", async move {
        if topics.passed().await {
            recorder.run(is_closed).await;
        }
        Ok(())
    });
    Ok(FrontDoor { inbox, notes, found })
}

/// Asks the providers for what could not be taken.
///
/// # Errors
/// Where the configuration of a source cannot work.
pub fn reconcile(runtime: &Runtime, door: FrontDoor, topics: Gate, tasks: &mut Tasks) -> anyhow::Result<()> {
    let Runtime { config, registry, shutdown, .. } = runtime;
    let shared = reconcile::Shared {
        kafka: config.kafka.clone(),
        inbox: door.inbox,
        notes: door.notes,
        instance: config.normalise.instance.clone(),
        found: door.found,
    };
    let metrics = reconcile::Metrics::register(registry)?;
    let reconciler = Reconciler::new(shared, config.reconcile.clone(), &config.receive.sources, metrics)?;
    let shutdown = shutdown.clone();
    tasks.spawn("reconcile", async move {
        if topics.passed().await {
            reconciler.run(shutdown).await?;
        }
        Ok(())
    });
    Ok(())
}

/// Puts the catalogs of the configuration in force, and follows their files.
///
/// # Errors
/// Where the registry has their metrics already.
pub fn follow_catalogs(runtime: &Runtime, inbox: &Inbox, topics: &Gate, tasks: &mut Tasks) -> anyhow::Result<()> {
    let Runtime { config, registry, shutdown, .. } = runtime;
    catalog::follow(&config.catalog, &config.kafka, inbox, registry, topics, shutdown, tasks)
}

/// Turns deliveries into events.
///
/// # Errors
/// Where there is no key for the hashes of people, or a rule of a source cannot work.
pub fn normalise(runtime: &Runtime, topics: Gate, tasks: &mut Tasks) -> anyhow::Result<()> {
    let people = People::new(runtime.config.people.required_key()?);
    let adapters = normalise::adapters().with(runtime.config.receive.generic()?);
    let metrics = normalise::Metrics::register(&runtime.registry)?;
    let normaliser = Normaliser::new(adapters, people, metrics);
    let (config, kafka) = (runtime.config.normalise.clone(), runtime.config.kafka.clone());
    let (kafka_metrics, shutdown) = (runtime.kafka_metrics.clone(), runtime.shutdown.clone());
    let part = runtime.readiness.part("normalise");
    part.waiting(WAITS_FOR_TOPICS);
    tasks.spawn("normalise", async move {
        if !topics.passed().await {
            return Ok(());
        }
        let worker = normalise::start(&config, &kafka, normaliser, &kafka_metrics, shutdown)?;
        part.ready_while(worker.readiness(), "is joining its consumer group");
        Ok(worker.join().await?)
    });
    Ok(())
}

/// Derives facts from events.
pub fn correlate(runtime: &Runtime, topics: Gate, tasks: &mut Tasks) {
    let (config, kafka) = (runtime.config.correlate.clone(), runtime.config.kafka.clone());
    let (kafka_metrics, registry) = (runtime.kafka_metrics.clone(), runtime.registry.clone());
    let shutdown = runtime.shutdown.clone();
    let part = runtime.readiness.part("correlate");
    part.waiting(WAITS_FOR_TOPICS);
    tasks.spawn("correlate", async move {
        if !topics.passed().await {
            return Ok(());
        }
        let correlator = Correlator::start(&config, &kafka, &kafka_metrics, &registry, shutdown)?;
        part.ready_while(correlator.readiness(), "is joining its consumer group, or restoring its state");
        Ok(correlator.run().await?)
    });
}

/// Loads facts into ClickHouse.
///
/// # Errors
/// Where the configuration cannot work.
pub fn load(runtime: &Runtime, topics: Gate, tables: Gate, tasks: &mut Tasks) -> anyhow::Result<()> {
    let (config, kafka) = (runtime.config.load.clone(), runtime.config.kafka.clone());
    let warehouse = Warehouse::new(&runtime.config.clickhouse)?;
    let (kafka_metrics, registry) = (runtime.kafka_metrics.clone(), runtime.registry.clone());
    let shutdown = runtime.shutdown.clone();
    let part = runtime.readiness.part("load");
    part.waiting("waits for the topics and the tables");
    tasks.spawn("load", async move {
        if !(topics.passed().await && tables.passed().await) {
            return Ok(());
        }
        let loader = Loader::start(config, &kafka, warehouse, &kafka_metrics, &registry, shutdown)?;
        part.ready_while(
            loader.readiness(),
            "is joining its consumer group, or ClickHouse does not take what it loads",
        );
        Ok(loader.run().await?)
    });
    Ok(())
}

/// Works out the figures of the components for `/metrics`. It makes no tables, so that a user that reads is enough; where a loader of
/// this process makes them, it waits.
///
/// # Errors
/// Where the configuration cannot work.
pub fn review(runtime: &Runtime, tables: Option<Gate>, tasks: &mut Tasks) -> anyhow::Result<()> {
    let warehouse = Warehouse::new(&runtime.config.clickhouse)?;
    let gauges = Gauges::new(runtime.config.review.clone(), warehouse, &runtime.registry)?;
    let part = runtime.readiness.part("review");
    part.ready_while(gauges.readiness(), "has not read the tables yet, or could not a moment ago");
    let shutdown = runtime.shutdown.clone();
    tasks.spawn("review", async move {
        let can_begin = match tables {
            Some(tables) => tables.passed().await,
            None => true,
        };
        if can_begin {
            gauges.run(shutdown).await;
        }
        Ok(())
    });
    Ok(())
}
