//! Which file under a folder of real payloads is a body of which provider, and which is none and why.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::github_bodies::bodies_under;

/// A body and how it is posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Its file, from the folder of all on.
    pub file: String,
    /// Who sends it.
    pub provider: &'static str,
    /// Headers by which the provider names it; the proof comes beside them.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// A file.
#[derive(Clone, Debug)]
pub enum File {
    /// A body.
    Body(Posted),
    /// None, and why.
    NoBody(String, &'static str),
}

/// What lies where.
#[derive(Clone, Copy)]
enum Place {
    Of(&'static str),
    NoBody(&'static str),
}

const API: Place = Place::NoBody("an answer of the provider's API, not a webhook");
const SCHEMA: Place = Place::NoBody("a schema or a description of one");

/// The first line whose beginning and end fit decides.
const PLACES: &[(&str, &str, Place)] = &[
    ("", "README.md", Place::NoBody("where the files are from")),
    ("cdevents/main-0.6.0-draft/conformance/formats/", "", Place::NoBody("vectors for the form of an id")),
    ("cdevents/main-0.6.0-draft/conformance/", ".json", Place::Of("cdevents")),
    ("cdevents/v0.5.1/conformance/", ".json", Place::Of("cdevents")),
    ("cdevents/main-0.6.0-draft/custom/conformance.json", "", Place::Of("cdevents")),
    ("cdevents/", "", SCHEMA),
    ("gitlab/", ".json", Place::Of("gitlab")),
    ("ci/jenkins/cdevents-plugin/", ".json", Place::Of("jenkins")),
    (
        "ci/jenkins/generic-webhook-trigger-bdd/",
        "",
        Place::NoBody("a test of a plugin about what others send to Jenkins"),
    ),
    ("ci/jenkins/ocean/", "", API),
    ("ci/argocd/", ".json", Place::Of("argocd")),
    ("incident/alertmanager/", ".json", Place::Of("alertmanager")),
    ("incident/opsgenie/", "", API),
    ("incident/pagerduty/", "", API),
    ("incident/jira/devlake-api-raw/", "", API),
    ("incident/jira/ocean/", "", API),
    ("incident/jira/zulip/example_anomalous_payload.json", "", Place::NoBody("made up by its testers to be refused")),
    ("incident/jira/zulip/", ".json", Place::Of("jira")),
    ("incident/servicenow/ocean/vulnerability-response.json", "", API),
    ("incident/servicenow/", ".json", Place::Of("servicenow")),
];

/// Every file of the providers that there are, sorted.
///
/// # Errors
/// Where a file cannot be read, or nobody said what it is.
pub fn files(data: &Path) -> Result<Vec<File>> {
    let mut found = Vec::new();
    for body in bodies_under(&data.join("github")) {
        let file = format!("github/{}", body.name);
        let headers = [("X-GitHub-Event", body.event.as_str()), ("X-GitHub-Delivery", &file)];
        let body = fs::read(&body.path).with_context(|| format!("{file} cannot be read"))?;
        found.push(File::Body(Posted { provider: "github", headers: of(&headers), body, file }));
    }
    for folder in ["cdevents", "gitlab", "ci/argocd", "ci/jenkins"] {
        collect(data, folder, &mut found)?;
    }
    for provider in ["alertmanager", "jira", "opsgenie", "pagerduty", "servicenow"] {
        collect(data, &format!("incident/{provider}"), &mut found)?;
    }
    Ok(found)
}

fn collect(data: &Path, folder: &str, found: &mut Vec<File>) -> Result<()> {
    let path = data.join(folder);
    let entries = fs::read_dir(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut names: Vec<String> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()
        .with_context(|| format!("{} cannot be read", path.display()))?;
    names.sort();
    for name in names {
        let file = format!("{folder}/{name}");
        if data.join(&file).is_dir() {
            collect(data, &file, found)?;
        } else {
            found.push(place(data, file)?);
        }
    }
    Ok(())
}

fn place(data: &Path, file: String) -> Result<File> {
    let fits = |(begins, ends, _): &&(&str, &str, Place)| file.starts_with(begins) && file.ends_with(ends);
    match PLACES.iter().find(fits) {
        Some((_, _, Place::NoBody(why))) => Ok(File::NoBody(file, why)),
        Some((_, _, Place::Of(provider))) => {
            let body = fs::read(data.join(&file)).with_context(|| format!("{file} cannot be read"))?;
            let mut headers = of(&[("Content-Type", "application/json")]);
            if *provider == "gitlab" {
                headers.extend(of(&[("X-Gitlab-Event", hook(&file, &body)?)]));
            }
            Ok(File::Body(Posted { file, provider, headers, body }))
        }
        None => bail!("{file}: nobody said whether it is a body: add it to the places"),
    }
}

/// What the header of GitLab says for a body: <https://docs.gitlab.com/user/project/integrations/webhook_events/>.
fn hook(file: &str, body: &[u8]) -> Result<&'static str> {
    let body: Value = serde_json::from_slice(body).with_context(|| format!("{file} is no JSON"))?;
    let kind = body["object_kind"].as_str().or_else(|| body["event_name"].as_str()).unwrap_or_default();
    Ok(match kind {
        "push" => "Push Hook",
        "tag_push" => "Tag Push Hook",
        "issue" | "work_item" => "Issue Hook",
        "note" => "Note Hook",
        // The integration "webhook" of old, whose body is that of a merge request.
        "merge_request" => "Merge Request Hook",
        "wiki_page" => "Wiki Page Hook",
        "pipeline" => "Pipeline Hook",
        "build" => "Job Hook",
        "deployment" => "Deployment Hook",
        "feature_flag" => "Feature Flag Hook",
        "release" => "Release Hook",
        "access_token" => "Resource Access Token Hook",
        "user_add_to_group" | "user_update_for_group" | "user_remove_from_group" => "Member Hook",
        "subgroup_create" | "subgroup_destroy" => "Subgroup Hook",
        other => bail!("{file}: which hook sends `{other}`?"),
    })
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
