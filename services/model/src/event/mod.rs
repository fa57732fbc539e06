//! Events: what a provider told, in one vocabulary, with references as the provider gave them.
//!
//! Five topics share one envelope and differ in their body. The words are those of CDEvents where it has them. A body is a union
//! of records; the decoder names a branch by its full name, hence the alias with the namespace at each variant.

mod approval;
mod ci;
mod common;
mod control;
mod incident;
mod review;

use serde::{Deserialize, Serialize};

pub use approval::*;
pub use ci::*;
pub use common::*;
pub use control::*;
pub use incident::*;
pub use review::*;

use crate::schema::Subject;
use crate::{Realm, Source, Timestamp};

/// One observation: what one delivery of one source told, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event<B> {
    /// Unit inside which things may refer to each other.
    pub realm: Realm,
    /// Name of the source in the configuration.
    pub source: Source,
    /// Adapter that read it: `github`, `cdevents`, `import`.
    pub provider: String,
    /// Id of the delivery at the provider, or a hash of the body.
    pub delivery: String,
    /// Place of the event in its delivery, from 0.
    pub index: i32,
    /// Version of the adapter; of one observation (source, delivery, index) the highest counts.
    pub adapter: i32,
    /// When it happened, by the provider's clock.
    pub occurred_at: Timestamp,
    /// When the inbox took the delivery.
    pub received_at: Timestamp,
    /// Page at the provider that shows it.
    #[serde(default)]
    pub link: Option<String>,
    /// What it tells.
    pub body: B,
}

/// Topic `ci.events`.
pub type CiEvent = Event<CiBody>;
/// Topic `approval.events`.
pub type ApprovalEvent = Event<ApprovalBody>;
/// Topic `incident.events`.
pub type IncidentEvent = Event<IncidentBody>;
/// Topic `review.events`.
pub type ReviewEvent = Event<ReviewBody>;
/// Topic `control`.
pub type ControlEvent = Event<ControlBody>;

impl<B> Event<B> {
    /// Id of the observation: `source/delivery/index`. It is what a fact names as its evidence.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.source, self.delivery, self.index)
    }

    /// The envelope by itself, and the body.
    pub fn split(self) -> (Event<()>, B) {
        let Self { realm, source, provider, delivery, index, adapter, occurred_at, received_at, link, body } = self;
        (Event { realm, source, provider, delivery, index, adapter, occurred_at, received_at, link, body: () }, body)
    }

    /// The same envelope around another body.
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Event<C> {
        let (head, body) = self.split();
        let Event { realm, source, provider, delivery, index, adapter, occurred_at, received_at, link, body: () } =
            head;
        Event { realm, source, provider, delivery, index, adapter, occurred_at, received_at, link, body: f(body) }
    }
}

macro_rules! bodies {
    ($($kind:ident($body:ident): $subject:ident [$($variant:ident)*];)*) => {
        /// What an event of any topic tells. In JSON it is an object with one key, the name of the kind:
        /// `{"Deployment": {…}}`; the names are unique over all topics.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Body {
            $(#[doc = concat!("Topic of [`", stringify!($body), "`].")] $kind($body),)*
        }

        impl Body {
            /// Names of all kinds, topic by topic.
            pub const KINDS: &[&str] = &[$($(stringify!($variant),)*)*];

            /// Topic that it belongs to.
            #[must_use]
            pub const fn subject(&self) -> Subject {
                match self { $(Self::$kind(_) => Subject::$subject,)* }
            }

            /// Name of the kind: `Deployment`.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $($(Self::$kind($body::$variant(_)) => stringify!($variant),)*)* }
            }

            /// Reads the body of the named kind.
            ///
            /// # Errors
            /// Where the kind is unknown or the content does not fit it.
            pub fn read<'de, D: serde::Deserializer<'de>>(kind: &str, content: D) -> Result<Self, D::Error> {
                match kind {
                    $($(stringify!($variant) => Deserialize::deserialize(content).map(|v| Self::$kind($body::$variant(v))),)*)*
                    other => Err(serde::de::Error::unknown_variant(other, Self::KINDS)),
                }
            }
        }

        $(impl From<$body> for Body {
            fn from(body: $body) -> Self { Self::$kind(body) }
        })*
        $($(impl From<$variant> for Body {
            fn from(body: $variant) -> Self { Self::$kind($body::$variant(body)) }
        })*)*
    };
}

bodies! {
    Ci(CiBody): CiEvents [Push Commits Change ChangeReview PipelineRun TaskRun Build TestRun Artifact Deployment Tag];
    Approval(ApprovalBody): ApprovalEvents [GateRequested GateDecided GateExpired GateCancelled GateBypassed
        GateRequestedAgain GateDelegated GateQuorum];
    Incident(IncidentBody): IncidentEvents [IncidentDetected IncidentAcknowledged IncidentUpdated IncidentResolved
        IncidentReopened IncidentMerged IncidentRetracted];
    Review(ReviewBody): ReviewEvents [ImprovementPicked ImprovementDone ImprovementDropped AttributionCorrected
        ReleaseExcluded ManualStepNamed GatePurposeSaid ShiftAcknowledged];
    Control(ControlBody): Control [Catalog BaselineNone Horizon];
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        /// Reads a kind's name first and hands the content to [`Body::read`].
        struct Content(String);
        impl<'de> serde::de::DeserializeSeed<'de> for Content {
            type Value = Body;
            fn deserialize<D: serde::Deserializer<'de>>(self, content: D) -> Result<Body, D::Error> {
                Body::read(&self.0, content)
            }
        }
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Body;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with one key, the kind of the event")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
                use serde::de::Error;
                let kind: String =
                    map.next_key()?.ok_or_else(|| A::Error::custom("the body is empty: it must name a kind"))?;
                let body = map.next_value_seed(Content(kind))?;
                match map.next_key::<String>()? {
                    None => Ok(body),
                    Some(second) => {
                        Err(A::Error::custom(format!("a body has one kind, and `{second}` is a second one")))
                    }
                }
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
