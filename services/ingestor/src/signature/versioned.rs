//! Lists of signatures, each with its version: `v1=<hex>,v1=<hex>`. Version 1 is the HMAC-SHA256 of the body, and the only one so far.

use axum::http::HeaderMap;
use secrecy::SecretString;

use super::Rejected;
use super::compare::{any, hmac_sha256};
use super::header::{Header, from_hex, pairs};

pub(super) const PAGERDUTY: Header =
    Header { name: "X-PagerDuty-Signature", form: "v1=<64 hex digits>[,v1=<64 hex digits>]" };

pub(super) const CIRCLECI: Header = Header { name: "circleci-signature", form: "v1=<64 hex digits>" };

/// Signatures of other versions, and what is none, are passed over: a provider that adds one must not be turned away.
pub(super) fn signature(
    header: &Header,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
) -> Result<(), Rejected> {
    let signatures: Vec<[u8; 32]> = pairs(header.value(headers)?, "v1").filter_map(from_hex).collect();
    if signatures.is_empty() {
        return Err(header.malformed());
    }
    header.matched(any(secrets, |secret| hmac_sha256(secret.as_bytes(), &[body], &signatures)))
}
