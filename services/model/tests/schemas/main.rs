//! Holds `schemas/avro` and the types of this crate together. `apache-avro`, the reference, judges what our codec writes and reads.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "tests")]

mod compatibility;
mod hostile;
mod index;
mod round_trip;
mod values;

use apache_avro::Schema as Avro;
use model::schema::Schema;

/// The schema as the reference reads it.
fn parse(schema: &Schema) -> Avro {
    Avro::parse_str(schema.text).unwrap_or_else(|error| panic!("{} is no Avro schema: {error}", schema.line.file))
}

/// A body with the header of the wire format before it.
fn framed(id: u32, body: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], body].concat()
}

/// Calls a generic function with the record type of a subject.
macro_rules! with_record_of {
    ($subject:expr, $call:ident($($argument:expr),*)) => {{
        use model::{event::*, fact::*, inbox::*, schema::Subject};
        match $subject {
            Subject::Inbox => $call::<InboxRecord>($($argument),*),
            Subject::DeadLetters => $call::<DeadLetter>($($argument),*),
            Subject::CiEvents => $call::<CiEvent>($($argument),*),
            Subject::ApprovalEvents => $call::<ApprovalEvent>($($argument),*),
            Subject::IncidentEvents => $call::<IncidentEvent>($($argument),*),
            Subject::ReviewEvents => $call::<ReviewEvent>($($argument),*),
            Subject::Control => $call::<ControlEvent>($($argument),*),
            Subject::Releases => $call::<ReleaseFact>($($argument),*),
            Subject::Deployments => $call::<DeploymentFact>($($argument),*),
            Subject::ReleaseCommits => $call::<ReleaseCommitFact>($($argument),*),
            Subject::GateWaits => $call::<GateWaitFact>($($argument),*),
            Subject::Builds => $call::<BuildFact>($($argument),*),
            Subject::Components => $call::<ComponentFact>($($argument),*),
            Subject::BuildFailures => $call::<BuildFailureFact>($($argument),*),
            Subject::ManualSteps => $call::<ManualStepFact>($($argument),*),
            Subject::Incidents => $call::<IncidentFact>($($argument),*),
            Subject::IncidentAttributions => $call::<IncidentAttributionFact>($($argument),*),
            Subject::RollupHourly => $call::<RollupHourlyFact>($($argument),*),
            Subject::RollupDaily => $call::<RollupDailyFact>($($argument),*),
        }
    }};
}
use with_record_of;
