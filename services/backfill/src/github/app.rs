//! The end of a GitHub App's registration from a manifest: its secrets for a code that is good once.
//! See <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>.

use secrecy::SecretString;
use serde::Deserialize;

use crate::http::{Ask, Client, HttpError};

/// An App that was just made.
#[derive(Debug, Deserialize)]
pub struct Converted {
    /// Its number.
    pub id: u64,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its page, where it is installed.
    pub html_url: String,
    /// Its private key. GitHub gives it this once.
    pub pem: SecretString,
    /// What its webhooks are signed with; none where it has no webhook.
    pub webhook_secret: Option<SecretString>,
}

/// Why there are no secrets.
#[derive(Debug, thiserror::Error)]
pub enum ConversionError {
    /// A code that GitHub never gave.
    #[error("the code has characters that no code of GitHub's has")]
    Code,
    /// The API did not tell.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Gets what belongs to the App that was made. It works once, and within an hour.
///
/// # Errors
/// Where the code is none, or GitHub does not take it. The error does not name it.
pub async fn convert(client: &Client, code: &str) -> Result<Converted, ConversionError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if code.is_empty() || !code.bytes().all(legal) {
        return Err(ConversionError::Code);
    }
    let path = format!("/app-manifests/{code}/conversions");
    let answer = client.ask(Ask::post(&path), &|_| ()).await;
    let converted = answer.and_then(|answer| answer.json());
    converted.map_err(|error| error.at("/app-manifests/…/conversions").into())
}
