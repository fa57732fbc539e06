//! Rounds: what the topic says, what follows from it, and who is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Millis, Realm, Timestamp};
use stream::KafkaConfig;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::config::ReconcileConfig;
use super::metrics::Metrics;
use super::provider::{Ask, Asked, Later, Loss, Recovery, of};
use super::take::Take;
use crate::receive::{ConfigError, Inbox, SourceConfig};
use crate::sources::gaps::{follow_silence, merge, names};
use crate::sources::{Cause, Gap, Known, NoteError, Notes, RecorderMetrics, SourceRecord, State};
use crate::{chain, clock};

/// So long an instance that is at a gap is left alone with it.
const LEASE: Millis = Millis(600_000);
/// What another configuration may mend is tried again after a start for so long.
const MENDABLE: Millis = Millis(30 * 86_400_000);
/// Clocks of producers differ: so much of the topic is read again.
const OVERLAP: Millis = Millis(300_000);

/// What the reconciler shares with the front door.
pub struct Shared {
    /// How Kafka is reached.
    pub kafka: KafkaConfig,
    /// Where deliveries go.
    pub inbox: Inbox,
    /// Where gaps stand.
    pub notes: Notes,
    /// Name of the instance.
    pub instance: String,
    /// Counts the gaps that are found.
    pub found: RecorderMetrics,
}

/// Closes the gaps of all sources.
pub struct Reconciler {
    shared: Shared,
    config: ReconcileConfig,
    sources: BTreeMap<String, Target>,
    metrics: Metrics,
    known: Known,
    read_at: Option<Timestamp>,
    /// Keys of gaps that a start is a reason to try again.
    again: BTreeSet<String>,
    /// Sources whose provider is being asked, with the gap.
    busy: BTreeMap<String, Gap>,
}

/// A source, and who is asked about it.
struct Target {
    realm: Realm,
    provider: String,
    ask: Option<Arc<dyn Ask>>,
}

/// A gap, and what came of it.
type Ended = (Gap, Result<Recovery, Later>);

impl Reconciler {
    /// Sets it up: gets the tokens.
    ///
    /// # Errors
    /// Where the configuration of a source cannot work.
    pub fn new(
        shared: Shared,
        config: ReconcileConfig,
        sources: &BTreeMap<String, SourceConfig>,
        metrics: Metrics,
    ) -> Result<Self, ConfigError> {
        let target = |(name, source): (&String, &SourceConfig)| {
            let refused = |source| ConfigError::Api { source_name: name.clone(), source: Box::new(source) };
            let ask = source.api.as_ref().map(|api| of(&source.provider, api)).transpose().map_err(refused)?;
            let (realm, provider) = (Realm::new(source.realm.clone()), source.provider.clone());
            Ok((name.clone(), Target { realm, provider, ask }))
        };
        let sources = sources.iter().map(target).collect::<Result<_, ConfigError>>()?;
        let (again, busy) = (BTreeSet::new(), BTreeMap::new());
        Ok(Self { shared, config, sources, metrics, known: Known::default(), read_at: None, again, busy })
    }

    /// Runs until `shutdown`. What is under way then is left, and found open at the next start.
    ///
    /// # Errors
    /// Where it panics.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), JoinError> {
        let mut running: JoinSet<Ended> = JoinSet::new();
        let mut ticks = interval(self.config.interval());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = async {
                tokio::select! {
                    _ = ticks.tick() => self.round(&mut running).await,
                    Some(ended) = running.join_next() => {
                        let (gap, result) = ended?;
                        self.ended(gap, result).await;
                    }
                }
                Ok(())
            };
            match shutdown.run_until_cancelled(step).await {
                None => return Ok(()),
                Some(stepped) => stepped?,
            }
        }
    }

    async fn round(&mut self, running: &mut JoinSet<Ended>) {
        if !self.refresh().await {
            return;
        }
        for name in self.sources.keys().cloned().collect::<Vec<_>>() {
            let done = match self.busy.get(&name).cloned() {
                Some(gap) => self.renew(gap).await,
                None => self.source(&name, running).await,
            };
            if let Err(error) = done {
                self.metrics.unwritten(&error);
            }
        }
        self.metrics.stands(self.sources.keys().map(String::as_str), &self.known);
    }

    /// Reads what is new in the topic; false where that could not be done.
    async fn refresh(&mut self) -> bool {
        let (kafka, now) = (self.shared.kafka.clone(), clock::now());
        let (mut known, read_at) = (std::mem::take(&mut self.known), self.read_at);
        let read = tokio::task::spawn_blocking(move || {
            let result = match read_at {
                Some(at) => known.read_on(&kafka, at + Millis(-OVERLAP.0)),
                None => Known::read(&kafka).map(|all| known = all),
            };
            (known, result)
        });
        match read.await {
            Ok((known, Ok(()))) => {
                self.known = known;
                if self.read_at.is_none() {
                    self.again = self.worth_another_try(now);
                }
                self.read_at = Some(now);
                true
            }
            Ok((known, Err(error))) => {
                self.known = known;
                self.metrics.unread(&chain(&error));
                false
            }
            Err(error) => {
                self.read_at = None;
                self.metrics.unread(&chain(&error));
                false
            }
        }
    }

    /// What this instance was at when it ended, and what another configuration may mend.
    fn worth_another_try(&self, now: Timestamp) -> BTreeSet<String> {
        let asked = |gap: &&Gap| self.sources.get(gap.source.as_str()).is_some_and(|target| target.ask.is_some());
        let worth = |gap: &&Gap| match &gap.state {
            State::Open { by, .. } => by.as_ref() == Some(&self.shared.instance),
            State::Lost { mendable, .. } => *mendable && now - gap.interval.from < MENDABLE && asked(gap),
            State::Recovered { .. } => false,
        };
        self.known.all_gaps().filter(worth).map(Gap::key).collect()
    }

    async fn source(&mut self, name: &str, running: &mut JoinSet<Ended>) -> Result<(), NoteError> {
        let now = clock::now();
        let silence = follow_silence(&self.known.gaps(name), &self.known.seen(name), now, self.config.silence());
        if let Some(gap) = silence {
            if self.known.gaps(name).iter().all(|known| known.key() != gap.key()) {
                self.shared.found.found(&gap);
            }
            self.write(gap).await?;
        }
        for (whole, parts) in merge(&self.known.gaps(name)) {
            self.write(whole).await?;
            for part in parts {
                self.shared.notes.forget(&part).await?;
                self.known.unset(&part);
            }
        }
        let due = |gap: &Gap| match &gap.state {
            State::Open { again_at, .. } => again_at.is_none_or(|at| at <= now) || self.again.contains(&gap.key()),
            _ => self.again.contains(&gap.key()),
        };
        match self.known.gaps(name).into_iter().find(due) {
            Some(gap) => self.begin(gap, now, running).await,
            None => Ok(()),
        }
    }

    async fn begin(&mut self, mut gap: Gap, now: Timestamp, running: &mut JoinSet<Ended>) -> Result<(), NoteError> {
        self.again.remove(&gap.key());
        let Some(target) = self.sources.get(gap.source.as_str()) else { return Ok(()) };
        let Some(ask) = target.ask.clone() else {
            let recovery = Recovery { lost: Some(unasked(&gap)), ..Recovery::default() };
            self.ended(gap, Ok(recovery)).await;
            return Ok(());
        };
        let (inbox, source, realm) = (self.shared.inbox.clone(), gap.source.clone(), target.realm.clone());
        let take = Take { inbox, source, realm };
        let asked = Asked { interval: gap.interval, names: names(&self.known.seen(gap.source.as_str())), now };
        gap.state = self.leased(now);
        self.write(gap.clone()).await?;
        self.busy.insert(gap.source.as_str().to_owned(), gap.clone());
        running.spawn(async move {
            let result = ask.ask(&asked, &take).await;
            (gap, result)
        });
        Ok(())
    }

    /// A limit may be waited for longer than others leave the gap alone.
    async fn renew(&mut self, mut gap: Gap) -> Result<(), NoteError> {
        let now = clock::now();
        let fresh = |at: Timestamp| at - now > Millis(LEASE.0 / 2);
        if matches!(gap.state, State::Open { again_at: Some(at), .. } if fresh(at)) {
            return Ok(());
        }
        gap.state = self.leased(now);
        self.write(gap.clone()).await?;
        self.busy.insert(gap.source.as_str().to_owned(), gap);
        Ok(())
    }

    fn leased(&self, now: Timestamp) -> State {
        State::Open { reason: None, again_at: Some(now + LEASE), by: Some(self.shared.instance.clone()) }
    }

    async fn ended(&mut self, mut gap: Gap, result: Result<Recovery, Later>) {
        self.busy.remove(gap.source.as_str());
        let again = |reason: String, pause| State::Open {
            reason: Some(reason),
            again_at: Some(clock::now() + pause),
            by: None,
        };
        gap.state = match result {
            Ok(Recovery { waiting: 1.., .. }) => {
                let pause = Millis(i64::try_from(self.config.interval_ms).unwrap_or(i64::MAX));
                again("waits for deliveries that were asked for once more".to_owned(), pause)
            }
            Ok(Recovery { counts, lost: Some(Loss { part, reason, mendable }), .. }) => {
                State::Lost { part, reason, counts, mendable }
            }
            Ok(Recovery { counts, .. }) => State::Recovered { counts },
            Err(Later(reason)) => again(reason, self.config.retry()),
        };
        match self.write(gap.clone()).await {
            Ok(()) => self.tell(&gap),
            Err(error) => self.metrics.unwritten(&error),
        }
    }

    fn tell(&self, gap: &Gap) {
        match &gap.state {
            State::Open { reason, .. } => self.metrics.later(gap, reason.as_deref().unwrap_or_default()),
            State::Recovered { counts } => self.metrics.recovered(gap, *counts),
            State::Lost { part, reason, counts, .. } => {
                let provider = self.sources.get(gap.source.as_str()).map_or("", |target| &target.provider);
                self.metrics.lost(gap, *part, reason, *counts, provider);
            }
        }
    }

    async fn write(&mut self, gap: Gap) -> Result<(), NoteError> {
        self.shared.notes.write(&SourceRecord::Gap(gap.clone())).await?;
        self.known.set(gap);
        Ok(())
    }
}

/// A gap that nobody can be asked about.
fn unasked(gap: &Gap) -> Loss {
    let configured = format!("sources.{}.api is not configured", gap.source);
    let reason = match gap.cause {
        Cause::Away | Cause::Refused => format!("what was sent cannot be asked for: {configured}"),
        Cause::Silence | Cause::Silent => format!("whether anything was sent cannot be asked: {configured}"),
    };
    Loss { part: gap.interval, reason, mendable: true }
}
