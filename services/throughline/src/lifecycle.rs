//! The life of the roles: they run until one fails or a signal comes, drain within a deadline, and end.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::internal_events;

/// How a run of the roles ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything was drained after a signal.
    Drained,
    /// A second signal ended everything at once.
    AtOnce(Signal),
}

/// A signal that asks the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
}

impl Signal {
    /// What a shell shows for a process that the signal ended: 128 and the number of the signal.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// The signals as they come.
pub fn signals() -> anyhow::Result<mpsc::Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel(2);
    for (kind, name) in [(SignalKind::interrupt(), Signal::Interrupt), (SignalKind::terminate(), Signal::Terminate)] {
        let mut stream = signal(kind).with_context(|| format!("no handler for {name:?}"))?;
        let sender = sender.clone();
        tokio::spawn(async move { while stream.recv().await.is_some() && sender.send(name).await.is_ok() {} });
    }
    Ok(receiver)
}

/// The tasks of a process. Each ends with an error, or with success after `shutdown` was cancelled.
pub struct Tasks {
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
    running: BTreeSet<&'static str>,
    shutdown: CancellationToken,
}

impl Tasks {
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { set: JoinSet::new(), running: BTreeSet::new(), shutdown }
    }

    /// Starts a task. Names are unique.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.running.insert(name);
        self.set.spawn(async move { (name, task.await) });
    }

    /// Runs until a task ends or a signal comes; then cancels `shutdown` and gives the rest `drain` to end. A further signal ends the
    /// wait at once. The error is that of the first task that failed; any more are logged.
    pub async fn supervise(mut self, drain: Duration, mut signals: mpsc::Receiver<Signal>) -> anyhow::Result<End> {
        let first = tokio::select! {
            signal = signals.recv() => {
                internal_events::draining(signal, drain);
                Ok(())
            }
            ended = self.next() => ended.unwrap_or(Ok(())),
        };
        self.shutdown.cancel();
        let deadline = tokio::time::sleep(drain);
        tokio::pin!(deadline);
        let mut failure = first.err();
        loop {
            tokio::select! {
                ended = self.next() => match (ended, &failure) {
                    (None, _) => break,
                    (Some(Err(error)), None) => failure = Some(error),
                    (Some(Err(error)), Some(_)) => internal_events::failed(&error),
                    (Some(Ok(())), _) => {}
                },
                () = &mut deadline => {
                    let running = self.running.iter().copied().collect::<Vec<_>>().join(", ");
                    let late = anyhow!("{running} did not end within {} ms (shutdown.drain_ms)", drain.as_millis());
                    return Err(failure.unwrap_or(late));
                }
                Some(signal) = signals.recv() => return failure.map_or(Ok(End::AtOnce(signal)), Err),
            }
        }
        failure.map_or(Ok(End::Drained), Err)
    }

    /// The next task that ends; none where all have.
    async fn next(&mut self) -> Option<anyhow::Result<()>> {
        let (name, result) = match self.set.join_next().await? {
            Ok(ended) => ended,
            // The name of a task that panicked is lost, but the panic's text is on standard error.
            Err(error) => return Some(Err(anyhow!(error).context("a role panicked"))),
        };
        self.running.remove(name);
        Some(match result {
            Ok(()) if self.shutdown.is_cancelled() => Ok(()),
            Ok(()) => Err(anyhow!("{name} ended by itself")),
            Err(error) => Err(error.context(format!("{name} failed"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAIN: Duration = Duration::from_millis(200);

    fn tasks() -> (Tasks, CancellationToken, mpsc::Sender<Signal>, mpsc::Receiver<Signal>) {
        let shutdown = CancellationToken::new();
        let (sender, receiver) = mpsc::channel(2);
        (Tasks::new(shutdown.clone()), shutdown, sender, receiver)
    }

    #[tokio::test]
    async fn a_signal_drains() {
        let (mut tasks, shutdown, sender, receiver) = tasks();
        let (done, drained) = tokio::sync::oneshot::channel();
        tasks.spawn("load", async move {
            shutdown.cancelled().await;
            let _ = done.send(());
            Ok(())
        });
        sender.send(Signal::Terminate).await.unwrap();
        assert_eq!(tasks.supervise(DRAIN, receiver).await.unwrap(), End::Drained);
        drained.await.unwrap();
    }

    #[tokio::test]
    async fn a_failure_ends_the_others_and_is_told_with_its_chain() {
        let (mut tasks, shutdown, _sender, receiver) = tasks();
        let seen = shutdown.clone();
        tasks.spawn("load", async move {
            shutdown.cancelled().await;
            Ok(())
        });
        tasks.spawn("correlate", async { Err(anyhow!("refused").context("no transaction")) });
        let error = tasks.supervise(DRAIN, receiver).await.unwrap_err();
        assert_eq!(format!("{error:#}"), "correlate failed: no transaction: refused");
        assert!(seen.is_cancelled());
    }

    #[tokio::test]
    async fn what_does_not_end_is_named() {
        let (mut tasks, _, sender, receiver) = tasks();
        tasks.spawn("load", std::future::pending());
        sender.send(Signal::Interrupt).await.unwrap();
        let error = tasks.supervise(DRAIN, receiver).await.unwrap_err().to_string();
        assert!(error.starts_with("load did not end within 200 ms"), "{error}");
    }

    #[tokio::test]
    async fn a_second_signal_ends_at_once() {
        let (mut tasks, _, sender, receiver) = tasks();
        tasks.spawn("load", std::future::pending());
        sender.send(Signal::Interrupt).await.unwrap();
        sender.send(Signal::Interrupt).await.unwrap();
        let end = tasks.supervise(Duration::from_secs(60), receiver).await.unwrap();
        assert_eq!(end, End::AtOnce(Signal::Interrupt));
    }

    #[tokio::test]
    async fn a_role_that_ends_by_itself_has_failed() {
        let (mut tasks, _, _sender, receiver) = tasks();
        tasks.spawn("receive", async { Ok(()) });
        assert_eq!(tasks.supervise(DRAIN, receiver).await.unwrap_err().to_string(), "receive ended by itself");
    }
}
