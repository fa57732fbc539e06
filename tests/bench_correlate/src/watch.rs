//! `watch`: what a process takes while its consumer group reads the event topics to their end.
//!
//! Measured from outside and in the same way for every process: from the first committed offset that is seen to the last one.
//! Starting up, joining the group and warming caches before it is thus left out, and so are the events that were committed by then.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;
use stream::topics;

use crate::kafka::{Place, WITHIN};

/// How often the group is asked for its offsets.
const POLL: Duration = Duration::from_millis(20);
/// How long the group may stand still.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, Args)]
pub struct Watch {
    #[command(flatten)]
    place: Place,
    /// Consumer group, by its whole name.
    #[arg(long)]
    group: String,
    /// Process to measure.
    #[arg(long)]
    pid: u32,
    /// Events in the topics.
    #[arg(long)]
    events: u64,
}

/// What it took.
#[derive(Debug, Serialize)]
struct Taken {
    /// Events between the first committed offset that was seen and the last one.
    events: u64,
    /// User and system, all threads.
    cpu_s: f64,
    wall_s: f64,
    per_cpu_s: f64,
    /// The most that was ever resident.
    peak_bytes: u64,
}

struct Sample {
    at: Instant,
    cpu_s: f64,
    committed: u64,
}

impl Watch {
    pub fn run(&self) -> Result<()> {
        // Asked with `read_committed`, the group's answer would wait for open transactions.
        let mut client = self.place.consumer(&self.group);
        let consumer: BaseConsumer = client.set("isolation.level", "read_uncommitted").create()?;
        let asked = self.partitions(&consumer)?;
        let first = self.wait(&consumer, &asked, |committed| committed > 0)?;
        ensure!(first.committed < self.events, "everything was committed at once: give it more events");
        let last = self.wait(&consumer, &asked, |committed| committed >= self.events)?;
        let (events, cpu_s) = (last.committed - first.committed, last.cpu_s - first.cpu_s);
        ensure!(cpu_s > 0.0, "process {} took no CPU time: is it the one that reads?", self.pid);
        crate::finish(&Taken {
            events,
            cpu_s,
            wall_s: (last.at - first.at).as_secs_f64(),
            per_cpu_s: events as f64 / cpu_s,
            peak_bytes: peak(self.pid)?,
        })
    }

    fn partitions(&self, consumer: &BaseConsumer) -> Result<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        let config = self.place.config(&self.place.prefix);
        for topic in topics::EVENTS {
            let name = config.topic_name(topic);
            let metadata =
                consumer.fetch_metadata(Some(&name), WITHIN).with_context(|| format!("no metadata of {name}"))?;
            for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
                list.add_partition(&name, partition.id());
            }
        }
        Ok(list)
    }

    /// Waits until as much is committed as `enough` wants.
    fn wait(
        &self,
        consumer: &BaseConsumer,
        asked: &TopicPartitionList,
        enough: impl Fn(u64) -> bool,
    ) -> Result<Sample> {
        let (mut before, mut moved) = (0, Instant::now());
        loop {
            // A group whose coordinator is just being found has no offsets yet; the patience ends.
            let committed = committed(consumer, asked).unwrap_or(before);
            let sample = Sample { at: Instant::now(), cpu_s: cpu(self.pid)?, committed };
            if enough(committed) {
                return Ok(sample);
            }
            if committed != before {
                (before, moved) = (committed, sample.at);
            }
            ensure!(
                moved.elapsed() < PATIENCE,
                "group {} has stood at {committed} of {} events for {} s",
                self.group,
                self.events,
                PATIENCE.as_secs()
            );
            std::thread::sleep(POLL);
        }
    }
}

/// Events that the group has committed. The input was written without transactions, so every offset is an event.
fn committed(consumer: &BaseConsumer, asked: &TopicPartitionList) -> KafkaResult<u64> {
    let answer = consumer.committed_offsets(asked.clone(), WITHIN)?;
    let offset = |offset| match offset {
        Offset::Offset(offset) => u64::try_from(offset).unwrap_or_default(),
        _ => 0,
    };
    Ok(answer.elements().iter().map(|element| offset(element.offset())).sum())
}

/// CPU seconds of a process, all threads: fields 14 and 15 of `/proc/<pid>/stat`, see proc(5).
fn cpu(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("process {pid} is gone: {path} cannot be read"))?;
    let short = || format!("{path} is cut short");
    // The second field is a name that may hold spaces and parentheses.
    let rest = text.rsplit_once(')').map(|(_, rest)| rest).with_context(short)?;
    let mut fields = rest.split_ascii_whitespace();
    // Ended, and not yet noticed by its parent.
    ensure!(fields.next() != Some("Z"), "process {pid} has ended; what it says is above or in its log");
    let mut fields = fields.skip(10);
    let mut ticks = || -> Result<u64> { Ok(fields.next().with_context(short)?.parse()?) };
    Ok((ticks()? + ticks()?) as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The most memory that was ever resident, in bytes.
fn peak(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let line =
        text.lines().find_map(|line| line.strip_prefix("VmHWM:")).with_context(|| format!("{path} has no VmHWM"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
