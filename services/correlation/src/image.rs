//! Names of artifacts: image references, package URLs, digests, and the commits that their tags are named after.

use model::{ArtifactId, CommitId};

/// An artifact's name, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Name without tag and digest; none of a bare digest.
    pub name: Option<String>,
    /// Tag, or version.
    pub tag: Option<String>,
    /// Digest of its content: `sha256:…`.
    pub digest: Option<String>,
}

impl Image {
    /// Takes a name apart: `ghcr.io/acme/shop:1.4@sha256:…`, `pkg:oci/shop@sha256%3A…?tag=1.4`, `sha256:…`.
    pub fn of(given: &ArtifactId) -> Self {
        let text = given.as_str();
        if is_digest(text) {
            return Self { digest: Some(text.to_owned()), ..Self::default() };
        }
        if let Some(package) = text.strip_prefix("pkg:") {
            return Self::of_package(package);
        }
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (text, digest) = text.split_once('@').map_or((text, None), |(text, digest)| (text, Some(digest)));
        // A colon before the last slash is that of a port.
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (text, None),
        };
        Self {
            name: (!name.is_empty()).then(|| name.to_owned()),
            tag: tag.filter(|tag| !tag.is_empty()).map(str::to_owned),
            digest: digest.filter(|digest| is_digest(digest)).map(str::to_owned),
        }
    }

    /// By the [package URL specification](https://github.com/package-url/purl-spec), without `pkg:`.
    fn of_package(package: &str) -> Self {
        let (package, qualifiers) = package.split_once('?').unwrap_or((package, ""));
        let (name, version) = package.rsplit_once('@').unwrap_or((package, ""));
        let version = version.replace("%3A", ":").replace("%3a", ":");
        let tag = qualifiers.split('&').find_map(|pair| pair.strip_prefix("tag="));
        let (tag, digest) = match (is_digest(&version), tag) {
            (true, tag) => (tag.map(str::to_owned), Some(version)),
            (false, Some(tag)) => (Some(tag.to_owned()), None),
            (false, None) => ((!version.is_empty()).then_some(version), None),
        };
        Self { name: Some(format!("pkg:{name}")), tag, digest }
    }

    /// Name under which an artifact of this name and this tag is looked for.
    pub fn tagged(&self, tag: &str) -> Option<ArtifactId> {
        self.name.as_ref().map(|name| ArtifactId::new(format!("{name}:{tag}")))
    }
}

fn is_digest(text: &str) -> bool {
    ["sha256:", "sha384:", "sha512:"].iter().any(|method| text.starts_with(method))
}

/// Commits that a tag may be named after: runs of at least seven hex digits between other characters, as in `release-1f3a9c2`,
/// `main-1f3a9c2-7`, or `v1.4-3-g1f3a9c2` of `git describe`.
pub fn commits_in(tag: &str) -> Vec<CommitId> {
    // A digest has the length of a commit's id and is none.
    let named = tag.split_once('@').filter(|(_, digest)| is_digest(digest)).map_or(tag, |(named, _)| named);
    if is_digest(named) {
        return Vec::new();
    }
    let words = named.split(|c: char| !c.is_ascii_alphanumeric());
    let found = words.flat_map(|word| [Some(word), word.strip_prefix('g')]).flatten().filter_map(CommitId::given);
    found.filter(|commit| commit.is_full() || commit.is_abbreviation()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, Option<String>, Option<String>) {
        let Image { name, tag, digest } = Image::of(&text.into());
        (name, tag, digest)
    }

    #[test]
    fn names_are_taken_apart() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("ghcr.io/acme/shop:1.4"), (some("ghcr.io/acme/shop"), some("1.4"), None));
        assert_eq!(parts("localhost:5000/shop"), (some("localhost:5000/shop"), None, None));
        assert_eq!(
            parts("localhost:5000/shop:a@sha256:0f"),
            (some("localhost:5000/shop"), some("a"), some("sha256:0f"))
        );
        assert_eq!(parts("sha256:0f"), (None, None, some("sha256:0f")));
        assert_eq!(parts("docker://shop@sha256:0f"), (some("shop"), None, some("sha256:0f")));
        assert_eq!(parts("pkg:oci/shop@sha256%3A0f?tag=1.4"), (some("pkg:oci/shop"), some("1.4"), some("sha256:0f")));
        assert_eq!(
            parts("pkg:docker/acme/shop@1.4?repository_url=ghcr.io"),
            (some("pkg:docker/acme/shop"), some("1.4"), None)
        );
    }

    #[test]
    fn a_tag_may_hold_a_commit() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(commits_in(sha), [CommitId::new(sha)]);
        assert_eq!(commits_in(&format!("release-{sha}")), [CommitId::new(sha)]);
        assert_eq!(commits_in("main-1F3A9C2-7"), [CommitId::new("1f3a9c2")]);
        assert_eq!(commits_in("v1.4-3-g1f3a9c2"), [CommitId::new("1f3a9c2")]);
        assert_eq!(commits_in(&format!("shop@sha256:{}", "0f".repeat(32))), []);
        for none in ["v12", "release_123", "main", "sha256:0123456789abcdef", "decade", "feedbackloop"] {
            assert_eq!(commits_in(none), [], "{none}");
        }
    }
}
