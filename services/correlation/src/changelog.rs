//! The changelog: a realm's records, written as they change, read back at a restore.

use std::collections::{BTreeMap, BTreeSet};

use model::event::Catalog;
use model::fact::Identity;
use model::{Component, Environment, Realm, Repository, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::derive::UNFINISHED;
use crate::state::{Key, Restored, Unit};

/// Version of the format. A changelog of another one is refused, since facts derived without it could not take back what it emitted.
const FORMAT: u8 = 4;

/// A record to write: `None` takes the key back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Realm and key.
    pub key: Vec<u8>,
    /// Value.
    pub value: Option<Vec<u8>>,
}

/// Generation, sequence and version of the derivation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Counts rebuilds from the event topics.
    pub generation: u32,
    /// Counts emissions within the generation.
    pub sequence: u64,
    /// Version of the derivation that made the facts.
    pub derivation: u32,
    /// Before a generation has caught up with the one before it: the topics that are still to be read, and how far.
    pub until: Vec<(String, i64)>,
}

impl Meta {
    /// Revision of a fact emitted now.
    pub fn revision(&self) -> i64 {
        i64::from(self.generation) << 40 | i64::try_from(self.sequence).unwrap_or(i64::MAX)
    }
}

/// What becomes of a record of the changelog when everything is worked out anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anew {
    /// It stays: what was emitted is what the new generation is held against, what is superseded is so in every generation.
    Kept,
    /// It goes: what was known is learnt again.
    Forgotten,
    /// It is replaced: the realm begins anew.
    Replaced(Vec<u8>),
    /// It is replaced: what was emitted counts as lost.
    Lost(Vec<u8>),
}

/// What has become of the rows that the old generation made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldRows {
    /// They are there: what comes out the same is not emitted again.
    #[default]
    Kept,
    /// They are lost: everything is emitted again, and what no longer holds is taken back all the same.
    Lost,
}

/// A digest that no fact is known to have, where its row is lost. It is the same however often that is said.
const LOST: u64 = 0;

/// Begins a new generation in which a realm is worked out anew from its events. Nothing is emitted before the topics named in `until`
/// are read up to these offsets; then the difference to what the old generation had emitted is.
///
/// # Errors
/// Where the record cannot be read.
pub fn begin_anew(key: &[u8], value: &[u8], until: &[(String, i64)], old: OldRows) -> Result<Anew, Error> {
    match read_key(key)? {
        (realm, key @ Key::Emitted(_)) if old == OldRows::Lost => {
            let replaced = match key {
                Key::Emitted(Unit::Commit(_)) => {
                    let rows: EmittedCommit = read_value(&key, value)?;
                    let lost: EmittedCommit = rows.into_iter().map(|(c, e, at, _)| (c, e, at, LOST)).collect();
                    record(&realm, &key, Some(&lost))?
                }
                _ => {
                    let rows: Emitted = read_value(&key, value)?;
                    let lost: Emitted = rows.into_iter().map(|(identity, _)| (identity, LOST)).collect();
                    record(&realm, &key, Some(&lost))?
                }
            };
            Ok(replaced.value.map_or(Anew::Kept, Anew::Lost))
        }
        (_, Key::Emitted(_) | Key::Superseded(..)) => Ok(Anew::Kept),
        (realm, key @ Key::Meta) => {
            let before: Meta = read_value(&key, value)?;
            let generation = before.generation.saturating_add(1);
            // A generation that had not caught up leaves that to the next one.
            let mut furthest: BTreeMap<String, i64> = before.until.into_iter().collect();
            for (topic, next) in until {
                let known = furthest.entry(topic.clone()).or_insert(*next);
                *known = (*known).max(*next);
            }
            let until = furthest.into_iter().collect();
            let meta = Meta { generation, sequence: 0, derivation: UNFINISHED, until };
            Ok(record(&realm, &key, Some(&meta))?.value.map_or(Anew::Kept, Anew::Replaced))
        }
        _ => Ok(Anew::Forgotten),
    }
}

/// Identities and digests of the facts last emitted for a unit.
pub type Emitted = Vec<(Identity, u64)>;

/// The same for the rows of a commit, without what its key says.
pub type EmittedCommit = Vec<(Component, Environment, Timestamp, u64)>;

/// Why a record of the changelog could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be written.
    #[error("cannot write {what} to the changelog")]
    Write {
        /// What it was.
        what: String,
        /// Why.
        #[source]
        source: postcard::Error,
    },
    /// It could not be read.
    #[error(
        "cannot read {what} of the changelog; if another version wrote it, run that version, or begin with another topic prefix and database"
    )]
    Read {
        /// What it was.
        what: String,
        /// Why.
        #[source]
        source: postcard::Error,
    },
    /// It was written in another format.
    #[error(
        "the changelog holds a record in format {found}, this version reads format {FORMAT}; run the version that wrote it, or begin with another topic prefix and database"
    )]
    Format {
        /// The format found.
        found: u8,
    },
}

pub(crate) fn record<T: Serialize>(realm: &Realm, key: &Key, value: Option<&T>) -> Result<Record, Error> {
    let failed = |source| Error::Write { what: format!("{key:?}"), source };
    let name = postcard::to_stdvec(&(realm, key)).map_err(failed)?;
    let value = match value {
        Some(value) => Some(postcard::to_extend(value, vec![FORMAT]).map_err(failed)?),
        None => None,
    };
    Ok(Record { key: name, value })
}

/// Realm and key of a record.
///
/// # Errors
/// Where it is no key of a changelog.
pub fn read_key(key: &[u8]) -> Result<(Realm, Key), Error> {
    postcard::from_bytes(key).map_err(|source| Error::Read { what: "a key".to_owned(), source })
}

pub(crate) fn read_value<T: DeserializeOwned>(key: &Key, value: &[u8]) -> Result<T, Error> {
    match value.split_first() {
        Some((&FORMAT, body)) => {
            postcard::from_bytes(body).map_err(|source| Error::Read { what: format!("{key:?}"), source })
        }
        Some((found, _)) => Err(Error::Format { found: *found }),
        None => Err(Error::Format { found: 0 }),
    }
}

/// Reads a value that is a record of the state; none for what is kept beside the state.
pub(crate) fn read_record(key: &Key, value: &[u8]) -> Result<Option<Restored>, Error> {
    Ok(Some(match key {
        Key::Commit(_) => Restored::Commit(read_value(key, value)?),
        Key::Change(..) => Restored::Change(read_value(key, value)?),
        Key::Run(_) => Restored::Run(read_value(key, value)?),
        Key::Task(_) => Restored::Task(read_value(key, value)?),
        Key::Deployment(_) => Restored::Deployment(read_value(key, value)?),
        Key::Gate(_) => Restored::Gate(read_value(key, value)?),
        Key::Tag(..) => Restored::Tag(read_value(key, value)?),
        Key::Artifact(_) => Restored::Artifact(read_value(key, value)?),
        Key::NamedStep(_) => Restored::NamedStep(read_value(key, value)?),
        Key::Catalog => Restored::Catalog(read_value::<Catalog>(key, value)?),
        Key::BaselineNone => Restored::BaselineNone(read_value::<BTreeSet<Component>>(key, value)?),
        Key::Repositories => Restored::Repositories(read_value::<BTreeSet<Repository>>(key, value)?),
        Key::Incident(_) => Restored::Incident(read_value(key, value)?),
        Key::Exclusion(_) => Restored::Exclusion(read_value(key, value)?),
        Key::Purpose(..) => Restored::Purpose(read_value(key, value)?),
        Key::Shifts(_) => Restored::Shifts(read_value(key, value)?),
        Key::Emitted(_) | Key::Meta | Key::Superseded(..) => return Ok(None),
    }))
}
