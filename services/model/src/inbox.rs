//! The inbox, where deliveries are kept as they came, and the dead letters, where those go that cannot be read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Bytes, Realm, Source, Timestamp};

/// A delivery as it came: the body untouched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboxRecord {
    /// Name of the source in the configuration.
    pub source: Source,
    /// Realm of the source.
    pub realm: Realm,
    /// Adapter that will read it.
    pub provider: String,
    /// Id of the delivery at the provider, or a hash of the body.
    pub delivery: String,
    /// Name of the event where a header gives it.
    #[serde(default)]
    pub event: Option<String>,
    /// Content type of the body.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Further headers from the allow-list, names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// When it was taken.
    pub received_at: Timestamp,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// Where a record died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The body could not be read.
    Normalise,
    /// The event could not be read or used.
    Correlate,
}

/// What could not be read, with the reason; it can be replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Where it died.
    pub stage: Stage,
    /// What was wrong, with which value.
    pub reason: String,
    /// Version of the adapter that gave up.
    pub adapter: i32,
    /// Name of the source in the configuration.
    pub source: Source,
    /// Realm of the source.
    pub realm: Realm,
    /// Adapter that tried.
    pub provider: String,
    /// Id of the delivery.
    pub delivery: String,
    /// Name of the event where a header gave it.
    #[serde(default)]
    pub event: Option<String>,
    /// Content type of the body.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Further headers from the allow-list, names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// When the inbox took it.
    pub received_at: Timestamp,
    /// Topic it was read from.
    pub topic: String,
    /// Partition it was read from.
    pub partition: i32,
    /// Offset it was read from.
    pub offset: i64,
    /// The body, byte for byte.
    pub body: Bytes,
}
