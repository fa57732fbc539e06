//! [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), under their own
//! names and under those of Svix, which they come from.

use axum::http::HeaderMap;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use model::Timestamp;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use subtle::Choice;

use super::Rejected;
use super::compare::{any, hmac_sha256};
use super::header::Header;
use super::time;

/// The three headers.
pub(super) struct Names {
    pub(super) id: Header,
    pub(super) timestamp: Header,
    pub(super) signature: Header,
}

const ID: &str = "<text>";
const SECONDS: &str = "<seconds since 1970>";
const SIGNATURES: &str = "v1,<base64 of 32 bytes>[ v1,<base64 of 32 bytes>]";

pub(super) const WEBHOOK: Names = Names {
    id: Header { name: "webhook-id", form: ID },
    timestamp: Header { name: "webhook-timestamp", form: SECONDS },
    signature: Header { name: "webhook-signature", form: SIGNATURES },
};

pub(super) const SVIX: Names = Names {
    id: Header { name: "svix-id", form: ID },
    timestamp: Header { name: "svix-timestamp", form: SECONDS },
    signature: Header { name: "svix-signature", form: SIGNATURES },
};

/// A secret may have lost its padding when it was copied.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn signature(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<(), Rejected> {
    // One set or the other: a mixture is nobody's.
    let svix_only = !headers.contains_key(WEBHOOK.signature.name) && headers.contains_key(SVIX.signature.name);
    let Names { id, timestamp, signature } = if svix_only { &SVIX } else { &WEBHOOK };
    let signatures = signatures(signature.value(headers)?);
    if signatures.is_empty() {
        return Err(signature.malformed());
    }
    let id = id.value(headers)?;
    let seconds = timestamp.value(headers)?;
    let signed_at = time::from_seconds(seconds).ok_or(timestamp.malformed())?;
    // As they came, not as they were understood. A dot in the id moves no border: behind it stand digits alone, and no JSON.
    let parts = [id, b".", seconds, b".", body];
    signature.matched(any(secrets, |secret| fits(secret, &parts, &signatures)))?;
    time::near(timestamp, signed_at, now)
}

/// Those of version 1. Others are passed over, as the specification asks: `v1a` is signed with a key pair.
fn signatures(list: &[u8]) -> Vec<[u8; 32]> {
    let texts = list.split(|b| *b == b' ').filter_map(|part| part.strip_prefix(b"v1,"));
    texts.filter_map(|text| BASE64_STANDARD.decode(text).ok()?.try_into().ok()).collect()
}

/// The key is base64 behind `whsec_`. The prefix may be missing: the reference libraries decode the text all the same, other senders
/// take it for the key itself, and it cannot be seen which. Both are tried; neither is known to anybody without the secret.
fn fits(secret: &str, parts: &[&[u8]], signatures: &[[u8; 32]]) -> Choice {
    let prefixed = secret.strip_prefix("whsec_");
    let key = LENIENT.decode(prefixed.unwrap_or(secret)).ok().filter(|key| !key.is_empty()).map(Zeroizing::new);
    let plain = prefixed.is_none().then_some(secret.as_bytes());
    let keys = key.as_ref().map(|key| key.as_slice()).into_iter().chain(plain);
    keys.fold(Choice::from(0), |found, key| found | hmac_sha256(key, parts, signatures))
}
