//! Records to bytes and back: Confluent's wire format around an Avro body.

use std::io::BufRead;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{ApprovalEvent, Body, CiEvent, ControlEvent, Event, IncidentEvent, ReviewEvent};
use crate::fact::{
    BuildFact, BuildFailureFact, ComponentFact, DeploymentFact, Fact, GateWaitFact, IncidentAttributionFact,
    IncidentFact, ManualStepFact, ReleaseCommitFact, ReleaseFact, RollupDailyFact, RollupHourlyFact,
};
use crate::inbox::{DeadLetter, InboxRecord};
use crate::schema::{self, Subject};

/// A type that travels through a topic.
pub trait Record: Serialize + DeserializeOwned {
    /// Its subject, and so its topic.
    const SUBJECT: Subject;
}

macro_rules! records {
    ($($record:ty: $subject:ident;)*) => {
        $(impl Record for $record { const SUBJECT: Subject = Subject::$subject; })*
    };
}

records! {
    InboxRecord: Inbox;
    DeadLetter: DeadLetters;
    CiEvent: CiEvents;
    ApprovalEvent: ApprovalEvents;
    IncidentEvent: IncidentEvents;
    ReviewEvent: ReviewEvents;
    ControlEvent: Control;
    ReleaseFact: Releases;
    DeploymentFact: Deployments;
    ReleaseCommitFact: ReleaseCommits;
    GateWaitFact: GateWaits;
    BuildFact: Builds;
    ComponentFact: Components;
    BuildFailureFact: BuildFailures;
    ManualStepFact: ManualSteps;
    IncidentFact: Incidents;
    IncidentAttributionFact: IncidentAttributions;
    RollupHourlyFact: RollupHourly;
    RollupDailyFact: RollupDaily;
}

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The index holds no schema that can be read.
    #[error("no schema for subject `{0}`: the index of schemas is incomplete")]
    NoSchema(&'static str),
    /// The record does not fit its schema.
    #[error("a record of `{subject}` does not fit schema {id}")]
    Misfit {
        /// Subject of the record.
        subject: &'static str,
        /// Id of the schema.
        id: u32,
        /// What the encoder said.
        #[source]
        source: serde_avro_fast::ser::SerError,
    },
}

/// Why bytes could not be read as a record.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the wire format.
    #[error(
        "{length} bytes that do not start with a zero byte and a schema id: not written in Confluent's wire format"
    )]
    NotFramed {
        /// How many bytes there were.
        length: usize,
    },
    /// A schema that this version does not know.
    #[error("schema id {id} is unknown: the record was written by a newer version; upgrade this reader first")]
    UnknownSchema {
        /// The id.
        id: u32,
    },
    /// A record of another topic.
    #[error("schema id {id} belongs to `{found}`, not to `{wanted}`")]
    WrongSubject {
        /// The id.
        id: u32,
        /// Subject of that id.
        found: &'static str,
        /// Subject that was asked for.
        wanted: &'static str,
    },
    /// A topic that carries no events.
    #[error("topic `{0}` carries no events")]
    NoEvents(&'static str),
    /// A topic that carries no facts.
    #[error("topic `{0}` carries no facts")]
    NoFacts(&'static str),
    /// Something stands behind the record.
    #[error(
        "{bytes} bytes stand behind a record of `{subject}` in schema {id}: it is damaged, or was written with another schema"
    )]
    Trailing {
        /// Id of the schema.
        id: u32,
        /// Subject of the record.
        subject: &'static str,
        /// How many bytes.
        bytes: usize,
    },
    /// A body that its own schema does not describe.
    #[error("the body does not fit schema {id} of `{subject}`")]
    Misfit {
        /// Id of the schema.
        id: u32,
        /// Subject of the record.
        subject: &'static str,
        /// What the decoder said.
        #[source]
        source: serde_avro_fast::de::DeError,
    },
}

const MAGIC: u8 = 0;
const HEADER: usize = 5;

/// Schemas compiled once, in the order of their ids (which start at 1 and have no gap; a test holds that).
static COMPILED: LazyLock<Vec<Option<serde_avro_fast::Schema>>> =
    LazyLock::new(|| schema::all().iter().map(|schema| schema.text.parse().ok()).collect());

fn compiled(id: u32) -> Option<&'static serde_avro_fast::Schema> {
    COMPILED.get(usize::try_from(id).ok()?.checked_sub(1)?)?.as_ref()
}

/// Writes a record with the latest schema of its subject.
///
/// # Errors
/// Where the type and its schema have drifted apart, which the tests of this crate exclude.
pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, EncodeError> {
    let subject = R::SUBJECT.topic();
    let id = schema::latest(R::SUBJECT).map(|s| s.line.id).ok_or(EncodeError::NoSchema(subject))?;
    let avro = compiled(id).ok_or(EncodeError::NoSchema(subject))?;
    let mut out = Vec::with_capacity(256);
    out.push(MAGIC);
    out.extend_from_slice(&id.to_be_bytes());
    serde_avro_fast::to_datum(record, out, &mut serde_avro_fast::ser::SerializerConfig::new(avro))
        .map_err(|source| EncodeError::Misfit { subject, id, source })
}

/// Gives a fact its revision: `bytes` is the fact as [`encode`] writes it with revision 0.
///
/// The schema of every fact ends with `revision` and `deleted` (a test holds that), and 0 is a single byte of Avro. So a fact is
/// written once, compared without its revision, and sent with it.
pub fn stamp(bytes: &mut Vec<u8>, revision: i64) {
    let deleted = bytes.pop();
    bytes.pop();
    // Avro's long: zigzag, then seven bits a byte, the lowest first.
    let mut rest = (revision << 1) ^ (revision >> 63);
    while rest & !0x7f != 0 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest = ((rest as u64) >> 7) as i64;
    }
    bytes.push(rest as u8);
    bytes.extend(deleted);
}

/// Reads a record with the schema it was written with, whichever version that is.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, DecodeError> {
    let subject = R::SUBJECT.topic();
    let (id, body) = unframe(bytes)?;
    let line = &schema::by_id(id).ok_or(DecodeError::UnknownSchema { id })?.line;
    if line.subject != R::SUBJECT {
        return Err(DecodeError::WrongSubject { id, found: line.subject.topic(), wanted: subject });
    }
    let avro = compiled(id).ok_or(DecodeError::UnknownSchema { id })?;
    let mut state = serde_avro_fast::de::DeserializerState::from_slice(body, avro);
    let record = R::deserialize(state.deserializer()).map_err(|source| DecodeError::Misfit { id, subject, source })?;
    // What is left behind a record means damage, or an id that is not the writer's.
    match state.into_reader().fill_buf() {
        Ok([]) => Ok(record),
        Ok(rest) => Err(DecodeError::Trailing { id, subject, bytes: rest.len() }),
        Err(_) => Err(DecodeError::Trailing { id, subject, bytes: 0 }),
    }
}

/// Splits a framed record into the id of its schema and its Avro body.
///
/// # Errors
/// Where the bytes are not framed.
pub fn unframe(bytes: &[u8]) -> Result<(u32, &[u8]), DecodeError> {
    match bytes.split_first_chunk::<HEADER>() {
        Some(([MAGIC, id @ ..], body)) => Ok((u32::from_be_bytes(*id), body)),
        _ => Err(DecodeError::NotFramed { length: bytes.len() }),
    }
}

/// Writes an event of any topic.
///
/// # Errors
/// As [`encode`].
pub fn encode_event(event: Event<Body>) -> Result<(Subject, Vec<u8>), EncodeError> {
    let subject = event.body.subject();
    let (head, body) = event.split();
    let bytes = match body {
        Body::Ci(body) => encode(&head.map(|()| body)),
        Body::Approval(body) => encode(&head.map(|()| body)),
        Body::Incident(body) => encode(&head.map(|()| body)),
        Body::Review(body) => encode(&head.map(|()| body)),
        Body::Control(body) => encode(&head.map(|()| body)),
    }?;
    Ok((subject, bytes))
}

/// Reads an event of the given topic.
///
/// # Errors
/// As [`decode`]; [`DecodeError::NoEvents`] for a topic that carries none.
pub fn decode_event(subject: Subject, bytes: &[u8]) -> Result<Event<Body>, DecodeError> {
    Ok(match subject {
        Subject::CiEvents => decode::<CiEvent>(bytes)?.map(Body::Ci),
        Subject::ApprovalEvents => decode::<ApprovalEvent>(bytes)?.map(Body::Approval),
        Subject::IncidentEvents => decode::<IncidentEvent>(bytes)?.map(Body::Incident),
        Subject::ReviewEvents => decode::<ReviewEvent>(bytes)?.map(Body::Review),
        Subject::Control => decode::<ControlEvent>(bytes)?.map(Body::Control),
        other => return Err(DecodeError::NoEvents(other.topic())),
    })
}

/// Reads a fact of the given topic.
///
/// # Errors
/// As [`decode`]; [`DecodeError::NoFacts`] for a topic that carries none.
pub fn decode_fact(subject: Subject, bytes: &[u8]) -> Result<Fact, DecodeError> {
    Fact::decode(subject, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Deployment, DeploymentAction, Gate, GateRequested, Phase, References};
    use crate::{DeploymentId, Environment, GateId, Timestamp};

    fn event(body: impl Into<Body>) -> Event<Body> {
        Event {
            realm: "default".into(),
            source: "github".into(),
            provider: "github".into(),
            delivery: "d1".into(),
            index: 0,
            adapter: 1,
            occurred_at: Timestamp(1_700_000_000_123),
            received_at: Timestamp(1_700_000_000_456),
            link: None,
            body: body.into(),
        }
    }

    #[test]
    fn events_survive_the_wire() {
        let deployment = Deployment::new(
            DeploymentId::new("d"),
            Environment::new("production"),
            DeploymentAction::Deploy,
            Phase::Running,
        );
        let gate = GateRequested::new(Gate::new(GateId::new("g"), "board".into()), References::default());
        for event in [event(deployment), event(gate)] {
            let (subject, bytes) = encode_event(event.clone()).unwrap();
            assert_eq!(decode_event(subject, &bytes).unwrap(), event);
            let longer = [bytes, vec![0]].concat();
            assert!(matches!(decode_event(subject, &longer), Err(DecodeError::Trailing { bytes: 1, .. })));
        }
    }

    #[test]
    fn facts_survive_the_wire() {
        let facts: [Fact; 10] = [
            ReleaseFact::default().into(),
            DeploymentFact { deleted: true, ..DeploymentFact::default() }.into(),
            ReleaseCommitFact::default().into(),
            GateWaitFact { deleted: true, ..GateWaitFact::default() }.into(),
            BuildFact::default().into(),
            ComponentFact { deleted: true, ..ComponentFact::default() }.into(),
            BuildFailureFact::default().into(),
            ManualStepFact { deleted: true, ..ManualStepFact::default() }.into(),
            IncidentFact::default().into(),
            IncidentAttributionFact { deleted: true, ..IncidentAttributionFact::default() }.into(),
        ];
        for (index, mut fact) in facts.into_iter().enumerate() {
            assert_eq!(fact.is_deleted(), index % 2 == 1, "{fact:?}");
            for revision in [0, 1, 63, 64, 1 << 40 | 12_345, i64::MAX, -1] {
                fact.set_revision(0);
                let mut stamped = fact.encode().unwrap();
                stamp(&mut stamped, revision);
                fact.set_revision(revision);
                assert_eq!(stamped, fact.encode().unwrap(), "{fact:?}");
            }
            assert_eq!(decode_fact(fact.subject(), &fact.encode().unwrap()).unwrap(), fact);
        }
        let error = decode_fact(Subject::Inbox, &[]).unwrap_err();
        assert!(matches!(error, DecodeError::NoFacts("inbox")), "{error}");
    }
}
