//! The secret itself, in a header.

use axum::http::HeaderMap;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::Rejected;
use super::compare::is_one;
use super::header::Header;

pub(super) const GITLAB: Header = Header { name: "X-Gitlab-Token", form: "<secret>" };

pub(super) const BUILDKITE: Header = Header { name: "X-Buildkite-Token", form: "<secret>" };

pub(super) const AUTHORIZATION: Header =
    Header { name: "Authorization", form: "Bearer <secret> or Basic <base64 of user:secret>" };

/// The whole value is the secret.
pub(super) fn plain(header: &Header, headers: &HeaderMap, secrets: &[SecretString]) -> Result<(), Rejected> {
    header.matched(is_one(secrets, header.value(headers)?))
}

/// A bearer token, or the password of anybody.
pub(super) fn authorization(headers: &HeaderMap, secrets: &[SecretString]) -> Result<(), Rejected> {
    let header = &AUTHORIZATION;
    let given = header.value(headers)?;
    let space = given.iter().position(|b| *b == b' ').ok_or(header.malformed())?;
    let (kind, rest) = (&given[..space], given[space..].trim_ascii());
    if kind.eq_ignore_ascii_case(b"bearer") {
        return header.matched(is_one(secrets, rest));
    }
    if !kind.eq_ignore_ascii_case(b"basic") {
        return Err(header.malformed());
    }
    let pair = BASE64_STANDARD.decode(rest).map(Zeroizing::new).map_err(|_| header.malformed())?;
    let colon = pair.iter().position(|b| *b == b':').ok_or(header.malformed())?;
    header.matched(is_one(secrets, &pair[colon + 1..]))
}
