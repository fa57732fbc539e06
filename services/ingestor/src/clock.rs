//! The edge at which time comes in.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// Now, by this machine's clock. Only what is new is stamped with it; everything behind the inbox reads the stamp.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
