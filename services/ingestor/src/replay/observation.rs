//! An event of an event topic, as far as it is compared.

use model::codec::{self, DecodeError, EncodeError};
use model::event::{Body, Event};
use model::schema::Subject;
use model::{Realm, Source, Timestamp};
use stream::Topic;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// Source and delivery, hashed: so many are held at once that their names would take most of the memory.
pub(super) type Key = u128;

/// The key of a record of the inbox.
pub(super) fn key(record: &[u8]) -> Key {
    xxh3_128(record)
}

/// The key that a delivery has in the inbox.
pub(super) fn key_of(source: &Source, delivery: &str) -> Key {
    key(format!("{source}/{delivery}").as_bytes())
}

/// What is compared of an event.
#[derive(Debug)]
pub(super) struct Observation {
    pub(super) key: Key,
    pub(super) realm: Realm,
    pub(super) adapter: i32,
    pub(super) received_at: Timestamp,
    /// Of its place in the delivery and of all that it tells.
    pub(super) digest: u64,
}

impl Observation {
    /// Reads an event as it is written.
    pub(super) fn read(topic: &Topic, payload: &[u8]) -> Result<Result<Self, EncodeError>, DecodeError> {
        let subject = Subject::of_topic(topic.name).ok_or(DecodeError::NoEvents(topic.name))?;
        Ok(Self::of(codec::decode_event(subject, payload)?))
    }

    fn of(event: Event<Body>) -> Result<Self, EncodeError> {
        let key = key_of(&event.source, &event.delivery);
        let (realm, adapter, received_at) = (event.realm.clone(), event.adapter, event.received_at);
        Ok(Self { key, realm, adapter, received_at, digest: digest(event)? })
    }
}

/// Who read it, when it came, and in which realm make no other observation of it. It is written anew, so that the version of the
/// schema makes none either.
fn digest(event: Event<Body>) -> Result<u64, EncodeError> {
    let bare = Event { realm: Realm::default(), adapter: 0, received_at: Timestamp(0), ..event };
    codec::encode_event(bare).map(|(_, bytes)| xxh3_64(&bytes))
}

#[cfg(test)]
mod tests {
    use model::Repository;
    use model::event::{Tag, TagAction};

    use super::*;

    fn event(adapter: i32, name: &str) -> Event<Body> {
        Event {
            realm: "default".into(),
            source: "shop".into(),
            provider: "github".into(),
            delivery: "d1".into(),
            index: 0,
            adapter,
            occurred_at: Timestamp(5),
            received_at: Timestamp(7),
            link: None,
            body: Tag::new(Repository::new("github.com/acme/shop"), name.to_owned(), TagAction::Tagged).into(),
        }
    }

    #[test]
    fn what_is_told_is_compared_and_not_who_read_it() {
        let of = |event| Observation::of(event).unwrap();
        let one = of(event(1, "v1"));
        let again = Event { received_at: Timestamp(8), realm: "acme".into(), ..event(2, "v1") };
        assert_eq!(one.digest, of(again).digest);
        for other in
            [event(1, "v2"), Event { index: 1, ..event(1, "v1") }, Event { link: Some("l".into()), ..event(1, "v1") }]
        {
            assert_ne!(one.digest, of(other).digest);
        }
        assert_eq!(one.key, key(b"shop/d1"));
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let (subject, bytes) = codec::encode_event(event(3, "v1")).unwrap();
        let topic = stream::topics::find(subject.topic()).unwrap();
        let read = Observation::read(topic, &bytes).unwrap().unwrap();
        assert_eq!((read.adapter, read.digest), (3, Observation::of(event(1, "v1")).unwrap().digest));
        assert!(Observation::read(&stream::topics::INBOX, &bytes).is_err());
    }
}
