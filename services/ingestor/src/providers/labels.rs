//! Values that people attach to an alert under names of their own: labels, custom details, custom fields.
//!
//! Names are compared in lower case, with `_` for whatever is no letter or digit: `app.kubernetes.io/version` is
//! `app_kubernetes_io_version`, as Prometheus writes it. A value counts only under a name of the lists below, and only where it has
//! the form of what it should name; nothing is searched for in texts. Where two names tell different things, neither counts.

use std::collections::BTreeMap;

use model::event::References;
use model::{ArtifactId, ChangeId, CommitId, DeploymentId, Environment, Repository};
use serde_json::Value;

use super::cdevents::named::of_address;

const SERVICE: &[&str] = &["service", "service_name", "component", "app", "application", "app_kubernetes_io_name"];
/// The last two are OpenTelemetry's.
const ENVIRONMENT: &[&str] = &["environment", "env", "deployment_environment", "deployment_environment_name"];
const REPOSITORY: &[&str] = &["repository", "repository_url", "repo", "repo_url", "vcs_repository_url_full"];
const COMMIT: &[&str] = &[
    "commit",
    "commit_id",
    "commit_sha",
    "commit_url",
    "git_commit",
    "git_sha",
    "revision",
    "sha",
    "vcs_ref_head_revision",
];
/// Not `release`: Helm's label of that name is the name of an installation.
const VERSION: &[&str] = &["version", "app_version", "service_version", "app_kubernetes_io_version"];
const ARTIFACT: &[&str] = &["artifact", "image"];
/// `deployment` is mostly the name of a Kubernetes workload: only an id that begins with a host names what was deployed.
const DEPLOYMENT: &[&str] = &["deployment", "deployment_id", "deployment_url"];
const CHANGE: &[&str] =
    &["change", "change_url", "pull_request", "pull_request_url", "pr", "pr_url", "merge_request", "merge_request_url"];
const RUN: &[&str] =
    &["run", "run_url", "pipeline_run", "pipeline_url", "workflow_run", "workflow_run_url", "build_url"];

/// Named values; of one name the first counts.
#[derive(Debug, Default)]
pub(super) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Adds a value. What is no text, number or flag names nothing.
    pub(super) fn add(&mut self, name: &str, value: &Value) {
        let value = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return,
        };
        if !value.is_empty() {
            self.0.entry(plain(name)).or_insert(value);
        }
    }

    /// Adds the members of an object; anything else has none.
    pub(super) fn add_all(&mut self, object: &Value) {
        for (name, value) in object.as_object().into_iter().flatten() {
            self.add(name, value);
        }
    }

    /// The value of the first of these names that has one.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(*name)).map(String::as_str)
    }

    pub(super) fn service(&self) -> Option<&str> {
        self.first(SERVICE)
    }

    pub(super) fn environment(&self) -> Option<Environment> {
        self.first(ENVIRONMENT).map(Environment::new)
    }

    /// What they name as the cause or the object of an incident, beside its services and its environment.
    pub(super) fn references(&self) -> Option<References> {
        together(self.0.iter().map(|(name, value)| reference(name, value)))
    }
}

/// What links name together: the addresses of changes, commits and runs at code hosts.
pub(super) fn linked<'a>(links: impl IntoIterator<Item = &'a str>) -> Option<References> {
    together(links.into_iter().map(of_address))
}

/// References in one, where they agree: what two of them tell differently is not told.
pub(super) fn together(all: impl IntoIterator<Item = References>) -> Option<References> {
    let all: Vec<References> = all.into_iter().filter(|told| *told != References::default()).collect();
    let told = References {
        repository: agreed(&all, |told| told.repository.clone()),
        commit: agreed(&all, |told| told.commit.clone()),
        change: agreed(&all, |told| told.change.clone()),
        run: agreed(&all, |told| told.run.clone()),
        deployment: agreed(&all, |told| told.deployment.clone()),
        artifact: agreed(&all, |told| told.artifact.clone()),
        version: agreed(&all, |told| told.version.clone()),
        ..References::default()
    };
    (told != References::default()).then_some(told)
}

fn agreed<T: PartialEq>(all: &[References], of: impl Fn(&References) -> Option<T>) -> Option<T> {
    let mut told = all.iter().filter_map(of);
    let first = told.next()?;
    told.all(|other| other == first).then_some(first)
}

/// What one value names.
fn reference(name: &str, value: &str) -> References {
    let is = |names: &[&str]| names.contains(&name);
    let linked = of_address(value);
    if is(COMMIT) {
        let commit = CommitId::given(value).filter(|id| id.is_full() || id.is_abbreviation()).or(linked.commit);
        References { commit, repository: linked.repository, ..References::default() }
    } else if is(CHANGE) {
        let number = (!value.bytes().any(|b| !b.is_ascii_digit())).then(|| ChangeId::new(value));
        References { change: number.or(linked.change), repository: linked.repository, ..References::default() }
    } else if is(RUN) {
        References { run: linked.run, repository: linked.repository, ..References::default() }
    } else if is(REPOSITORY) {
        let repository = hosted(value).map(|_| Repository::from_url(value));
        References { repository, ..References::default() }
    } else if is(DEPLOYMENT) {
        References { deployment: hosted(value).map(DeploymentId::new), ..References::default() }
    } else if is(ARTIFACT) {
        References { artifact: identified(value).then(|| ArtifactId::new(value)), ..References::default() }
    } else if is(VERSION) {
        References { version: Some(value.to_owned()), ..References::default() }
    } else {
        References::default()
    }
}

/// What begins with a host, without its scheme.
fn hosted(value: &str) -> Option<&str> {
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest).trim_end_matches('/');
    let (host, path) = bare.split_once('/')?;
    (host.contains('.') && !host.contains(['@', ' ']) && !path.is_empty()).then_some(bare)
}

/// A package URL, or an image with a tag or a digest: without either, it is any version of it.
fn identified(value: &str) -> bool {
    let name = value.rsplit_once('/').map_or(value, |(_, name)| name);
    !value.contains(' ') && (value.starts_with("pkg:") || name.contains([':', '@']))
}

fn plain(name: &str) -> String {
    name.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(object: &Value) -> Option<References> {
        let mut labels = Labels::default();
        labels.add_all(object);
        labels.references()
    }

    #[test]
    fn what_is_named_by_its_form_is_a_reference() {
        let sha = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
        let all = told(&json!({
            "Commit SHA": sha.to_uppercase(),
            "repo_url": "https://github.com/Acme/Shop.git",
            "app.kubernetes.io/version": "v1.4.0",
            "deployment": "https://github.com/acme/shop/deployments/42",
            "image": "registry.example.org/acme/shop:v1.4.0",
            "workflow-run": "https://github.com/acme/shop/actions/runs/7",
            "pull_request": 12,
        }));
        let expected = References {
            repository: Some("github.com/acme/shop".into()),
            commit: CommitId::given(sha),
            change: Some("12".into()),
            run: Some("github.com/acme/shop/actions/runs/7".into()),
            deployment: Some("github.com/acme/shop/deployments/42".into()),
            artifact: Some("registry.example.org/acme/shop:v1.4.0".into()),
            version: Some("v1.4.0".to_owned()),
            ..References::default()
        };
        assert_eq!(all, Some(expected));
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for (name, value) in [
            ("deployment", "shop-web"),
            ("revision", "3"),
            ("sha", "main"),
            ("image", "registry.example.org:5000/acme/shop"),
            ("repo", "acme/shop"),
            ("release", "kube-prometheus-stack"),
            ("run", "nightly"),
            ("change", "CHG0030001"),
            ("summary", "https://github.com/acme/shop/pull/12"),
        ] {
            assert_eq!(told(&json!({ name: value })), None, "{name}");
        }
    }

    #[test]
    fn what_two_names_tell_differently_is_not_told() {
        let told = told(&json!({"version": "v1", "app_version": "v2", "commit": "6dcb09b", "sha": "6dcb09b"}));
        assert_eq!(told, Some(References { commit: CommitId::given("6dcb09b"), ..References::default() }));
    }
}
