//! What a body names beside its own subject, where people write the body themselves: the member `references` of bodies that a rule
//! or a script at the provider sends.
//!
//! ```json
//! {"repository": "https://github.com/acme/shop", "commit": "…", "ref": "main", "change": "12",
//!  "run": "https://github.com/acme/shop/actions/runs/1", "deployment": "…", "artifact": "…",
//!  "service": "shop", "environment": "production", "version": "v1.4.0", "severity": "SEV1"}
//! ```
//!
//! All of it may be left out or empty, as it is where the field that should fill it has no value.

use model::event::References;
use model::{ArtifactId, ChangeId, CommitId, DeploymentId, Environment, Repository, RunId};
use serde_json::Value;

use super::cdevents::named::of_address;

/// The references of a body: those of its member `references`.
pub(super) fn given(body: &Value) -> References {
    let member = |name: &str| text(body.get("references")?.get(name)?);
    let at = member("run").map(|run| of_run(&run)).unwrap_or_default();
    References {
        repository: member("repository").map(|url| Repository::from_url(&url)).or(at.repository),
        commit: member("commit").and_then(|id| CommitId::given(&id)).filter(|id| id.is_full() || id.is_abbreviation()),
        ref_name: member("ref").or_else(|| member("branch")),
        change: member("change").map(ChangeId::new).or(at.change),
        run: at.run,
        deployment: member("deployment").map(|id| DeploymentId::new(without_scheme(&id))),
        artifact: member("artifact").map(ArtifactId::new),
        service: member("service"),
        environment: member("environment").map(Environment::new),
        version: member("version"),
        ..References::default()
    }
}

/// The severity that a rule or a script adds in the same place.
pub(super) fn severity(body: &Value) -> Option<String> {
    text(body.get("references")?.get("severity")?)
}

/// What the address or the id of a run names: the run, and what else its address tells. A text without a host names no run, since ids
/// of runs are unique over all providers.
pub(super) fn of_run(text: &str) -> References {
    let known = of_address(text);
    if known != References::default() {
        return known;
    }
    let id = without_scheme(text);
    let host = id.split_once('/').map(|(host, path)| host.contains('.') && !path.is_empty());
    References { run: (host == Some(true)).then(|| RunId::new(id)), ..References::default() }
}

/// An address as an id: without its scheme and a slash at its end.
fn without_scheme(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, rest)| rest).trim_end_matches('/')
}

/// A text or a number that says something.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_empty_is_not_told() {
        let body =
            json!({"references": {"repository": "", "commit": " ", "run": null, "version": ["1"], "change": 12}});
        assert_eq!(given(&body), References { change: Some("12".into()), ..References::default() });
        assert_eq!(given(&json!({"references": "x"})), References::default());
        assert_eq!(given(&json!({"references": {"commit": "main"}})), References::default(), "a branch is no commit");
    }

    #[test]
    fn a_run_is_named_by_its_address() {
        let run = |text: &str| of_run(text).run.map(|run| run.to_string());
        let github = "https://github.com/Acme/shop/actions/runs/7/attempts/2";
        assert_eq!(run(github).as_deref(), Some("github.com/acme/shop/actions/runs/7"));
        assert_eq!(of_run(github).repository, Some("github.com/acme/shop".into()));
        assert_eq!(run("https://ci.example.com/job/shop/7/").as_deref(), Some("ci.example.com/job/shop/7"));
        assert_eq!(run("4711"), None);
        assert_eq!(run("a3c1/b2"), None);
    }
}
