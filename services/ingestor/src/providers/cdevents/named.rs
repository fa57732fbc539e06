//! What an event names besides its subject: repository, commit, change, run. Nothing is guessed; two places that name different
//! repositories are not mixed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::event::References;
use model::{ArtifactId, ChangeId, CommitId, Environment, Repository, RunId};
use packageurl::PackageUrl;
use serde_json::Value;

use super::shape::{Reference, qualified};

/// References gathered from several places, the most telling first.
#[derive(Debug, Default)]
pub struct Pointer(pub References);

impl Pointer {
    /// Fills the gaps, unless the other place speaks of another repository.
    pub fn add(&mut self, other: References) {
        let own = &mut self.0;
        if let (Some(a), Some(b)) = (&own.repository, &other.repository)
            && a != b
        {
            return;
        }
        own.repository = own.repository.take().or(other.repository);
        own.commit = own.commit.take().or(other.commit);
        own.change = own.change.take().or(other.change);
        own.run = own.run.take().or(other.run);
        own.artifact = own.artifact.take().or(other.artifact);
        own.version = own.version.take().or(other.version);
        own.ticket = own.ticket.take().or(other.ticket);
    }
}

/// What `customData` tells.
#[derive(Debug, Default)]
pub struct Custom {
    pub named: References,
    pub name: Option<String>,
    pub url: Option<String>,
}

impl Custom {
    /// Reads an object, or base64 of one; anything else tells nothing, since the sender may put there what it likes.
    pub fn read(data: &Value, source: &str) -> Self {
        match data {
            Value::Object(_) => Self::of_object(data, source),
            Value::String(encoded) => {
                let decoded = STANDARD.decode(encoded).ok().and_then(|b| serde_json::from_slice::<Value>(&b).ok());
                decoded.map_or_else(Self::default, |data| Self::of_object(&data, source))
            }
            _ => Self::default(),
        }
    }

    fn of_object(data: &Value, source: &str) -> Self {
        let text = |keys: &[&str]| keys.iter().find_map(|key| scalar(&data[*key]));
        let named = References {
            repository: text(&["repository"]).map(|url| Repository::from_url(&url)),
            commit: text(&["commit", "sha"]).and_then(|id| commit(&id)),
            ref_name: text(&["ref", "branch"]),
            change: text(&["change"]).map(ChangeId::new),
            run: run(&data["pipelineRun"], source),
            service: text(&["service"]),
            environment: text(&["environment"]).map(Environment::new),
            version: text(&["version"]),
            ticket: text(&["ticket"]),
            ..References::default()
        };
        Self { named, name: text(&["name"]), url: text(&["url"]) }
    }
}

fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn run(value: &Value, source: &str) -> Option<RunId> {
    let (id, source) = match value {
        Value::Object(run) => (scalar(run.get("id")?)?, run.get("source").and_then(Value::as_str).unwrap_or(source)),
        other => (scalar(other)?, source),
    };
    Some(RunId::new(qualified(source, &id)))
}

/// A commit, where the text can be one.
fn commit(text: &str) -> Option<CommitId> {
    CommitId::given(text).filter(|id| id.is_full() || id.is_abbreviation())
}

/// A source that is the address of a repository: it has a host and a path.
pub fn repository_source(source: &str) -> Option<Repository> {
    let repository = Repository::from_url(source);
    let (host, path) = repository.as_str().split_once('/')?;
    (host.contains('.') && !path.is_empty()).then_some(repository)
}

/// The repository that a content names: its id at its source.
pub fn of_repository(reference: Option<&Reference>) -> References {
    let repository = reference.map(|reference| {
        let id = reference.id.as_str();
        match reference.source.get() {
            _ if id.contains("://") => Repository::from_url(id),
            Some(source) if source.trim_end_matches('/').ends_with(id) => Repository::from_url(source),
            Some(source) if source.contains('.') => Repository::from_url(&qualified(source, id)),
            _ => Repository::from_url(id),
        }
    });
    References { repository, ..References::default() }
}

/// The change that an artifact was made from: its source is its repository. Some senders give the commit for it.
pub fn of_change(reference: Option<&Reference>) -> References {
    let Some(reference) = reference else { return References::default() };
    let page = of_address(&reference.id);
    if page.change.is_some() {
        return page;
    }
    let repository = reference.source.get().and_then(repository_source);
    match commit(&reference.id).filter(CommitId::is_full) {
        Some(commit) => References { repository, commit: Some(commit), ..References::default() },
        None => References { repository, change: Some(ChangeId::new(reference.id.as_str())), ..References::default() },
    }
}

/// What the address of a page of a code host names: a pull or merge request, a commit, a workflow run. A package URL names an
/// artifact.
pub fn of_address(address: &str) -> References {
    if address.starts_with("pkg:") {
        return References { artifact: Some(ArtifactId::new(address)), ..of_artifact(address) };
    }
    let Some((_, path)) = address.split_once("://") else { return References::default() };
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != "-").collect();
    // Host, owner and name come first, GitLab's groups may be many.
    for at in 3..parts.len().saturating_sub(1) {
        let repository = Some(Repository::from_url(&parts[..at].join("/")));
        match parts[at..] {
            ["pull" | "pulls" | "merge_requests" | "pull-requests", number, ..] if is_number(number) => {
                return References { repository, change: Some(ChangeId::new(number)), ..References::default() };
            }
            ["commit" | "commits", id, ..] if commit(id).is_some() => {
                return References { repository, commit: commit(id), ..References::default() };
            }
            ["actions", "runs", number, ..] if is_number(number) => {
                let run = RunId::new(parts[..at + 3].join("/").to_lowercase());
                return References { repository, run: Some(run), ..References::default() };
            }
            _ => {}
        }
    }
    References::default()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What a domain id of the 0.6 draft names: `cdevents:v0:github::acme:shop:pr:42`. A host of one's own (the field after the provider)
/// is a name that only its owner can resolve.
pub fn of_domain_id(id: &str) -> References {
    let parts: Vec<&str> = id.splitn(8, ':').collect();
    let ["cdevents", "v0", provider, instance, groups, name, kind, id] = parts[..] else {
        return References::default();
    };
    if provider == "jira" && kind == "issue" {
        return References { ticket: Some(id.to_owned()), ..References::default() };
    }
    let host = match provider {
        "github" => "github.com",
        "gitlab" => "gitlab.com",
        "bitbucket" => "bitbucket.org",
        _ => return References::default(),
    };
    if !instance.is_empty() || groups.is_empty() || name.is_empty() {
        return References::default();
    }
    let repository = Some(Repository::from_url(&format!("{host}/{groups}/{name}")));
    match kind {
        "pr" | "mr" => References { repository, change: Some(ChangeId::new(id)), ..References::default() },
        "commit" => References { repository, commit: commit(id), ..References::default() },
        _ => References { repository, ..References::default() },
    }
}

/// What a package URL tells of its origin: the qualifier `vcs_url`, or a type whose versions are commits and tags of a repository.
/// <https://github.com/package-url/purl-spec>
pub fn of_artifact(artifact: &str) -> References {
    let Ok(purl) = artifact.parse::<PackageUrl<'_>>() else { return References::default() };
    let version = purl.qualifiers().get("tag").map(AsRef::as_ref).or(purl.version()).filter(|v| digest(v).is_none());
    let mut named = References { version: version.map(str::to_owned), ..References::default() };
    let host = match purl.ty() {
        "github" => Some("github.com"),
        "bitbucket" => Some("bitbucket.org"),
        _ => None,
    };
    if let Some(vcs) = purl.qualifiers().get("vcs_url") {
        let (url, revision) = match vcs.rsplit_once('@') {
            // An `@` before the last slash is that of an account.
            Some((url, revision)) if !revision.contains('/') => (url, Some(revision)),
            _ => (vcs.as_ref(), None),
        };
        named.repository = Some(Repository::from_url(url));
        named.commit = revision.and_then(commit);
    } else if let (Some(host), Some(owner)) = (host, purl.namespace()) {
        named.repository = Some(Repository::from_url(&format!("{host}/{owner}/{}", purl.name())));
        named.commit = purl.version().and_then(commit).filter(CommitId::is_full);
    }
    named
}

/// The digest inside a package URL, an image reference or a version: `sha256:` and 64 hex digits, the colon perhaps encoded.
pub fn digest(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (_, rest) = text.split_once("sha256:").or_else(|| text.split_once("sha256%3a"))?;
    let hex = rest.get(..64)?;
    hex.bytes().all(|b| b.is_ascii_hexdigit()).then(|| format!("sha256:{hex}"))
}

/// Tags that a package URL carries.
pub fn tags(artifact: &str) -> Vec<String> {
    let Ok(purl) = artifact.parse::<PackageUrl<'_>>() else { return Vec::new() };
    purl.qualifiers().get("tag").map(|tag| tag.to_string()).into_iter().collect()
}
