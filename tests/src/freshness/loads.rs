//! When rows were there for everybody: by ClickHouse's log of inserts, each of which names the facts that it is made of.
//!
//! An insert is logged as done once its rows are in the table, just before it is answered: the time is at most about a millisecond
//! too late, and never too early.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::stations::Place;
use crate::installation::Installation;

/// Offsets of a partition, and when they were there, microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    first: i64,
    last: i64,
    at: i64,
}

/// Every insert that was done, by topic and partition, in the order of its offsets.
#[derive(Debug, Default)]
pub struct Loads(HashMap<(String, i32), Vec<Span>>);

impl Loads {
    /// Reads the log.
    ///
    /// # Errors
    /// Where ClickHouse cannot be asked, or the log has something else.
    pub async fn read(installation: &Installation) -> Result<Self> {
        installation.query("SYSTEM FLUSH LOGS").await?;
        let sql = "SELECT toUnixTimestamp64Micro(event_time_microseconds), Settings['insert_deduplication_token'] AS token \
                   FROM system.query_log WHERE current_database = currentDatabase() AND type = 'QueryFinish' \
                   AND query_kind = 'Insert' AND token != ''";
        let mut loads = Self::default();
        for line in installation.query(sql).await?.lines() {
            loads.add(line).with_context(|| format!("an insert is logged as `{line}`"))?;
        }
        loads.0.values_mut().for_each(|spans| spans.sort_unstable());
        Ok(loads)
    }

    /// A line of the log: a time, and where the rows come from, `facts.builds/0:100-250,1:3-9/…`.
    fn add(&mut self, line: &str) -> Option<()> {
        let (at, token) = line.split_once('\t')?;
        let at = at.parse().ok()?;
        let (topic, rest) = token.split_once('/')?;
        for part in rest.split('/').next()?.split(',') {
            let (partition, offsets) = part.split_once(':')?;
            let (first, last) = offsets.split_once('-')?;
            let span = Span { first: first.parse().ok()?, last: last.parse().ok()?, at };
            self.0.entry((topic.to_owned(), partition.parse().ok()?)).or_default().push(span);
        }
        Some(())
    }

    /// When a fact that holds was in its table. Those that hold and those that delete are two inserts of the same offsets: the
    /// first is the one.
    pub fn visible(&self, fact: Place) -> Option<i64> {
        let spans = self.0.get(&(fact.topic.name.to_owned(), fact.partition))?;
        let before = spans.partition_point(|span| span.first <= fact.offset);
        let holds = |span: &&Span| (span.first..=span.last).contains(&fact.offset);
        let found = spans[..before].iter().rev().find(holds)?;
        spans[..before].iter().rev().take_while(|span| span.first == found.first).map(|span| span.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_there_with_the_first_insert_of_its_offsets() {
        let mut loads = Loads::default();
        for line in [
            "9\tfacts.builds/0:10-19,1:0-3/builds/x",
            "5\tfacts.builds/0:10-19/builds/y",
            "7\tfacts.builds/0:4-9/builds/z",
        ] {
            loads.add(line).unwrap();
        }
        loads.0.values_mut().for_each(|spans| spans.sort_unstable());
        let topic = stream::topics::find("facts.builds").unwrap();
        let at = |partition, offset| loads.visible(Place { topic, partition, offset });
        assert_eq!((at(0, 4), at(0, 9), at(0, 10), at(0, 19)), (Some(7), Some(7), Some(5), Some(5)));
        assert_eq!((at(0, 3), at(0, 20), at(1, 3), at(2, 0)), (None, None, Some(9), None));
        assert_eq!(Loads::default().add("9\tfacts.builds"), None);
    }
}
