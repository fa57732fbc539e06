//! How deliveries of a provider are let in. Nothing here looks into a body.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use model::inbox::InboxRecord;
use model::{Realm, Source, Timestamp};
use sha2::{Digest, Sha256};

use super::Provider;
use crate::signature::Scheme;

/// How deliveries of one provider are let in, and what is kept beside the body.
#[derive(Debug)]
pub struct Door {
    /// Name of the provider in the configuration and in the events: `github`.
    pub provider: &'static str,
    /// Ways in which it may prove that a delivery is its own, at least one: the first whose headers are there counts.
    pub schemes: &'static [Scheme],
    /// Headers that together name the delivery, in lower case; the hash of the body does where one of them is missing.
    pub delivery: &'static [&'static str],
    /// Header that names the event, in lower case.
    pub event: Option<&'static str>,
    /// Further headers that are kept, in lower case; `*` at the end stands for any rest. A header that is not listed here does
    /// not get in: credentials and signatures above all.
    pub kept: &'static [&'static str],
}

/// A delivery's own name longer than this is no name; a header may be as long as its sender likes.
const LONGEST_NAME: usize = 256;

impl Door {
    fn keeps(&self, name: &str) -> bool {
        self.kept.iter().any(|kept| match kept.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *kept,
        })
    }

    /// The delivery's own name, where the headers give one that can stand in an id.
    fn delivery(&self, headers: &HeaderMap) -> Option<String> {
        let parts: Option<Vec<String>> = self.delivery.iter().map(|name| text(headers, name)).collect();
        let name = parts?.join("/");
        let printable = name.bytes().all(|b| b.is_ascii_graphic());
        (!name.is_empty() && name.len() <= LONGEST_NAME && printable).then_some(name)
    }
}

/// Makes the inbox record of a delivery, whichever way it came in: by the front door, or from a file on the command line.
///
/// It is named by the provider's own id of the delivery, else by the SHA-256 of the body (hex), so that the same delivery sent
/// twice is one record. The body is not looked at.
#[must_use]
pub fn record(
    source: Source,
    realm: Realm,
    provider: &str,
    headers: &HeaderMap,
    body: Vec<u8>,
    now: Timestamp,
) -> InboxRecord {
    let door = super::find(provider).map(Provider::door);
    let kept = headers.keys().filter(|name| door.is_some_and(|door| door.keeps(name.as_str())));
    InboxRecord {
        source,
        realm,
        provider: provider.to_owned(),
        delivery: door.and_then(|door| door.delivery(headers)).unwrap_or_else(|| hex::encode(Sha256::digest(&body))),
        event: door.and_then(|door| door.event).and_then(|name| text(headers, name)),
        content_type: text(headers, CONTENT_TYPE.as_str()),
        headers: kept.filter_map(|name| Some((name.as_str().to_owned(), text(headers, name.as_str())?))).collect(),
        received_at: now,
        body: body.into(),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
        pairs.iter().map(|(name, text)| (name.parse::<HeaderName>().unwrap(), value(text))).collect()
    }

    fn taken(provider: &str, pairs: &[(&str, &str)]) -> InboxRecord {
        record("s".into(), "r".into(), provider, &headers(pairs), b"body".to_vec(), Timestamp(7))
    }

    const HASH: &str = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";

    #[test]
    fn keeps_what_is_listed_and_no_credentials() {
        let all = [
            ("Authorization", "Bearer hunter2"),
            ("Cookie", "hunter2"),
            ("Content-Type", "application/json"),
            ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ("X-GitHub-Event", "push"),
            ("X-GitHub-Hook-ID", "292430182"),
            ("X-Hub-Signature", "sha1=hunter2"),
            ("X-Hub-Signature-256", "sha256=hunter2"),
            ("Ce-Id", "1"),
            ("Ce-Source", "/ci"),
            ("Ce-Type", "dev.cdevents.pipelinerun.started.0.2.0"),
        ];
        let github = taken("github", &all);
        assert_eq!(github.delivery, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
        assert_eq!((github.event.as_deref(), github.content_type.as_deref()), (Some("push"), Some("application/json")));
        assert_eq!(github.headers.into_iter().collect::<Vec<_>>(), [("x-github-hook-id".into(), "292430182".into())]);
        let cdevents = taken("cdevents", &all);
        assert_eq!((cdevents.delivery.as_str(), cdevents.received_at), ("/ci/1", Timestamp(7)));
        assert_eq!(cdevents.headers.keys().collect::<Vec<_>>(), ["ce-id", "ce-source", "ce-type"]);
        for provider in crate::providers::names().chain(["nobody"]) {
            assert!(!format!("{:?}", taken(provider, &all)).contains("hunter2"), "{provider}");
        }
    }

    #[test]
    fn headers_are_named_in_lower_case_and_no_credential_is_kept() {
        for door in crate::providers::PROVIDERS.iter().map(|provider| provider.door()) {
            assert!(!door.schemes.is_empty(), "{}: anybody could send", door.provider);
            for name in door.delivery.iter().chain(&door.event).chain(door.kept) {
                assert_eq!(*name, name.to_ascii_lowercase(), "{}", door.provider);
                let secret = ["authorization", "signature", "token", "secret", "cookie"];
                assert!(!secret.iter().any(|word| name.contains(word)), "{}: {name}", door.provider);
            }
        }
    }

    #[test]
    fn a_delivery_without_a_name_is_named_by_its_body() {
        assert_eq!(taken("github", &[]).delivery, HASH);
        assert_eq!(taken("cdevents", &[("ce-id", "1")]).delivery, HASH);
        assert_eq!(taken("import", &[]).delivery, HASH);
        assert_eq!(taken("nobody", &[("x-github-delivery", "1")]).delivery, HASH);
        for name in ["", "a b", "é", &"a".repeat(257)] {
            assert_eq!(taken("github", &[("x-github-delivery", name)]).delivery, HASH, "{name}");
        }
    }
}
