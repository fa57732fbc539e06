//! Addresses of pages.

/// Host and port of an address, in lower case, by which ids are made unique over all providers. What stands before an `@` is a
/// credential and left out.
pub(super) fn host(url: &str) -> Option<String> {
    let (_, rest) = url.trim().split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then(|| host.to_lowercase())
}

/// The address of a page for people: addresses of other schemes must not end up behind a link, and credentials nowhere.
pub(super) fn page(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    (matches!(scheme, "http" | "https") && !authority.is_empty() && !authority.contains('@')).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_without_credentials() {
        assert_eq!(host("https://Acme.pagerduty.com/incidents/P1").as_deref(), Some("acme.pagerduty.com"));
        assert_eq!(host("http://user:hunter2@ops1:9093").as_deref(), Some("ops1:9093"));
        assert_eq!(host("ops1:9093"), None);
        assert_eq!(host("https:///path"), None);
    }

    #[test]
    fn a_page_is_one_of_the_web() {
        assert_eq!(page(" https://example.org/a?b#c ").as_deref(), Some("https://example.org/a?b#c"));
        for other in ["", "javascript://example.org/%0aalert(1)", "https://user:hunter2@example.org", "https://", "/a"]
        {
            assert_eq!(page(other), None, "{other}");
        }
    }
}
