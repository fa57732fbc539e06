//! Providers that can be asked for what they sent: a line for each in [`of`] and in [`check`].

use std::collections::BTreeSet;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use backfill::github::hook::HookError;
use backfill::github::{AddressError, KeyError};
use backfill::gitlab;
use backfill::http::HttpError;
use model::Timestamp;

use super::github::GitHub;
use super::histories::Histories;
use super::take::Take;
use crate::chain;
use crate::receive::ApiConfig;
use crate::secret::SecretError;
use crate::sources::{Counts, Interval, date};

/// An API that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nobody has written it.
    #[error("the provider `{0}` cannot be asked for what it sent: take `api` out")]
    Provider(String),
    /// Nothing to ask for.
    #[error("it has neither `hook` nor `repositories`, and so nothing to ask for")]
    Nothing,
    /// Two who ask, half of one, or a webhook that an App cannot ask for.
    #[error("write either `token`, or `app` with `private_key`; the webhook of an App is its own, and needs no `hook`")]
    Who,
    /// No private key.
    #[error("no private key")]
    Key(#[from] KeyError),
    /// No webhook.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// No repository.
    #[error(transparent)]
    Repository(#[from] AddressError),
    /// No project.
    #[error(transparent)]
    Project(#[from] gitlab::AddressError),
    /// No projects.
    #[error("it names no `repositories`, GROUP/PROJECT, whose history could be read")]
    NoRepositories,
    /// What only GitHub has.
    #[error("`hook`, `app` and `private_key` are for GitHub: take them out")]
    GitHubAlone,
    /// Nobody may ask without one.
    #[error("it has no `token`, and without one it is told nothing")]
    NoToken,
    /// No address.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No token.
    #[error("no token")]
    Secret(#[from] SecretError),
}

/// What a provider is asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The gap.
    pub interval: Interval,
    /// Names of the events that the source is known to send.
    pub names: BTreeSet<String>,
    /// The time of now.
    pub now: Timestamp,
}

/// What came of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recovery {
    /// What was missing and is there.
    pub counts: Counts,
    /// Deliveries that the provider was asked to send again.
    pub waiting: u64,
    /// What cannot be had.
    pub lost: Option<Loss>,
}

/// What cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// When it was sent.
    pub part: Interval,
    /// Why.
    pub reason: String,
    /// Another configuration may change it.
    pub mendable: bool,
}

/// What the provider gave no answer to, for now: why.
#[derive(Debug)]
pub(super) struct Later(pub String);

/// What is under way.
pub(super) type Asking<'a> = Pin<Box<dyn Future<Output = Result<Recovery, Later>> + Send + 'a>>;

/// A provider that can be asked for what it sent.
pub(super) trait Ask: Send + Sync {
    /// Puts what was sent in the interval and never arrived into the inbox.
    fn ask<'a>(&'a self, asked: &'a Asked, take: &'a Take) -> Asking<'a>;
}

/// How the provider of a source is asked.
pub(super) fn of(provider: &str, api: &ApiConfig) -> Result<Arc<dyn Ask>, ApiError> {
    match provider {
        "github" => Ok(Arc::new(GitHub::new(api)?)),
        "gitlab" => Ok(Arc::new(Histories::gitlab(api)?)),
        "pagerduty" => Ok(Arc::new(Histories::pagerduty(api)?)),
        _ => Err(ApiError::Provider(provider.to_owned())),
    }
}

/// Checks what can be checked without getting a token.
pub(crate) fn check(provider: &str, api: &ApiConfig) -> Result<(), ApiError> {
    match provider {
        "github" => GitHub::check(api),
        "gitlab" => Histories::check_gitlab(api),
        "pagerduty" => Histories::check_pagerduty(api),
        _ => Err(ApiError::Provider(provider.to_owned())),
    }
}

/// What a person may do about a gap that the reconciler cannot close.
#[must_use]
pub fn advice(provider: &str, from: Timestamp) -> Option<String> {
    match provider {
        "github" => Some(format!("throughline backfill github OWNER/NAME --since {}", date(from))),
        "gitlab" => Some(format!("throughline backfill gitlab GROUP/PROJECT --since {}", date(from))),
        "pagerduty" => Some(format!("throughline backfill pagerduty --since {}", date(from))),
        _ => None,
    }
}

/// An answer that will be the same next time, in words; else it is asked for again.
pub(super) fn refusal(error: HttpError) -> Result<String, Later> {
    match error {
        HttpError::GivenUp { .. } | HttpError::NoAnswer { .. } => Err(later(error)),
        error => Ok(chain(&error)),
    }
}

pub(super) fn later(error: impl Error) -> Later {
    Later(chain(&error))
}
