//! Tokens: one that stays, or ones that run out while a history is read.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{HttpError, Wait};

/// A token that runs out.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The token.
    pub token: SecretString,
    /// No request begins with it after that.
    pub until: SystemTime,
}

/// A token on its way.
pub type Renewing<'a> = Pin<Box<dyn Future<Output = Result<Fresh, HttpError>> + Send + 'a>>;

/// Gives another token when one has run out. Its `Debug` must not show one.
pub trait Renewal: fmt::Debug + Send + Sync {
    /// The next token; `waiting` is told before every wait.
    fn renew<'a>(&'a self, waiting: &'a (dyn Fn(&Wait) + Sync)) -> Renewing<'a>;
}

/// What a client proves itself by.
#[derive(Debug)]
pub(super) enum Token {
    /// What does not run out, or nothing.
    Fixed(Option<HeaderValue>),
    Renewed {
        renewal: Arc<dyn Renewal>,
        /// The one that is good until it runs out.
        fresh: Mutex<Option<Fresh>>,
    },
}

impl Token {
    pub fn fixed(scheme: &str, token: Option<&SecretString>) -> Result<Self, HttpError> {
        token.map(|token| header(scheme, token)).transpose().map(Self::Fixed)
    }

    pub fn renewed(renewal: Arc<dyn Renewal>) -> Self {
        Self::Renewed { renewal, fresh: Mutex::default() }
    }

    /// The header `Authorization` of a request that begins now.
    pub async fn header(
        &self,
        scheme: &str,
        waiting: &(dyn Fn(&Wait) + Sync),
    ) -> Result<Option<HeaderValue>, HttpError> {
        match self {
            Self::Fixed(header) => Ok(header.clone()),
            Self::Renewed { renewal, fresh } => {
                // Held while it is renewed: whoever asks meanwhile wants the same one.
                let mut fresh = fresh.lock().await;
                let good = fresh.take().filter(|fresh| SystemTime::now() < fresh.until);
                let good = match good {
                    Some(good) => good,
                    None => renewal.renew(waiting).await?,
                };
                let value = header(scheme, &good.token)?;
                *fresh = Some(good);
                Ok(Some(value))
            }
        }
    }
}

/// `Bearer …`, which is never shown.
fn header(scheme: &str, token: &SecretString) -> Result<HeaderValue, HttpError> {
    let text = format!("{scheme} {}", token.expose_secret().trim());
    let mut value = HeaderValue::from_str(&text).map_err(|_| HttpError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}
