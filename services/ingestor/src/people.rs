//! People leave the inbox as keyed hashes only.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use model::event::{Actor, ActorKind};
use sha2::Sha256;

/// Turns accounts and addresses into [`Actor`]s. The key is a secret of the installation and must not change, else one account
/// becomes two; without the key the hashes cannot be tried out against a list of names.
#[derive(Clone)]
pub struct People {
    mac: Hmac<Sha256>,
}

/// Shows nothing: it holds the key.
impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("People")
    }
}

impl People {
    /// Hashes with this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        match Hmac::<Sha256>::new_from_slice(key) {
            Ok(mac) => Self { mac },
            Err(_) => unreachable!("HMAC takes keys of any length"),
        }
    }

    /// The account `name` of `namespace` (a provider's host, or `mail` for an address). Letter case does not count.
    #[must_use]
    pub fn actor(&self, namespace: &str, name: &str, kind: ActorKind) -> Actor {
        let name = name.trim();
        if name.is_empty() {
            return Actor { key: None, kind };
        }
        let mut mac = self.mac.clone();
        mac.update(namespace.to_lowercase().as_bytes());
        mac.update(&[0]);
        mac.update(name.to_lowercase().as_bytes());
        // 128 bits tell any number of accounts apart and keep the records small.
        Actor { key: Some(hex::encode(&mac.finalize().into_bytes()[..16])), kind }
    }

    /// An account as people write one: `github.com/octocat` is that of the host, as its webhooks name it, what has an `@` is an
    /// address, and anything else is an account of the namespace `own` alone.
    #[must_use]
    pub fn account(&self, own: &str, account: &str, kind: ActorKind) -> Actor {
        let (namespace, name) = match account.split_once('/') {
            Some((host, name)) if host.contains('.') && !name.is_empty() => (host, name),
            _ if account.contains('@') => ("mail", account),
            _ => (own, account),
        };
        self.actor(namespace, name, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_is_one_key() {
        let people = People::new(b"k");
        let key = |namespace, name| people.actor(namespace, name, ActorKind::Human).key;
        assert_eq!(key("github.com", "Octocat"), key("GitHub.com", "octocat "));
        assert_ne!(key("github.com", "octocat"), key("mail", "octocat"));
        assert_ne!(
            key("github.com", "octocat"),
            People::new(b"l").actor("github.com", "octocat", ActorKind::Human).key
        );
        assert_eq!(key("mail", " "), None);
        assert_eq!(key("mail", "a").map(|k| k.len()), Some(32));
    }
}
