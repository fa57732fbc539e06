//! Which repository, and where its API is.

/// A repository by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Root of the API: `https://api.github.com`.
    pub api: String,
    /// Where its page is: `github.com`.
    pub host: String,
    /// Owner.
    pub owner: String,
    /// Name.
    pub name: String,
}

/// A text that names no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no repository: write OWNER/NAME, or its address like https://github.com/OWNER/NAME")]
pub struct AddressError(String);

impl Address {
    /// Reads `OWNER/NAME`, which is at github.com, or the address of a repository's page anywhere. The API is at `api.` before the
    /// host at github.com and ghe.com, and at `/api/v3` on a GitHub Enterprise Server.
    ///
    /// # Errors
    /// Where the text is neither.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => (scheme, rest.trim_end_matches('/')),
            Some(_) => return Err(wrong()),
            None => ("https", text),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (host, owner, name) = match parts[..] {
            [owner, name] if !text.contains("://") => ("github.com", owner, name),
            [host, owner, name] if text.contains("://") => (host, owner, name),
            _ => return Err(wrong()),
        };
        let name = name.strip_suffix(".git").unwrap_or(name);
        // An address may hold a password before an `@`; it would end in messages.
        if host.is_empty() || host.contains('@') || !legal_part(owner) || !legal_part(name) {
            return Err(if host.contains('@') { AddressError("…@…".to_owned()) } else { wrong() });
        }
        let host = host.to_ascii_lowercase();
        let api = api_at(scheme, &host);
        Ok(Self { api, host, owner: owner.to_owned(), name: name.to_owned() })
    }
}

/// Root of the API of the GitHub at that address (`https://github.com`); none where it is no address.
#[must_use]
pub fn api_root(github: &str) -> Option<String> {
    let (scheme, host) = github.trim_end_matches('/').split_once("://")?;
    let legal = |byte: u8| legal(byte) || matches!(byte, b':' | b'[' | b']');
    (matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(legal))
        .then(|| api_at(scheme, &host.to_ascii_lowercase()))
}

fn api_at(scheme: &str, host: &str) -> String {
    if host == "github.com" || host == "www.github.com" {
        "https://api.github.com".to_owned()
    } else if host.ends_with(".ghe.com") {
        format!("{scheme}://api.{host}")
    } else {
        format!("{scheme}://{host}/api/v3")
    }
}

/// Whether a text can be the name of an owner or of a repository.
pub(super) fn legal_part(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && part.bytes().all(legal)
}

const fn legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_in_short_or_by_its_page() {
        let of = |text: &str| Address::parse(text).map(|a| format!("{} {}/{}", a.api, a.owner, a.name)).ok();
        assert_eq!(of("acme/shop").as_deref(), Some("https://api.github.com acme/shop"));
        assert_eq!(of("https://github.com/acme/shop.git").as_deref(), Some("https://api.github.com acme/shop"));
        assert_eq!(of("https://acme.ghe.com/acme/shop/").as_deref(), Some("https://api.acme.ghe.com acme/shop"));
        let server = of("http://git.example.org:8443/acme/shop");
        assert_eq!(server.as_deref(), Some("http://git.example.org:8443/api/v3 acme/shop"));
        for wrong in
            ["", "shop", "acme/", "acme/..", "acme/shop/pulls", "https://github.com/acme", "acme/s?p", "ssh://a/b/c"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_api_is_where_its_github_has_it() {
        assert_eq!(api_root("https://github.com/").as_deref(), Some("https://api.github.com"));
        assert_eq!(api_root("http://127.0.0.1:8443").as_deref(), Some("http://127.0.0.1:8443/api/v3"));
        for wrong in ["github.com", "https://", "ftp://github.com", "https://a/b", "https://u@github.com"] {
            assert_eq!(api_root(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let error = Address::parse("https://user:hunter2@github.com/acme/shop").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
