//! What is read from and written to a topic.

use rdkafka::message::{BorrowedMessage, Headers, Message, OwnedHeaders};

use crate::topics::Topic;

/// Name and value of a record header. A null value is read as an empty one.
pub type Header = (String, Vec<u8>);

/// What the bookkeeping of one record costs beside its bytes, roughly: the budget of a million empty records is not zero.
const OVERHEAD: usize = 128;

/// One record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub topic: &'static Topic,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since 1970, by the clock that [`Topic::timestamps`] names; 0 where the broker gave none.
    pub timestamp: i64,
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone: the key is forgotten.
    pub payload: Option<Vec<u8>>,
    pub headers: Vec<Header>,
}

impl Record {
    pub(crate) fn from_message(topic: &'static Topic, message: &BorrowedMessage<'_>) -> Record {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers.iter().map(|h| (h.key.to_owned(), h.value.map_or_else(Vec::new, <[u8]>::to_vec))).collect()
        });
        Record {
            topic,
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis().unwrap_or(0),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            headers,
        }
    }

    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// What the record takes in memory, in bytes, roughly.
    pub fn bytes(&self) -> usize {
        size(self.key.as_deref(), self.payload.as_deref(), &self.headers)
    }
}

/// One record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub topic: &'static Topic,
    /// `None` lets the key choose (murmur2, as Java's clients do).
    pub partition: Option<i32>,
    pub key: Vec<u8>,
    /// `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
    pub headers: Vec<Header>,
}

impl Output {
    /// A record whose partition follows from its key.
    pub fn new(topic: &'static Topic, key: impl Into<Vec<u8>>, payload: impl Into<Vec<u8>>) -> Output {
        Output { topic, partition: None, key: key.into(), payload: Some(payload.into()), headers: Vec::new() }
    }

    /// A tombstone: the key is forgotten.
    pub fn tombstone(topic: &'static Topic, key: impl Into<Vec<u8>>) -> Output {
        Output { topic, partition: None, key: key.into(), payload: None, headers: Vec::new() }
    }

    /// The same for this partition, whatever the key says. A changelog record goes to the partition of its input.
    pub fn to_partition(mut self, partition: i32) -> Output {
        self.partition = Some(partition);
        self
    }

    /// The same with one more header.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Output {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What a record of these parts takes, in bytes, roughly.
pub(crate) fn size(key: Option<&[u8]>, payload: Option<&[u8]>, headers: &[Header]) -> usize {
    let headers: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    OVERHEAD + key.map_or(0, <[u8]>::len) + payload.map_or(0, <[u8]>::len) + headers
}

/// The headers as librdkafka wants them; `None` where there are none.
pub(crate) fn owned_headers(headers: &[Header]) -> Option<OwnedHeaders> {
    let empty = OwnedHeaders::new_with_capacity(headers.len());
    (!headers.is_empty()).then(|| {
        headers.iter().fold(empty, |all, (key, value)| all.insert(rdkafka::message::Header { key, value: Some(value) }))
    })
}
