//! State on its way back from the changelog: read by one thread, taken in by several, each with partitions of its own.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use correlation::{Realm, changelog};
use model::Realm as RealmName;

use crate::processor::Error;

/// About as many bytes of records are handed over together.
const BATCH: usize = 64 * 1024;
/// Batches that may wait for a thread, so that little is held twice.
const WAITING: usize = 4;

/// State of the realms of a partition.
#[derive(Debug, Default)]
pub struct Partition {
    pub realms: BTreeMap<RealmName, Realm>,
    /// Records that it was restored from.
    pub restored: u64,
}

/// What came of the partitions of a thread.
type Outcome = BTreeMap<i32, Result<Partition, Error>>;

/// Records of the changelog, their keys and values one after the other in `bytes`.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    records: Vec<Span>,
}

#[derive(Debug)]
struct Span {
    partition: i32,
    /// Where its key ends, and where its value does, if it has one.
    key: usize,
    value: Option<usize>,
}

/// A thread, and what it will be given next.
#[derive(Debug)]
struct Lane {
    batch: Batch,
    sender: SyncSender<Batch>,
    thread: JoinHandle<Outcome>,
}

/// A restore that is going on. Dropped before it is finished, it comes to nothing: its threads end by themselves.
#[derive(Debug)]
pub struct Restoring {
    /// At most as many as there are cores.
    lanes: Vec<Lane>,
    most: usize,
    /// Lane of each partition. They come in turn: what is read back after a rebalance may be any of them.
    of: BTreeMap<i32, usize>,
}

impl Restoring {
    pub fn new() -> Self {
        let most = thread::available_parallelism().map_or(1, usize::from);
        Self { lanes: Vec::new(), most, of: BTreeMap::new() }
    }

    /// Hands a record over.
    pub fn record(&mut self, partition: i32, key: &[u8], value: Option<&[u8]>) {
        let next = self.of.len() % self.most;
        let number = *self.of.entry(partition).or_insert(next);
        if number == self.lanes.len() {
            self.lanes.push(Lane::start());
        }
        let Some(lane) = self.lanes.get_mut(number) else { return };
        let batch = &mut lane.batch;
        batch.bytes.extend_from_slice(key);
        let key = batch.bytes.len();
        let value = value.map(|value| {
            batch.bytes.extend_from_slice(value);
            batch.bytes.len()
        });
        batch.records.push(Span { partition, key, value });
        if batch.bytes.len() >= BATCH {
            lane.hand_over();
        }
    }

    /// Waits for the threads: the state of every partition of which there was a record, worked out.
    pub fn finish(self) -> Outcome {
        let waiting: Vec<JoinHandle<Outcome>> = self.lanes.into_iter().map(Lane::finish).collect();
        let outcome =
            |thread: JoinHandle<Outcome>| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        waiting.into_iter().flat_map(outcome).collect()
    }
}

impl Lane {
    fn start() -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        Self { batch: Batch::default(), sender, thread: thread::spawn(move || take_in(&receiver)) }
    }

    fn hand_over(&mut self) {
        // A thread ends before its sender does only by a panic, which is met again where it is waited for.
        let _ = self.sender.send(std::mem::take(&mut self.batch));
    }

    fn finish(mut self) -> JoinHandle<Outcome> {
        if !self.batch.records.is_empty() {
            self.hand_over();
        }
        // The empty batch tells a restore that is complete from one that was given up.
        self.hand_over();
        self.thread
    }
}

fn take_in(batches: &Receiver<Batch>) -> Outcome {
    let mut outcome = Outcome::new();
    for batch in batches {
        if batch.records.is_empty() {
            work_out(&mut outcome);
            return outcome;
        }
        let mut begin = 0;
        for Span { partition, key, value } in batch.records {
            let end = value.unwrap_or(key);
            if let Ok(state) = outcome.entry(partition).or_insert_with(|| Ok(Partition::default())) {
                let value = value.and_then(|end| batch.bytes.get(key..end));
                if let Err(error) = restore(state, batch.bytes.get(begin..key).unwrap_or_default(), value) {
                    outcome.insert(partition, Err(error));
                }
            }
            begin = end;
        }
    }
    Outcome::new()
}

fn restore(state: &mut Partition, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
    let (name, key) = changelog::read_key(key)?;
    state.restored += 1;
    state.realms.entry(name.clone()).or_insert_with(|| Realm::new(name)).restore(key, value)?;
    Ok(())
}

fn work_out(outcome: &mut Outcome) {
    for realm in outcome.values_mut().flatten().flat_map(|state| state.realms.values_mut()) {
        realm.restored();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::event::{Body, CiBody, CommitInfo, Commits, Event};

    #[test]
    fn each_partition_gets_its_state_and_a_broken_one_its_error() {
        let mut restoring = Restoring::new();
        for partition in 0..5 {
            let name = RealmName::new(format!("realm-{partition}"));
            let mut realm = Realm::new(name.clone());
            let commits = (0..=partition).map(|n| CommitInfo::new(model::CommitId::new(format!("{n:040x}"))));
            let mut body = Commits { repository: "github.com/acme/shop".into(), commits: Vec::new() };
            body.commits = commits.collect();
            realm.apply(event(name, Body::Ci(CiBody::Commits(body))));
            for record in realm.derive().unwrap().changelog {
                restoring.record(partition, &record.key, record.value.as_deref());
            }
        }
        restoring.record(3, b"\xff", Some(b"what is this"));
        let outcome = restoring.finish();
        assert_eq!(outcome.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        for (partition, state) in outcome {
            match state {
                Ok(state) => {
                    let sizes: Vec<usize> = state.realms.values().map(|realm| realm.sizes().commits).collect();
                    assert_eq!(sizes, [usize::try_from(partition).unwrap() + 1]);
                    assert_ne!(partition, 3);
                }
                Err(error) => assert_eq!((partition, error.to_string().is_empty()), (3, false)),
            }
        }
    }

    fn event(realm: RealmName, body: Body) -> Event<Body> {
        let (source, provider, delivery) = ("github".into(), "github".to_owned(), "1".to_owned());
        let (occurred_at, received_at) = Default::default();
        Event { realm, source, provider, delivery, index: 0, adapter: 1, occurred_at, received_at, link: None, body }
    }
}
