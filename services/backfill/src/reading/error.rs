//! Why a history ends early.

use crate::http::HttpError;

/// Why a history ends early.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// The API did not tell.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An object without what every one of its kind has.
    #[error("{what} has no `{member}` where the API says it has one: is it the address of the right API?")]
    Member {
        /// Which object.
        what: String,
        /// What it lacks.
        member: &'static str,
    },
    /// Nobody takes the deliveries any more.
    #[error("the history is taken no further")]
    Closed,
}
