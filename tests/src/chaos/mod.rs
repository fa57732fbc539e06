//! A whole installation with servers and roles that are killed, hang, come and go at random while a history plays to it: in the
//! end every table holds what it would hold had nothing happened.
//!
//! What is random comes from the seed; how it meets the work of the roles depends on the machine. So a seed repeats the acts and
//! not every interleaving.

mod act;
mod check;
mod history;
mod send;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use local_stack::Stack;
use serde::Serialize;
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::installation::{Installation, Role};
use crate::lag;

use act::Actor;
use history::{History, REALMS};
use send::Sending;

/// How long everything may take to be ready after the last disturbance: sessions and transactions of the dead time out first.
const READY_WITHIN: Duration = Duration::from_secs(180);
/// How long what is left may take then.
const DRAINED_WITHIN: Duration = Duration::from_secs(600);
const TICK: Duration = Duration::from_millis(50);

/// How to disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chaos {
    /// How long; then everything is brought up and may finish.
    pub minutes: u64,
    /// Decides on what is told and what is done.
    pub seed: u64,
    /// Events a second.
    pub rate: u32,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Outcome {
    /// How long it was disturbed.
    pub minutes: u64,
    /// Seed.
    pub seed: u64,
    /// Servers and roles ended by SIGKILL.
    pub kills: u64,
    /// Servers and roles stopped in their tracks for a while.
    pub pauses: u64,
    /// Servers and roles stopped and started in good order.
    pub restarts: u64,
    /// Correlators that joined.
    pub joins: u64,
    /// Roles that ended by themselves, as where the outcome of a commit could not be known, and were started again.
    pub ended: u64,
    /// Events accepted, doubled ones included.
    pub events: usize,
    /// Rows that must be there.
    pub rows: usize,
    /// Rows missing, left over, there twice or different in some column, and dead letters.
    pub differences: usize,
    /// The differences, for people.
    #[serde(skip)]
    pub shown: Vec<String>,
}

/// A seed that nobody chose, small enough to be typed again.
#[must_use]
pub fn seed() -> u64 {
    fastrand::u64(..1_000_000)
}

/// Plays a history to a new installation and disturbs everything meanwhile.
///
/// # Errors
/// Where something does not come back, is not drained in time, or cannot be asked. Differences are in the outcome.
pub async fn run(binary: &Path, stack: &mut Stack, chaos: Chaos, progress: &dyn Fn(&str)) -> Result<Outcome> {
    let name = format!("t_chaos_{:08x}", fastrand::u32(..));
    let sources = REALMS.map(|realm| (realm, "import"));
    // A build meanwhile must not change what is under test.
    let folder = tempfile::tempdir()?;
    let own = folder.path().join("throughline");
    std::fs::copy(binary, &own).with_context(|| format!("{} cannot be copied", binary.display()))?;
    let mut installation = Installation::new(&own, stack.addresses(), &name, &sources)?;
    let result = disturbed(&mut installation, stack, chaos, progress).await;
    if result.as_ref().map_or(true, |outcome| outcome.differences > 0) {
        progress(&format!("the logs of the roles are in {}", installation.keep_logs().display()));
    }
    result
}

async fn disturbed(
    installation: &mut Installation,
    stack: &mut Stack,
    chaos: Chaos,
    progress: &dyn Fn(&str),
) -> Result<Outcome> {
    for realm in REALMS {
        installation.set(&format!("THROUGHLINE_SOURCES__{}__REALM", realm.to_uppercase()), realm);
    }
    installation.set("THROUGHLINE_KAFKA__PARTITIONS__EVENTS", "3");
    // Small transactions and loads: many moments to die at.
    installation.set("THROUGHLINE_CORRELATE__MAX_BATCH_RECORDS", "200");
    // So that what follows from a batch is cut over several transactions now and then.
    installation.set("THROUGHLINE_CORRELATE__MAX_OUTPUT_RECORDS", "100");
    installation.set("THROUGHLINE_LOAD__MAX_WAIT_MS", "50");
    installation.run(&["migrate"])?;
    for role in [Role::Ingest, Role::Correlate, Role::Load] {
        installation.start(role).await?;
    }
    let mut sending = Sending::start(installation, History::new(chaos.seed), chaos.rate)?;
    let mut actor = Actor::new(installation, stack, chaos.seed, progress);
    disturb(&mut actor, chaos, &mut sending).await?;
    progress("bringing everything up");
    sending.stop();
    actor.restore(READY_WITHIN).await?;
    let events = sending.finish().await?;
    progress(&format!("everything is ready; {} events were accepted", events.len()));
    drained(&mut actor, progress).await?;
    let counts = actor.counts;
    let checked = check::check(installation, &events).await?;
    installation.stop_all().await?;
    progress(&format!("rows by table: {:?}", checked.tables));
    Ok(Outcome {
        minutes: chaos.minutes,
        seed: chaos.seed,
        kills: counts.kills,
        pauses: counts.pauses,
        restarts: counts.restarts,
        joins: counts.joins,
        ended: counts.ended,
        events: events.len(),
        rows: checked.rows,
        differences: checked.differences.len(),
        shown: checked.differences,
    })
}

/// Acts until the time is over.
async fn disturb(actor: &mut Actor<'_>, chaos: Chaos, sending: &mut Sending) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60) * u32::try_from(chaos.minutes).unwrap_or(u32::MAX);
    let mut chance = Rng::with_seed(chaos.seed);
    let mut next = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        actor.tend()?;
        if Instant::now() >= next {
            actor.act().await?;
            // Now and then there is time to catch up, so that the next blow hits everybody at work.
            let lull = if chance.u32(..6) == 0 { 8_000 } else { 0 };
            next = Instant::now() + Duration::from_millis(lull + chance.u64(500..6_000));
        }
        sending.check()?;
        sleep(TICK).await;
    }
    Ok(())
}

/// Waits until nothing is left to do.
async fn drained(actor: &mut Actor<'_>, progress: &dyn Fn(&str)) -> Result<()> {
    let started = Instant::now();
    loop {
        actor.tend()?;
        let left = block_in_place(|| lag::left(&actor.stack.addresses().kafka, actor.installation.name()))?;
        if left.values().all(|records| *records == 0) {
            return Ok(());
        }
        ensure!(started.elapsed() < DRAINED_WITHIN, "records are still waiting after {DRAINED_WITHIN:?}: {left:?}");
        progress(&format!("still waiting: {left:?}"));
        sleep(Duration::from_secs(1)).await;
    }
}
