//! The catalog in force, as the topic `control` has it.

use std::ops::ControlFlow;

use anyhow::Context;
use model::codec;
use model::event::{Body, Catalog, ControlBody};
use model::schema::Subject;
use model::{Realm, Timestamp};
use stream::scan::read_all;
use stream::{KafkaConfig, Record, topics};

/// The catalog of a realm that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The catalog.
    pub catalog: Catalog,
    /// When it was put into the inbox.
    pub received_at: Timestamp,
}

/// The catalog in force; none where none was ever put. Blocks.
///
/// # Errors
/// Where the topic cannot be read to its end, or holds what a newer version wrote.
pub fn newest(kafka: &KafkaConfig, realm: &Realm) -> anyhow::Result<Option<Known>> {
    let (mut newest, mut failed) = (None, None);
    read_all(kafka, &topics::CONTROL, |record| match take(&record, realm, &mut newest) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(newest), Err)
}

fn take(record: &Record, realm: &Realm, newest: &mut Option<Known>) -> anyhow::Result<()> {
    let Some(payload) = record.payload.as_ref().filter(|_| record.key.as_deref() == Some(realm.as_str().as_bytes()))
    else {
        return Ok(());
    };
    let event = match codec::decode_event(Subject::Control, payload) {
        Ok(event) => event,
        Err(error @ codec::DecodeError::UnknownSchema { .. }) => {
            return Err(error).with_context(|| format!("offset {} of the topic control", record.offset));
        }
        // The correlator makes a dead letter of it.
        Err(_) => return Ok(()),
    };
    if let Body::Control(ControlBody::Catalog(catalog)) = event.body
        && newest.as_ref().is_none_or(|known| correlation::outranks(&catalog, &known.catalog))
    {
        *newest = Some(Known { catalog, received_at: event.received_at });
    }
    Ok(())
}
