//! Identities: texts that must not be mistaken for one another.
//!
//! They stand in records, indexes and keys at the same time, so a copy shares the text.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, de};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text).map(Self)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

ids! {
    /// Unit inside which things may refer to each other: an organisation.
    Realm;
    /// Name of a source in the configuration.
    Source;
    /// Repository: host and path in lower case, `github.com/acme/shop`. See [`Repository::from_url`].
    Repository;
    /// Commit: lower-case hex, full or abbreviated as the provider gave it. See [`CommitId::given`].
    CommitId;
    /// Change (pull request, merge request) within its repository: `12`.
    ChangeId;
    /// Pipeline run, unique over all providers: `github.com/acme/shop/actions/runs/1`.
    RunId;
    /// Task run, unique over all providers.
    TaskId;
    /// Deployment, unique over all providers.
    DeploymentId;
    /// One meeting of a gate, unique over all providers.
    GateId;
    /// Incident, unique over all providers.
    IncidentId;
    /// Artifact as given: package URL, image reference or digest.
    ArtifactId;
    /// Component: what is released and deployed as one.
    Component;
    /// Version of a component: the deployed tag, else the full commit id.
    Version;
    /// Environment by name.
    Environment;
}

/// Reads a text straight into memory that can be shared.
struct Text;

impl de::Visitor<'_> for Text {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Arc<str>, E> {
        Ok(text.into())
    }
}

impl Repository {
    /// Repository from an address for people or for git: `https://github.com/Acme/Shop.git`, `git@github.com:acme/shop.git`,
    /// `ssh://git@host:22/acme/shop` all become `host/acme/shop`. A text without a host is kept, in lower case.
    #[must_use]
    pub fn from_url(url: &str) -> Self {
        let url = url.trim();
        let (rest, scp) = match url.split_once("://") {
            Some((_, rest)) => (rest, false),
            None => (url, true),
        };
        let (authority, path) = match (rest.find('/'), rest.find(':')) {
            // `git@host:path`: without a scheme, the first colon ends the host.
            (slash, Some(colon)) if scp && slash.is_none_or(|s| colon < s) => (&rest[..colon], &rest[colon + 1..]),
            (Some(slash), _) => (&rest[..slash], &rest[slash + 1..]),
            (None, _) => (rest, ""),
        };
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let name = if path.is_empty() { host.to_lowercase() } else { format!("{host}/{path}").to_lowercase() };
        Self(name.into())
    }

    /// Last part of the path: `shop` of `github.com/acme/shop`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl CommitId {
    /// Commit as a provider gave it, in lower case; none for an empty text and for the all-zero id that stands for "no commit".
    #[must_use]
    pub fn given(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.bytes().all(|b| b == b'0')).then(|| Self(text.to_ascii_lowercase().into()))
    }

    /// A full id: 40 hex digits (SHA-1) or 64 (SHA-256).
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.0.len(), 40 | 64) && self.is_hex()
    }

    /// Hex digits, at least seven: may be looked up among known commits.
    #[must_use]
    pub fn is_abbreviation(&self) -> bool {
        (7..40).contains(&self.0.len()) && self.is_hex()
    }

    fn is_hex(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_one_name() {
        for url in [
            "https://github.com/Acme/Shop.git",
            "https://user:secret@github.com/acme/shop",
            "git@github.com:acme/shop.git",
            "ssh://git@github.com:22/acme/shop/",
            "github.com/acme/shop",
        ] {
            assert_eq!(Repository::from_url(url).as_str(), "github.com/acme/shop", "{url}");
        }
        assert_eq!(Repository::from_url("shop").as_str(), "shop");
        assert_eq!(Repository::from_url("github.com/acme/shop").name(), "shop");
    }

    #[test]
    fn no_commit_is_none() {
        assert_eq!(CommitId::given(""), None);
        assert_eq!(CommitId::given(&"0".repeat(40)), None);
        assert!(CommitId::given(&"AB".repeat(20)).unwrap().is_full());
        assert!(CommitId::given("abc1234").unwrap().is_abbreviation());
        assert!(!CommitId::given("main").unwrap().is_abbreviation());
    }
}
