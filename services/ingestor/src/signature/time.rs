//! The time that a delivery was signed at: what was listened to on the way cannot be sent again later.

use model::{Millis, Timestamp};

use super::Rejected;
use super::header::Header;

/// How far from now it may be, before or after: what the libraries of Standard Webhooks allow.
pub(super) const TOLERANCE: Millis = Millis(5 * 60 * 1000);

/// Reads seconds since 1970, digits and nothing else.
pub(super) fn from_seconds(digits: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(digits).ok()?;
    let seconds = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())??;
    Some(Timestamp::from_seconds(seconds))
}

/// Passes where the time is near enough. It is asked last: a time that nobody signed says nothing.
pub(super) fn near(header: &Header, signed_at: Timestamp, now: Timestamp) -> Result<(), Rejected> {
    let apart = (now - signed_at).max(signed_at - now);
    (apart <= TOLERANCE).then_some(()).ok_or(Rejected::Stale(header.name))
}
