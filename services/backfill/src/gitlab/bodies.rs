//! Members of the API's objects, in the words of the webhooks.

use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) use crate::reading::members::{encoded, name, number, only, seconds, text, time};

/// Members of a job that its own webhook calls `build_…`.
const OF_BUILD: [&str; 10] = [
    "id",
    "name",
    "stage",
    "status",
    "created_at",
    "started_at",
    "finished_at",
    "queued_duration",
    "allow_failure",
    "failure_reason",
];

/// A time as webhooks write it, in whole seconds: `2026-01-02 03:04:05 UTC`. Told by both to the same second, it is one time.
pub(super) fn when(object: &Value, member: &str) -> Value {
    let time = object[member].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    time.map_or(Value::Null, |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string().into())
}

/// What webhooks say of their project, as far as it is read.
pub(super) fn project(object: &Value) -> Value {
    only(object, &["id", "name", "web_url", "path_with_namespace", "default_branch", "ci_config_path"])
}

/// What webhooks say of an account, as far as it is read.
pub(super) fn account(object: &Value) -> Value {
    if object.is_object() { only(object, &["id", "username"]) } else { Value::Null }
}

/// Name of the branch or the tag. Of a pipeline of a merge request webhooks name the branch of its changes, and the API a ref by the
/// number of the merge request.
pub(super) fn ref_name(object: &Value) -> Value {
    if merge_request(object).is_some() { Value::Null } else { object["ref"].clone() }
}

/// Number of the merge request that a pipeline or a job is of: `refs/merge-requests/12/head`.
pub(super) fn merge_request(object: &Value) -> Option<u64> {
    object["ref"].as_str()?.strip_prefix("refs/merge-requests/")?.split('/').next()?.parse().ok()
}

/// A job as webhooks of pipelines list it.
pub(super) fn job(job: &Value) -> Value {
    let mut told = only(job, &["id", "name", "stage", "status", "queued_duration", "allow_failure", "failure_reason"]);
    for time in ["created_at", "started_at", "finished_at"] {
        told[time] = when(job, time);
    }
    told["user"] = account(&job["user"]);
    told["runner"] = match &job["runner"] {
        runner @ Value::Object(_) => only(runner, &["id", "runner_type"]),
        _ => Value::Null,
    };
    told
}

/// The body of the webhook of a job, without the project.
pub(super) fn build(api_job: &Value) -> Value {
    let told = job(api_job);
    let mut body = json!({
        "object_kind": "build",
        "pipeline_id": api_job["pipeline"]["id"],
        "sha": api_job["pipeline"]["sha"],
        "ref": ref_name(api_job),
        "tag": api_job["tag"],
        "user": told["user"],
        "runner": told["runner"],
    });
    for member in OF_BUILD {
        body[format!("build_{member}")] = told[member].clone();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_webhooks() {
        let object = json!({ "at": "2026-01-02T04:04:05.999+01:00", "none": null });
        assert_eq!(when(&object, "at"), "2026-01-02 03:04:05 UTC");
        assert_eq!(when(&object, "none"), Value::Null);
    }

    #[test]
    fn a_ref_of_a_merge_request_is_its_number_and_no_branch() {
        let of = |name: &str| json!({ "ref": name });
        assert_eq!(merge_request(&of("refs/merge-requests/12/head")), Some(12));
        assert_eq!(merge_request(&of("refs/merge-requests/12/merge")), Some(12));
        assert_eq!(ref_name(&of("refs/merge-requests/12/head")), Value::Null);
        assert_eq!((merge_request(&of("main")), ref_name(&of("main"))), (None, json!("main")));
    }
}
