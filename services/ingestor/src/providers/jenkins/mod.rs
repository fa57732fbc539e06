//! Jenkins, by whichever of three senders it has: the Notification plugin, the CDEvents plugin, or a step of the pipeline that posts
//! a documented body. They are told apart by the body.
//!
//! **Ids.** A run is `<source>/job/<name>/<number>`: its path on the controller is the one thing that all three tell, and they tell the
//! same run. So each controller is a source by itself.

mod cdevents;
mod notification;
mod page;
mod pipeline;
mod run;

use model::inbox::InboxRecord;
use serde_json::Value;

use super::{Door, Page, Provider, Reading, Unreadable};
use crate::people::People;
use crate::signature::Scheme;

/// The CDEvents plugin names several events of a run by the id of the run, so that the headers of a CloudEvent are no name of a delivery.
const DOOR: Door = Door { provider: "jenkins", schemes: &[Scheme::Token], delivery: &[], event: None, kept: &["ce-*"] };

/// Reads what Jenkins sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jenkins;

/// Who made a body.
#[derive(Clone, Copy, PartialEq)]
enum Sender {
    Notification,
    CdEvents,
    Pipeline,
}

impl Sender {
    fn of(delivery: &InboxRecord, body: &Value) -> Option<Self> {
        let first = body.get(0).unwrap_or(body);
        if delivery.headers.contains_key("ce-type") || first.get("specversion").or(first.get("context")).is_some() {
            return Some(Self::CdEvents);
        }
        if body.get("build").is_some_and(Value::is_object) {
            return Some(Self::Notification);
        }
        body.get("job").is_some_and(Value::is_string).then_some(Self::Pipeline)
    }

    /// Its name, as the page lists it.
    const fn name(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::CdEvents => "cdevents",
            Self::Pipeline => "pipeline",
        }
    }
}

impl Provider for Jenkins {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &page::PAGE
    }

    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        let body = serde_json::from_slice(delivery.body.as_ref()).ok()?;
        Sender::of(delivery, &body).map(|sender| sender.name().to_owned())
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let what =
            || "a notification of Jenkins in JSON (the plugin sends XML where its format is not JSON)".to_owned();
        let body: Value = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: what(), source })?;
        match Sender::of(delivery, &body) {
            Some(Sender::Notification) => notification::read(delivery, body),
            Some(Sender::CdEvents) => cdevents::read(delivery, &body, people),
            Some(Sender::Pipeline) => pipeline::read(delivery, body, people),
            None => Err(Unreadable::Value(
                "the body is neither of the Notification plugin (`build`), nor a CloudEvent of the CDEvents plugin (`specversion`), \
                 nor of the documented step of a pipeline (`job`)"
                    .to_owned(),
            )),
        }
    }
}
