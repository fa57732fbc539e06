//! CDEvents: the vocabulary of the Continuous Delivery Foundation, carried by CloudEvents over HTTP.
//!
//! Read are all events of the specification 0.3 to 0.5 and the approvals of the 0.6 draft
//! (<https://github.com/cdevents/spec>), in every mode of the CloudEvents HTTP binding (structured, binary, batch) and bare. The
//! version of an event's type does not matter: a known subject and predicate is read, whatever version it says. The shapes are
//! our own instead of those of `cdevents-sdk`, which knows each version of each event by itself, refuses unknown keys, and so
//! would turn every event of the next specification into a dead letter.
//!
//! **Ids.** Whatever a CDEvent names is `<source>/<id>`, where the source defaults to that of the event. A service event is a
//! deployment by itself, `<source of the event>/<id of the event>`: a redelivery repeats both, while service, environment and
//! artifact are the same again when an older version returns.
//!
//! **What the vocabulary has no word for** is taken from `customData`, an object (or base64 of one) with any of `repository`,
//! `commit` or `sha`, `ref` or `branch`, `change`, `pipelineRun`, `environment`, `service`, `version`, `ticket`, `name`, `url`; from
//! the domain ids of links; from the package URL of the artifact; and from the address that an approval guards. On
//! `change.merged` the commit is the one that brought the change into its target, on other changes the last of the change.
//! Links to other events (`contextId`) are not followed: which event has that id is not known here.

mod approval;
mod ci;
mod envelope;
mod named;
mod operations;
mod shape;

use model::Timestamp;
use model::event::{Actor, ActorKind, Body, References};
use model::inbox::InboxRecord;
use serde_json::Value;

use self::envelope::{Envelope, Opened};
use self::named::{Custom, Pointer};
use self::shape::{CdEvent, Reference, Text};
use super::batch::{Told, read_batch};
use super::{Door, Observed, Page, Provider, Reading, Unreadable};
use crate::people::People;
use crate::signature::Scheme;

/// Binary mode of <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>; in the structured
/// mode everything is in the body.
const DOOR: Door = Door {
    provider: "cdevents",
    schemes: &[Scheme::Token],
    delivery: &["ce-source", "ce-id"],
    event: Some("ce-type"),
    kept: &["ce-*"],
};

const PAGE: Page = Page {
    title: "CDEvents",
    tells: "whatever speaks the vocabulary of the Continuous Delivery Foundation: Tekton, Jenkins, Spinnaker, Testkube and others",
    steps: &[
        "Let the sender POST its events to {url}, in any mode of the CloudEvents HTTP binding: structured, binary or batch.",
        "Let it send the header `Authorization: Bearer {secret}`, or basic authentication with the secret as the password.",
    ],
    permissions: &["None at the provider: it only sends."],
    events: &[],
    notes: &[
        "Versions 0.3 to 0.5 are read, and the approvals of the 0.6 draft.",
        "What the vocabulary has no word for is taken from `customData`: an object with any of repository, commit, ref, change, \
         pipelineRun, environment, service, version, ticket, name, url.",
    ],
    documentation: "https://cdevents.dev/docs/",
};

/// Reads CDEvents.
#[derive(Clone, Copy, Debug, Default)]
pub struct CdEvents;

impl Provider for CdEvents {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        if let Some(reason) = envelope::foreign_binary(delivery) {
            return Ok(Reading::Ignored(reason));
        }
        let body: Value = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: "a CDEvent or a CloudEvent in JSON".to_owned(), source })?;
        match body {
            Value::Array(elements) => read_batch(elements, |_, element| read_one(element, None, people)),
            one => Ok(read_one(one, Some(delivery), people)?.into()),
        }
    }
}

/// Reads one CloudEvent or CDEvent; the delivery gives the attributes of the binary mode.
fn read_one(value: Value, delivery: Option<&InboxRecord>, people: &People) -> Result<Told, Unreadable> {
    let envelope = match envelope::open(value, delivery)? {
        Opened::CdEvent(envelope) => envelope,
        Opened::Foreign(reason) => return Ok(Told::Ignored(reason)),
    };
    let Envelope { kind, time, data } = envelope;
    let event = CdEvent::read(data)?;
    let kind =
        event.context.kind.or(&kind).ok_or_else(|| {
            Unreadable::Value("the event has no `context.type`: it must say what happened".to_owned())
        })?;
    let kind = match Kind::parse(kind) {
        Ok(kind) => kind,
        Err(reason) => return Ok(Told::Ignored(reason)),
    };
    let at = occurred_at(&event.context.timestamp, &time)?;
    let observer = Observer::new(&event, kind, at, people);
    Ok(match observer.observe()? {
        Observation::Body(body) => {
            Told::Events(vec![Observed { occurred_at: at, link: observer.url.clone(), body: *body }])
        }
        Observation::Nothing(why) => Told::Ignored(label(&format!("{}.{}", kind.subject, kind.predicate)) + ": " + why),
    })
}

/// Subject and predicate of a type: `pipelinerun` and `finished` of `dev.cdevents.pipelinerun.finished.0.3.0`.
#[derive(Clone, Copy)]
struct Kind<'a> {
    subject: &'a str,
    predicate: &'a str,
}

impl<'a> Kind<'a> {
    /// The kind, or why an event of that type is ignored.
    fn parse(text: &'a str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("dev.cdevents.") else { return Err(foreign(text)) };
        let mut parts = rest.split('.');
        match (parts.next(), parts.next()) {
            (Some(subject), Some(predicate)) if !subject.is_empty() && !predicate.is_empty() => {
                Ok(Self { subject, predicate })
            }
            _ => Err(format!("{}: unknown kind", label(text))),
        }
    }
}

/// Why an event of another vocabulary is ignored.
fn foreign(kind: &str) -> String {
    if kind.starts_with("dev.cdeventsx.") {
        let unversioned = kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        return format!("{}: custom event", label(unversioned));
    }
    format!("{}: no CDEvent", label(kind))
}

/// A type as a label of a metric: short, and of plain characters.
fn label(kind: &str) -> String {
    kind.chars().take(80).map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' }).collect()
}

/// The time of the event, else that of its envelope. Year 1 is how some languages write a time that was never set.
fn occurred_at(timestamp: &Text, envelope: &Text) -> Result<Timestamp, Unreadable> {
    const YEAR_2: Timestamp = Timestamp(-62_104_060_800_000);
    for text in [timestamp, envelope].into_iter().filter_map(Text::get) {
        let at = Timestamp::parse_rfc3339(text)
            .map_err(|error| Unreadable::Value(format!("`context.timestamp`: {error}")))?;
        if at >= YEAR_2 {
            return Ok(at);
        }
    }
    Err(Unreadable::Value("the event has no `context.timestamp`: when it happened is not known".to_owned()))
}

/// What became of a CDEvent.
enum Observation {
    /// It tells this.
    Body(Box<Body>),
    /// It tells nothing, and why.
    Nothing(&'static str),
}

impl<B: Into<Body>> From<B> for Observation {
    fn from(body: B) -> Self {
        Self::Body(Box::new(body.into()))
    }
}

/// One CDEvent with everything that was found out about it, ready to be put in the words of the model.
struct Observer<'a> {
    event: &'a CdEvent,
    kind: Kind<'a>,
    at: Timestamp,
    /// What it names besides its subject.
    named: References,
    /// `customData.name`.
    name: Option<String>,
    /// Page for people.
    url: Option<String>,
    people: &'a People,
}

impl<'a> Observer<'a> {
    fn new(event: &'a CdEvent, kind: Kind<'a>, at: Timestamp, people: &'a People) -> Self {
        let content = &event.subject.content;
        let custom = Custom::read(&event.custom_data, &event.context.source);
        let pages = [&content.uri, &content.url, &content.approval_details_url, &content.ticket_uri];
        let url = pages.into_iter().filter_map(Text::get).chain(custom.url.as_deref()).find(|url| is_page(url));
        let mut pointer = Pointer(custom.named);
        pointer.add(named::of_change(content.change.as_ref()));
        if let Some(target) = content.resource_target_url.get() {
            pointer.add(named::of_address(target));
        }
        for link in event.domain_ids() {
            pointer.add(named::of_domain_id(link));
        }
        let artifact =
            if kind.subject == "artifact" { Some(event.subject.id.as_str()) } else { content.artifact_id.get() };
        if let Some(artifact) = artifact {
            pointer.add(named::of_artifact(artifact));
        }
        let mut named = pointer.0;
        if let Some(environment) = &content.environment {
            named.environment = Some(model::Environment::new(environment.id.as_str()));
        }
        if let Some(service) = &content.service {
            named.service = Some(service.id.clone());
        }
        if let Some(run) = &content.pipeline_run {
            named.run = Some(model::RunId::new(run.qualified(&event.context.source)));
        }
        Self { event, kind, at, named, name: custom.name, url: url.map(str::to_owned), people }
    }

    fn observe(&self) -> Result<Observation, Unreadable> {
        match (self.kind.subject, self.kind.predicate) {
            ("change", _) => self.change(),
            ("pipelinerun", "queued" | "started" | "finished") => Ok(self.pipeline_run()),
            ("taskrun", "queued" | "started" | "finished") => Ok(self.task_run()),
            ("build", "queued" | "started" | "finished") => Ok(self.build()),
            ("testcaserun" | "testsuiterun", "queued" | "started" | "finished" | "skipped") => Ok(self.test_run()),
            ("artifact", _) => Ok(self.artifact()),
            ("service", _) => self.deployment(),
            ("incident", _) => Ok(self.incident()),
            ("approval", _) => self.approval(),
            ("branch" | "environment" | "repository" | "testoutput" | "ticket", _) => {
                Ok(Observation::Nothing("bears on no delivery"))
            }
            _ => Ok(UNKNOWN),
        }
    }

    /// Id of the subject, unique over all providers.
    fn subject(&self) -> String {
        let source = self.event.subject.source.get().unwrap_or(&self.event.context.source);
        shape::qualified(source, &self.event.subject.id)
    }

    /// Id of the event itself, unique over all providers.
    fn event_id(&self) -> String {
        shape::qualified(&self.event.context.source, &self.event.context.id)
    }

    /// Id of something that the content refers to.
    fn id_of(&self, reference: &Reference) -> String {
        reference.qualified(&self.event.context.source)
    }

    /// An account. Its namespace is the vocabulary's, since a URN means the same everywhere; an address is one everywhere.
    fn actor(&self, account: &Text) -> Actor {
        let Some(account) = account.get() else { return Actor::default() };
        let address = account.strip_prefix("mailto:").unwrap_or(account);
        let namespace = if address.contains('@') && !address.contains(':') { "mail" } else { "cdevents" };
        self.people.actor(namespace, address, ActorKind::Unknown)
    }
}

/// A predicate that the specification did not have when this was written.
const UNKNOWN: Observation = Observation::Nothing("unknown kind");

/// Addresses of other schemes must not end up behind a link.
fn is_page(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
