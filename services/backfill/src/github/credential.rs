//! Who asks GitHub: whoever a token is of, or a GitHub App.
//!
//! An App proves itself by its private key, and gets a token of an hour for where it is installed. The token is asked for the one
//! repository that is read. See
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/about-authentication-with-a-github-app>.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::http::{Api, Ask, Client, Fresh, HttpError, Renewal, Renewing, Wait};

/// Clocks differ: the proof is said to be older than it is, as GitHub advises.
const BACKDATED: i64 = 60;
/// GitHub takes no proof that is good for more than ten minutes.
const GOOD_FOR: i64 = 9 * 60;
/// A proof is shown for less time than it is good.
const SHOWN_FOR: Duration = Duration::from_secs(5 * 60);
/// A token is renewed so long before it runs out, so that none does on its way.
const EARLY: Duration = Duration::from_secs(5 * 60);

/// Who asks.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Whoever the token is of.
    Token(SecretString),
    /// An App, where it is installed.
    App(App),
}

/// A GitHub App and its private key.
#[derive(Clone)]
pub struct App {
    id: u64,
    key: PKey<Private>,
}

/// Why a private key is none. No variant holds it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not PEM, or locked by a password.
    #[error("the private key cannot be read: it is the file *.private-key.pem that GitHub gave, unchanged")]
    Pem(#[source] ErrorStack),
    /// A key of another kind.
    #[error("the private key is no RSA key: it is the file *.private-key.pem that GitHub gave")]
    Kind,
}

impl Credential {
    /// A client for one repository that proves itself by this.
    ///
    /// # Errors
    /// Where the API's address or the token cannot be used.
    pub fn client(self, api: Api, owner: &str, name: &str) -> Result<Client, HttpError> {
        match self {
            Self::Token(token) => Client::new(Api { token: Some(token), ..api }),
            Self::App(app) => {
                let own = app.client(api.clone())?;
                let (owner, name) = (owner.to_owned(), name.to_owned());
                Client::renewed(api, Arc::new(Installed { own, owner, name, installation: OnceCell::new() }))
            }
        }
    }
}

impl App {
    /// The App of that number. The key is PEM, as GitHub gives it.
    ///
    /// # Errors
    /// Where the key is none.
    pub fn new(id: u64, pem: &SecretString) -> Result<Self, KeyError> {
        // Without an answer to the question for a password it would be asked for on the terminal.
        let key = PKey::private_key_from_pem_callback(pem.expose_secret().as_bytes(), |_| Ok(0));
        let key = key.map_err(KeyError::Pem)?;
        if key.id() == Id::RSA { Ok(Self { id, key }) } else { Err(KeyError::Kind) }
    }

    /// A client that asks as the App itself, not as one of its installations: for what is its own.
    ///
    /// # Errors
    /// Where the API's address cannot be used.
    pub fn client(self, api: Api) -> Result<Client, HttpError> {
        Client::renewed(Api { token: None, advice, ..api }, Arc::new(self))
    }

    /// A JSON Web Token that is good for some minutes after `now`, in seconds since 1970.
    fn proof(&self, now: i64) -> Result<SecretString, ErrorStack> {
        let header = json!({ "alg": "RS256", "typ": "JWT" }).to_string();
        let claims = json!({ "iat": now - BACKDATED, "exp": now + GOOD_FOR, "iss": self.id }).to_string();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key)?;
        let signature = signer.sign_oneshot_to_vec(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

/// Says which App, never its key.
impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Renewal for App {
    fn renew<'a>(&'a self, _: &'a (dyn Fn(&Wait) + Sync)) -> Renewing<'a> {
        Box::pin(async {
            let now = SystemTime::now();
            let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX - GOOD_FOR);
            let token = self.proof(seconds).map_err(HttpError::Signature)?;
            Ok(Fresh { token, until: now + SHOWN_FOR })
        })
    }
}

/// An App where it is installed.
#[derive(Debug)]
struct Installed {
    /// Asks as the App itself, not as its installation.
    own: Client,
    owner: String,
    name: String,
    /// Number of the installation, once it is known.
    installation: OnceCell<u64>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Given {
    token: SecretString,
    expires_at: String,
}

impl Installed {
    async fn token(&self, waiting: &(dyn Fn(&Wait) + Sync)) -> Result<Fresh, HttpError> {
        let installation = self.installation.get_or_try_init(|| self.find(waiting)).await?;
        let path = format!("/app/installations/{installation}/access_tokens");
        let ask = Ask::post(&path).with(json!({ "repositories": [self.name] }));
        let given: Given = self.own.ask(ask, waiting).await?.json()?;
        // A time that cannot be read is one that has passed: the token serves this once.
        let expires_at = Timestamp::parse_rfc3339(&given.expires_at).unwrap_or_default();
        let expires_at = Duration::from_millis(u64::try_from(expires_at.0).unwrap_or_default());
        Ok(Fresh { token: given.token, until: UNIX_EPOCH + expires_at.saturating_sub(EARLY) })
    }

    async fn find(&self, waiting: &(dyn Fn(&Wait) + Sync)) -> Result<u64, HttpError> {
        let path = format!("/repos/{}/{}/installation", self.owner, self.name);
        let found: Installation = self.own.get(&path, waiting).await?.json()?;
        Ok(found.id)
    }
}

impl Renewal for Installed {
    fn renew<'a>(&'a self, waiting: &'a (dyn Fn(&Wait) + Sync)) -> Renewing<'a> {
        Box::pin(self.token(waiting))
    }
}

/// What to do about a refusal of the App itself.
fn advice(status: StatusCode, _: &str) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "GitHub does not know the App by this key: check the App's ID, that the private key is its own, and that the \
             clock of this machine is right"
        }
        StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
            "the App is not installed on that repository: check the name, and add the repository to its installation (the \
             App's page, Install)"
        }
        StatusCode::FORBIDDEN => {
            "the App's installation is suspended or limited: look at it in the settings of its owner"
        }
        _ => "see https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app",
    }
}
