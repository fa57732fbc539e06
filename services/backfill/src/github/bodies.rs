//! Members of the API's objects, and names of deliveries.

use model::Timestamp;
use serde_json::{Value, json};

use super::BackfillError;

/// A number that every object of its kind has.
pub(super) fn number(object: &Value, member: &'static str, what: &str) -> Result<u64, BackfillError> {
    object[member].as_u64().ok_or_else(|| BackfillError::Member { what: what.to_owned(), member })
}

/// A text that every object of its kind has.
pub(super) fn text<'a>(object: &'a Value, member: &'static str, what: &str) -> Result<&'a str, BackfillError> {
    object[member].as_str().ok_or_else(|| BackfillError::Member { what: what.to_owned(), member })
}

/// A time, where the object has it.
pub(super) fn time(object: &Value, member: &str) -> Option<Timestamp> {
    object[member].as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok())
}

/// Some members of an object, where another tells the rest.
pub(super) fn only(object: &Value, members: &[&str]) -> Value {
    members.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone()))).collect()
}

/// Name of a delivery: of the parts, each of which may stand in an id.
pub(super) fn name(parts: &[&(dyn std::fmt::Display + Sync)]) -> String {
    let mut name = "backfill".to_owned();
    for part in parts {
        name.push('/');
        for byte in part.to_string().bytes() {
            if byte.is_ascii_graphic() && byte != b'%' {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    name
}

/// What webhooks say of their repository, as far as it is read.
pub(super) fn repository(object: &Value) -> Value {
    only(object, &["id", "name", "full_name", "html_url", "default_branch"])
}

/// A run or a job in the words of a webhook: what the action is follows from how it stands.
pub(super) fn action(object: &Value, waiting: &'static str) -> &'static str {
    match object["status"].as_str() {
        Some("completed") => "completed",
        Some("in_progress") => "in_progress",
        _ => waiting,
    }
}

/// Run and job that an address of a page names: `…/actions/runs/<run>/job/<job>`.
pub(super) fn run_and_job(url: &str) -> Option<(u64, u64)> {
    let (_, rest) = url.split_once("/actions/runs/")?;
    let (run, job) = rest.split_once("/job/")?;
    let digits = job.find(|c: char| !c.is_ascii_digit()).unwrap_or(job.len());
    Some((run.parse().ok()?, job[..digits].parse().ok()?))
}

/// The body of a delivery.
pub(super) fn body(mut members: Value, repository: &Value) -> Vec<u8> {
    members["repository"] = repository.clone();
    members.to_string().into_bytes()
}

/// `pull_request` of a review, without the two repositories that a whole one carries.
pub(super) fn pull_of_review(pull: &Value) -> Value {
    let mut short = only(pull, &["id", "number", "state", "html_url", "user", "updated_at"]);
    for end in ["head", "base"] {
        short[end] = json!({ "ref": pull[end]["ref"], "sha": pull[end]["sha"], "repo": null });
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_an_id() {
        assert_eq!(name(&[&"tag", &7, &"v1/ü %"]), "backfill/tag/7/v1/%C3%BC%20%25");
    }

    #[test]
    fn a_page_names_its_run_and_job() {
        assert_eq!(run_and_job("https://github.com/a/b/actions/runs/12/job/34#step:2"), Some((12, 34)));
        assert_eq!(run_and_job("https://github.com/a/b/actions/runs/12"), None);
        assert_eq!(run_and_job("https://example.org/job/34"), None);
    }
}
