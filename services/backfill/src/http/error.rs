//! Why an API told nothing.

use reqwest::StatusCode;
use serde::Deserialize;

/// A message longer than this is a page, not a message.
const LONGEST_MESSAGE: usize = 300;

/// Why an API told nothing. No variant holds a token.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The API says no.
    #[error("{url} answered {status}: {message}; {advice}")]
    Refused {
        /// What was asked for.
        url: String,
        /// Status of the answer.
        status: StatusCode,
        /// What the API says.
        message: String,
        /// What to do.
        advice: &'static str,
    },
    /// It never answered well.
    #[error("given up after {tries} tries")]
    GivenUp {
        /// Times that it was tried.
        tries: u32,
        /// What it was the last time.
        #[source]
        source: Box<HttpError>,
    },
    /// No answer came.
    #[error("{url} does not answer: is it the address of the API, and reachable from here?")]
    NoAnswer {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// A next page on another host.
    #[error("{address} is not below {root}: the token is sent nowhere else")]
    Elsewhere {
        /// The API.
        root: String,
        /// What was to be asked for.
        address: String,
    },
    /// No address.
    #[error("`{0}` is not the address of an API: write it like https://api.github.com")]
    Address(String),
    /// A token that cannot stand in a header.
    #[error("the token has characters that no token has: is it the right file or variable?")]
    Token,
    /// A private key that signs nothing.
    #[error("the private key cannot sign")]
    Signature(#[source] openssl::error::ErrorStack),
    /// Nothing to ask with.
    #[error("no connection can be set up")]
    Client(#[source] reqwest::Error),
    /// An answer of another shape.
    #[error("{url} answered with something else than expected: is it the address of the API?")]
    Shape {
        /// What was asked for.
        url: String,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
}

impl HttpError {
    /// Status of the answer, where it was refused.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The same of an address that may be shown, where that of the request holds a secret.
    #[must_use]
    pub fn at(self, shown: &str) -> Self {
        let url = shown.to_owned();
        match self {
            Self::Refused { status, message, advice, .. } => Self::Refused { url, status, message, advice },
            Self::GivenUp { tries, source } => Self::GivenUp { tries, source: Box::new(source.at(shown)) },
            Self::NoAnswer { source, .. } => Self::NoAnswer { url, source },
            Self::Shape { source, .. } => Self::Shape { url, source },
            Self::Elsewhere { root, .. } => Self::Elsewhere { root, address: url },
            other @ (Self::Address(_) | Self::Token | Self::Signature(_) | Self::Client(_)) => other,
        }
    }
}

/// What a body says for people: its member `message` or `error`, else its beginning where it is a plain text.
pub(super) fn described(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Said {
        #[serde(alias = "error")]
        message: String,
    }
    let text = match serde_json::from_slice(body) {
        Ok(Said { message }) => message,
        Err(_) => std::str::from_utf8(body).ok().filter(|text| !text.starts_with(['<', '{', '['])).unwrap_or("").into(),
    };
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() { "no message".to_owned() } else { line.chars().take(LONGEST_MESSAGE).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_described_by_its_message() {
        assert_eq!(described(br#"{"message":"Bad credentials","status":"401"}"#), "Bad credentials");
        assert_eq!(described(br#"{"error":"insufficient_scope"}"#), "insufficient_scope");
        assert_eq!(described(b"upstream timed out\nx"), "upstream timed out");
        assert_eq!(described(b"<html>"), "no message");
        assert_eq!(described(br#"{"error":{"code":1}}"#), "no message");
        assert_eq!(described(b"\xff"), "no message");
    }
}
