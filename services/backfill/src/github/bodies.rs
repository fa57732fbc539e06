//! Members of the API's objects, as webhooks have them.

use serde_json::{Value, json};

pub(super) use crate::reading::members::{name, number, only, text, time};

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
    fn a_page_names_its_run_and_job() {
        assert_eq!(run_and_job("https://github.com/a/b/actions/runs/12/job/34#step:2"), Some((12, 34)));
        assert_eq!(run_and_job("https://github.com/a/b/actions/runs/12"), None);
        assert_eq!(run_and_job("https://example.org/job/34"), None);
    }
}
