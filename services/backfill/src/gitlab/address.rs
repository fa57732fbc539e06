//! Which project, and where its API is.

/// A project by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Root of the API: `https://gitlab.com/api/v4`.
    pub api: String,
    /// Where its page is: `gitlab.com`.
    pub host: String,
    /// Path of the project with its groups.
    pub project: String,
}

/// A text that names no project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no project: write GROUP/PROJECT, or its address like https://gitlab.com/GROUP/PROJECT")]
pub struct AddressError(String);

impl Address {
    /// Reads `GROUP/PROJECT`, with groups in groups, which is at gitlab.com, or the address of a project's page anywhere.
    ///
    /// # Errors
    /// Where the text is neither.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let (scheme, host, path) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => {
                let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
                (scheme, host.to_ascii_lowercase(), path)
            }
            Some(_) => return Err(wrong()),
            None => ("https", "gitlab.com".to_owned(), text),
        };
        // An address may hold a password before an `@`; it would end in messages.
        if host.contains('@') {
            return Err(AddressError("…@…".to_owned()));
        }
        let path = path.trim_end_matches('/');
        let project = path.strip_suffix(".git").unwrap_or(path);
        let legal = |part: &str| !matches!(part, "" | "." | ".." | "-") && part.bytes().all(legal);
        if host.is_empty() || !project.contains('/') || !project.split('/').all(legal) {
            return Err(wrong());
        }
        Ok(Self { api: format!("{scheme}://{host}/api/v4"), host, project: project.to_owned() })
    }
}

const fn legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_named_in_short_or_by_its_page() {
        let of = |text: &str| Address::parse(text).map(|a| format!("{} {}", a.api, a.project)).ok();
        assert_eq!(of("acme/shop").as_deref(), Some("https://gitlab.com/api/v4 acme/shop"));
        let nested = of("https://gitlab.com/acme/backend/shop.git");
        assert_eq!(nested.as_deref(), Some("https://gitlab.com/api/v4 acme/backend/shop"));
        let own = of("http://Git.example.org:8443/acme/shop/");
        assert_eq!(own.as_deref(), Some("http://git.example.org:8443/api/v4 acme/shop"));
        for wrong in
            ["", "shop", "acme/", "acme/..", "https://gitlab.com/shop", "https://gitlab.com", "acme/s?p", "ssh://a/b/c"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_eq!(of("https://gitlab.com/acme/shop/-/merge_requests/1"), None);
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let error = Address::parse("https://user:hunter2@gitlab.com/acme/shop").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
