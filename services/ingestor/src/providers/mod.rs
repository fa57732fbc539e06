//! Adapters: one file or folder for each provider, each turning the bytes of a delivery into events of the model.
//!
//! An adapter is a pure function of the delivery. It keeps references as the provider gave them, guesses nothing, and names what
//! the provider left out. When an adapter is mended its version grows, and a replay of the inbox replaces what the old one said.

mod address;
pub mod alertmanager;
pub mod argocd;
mod batch;
pub mod cdevents;
mod door;
pub mod generic;
pub mod github;
pub mod gitlab;
pub mod import;
pub mod jenkins;
pub mod jira;
mod labels;
mod lenient;
pub mod opsgenie;
mod page;
pub mod pagerduty;
mod references;
pub mod servicenow;

use model::event::Body;
use model::inbox::InboxRecord;
use model::{Source, Timestamp};

pub use door::{Door, record};
pub use page::{Expected, Page};

use crate::people::People;

/// Every provider, by name: one line for each.
#[rustfmt::skip]
pub static PROVIDERS: &[&'static dyn Provider] = &[
    &alertmanager::Alertmanager,
    &argocd::ArgoCd,
    &cdevents::CdEvents,
    &generic::GENERIC,
    &github::GitHub,
    &gitlab::GitLab,
    &import::Import,
    &jenkins::Jenkins,
    &jira::Jira,
    &opsgenie::Opsgenie,
    &pagerduty::PagerDuty,
    &servicenow::ServiceNow,
];

/// The provider of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.name() == name)
}

/// Names of all providers.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|provider| provider.name())
}

/// Lets in and reads the deliveries of one provider.
pub trait Provider: Send + Sync {
    /// How its deliveries are let in, and its name.
    fn door(&self) -> &'static Door;

    /// How it is connected, for people.
    fn page(&self) -> &'static Page;

    /// Name in the configuration and in the events: `github`.
    fn name(&self) -> &'static str {
        self.door().provider
    }

    /// The name of the event of a delivery, in the provider's words: what its header says, or its body where no header does.
    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        delivery.event.clone()
    }

    /// Version of the adapter, from 1; grows whenever it would read an old delivery differently.
    fn version(&self) -> i32;

    /// The same for one source, where the configuration has a part in how it is read.
    fn version_for(&self, _source: &Source) -> i32 {
        self.version()
    }

    /// What the delivery tells.
    ///
    /// # Errors
    /// Where it cannot be read; it goes to the dead letters with that reason.
    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable>;
}

/// What a delivery tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// These observations, in the order in which the delivery gives them.
    Events(Vec<Observed>),
    /// Nothing that bears on delivery, and why: `issues.opened: bears on no delivery`. One of a small set for each provider, since it
    /// is a label of a metric.
    Ignored(String),
    /// A batch of which some elements can be read and some cannot: the events count, and the whole delivery goes to the dead
    /// letters as well, so that nothing is lost. When it is read again, the events are the same observations.
    Mixed {
        /// What the good elements tell, in their order.
        events: Vec<Observed>,
        /// Why the others cannot be read, each by its place in the batch.
        unreadable: String,
    },
}

/// One observation before it gets its envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// When it happened, by the provider's clock.
    pub occurred_at: Timestamp,
    /// Page at the provider that shows it.
    pub link: Option<String>,
    /// What it tells.
    pub body: Body,
}

/// Why a delivery cannot be read: what was wrong, with which value.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or JSON of another shape.
    #[error("the body does not have the shape of `{what}`")]
    Shape {
        /// What it should have been.
        what: String,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
    /// A value that has no meaning.
    #[error("{0}")]
    Value(String),
}
