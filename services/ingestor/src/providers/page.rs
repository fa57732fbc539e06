//! How a provider is connected: what `throughline sources NAME` shows.

use serde::Serialize;

/// How a provider is connected, for people.
///
/// In every text `{url}` stands for the address of the source (`https://<host>/hooks/<name>`) and `{secret}` for its secret.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Page {
    /// Name as its maker writes it: `GitHub`.
    pub title: &'static str,
    /// What it tells, in one line.
    pub tells: &'static str,
    /// What to do at the provider, in order: what to click, what to write where.
    pub steps: &'static [&'static str],
    /// The least that it must be allowed, and that whoever sets it up must be.
    pub permissions: &'static [&'static str],
    /// Events to choose.
    pub events: &'static [Expected],
    /// What is worth knowing beside: limits of the provider, what it does not tell.
    pub notes: &'static [&'static str],
    /// The provider's own page about it.
    pub documentation: &'static str,
}

/// An event that a source of the provider should send.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Expected {
    /// Its name as [`Provider::event`](super::Provider::event) gives it.
    pub event: &'static str,
    /// What it is called where it is chosen: `Deployment statuses`.
    pub setting: &'static str,
    /// What is learnt from it.
    pub tells: &'static str,
    /// Without it a figure is missing, not only a detail: a source that never sends it is worth a word.
    pub essential: bool,
}
