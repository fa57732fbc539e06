//! Everything that is known of one realm, learnt anew from the event topics, for a question: nothing is written.

use std::ops::ControlFlow;

use correlation::changelog::read_key;
use correlation::{Realm, Superseded};
use model::Realm as RealmName;
use model::codec::{self, DecodeError};
use model::schema::Subject;
use stream::scan::read_all;
use stream::{KafkaConfig, Record, topics};

use crate::{Error, superseded};

/// Reads the event topics to their ends. Blocks.
///
/// # Errors
/// Where a topic cannot be read, or holds what a newer version wrote.
pub fn learn(kafka: &KafkaConfig, name: &RealmName) -> Result<Realm, Error> {
    let mut realm = Realm::new(name.clone());
    for (_, superseded) in superseded(kafka)?.iter().filter(|(_, superseded)| superseded.realm == *name) {
        restore(&mut realm, superseded)?;
    }
    for topic in topics::EVENTS {
        let mut newer = None;
        read_all(kafka, topic, |record| match take(&mut realm, &record) {
            Ok(()) => ControlFlow::Continue(()),
            Err(source) => {
                newer = Some(Error::Newer { topic: topic.name, offset: record.offset, source });
                ControlFlow::Break(())
            }
        })?;
        newer.map_or(Ok(()), Err)?;
    }
    Ok(realm)
}

fn restore(realm: &mut Realm, superseded: &Superseded) -> Result<(), Error> {
    let record = superseded.record()?;
    let (_, key) = read_key(&record.key)?;
    Ok(realm.restore(key, record.value.as_deref())?)
}

/// The error is that a newer version writes already; what cannot be read for another reason is a dead letter of the correlator's.
fn take(realm: &mut Realm, record: &Record) -> Result<(), DecodeError> {
    let of_realm = record.key.as_deref() == Some(realm.name().as_str().as_bytes());
    let Some((subject, payload)) =
        Subject::of_topic(record.topic.name).zip(record.payload.as_ref().filter(|_| of_realm))
    else {
        return Ok(());
    };
    match codec::decode_event(subject, payload) {
        Ok(event) => {
            realm.apply(event);
            Ok(())
        }
        Err(error @ DecodeError::UnknownSchema { .. }) => Err(error),
        Err(_) => Ok(()),
    }
}
