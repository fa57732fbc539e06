//! `X-Hub-Signature-256` and `X-Hub-Signature`: the method, then the HMAC of the body.

use axum::http::HeaderMap;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;

use super::Rejected;
use super::compare::{any, hmac_sha1, hmac_sha256};
use super::header::{Header, from_hex};

pub(super) const SIGNATURE_256: Header = Header { name: "X-Hub-Signature-256", form: "sha256=<64 hex digits>" };

pub(super) const SIGNATURE: Header =
    Header { name: "X-Hub-Signature", form: "sha256=<64 hex digits, or base64> or sha1=<40 hex digits>" };

pub(super) fn signature_256(headers: &HeaderMap, body: &[u8], secrets: &[SecretString]) -> Result<(), Rejected> {
    let header = &SIGNATURE_256;
    let digits = header.value(headers)?.strip_prefix(b"sha256=").ok_or(header.malformed())?;
    let signature = from_hex(digits).ok_or(header.malformed())?;
    header.matched(any(secrets, |secret| hmac_sha256(secret.as_bytes(), &[body], &[signature])))
}

pub(super) fn signature(headers: &HeaderMap, body: &[u8], secrets: &[SecretString]) -> Result<(), Rejected> {
    let header = &SIGNATURE;
    let value = header.value(headers)?;
    let fits = if let Some(text) = value.strip_prefix(b"sha256=") {
        // Bitbucket itself writes hex; a published example of its webhooks has base64.
        let signature = from_hex(text).or_else(|| from_base64(text)).ok_or(header.malformed())?;
        any(secrets, |secret| hmac_sha256(secret.as_bytes(), &[body], &[signature]))
    } else {
        // As an HMAC, SHA-1 is still without a known attack.
        let digits = value.strip_prefix(b"sha1=").ok_or(header.malformed())?;
        let signature = from_hex(digits).ok_or(header.malformed())?;
        any(secrets, |secret| hmac_sha1(secret.as_bytes(), body, &signature))
    };
    header.matched(fits)
}

fn from_base64(text: &[u8]) -> Option<[u8; 32]> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}
