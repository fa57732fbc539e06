//! How far a pipeline or a job has come and how it ended, in GitLab's words.

use model::event::{Outcome, Phase};

/// Phase, outcome and GitLab's own word, which belong together.
#[derive(Debug, PartialEq)]
pub(super) struct Progress {
    pub(super) phase: Phase,
    /// Set when it has finished.
    pub(super) outcome: Option<Outcome>,
    pub(super) reason: Option<String>,
}

/// Reads `status`, and `failure_reason` where it failed: GitLab leaves or makes up a reason for jobs that never failed.
pub(super) fn progress(status: &str, failure_reason: Option<&str>) -> Progress {
    let status = status.trim().to_ascii_lowercase();
    let reason = failure_reason.filter(|_| status == "failed").map_or_else(|| status.clone(), str::to_owned);
    let (phase, outcome) = match status.as_str() {
        // Held back: by a click or an approval, the clock, another job that holds the resource, an outside answer.
        "manual" | "scheduled" | "waiting_for_resource" | "waiting_for_callback" => (Phase::Waiting, None),
        "preparing" | "pending" => (Phase::Queued, None),
        "running" | "canceling" => (Phase::Running, None),
        "success" => (Phase::Finished, Some(Outcome::Success)),
        "failed" => (Phase::Finished, Some(failure(&reason))),
        "canceled" => (Phase::Finished, Some(Outcome::Cancelled)),
        "skipped" => (Phase::Finished, Some(Outcome::Skipped)),
        _ => (Phase::Created, None),
    };
    Progress { phase, outcome, reason: Some(reason).filter(|word| !word.is_empty()) }
}

/// Whose fault a failure is. The words are those of
/// [`Enums::Ci::CommitStatus`](https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/concerns/enums/ci/commit_status.rb).
fn failure(reason: &str) -> Outcome {
    match reason {
        "job_execution_timeout" | "stuck_or_timeout_failure" => Outcome::Timeout,
        // A person or a rule did not let it go on.
        "deployment_rejected"
        | "forward_deployment_failure"
        | "failed_outdated_deployment_job"
        | "user_blocked"
        | "protected_environment_failure"
        | "project_deleted" => Outcome::Cancelled,
        "api_failure"
        | "runner_system_failure"
        | "runner_unsupported"
        | "missing_dependency_failure"
        | "stale_schedule"
        | "archived_failure"
        | "unmet_prerequisites"
        | "scheduler_failure"
        | "data_integrity_failure"
        | "ci_quota_exceeded"
        | "no_matching_runner"
        | "secrets_provider_not_found"
        | "environment_creation_failure" => Outcome::Error,
        _ => Outcome::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_a_phase() {
        let of = |status| progress(status, None).phase;
        assert_eq!(of("created"), Phase::Created);
        assert_eq!(of("manual"), Phase::Waiting);
        assert_eq!(of("waiting_for_resource"), Phase::Waiting);
        assert_eq!(of("pending"), Phase::Queued);
        assert_eq!(of("canceling"), Phase::Running);
        assert_eq!(of("Skipped"), Phase::Finished);
        assert_eq!(of("another"), Phase::Created);
    }

    #[test]
    fn a_failure_is_of_the_change_or_of_the_platform() {
        let of = |reason| progress("failed", reason).outcome;
        assert_eq!(of(Some("script_failure")), Some(Outcome::Failure));
        assert_eq!(of(Some("runner_system_failure")), Some(Outcome::Error));
        assert_eq!(of(Some("job_execution_timeout")), Some(Outcome::Timeout));
        assert_eq!(of(Some("deployment_rejected")), Some(Outcome::Cancelled));
        assert_eq!(of(None), Some(Outcome::Failure));
    }
}
