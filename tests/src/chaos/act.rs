//! What is done to an installation, and how it is put right again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use fastrand::Rng;
use local_stack::Stack;
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::installation::{Installation, Role};

/// The correlators that come and go.
pub const CORRELATORS: [Role; 3] = [Role::Correlate, Role::CorrelateToo(1), Role::CorrelateToo(2)];
/// How many servers and roles may be away at a time; those that have left are not counted.
const AWAY_AT_MOST: usize = 2;
/// How long a role that was asked to end may take, longer than any outage here.
const ENDS_WITHIN: Duration = Duration::from_secs(90);
/// A role that ended by itself is started again after so long, as a service manager would.
const STARTED_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Role(Role),
    Kafka,
    ClickHouse,
}

/// How a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// Stopped in its tracks until then.
    Paused(Instant),
    /// Not running until then.
    Down(Instant),
    /// Asked to end by then, and to come back so long afterwards, or not to.
    Ending(Instant, Option<Duration>),
    /// Not there, and nobody misses it.
    Absent,
}

/// One of several that are alike.
#[derive(Clone, Copy, Debug)]
enum Which {
    One(Target),
    ACorrelator,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    /// By SIGKILL.
    Kill(Which),
    /// For some seconds: nobody is taken for dead.
    Pause(Which),
    /// For longer than the session timeout: the group goes on without it, and then it wakes up.
    Hang(Which),
    /// In good order.
    Restart(Which),
    /// The broker is killed while the correlators write what has piled up.
    KillKafkaInTransaction,
    Join,
    Leave,
}

const INGEST: Which = Which::One(Target::Role(Role::Ingest));
const LOAD: Which = Which::One(Target::Role(Role::Load));
const KAFKA: Which = Which::One(Target::Kafka);
const CLICKHOUSE: Which = Which::One(Target::ClickHouse);

/// Dealt in random order, and then again.
const DECK: [Act; 24] = [
    Act::Kill(INGEST),
    Act::Kill(Which::ACorrelator),
    Act::Kill(Which::ACorrelator),
    Act::Kill(LOAD),
    Act::Kill(KAFKA),
    Act::Kill(CLICKHOUSE),
    Act::KillKafkaInTransaction,
    Act::Pause(INGEST),
    Act::Pause(Which::ACorrelator),
    Act::Pause(LOAD),
    Act::Pause(KAFKA),
    Act::Pause(CLICKHOUSE),
    Act::Hang(INGEST),
    Act::Hang(Which::ACorrelator),
    Act::Hang(LOAD),
    Act::Hang(KAFKA),
    Act::Restart(INGEST),
    Act::Restart(Which::ACorrelator),
    Act::Restart(LOAD),
    Act::Restart(KAFKA),
    Act::Join,
    Act::Join,
    Act::Leave,
    Act::Leave,
];

/// How often something was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By SIGKILL.
    pub kills: u64,
    /// By SIGSTOP.
    pub pauses: u64,
    /// In good order.
    pub restarts: u64,
    /// Correlators that joined.
    pub joins: u64,
    /// Roles that ended by themselves: a restart is their way out of what they cannot know.
    pub ended: u64,
}

/// Does things to an installation on its servers.
pub struct Actor<'a> {
    pub installation: &'a mut Installation,
    pub stack: &'a mut Stack,
    pub counts: Counts,
    chance: Rng,
    deck: Vec<Act>,
    states: BTreeMap<Target, State>,
    progress: &'a dyn Fn(&str),
}

impl<'a> Actor<'a> {
    /// Everything is up, but the further correlators.
    pub fn new(
        installation: &'a mut Installation,
        stack: &'a mut Stack,
        seed: u64,
        progress: &'a dyn Fn(&str),
    ) -> Self {
        let up = [Role::Ingest, Role::Correlate, Role::Load].map(Target::Role).into_iter();
        let up = up.chain([Target::Kafka, Target::ClickHouse]).map(|target| (target, State::Up));
        let absent = CORRELATORS[1..].iter().map(|role| (Target::Role(*role), State::Absent));
        let (states, chance) = (up.chain(absent).collect(), Rng::with_seed(seed));
        Self { installation, stack, counts: Counts::default(), chance, deck: Vec::new(), states, progress }
    }

    /// Does something at random, if anything can be done now.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn act(&mut self) -> Result<()> {
        if self.deck.is_empty() {
            self.deck = DECK.to_vec();
            self.chance.shuffle(&mut self.deck);
        }
        let away = self.states.values().filter(|state| !matches!(state, State::Up | State::Absent)).count();
        if away >= AWAY_AT_MOST {
            return Ok(());
        }
        // What cannot be done now stays in the deck.
        for at in (0..self.deck.len()).rev() {
            if let Some(target) = self.target(self.deck[at]) {
                let act = self.deck.remove(at);
                return self.carry_out(act, target).await;
            }
        }
        self.deck.clear();
        Ok(())
    }

    /// Whom an act concerns; none where it cannot be done now.
    fn target(&mut self, act: Act) -> Option<Target> {
        let kafka_is_up = self.is(Target::Kafka, State::Up);
        let up = self.correlators(State::Up);
        match act {
            Act::Join => self.correlators(State::Absent).first().copied(),
            Act::Leave if up.len() > 1 && kafka_is_up => Some(up[self.chance.usize(..up.len())]),
            Act::Leave => None,
            Act::KillKafkaInTransaction => (kafka_is_up && !up.is_empty()).then_some(Target::Kafka),
            Act::Restart(_) if !kafka_is_up => None,
            Act::Kill(which) | Act::Pause(which) | Act::Hang(which) | Act::Restart(which) => match which {
                Which::One(target) => self.is(target, State::Up).then_some(target),
                Which::ACorrelator => (!up.is_empty()).then(|| up[self.chance.usize(..up.len())]),
            },
        }
    }

    fn correlators(&self, state: State) -> Vec<Target> {
        CORRELATORS.into_iter().map(Target::Role).filter(|target| self.is(*target, state)).collect()
    }

    fn is(&self, target: Target, state: State) -> bool {
        self.states.get(&target) == Some(&state)
    }

    async fn carry_out(&mut self, act: Act, target: Target) -> Result<()> {
        let of_a_server = matches!(target, Target::Kafka | Target::ClickHouse);
        let gone_for = Duration::from_millis(self.chance.u64(0..if of_a_server { 8_000 } else { 3_000 }));
        let span = match act {
            Act::Kill(_) | Act::Restart(_) | Act::KillKafkaInTransaction => gone_for,
            Act::Pause(_) => Duration::from_millis(self.chance.u64(500..8_000)),
            Act::Hang(_) => Duration::from_millis(self.chance.u64(16_000..25_000)),
            Act::Join | Act::Leave => Duration::ZERO,
        };
        let how_long = if span.is_zero() { String::new() } else { format!(" for {:.1} s", span.as_secs_f32()) };
        (self.progress)(&format!("{} {target}{how_long}", act.word()));
        let until = Instant::now() + span;
        let state = match act {
            Act::Kill(_) => {
                self.kill(target)?;
                State::Down(until)
            }
            Act::KillKafkaInTransaction => {
                self.pile_up().await?;
                self.kill(target)?;
                State::Down(until)
            }
            Act::Pause(_) | Act::Hang(_) => {
                self.pause(target)?;
                State::Paused(until)
            }
            Act::Restart(_) => {
                self.counts.restarts += 1;
                self.stop(target, until, Some(span))?
            }
            Act::Join => {
                self.counts.joins += 1;
                State::Down(until)
            }
            Act::Leave => self.stop(target, until, None)?,
        };
        self.states.insert(target, state);
        Ok(())
    }

    fn kill(&mut self, target: Target) -> Result<()> {
        self.counts.kills += 1;
        match target {
            Target::Role(role) => self.installation.kill(role)?,
            Target::Kafka => block_in_place(|| self.stack.kill_kafka()),
            Target::ClickHouse => block_in_place(|| self.stack.kill_clickhouse()),
        }
        Ok(())
    }

    fn pause(&mut self, target: Target) -> Result<()> {
        self.counts.pauses += 1;
        match target {
            Target::Role(role) => self.installation.pause(role)?,
            Target::Kafka => self.stack.pause_kafka(),
            Target::ClickHouse => self.stack.pause_clickhouse(),
        }
        Ok(())
    }

    /// Stops in good order; a role may take its time.
    fn stop(&mut self, target: Target, until: Instant, again: Option<Duration>) -> Result<State> {
        match target {
            Target::Role(role) => {
                self.installation.ask_to_stop(role)?;
                return Ok(State::Ending(Instant::now() + ENDS_WITHIN, again));
            }
            Target::Kafka => block_in_place(|| self.stack.stop_kafka()),
            Target::ClickHouse => block_in_place(|| self.stack.stop_clickhouse()),
        }
        Ok(State::Down(until))
    }

    /// Lets input pile up before the correlators, and lets them go at it.
    async fn pile_up(&mut self) -> Result<()> {
        let up: Vec<Role> = CORRELATORS.into_iter().filter(|role| self.is(Target::Role(*role), State::Up)).collect();
        for role in &up {
            self.installation.pause(*role)?;
        }
        sleep(Duration::from_secs(2)).await;
        for role in &up {
            self.installation.resume(*role)?;
        }
        sleep(Duration::from_millis(self.chance.u64(10..300))).await;
        Ok(())
    }

    /// Brings back what has been away for long enough, and starts again what ended by itself.
    ///
    /// # Errors
    /// Where something does not come back, or does not end in time.
    pub fn tend(&mut self) -> Result<()> {
        let now = Instant::now();
        for (target, state) in self.states.clone() {
            let ended = match target {
                Target::Role(role) => self.installation.ended(role)?,
                Target::Kafka | Target::ClickHouse => None,
            };
            let state = match (state, ended) {
                (State::Ending(_, again), Some(status)) if status.success() => {
                    again.map_or(State::Absent, |pause| State::Down(now + pause))
                }
                (State::Ending(by, _), None) if now >= by => bail!("{target} was asked to end and did not"),
                (_, Some(status)) => {
                    self.counts.ended += 1;
                    (self.progress)(&format!("{target} ended by itself: {status}"));
                    State::Down(now + STARTED_AGAIN_AFTER)
                }
                (State::Paused(until), None) if now >= until => {
                    self.resume(target)?;
                    State::Up
                }
                (State::Down(until), _) if now >= until => {
                    self.start(target)?;
                    State::Up
                }
                _ => continue,
            };
            self.states.insert(target, state);
        }
        Ok(())
    }

    fn resume(&mut self, target: Target) -> Result<()> {
        match target {
            Target::Role(role) => self.installation.resume(role)?,
            Target::Kafka => self.stack.resume_kafka(),
            Target::ClickHouse => self.stack.resume_clickhouse(),
        }
        Ok(())
    }

    fn start(&mut self, target: Target) -> Result<()> {
        match target {
            Target::Role(role) => self.installation.spawn(role)?,
            Target::Kafka => block_in_place(|| self.stack.start_kafka())?,
            Target::ClickHouse => block_in_place(|| self.stack.start_clickhouse())?,
        }
        Ok(())
    }

    /// Brings everything up, and waits until it is ready.
    ///
    /// # Errors
    /// Names what is not ready after `within`.
    pub async fn restore(&mut self, within: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            for state in self.states.values_mut() {
                *state = match *state {
                    State::Paused(_) => State::Paused(started),
                    State::Down(_) | State::Absent => State::Down(started),
                    other => other,
                };
            }
            self.tend()?;
            let mut waiting = Vec::new();
            for (target, state) in &self.states {
                let ready = match target {
                    Target::Role(role) => self.installation.is_ready(*role).await,
                    Target::Kafka | Target::ClickHouse => true,
                };
                if *state != State::Up || !ready {
                    waiting.push(target.to_string());
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if started.elapsed() > within {
                bail!("not ready {within:?} after the last disturbance: {}", waiting.join(", "));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Act {
    const fn word(self) -> &'static str {
        match self {
            Self::Kill(_) => "killing",
            Self::Pause(_) => "pausing",
            Self::Hang(_) => "hanging",
            Self::Restart(_) => "restarting",
            Self::KillKafkaInTransaction => "with work piled up, killing",
            Self::Join => "joining",
            Self::Leave => "leaving",
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Role(role) => f.write_str(&role.name()),
            Self::Kafka => f.write_str("Kafka"),
            Self::ClickHouse => f.write_str("ClickHouse"),
        }
    }
}
