//! How a provider proves that a delivery is its own.
//!
//! Every comparison takes the same time wherever the texts differ, and all secrets are tried: how long an answer took tells
//! nothing about any of them. Several secrets at once are what a rotation needs: the new one first here, then at the provider.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

const HUB_SIGNATURE_256: &str = "x-hub-signature-256";

/// A way to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `X-Hub-Signature-256: sha256=<hex>`: HMAC-SHA256 of the body, as
    /// [GitHub does](https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
    HubSignature256,
    /// `Authorization: Bearer <secret>`, or `Basic` with the secret as the password of any user, for senders that can do no more.
    Token,
}

/// Why a delivery is not believed. It says nothing about the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The header is not there.
    #[error("no {0} header: does the sender have the secret?")]
    Missing(&'static str),
    /// The header does not have the form that the scheme wants.
    #[error("the {header} header is not of the form `{form}`")]
    Malformed {
        /// Name of the header.
        header: &'static str,
        /// What it should look like.
        form: &'static str,
    },
    /// None of the secrets fits.
    #[error("the {0} header fits none of the secrets of the source")]
    Mismatch(&'static str),
}

impl Rejected {
    /// A word for labels.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Malformed { .. } => "malformed",
            Self::Mismatch(_) => "mismatch",
        }
    }
}

impl Scheme {
    /// Whether the proof depends on the body; where it does not, a sender can be turned away before the body is read.
    #[must_use]
    pub const fn signs_body(self) -> bool {
        match self {
            Self::HubSignature256 => true,
            Self::Token => false,
        }
    }

    /// Header that holds the proof, in lower case.
    const fn header(self) -> &'static str {
        match self {
            Self::HubSignature256 => HUB_SIGNATURE_256,
            Self::Token => "authorization",
        }
    }

    /// What `WWW-Authenticate` says to a sender that was turned away.
    #[must_use]
    pub const fn challenge(self) -> &'static str {
        match self {
            Self::HubSignature256 => r#"X-Hub-Signature-256 realm="throughline""#,
            Self::Token => r#"Bearer realm="throughline""#,
        }
    }
}

/// The scheme by which a delivery has to prove itself: the first of `schemes` whose headers are there, else the first. A sender that
/// chooses one of several has to know the secret for any of them.
///
/// # Panics
/// Without any scheme; a test asks every door for one.
#[must_use]
pub fn choose(schemes: &[Scheme], headers: &HeaderMap) -> Scheme {
    schemes.iter().copied().find(|scheme| headers.contains_key(scheme.header())).unwrap_or(schemes[0])
}

/// Whether a delivery is its provider's own: one of the `secrets` fits, and the time that it was signed at, where the scheme has one,
/// is near `now`. With no secret nothing fits.
///
/// # Errors
/// Where it is not.
pub fn verify(
    scheme: Scheme,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    _now: Timestamp,
) -> Result<(), Rejected> {
    match scheme {
        Scheme::HubSignature256 => hub_signature_256(headers, body, secrets),
        Scheme::Token => token(headers, secrets),
    }
}

fn hub_signature_256(headers: &HeaderMap, body: &[u8], secrets: &[SecretString]) -> Result<(), Rejected> {
    const HEADER: &str = "X-Hub-Signature-256";
    let given = headers.get(HUB_SIGNATURE_256).ok_or(Rejected::Missing(HEADER))?;
    let mut signature = [0; 32];
    given
        .as_bytes()
        .strip_prefix(b"sha256=")
        .and_then(|digits| hex::decode_to_slice(digits, &mut signature).ok())
        .ok_or(Rejected::Malformed { header: HEADER, form: "sha256=<64 hex digits>" })?;
    any(secrets, |secret| hmac_sha256(secret, body).ct_eq(&signature)).then_some(()).ok_or(Rejected::Mismatch(HEADER))
}

fn token(headers: &HeaderMap, secrets: &[SecretString]) -> Result<(), Rejected> {
    const HEADER: &str = "Authorization";
    const MALFORMED: Rejected =
        Rejected::Malformed { header: HEADER, form: "Bearer <secret> or Basic <base64 of user:secret>" };
    let given = headers.get(AUTHORIZATION).ok_or(Rejected::Missing(HEADER))?.as_bytes();
    let space = given.iter().position(|b| *b == b' ').ok_or(MALFORMED)?;
    let (kind, rest) = (&given[..space], given[space..].trim_ascii());
    let token = if kind.eq_ignore_ascii_case(b"bearer") {
        rest.to_vec()
    } else if kind.eq_ignore_ascii_case(b"basic") {
        let pair = BASE64_STANDARD.decode(rest).map_err(|_| MALFORMED)?;
        let colon = pair.iter().position(|b| *b == b':').ok_or(MALFORMED)?;
        pair[colon + 1..].to_vec()
    } else {
        return Err(MALFORMED);
    };
    // Of equal length whatever the texts are: a comparison that ends early on lengths would give the length away.
    let given = Sha256::digest(&token);
    any(secrets, |secret| Sha256::digest(secret).ct_eq(&given)).then_some(()).ok_or(Rejected::Mismatch(HEADER))
}

/// Tries every secret, also after one has fitted.
fn any(secrets: &[SecretString], fits: impl Fn(&[u8]) -> Choice) -> bool {
    let none = Choice::from(0);
    secrets.iter().fold(none, |found, secret| found | fits(secret.expose_secret().as_bytes())).into()
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use serde::Deserialize;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    const NOW: Timestamp = Timestamp(0);
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn hub(signature: &str, body: &[u8], of: &[&str]) -> Result<(), &'static str> {
        let headers = headers(&[("X-Hub-Signature-256", signature)]);
        verify(Scheme::HubSignature256, &headers, body, &secrets(of), NOW).map_err(Rejected::reason)
    }

    #[test]
    fn takes_the_documented_example() {
        assert_eq!(hub(SIGNATURE, BODY, &[SECRET]), Ok(()));
        assert_eq!(hub(&SIGNATURE.to_uppercase().replace("SHA", "sha"), BODY, &[SECRET]), Ok(()));
    }

    #[test]
    fn takes_either_secret_of_a_rotation() {
        assert_eq!(hub(SIGNATURE, BODY, &["new", SECRET]), Ok(()));
        assert_eq!(hub(SIGNATURE, BODY, &[SECRET, "old"]), Ok(()));
        assert_eq!(hub(SIGNATURE, BODY, &["new", "old"]), Err("mismatch"));
        assert_eq!(hub(SIGNATURE, BODY, &[]), Err("mismatch"));
    }

    #[test]
    fn takes_nothing_else() {
        assert_eq!(hub(SIGNATURE, b"Hello, World", &[SECRET]), Err("mismatch"));
        assert_eq!(
            verify(Scheme::HubSignature256, &HeaderMap::new(), BODY, &secrets(&[SECRET]), NOW)
                .map_err(Rejected::reason),
            Err("missing")
        );
        let digits = &SIGNATURE["sha256=".len()..];
        for malformed in
            ["", "sha256=", digits, &SIGNATURE[..70], &format!("{SIGNATURE}00"), &SIGNATURE.replace("17", "xy")]
        {
            assert_eq!(hub(malformed, BODY, &[SECRET]), Err("malformed"), "{malformed}");
        }
    }

    fn authorized(value: &str) -> Result<(), &'static str> {
        let headers = headers(&[("Authorization", value)]);
        verify(Scheme::Token, &headers, b"", &secrets(&["hunter2", "hunter3"]), NOW).map_err(Rejected::reason)
    }

    #[test]
    fn takes_a_bearer_token_or_a_password() {
        for value in ["Bearer hunter2", "bearer hunter3", "Basic dTpodW50ZXIy", "basic Omh1bnRlcjI="] {
            assert_eq!(authorized(value), Ok(()), "{value}");
        }
        for value in ["Bearer hunter", "Bearer hunter22", "Bearer ", "Basic aHVudGVyMjp1"] {
            assert_eq!(authorized(value), Err("mismatch"), "{value}");
        }
        for value in ["hunter2", "Digest hunter2", "Basic hunter2", "Basic aHVudGVyMg=="] {
            assert_eq!(authorized(value), Err("malformed"), "{value}");
        }
        assert_eq!(
            verify(Scheme::Token, &HeaderMap::new(), b"", &secrets(&["a"]), NOW).map_err(Rejected::reason),
            Err("missing")
        );
    }

    /// One line of `signatures/vectors.json`.
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        headers: std::collections::BTreeMap<String, String>,
        secret: String,
        body_file: String,
        published_expectation: String,
    }

    #[test]
    fn agrees_with_published_vectors() {
        let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA") else {
            eprintln!("SKIPPED agrees_with_published_vectors: THROUGHLINE_TEST_DATA is not set");
            return;
        };
        let folder = std::path::Path::new(&data).join("signatures");
        let vectors: Vec<Vector> =
            serde_json::from_slice(&std::fs::read(folder.join("vectors.json")).unwrap()).unwrap();
        let mut seen = 0;
        for vector in vectors.iter().filter(|v| v.headers.contains_key("X-Hub-Signature-256")) {
            let body = std::fs::read(folder.join(&vector.body_file)).unwrap();
            let headers: Vec<_> = vector.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let result =
                verify(Scheme::HubSignature256, &self::headers(&headers), &body, &secrets(&[&vector.secret]), NOW);
            assert_eq!(result.is_ok(), vector.published_expectation == "valid", "{}", vector.name);
            seen += 1;
        }
        assert!(seen >= 2, "only {seen} vectors of this scheme");
    }
}
