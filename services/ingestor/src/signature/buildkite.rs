//! `X-Buildkite-Signature`: a time, and the HMAC-SHA256 of time and body.

use axum::http::HeaderMap;
use model::Timestamp;
use secrecy::SecretString;

use super::Rejected;
use super::compare::{any, hmac_sha256};
use super::header::{Header, from_hex, pairs};
use super::time;

pub(super) const SIGNATURE: Header =
    Header { name: "X-Buildkite-Signature", form: "timestamp=<seconds since 1970>,signature=<64 hex digits>" };

pub(super) fn signature(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<(), Rejected> {
    let header = &SIGNATURE;
    let value = header.value(headers)?;
    let only = |name| {
        let mut values = pairs(value, name);
        values.next().filter(|_| values.next().is_none()).ok_or(header.malformed())
    };
    let seconds = only("timestamp")?;
    let signed_at = time::from_seconds(seconds).ok_or(header.malformed())?;
    let signature = from_hex(only("signature")?).ok_or(header.malformed())?;
    let parts = [seconds, b".", body];
    header.matched(any(secrets, |secret| hmac_sha256(secret.as_bytes(), &parts, &[signature])))?;
    time::near(header, signed_at, now)
}
