//! What the roles cannot begin without: topics and tables as this version wants them. Kafka and ClickHouse may come up later than we
//! do; they are waited for.

use std::time::Duration;

use anyhow::Context;
use stream::KafkaConfig;
use stream::admin::{TopicError, ensure_topics};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use warehouse::Warehouse;

use crate::internal_events;
use crate::lifecycle::Tasks;
use crate::readiness::{Part, Readiness};
use crate::roles::Runtime;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Opens once something is prepared.
#[derive(Clone)]
pub struct Gate {
    open: watch::Receiver<bool>,
    shutdown: CancellationToken,
}

impl Gate {
    /// Waits; false where the process ends first.
    pub async fn passed(mut self) -> bool {
        let opened = async {
            if self.open.wait_for(|open| *open).await.is_err() {
                // The preparation failed, and with it the process.
                std::future::pending::<()>().await;
            }
        };
        self.shutdown.run_until_cancelled(opened).await.is_some()
    }
}

/// Makes and checks the topics.
pub fn topics(kafka: &KafkaConfig, readiness: &Readiness, tasks: &mut Tasks, shutdown: &CancellationToken) -> Gate {
    let (sender, gate) = gate(shutdown);
    let (kafka, part, shutdown) = (kafka.clone(), readiness.part("topics"), shutdown.clone());
    tasks.spawn("topics", async move {
        let attempt = || {
            let made = ensure_topics_aside(kafka.clone());
            async { made.await.map(drop) }
        };
        prepare("topics", part, sender, shutdown, attempt, |error| {
            matches!(error.downcast_ref(), Some(TopicError::Kafka { .. } | TopicError::NotSettled { .. }))
        })
        .await
    });
    gate
}

/// Migrates ClickHouse, where the configuration says so; else the gate is open.
///
/// # Errors
/// Where the configuration cannot work.
pub fn tables(runtime: &Runtime, tasks: &mut Tasks) -> anyhow::Result<Gate> {
    let (sender, gate) = gate(&runtime.shutdown);
    let warehouse = Warehouse::new(&runtime.config.clickhouse)?;
    if !runtime.config.migrate_on_start {
        sender.send_replace(true);
        return Ok(gate);
    }
    let (part, shutdown) = (runtime.readiness.part("tables"), runtime.shutdown.clone());
    tasks.spawn("tables", async move {
        let attempt = || {
            let warehouse = warehouse.clone();
            async move { warehouse.migrate().await.map(drop).map_err(anyhow::Error::new) }
        };
        prepare("tables", part, sender, shutdown, attempt, |error| {
            matches!(
                error.downcast_ref(),
                Some(warehouse::Error::Unreachable { .. } | warehouse::Error::Timeout { .. })
            )
        })
        .await
    });
    Ok(gate)
}

/// [`ensure_topics`] blocks its thread while a broker is away: not one of those that serve requests.
///
/// # Errors
/// As [`ensure_topics`].
pub async fn ensure_topics_aside(kafka: KafkaConfig) -> anyhow::Result<Vec<String>> {
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(ensure_topics(&kafka)));
    Ok(done.await.context("the check of the topics panicked")??)
}

fn gate(shutdown: &CancellationToken) -> (watch::Sender<bool>, Gate) {
    let (sender, open) = watch::channel(false);
    (sender, Gate { open, shutdown: shutdown.clone() })
}

/// Tries until it works, as long as `passes` says that the error may pass; then opens the gate and holds it open until shutdown.
async fn prepare<F: Future<Output = anyhow::Result<()>>>(
    name: &'static str,
    part: Part,
    gate: watch::Sender<bool>,
    shutdown: CancellationToken,
    mut attempt: impl FnMut() -> F,
    passes: impl Fn(&anyhow::Error) -> bool,
) -> anyhow::Result<()> {
    let mut pause = FIRST_PAUSE;
    while let Some(result) = shutdown.run_until_cancelled(attempt()).await {
        match result {
            Ok(()) => {
                part.ready();
                internal_events::prepared(name);
                gate.send_replace(true);
                shutdown.cancelled().await;
            }
            Err(error) if passes(&error) => {
                let why = format!("{error:#}");
                internal_events::waiting(name, &why, pause);
                part.waiting(why);
                shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_away_is_waited_for() {
        let (shutdown, readiness) = (CancellationToken::new(), Readiness::default());
        let (sender, gate) = gate(&shutdown);
        let mut left = 3;
        let attempt = move || {
            left -= 1;
            std::future::ready(if left > 0 { Err(anyhow::anyhow!("away")) } else { Ok(()) })
        };
        let part = readiness.part("topics");
        let task = tokio::spawn(prepare("topics", part, sender, shutdown.clone(), attempt, |_| true));
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(readiness.report().parts["topics"].reason.as_deref(), Some("away"));
        assert!(gate.passed().await);
        assert!(readiness.report().ready);
        shutdown.cancel();
        task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_does_not_pass_ends_it_and_nobody_gets_through() {
        let (shutdown, readiness) = (CancellationToken::new(), Readiness::default());
        let (sender, gate) = gate(&shutdown);
        let attempt = || std::future::ready(Err(anyhow::anyhow!("mismatch")));
        let failed = prepare("topics", readiness.part("topics"), sender, shutdown.clone(), attempt, |_| false).await;
        assert_eq!(failed.unwrap_err().to_string(), "mismatch");
        shutdown.cancel();
        assert!(!gate.passed().await);
    }
}
