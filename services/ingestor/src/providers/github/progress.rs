//! How far something has come and how it ended, in GitHub's words.

use model::event::{Outcome, Phase};

/// Phase, outcome and GitHub's own word, which belong together.
#[derive(Debug, PartialEq)]
pub(super) struct Progress {
    pub(super) phase: Phase,
    /// Set when it has finished.
    pub(super) outcome: Option<Outcome>,
    pub(super) reason: Option<String>,
}

/// Reads `action` of the delivery, `status` and `conclusion` of the run, job or check. The action says why the delivery was sent,
/// the status how it stood when the body was written: what has begun or ended by one of them has, before that the status
/// knows better (a job is sent as `queued` that is held back as `waiting`).
pub(super) fn progress(action: &str, status: Option<&str>, conclusion: Option<&str>) -> Progress {
    let by_action = phase(action);
    let by_status = status.and_then(phase);
    let furthest = by_action.max(by_status);
    let phase = match furthest {
        Some(Phase::Running | Phase::Finished) => furthest,
        _ => by_status.or(by_action),
    }
    .unwrap_or_default();
    let conclusion = conclusion.filter(|word| !word.trim().is_empty());
    if phase == Phase::Finished {
        let outcome = conclusion.map_or(Outcome::Unknown, outcome);
        Progress { phase, outcome: Some(outcome), reason: conclusion.map(str::to_owned) }
    } else {
        Progress { phase, outcome: None, reason: Some(status.unwrap_or(action).to_owned()) }
    }
}

/// Actions and statuses of workflow runs, jobs, check suites and check runs; `pending` is held back by a concurrency limit.
fn phase(word: &str) -> Option<Phase> {
    Some(match word.to_ascii_lowercase().as_str() {
        "requested" | "created" => Phase::Created,
        "waiting" | "pending" | "action_required" => Phase::Waiting,
        "queued" => Phase::Queued,
        "in_progress" => Phase::Running,
        "completed" => Phase::Finished,
        _ => return None,
    })
}

/// Outcome of a conclusion, in any letter case. A stale check was given up by GitHub after two weeks.
pub(super) fn outcome(conclusion: &str) -> Outcome {
    match conclusion.to_ascii_lowercase().as_str() {
        "success" => Outcome::Success,
        "failure" => Outcome::Failure,
        "timed_out" => Outcome::Timeout,
        "cancelled" | "stale" => Outcome::Cancelled,
        "skipped" => Outcome::Skipped,
        "neutral" => Outcome::Neutral,
        "action_required" => Outcome::ActionRequired,
        "startup_failure" | "error" => Outcome::Error,
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_begun_has_begun_and_else_the_status_knows_better() {
        let of = |action, status| progress(action, status, None).phase;
        assert_eq!(of("queued", Some("queued")), Phase::Queued);
        assert_eq!(of("queued", Some("waiting")), Phase::Waiting);
        assert_eq!(of("requested", Some("queued")), Phase::Queued);
        assert_eq!(of("requested", Some("completed")), Phase::Finished);
        assert_eq!(of("in_progress", Some("queued")), Phase::Running);
        assert_eq!(of("completed", Some("in_progress")), Phase::Finished);
        assert_eq!(of("requested", None), Phase::Created);
        assert_eq!(of("another", Some("another")), Phase::Created);
    }

    #[test]
    fn conclusions_come_in_any_case_as_null_and_empty() {
        let of = |conclusion| progress("completed", Some("completed"), conclusion);
        assert_eq!(of(Some("SUCCESS")).outcome, Some(Outcome::Success));
        assert_eq!(of(Some("success")).outcome, Some(Outcome::Success));
        assert_eq!(of(Some("")).outcome, Some(Outcome::Unknown));
        assert_eq!(of(None).outcome, Some(Outcome::Unknown));
        assert_eq!(of(Some("")).reason, None);
        assert_eq!(
            of(Some("stale")),
            Progress { phase: Phase::Finished, outcome: Some(Outcome::Cancelled), reason: Some("stale".into()) }
        );
        assert_eq!(of(Some("startup_failure")).outcome, Some(Outcome::Error));
    }
}
