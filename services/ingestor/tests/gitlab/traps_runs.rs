//! One test for each trap known from real deliveries, and named after it: pipelines, jobs, deployments.

use model::event::{ActorKind, ApprovalBody, Decision, GateKind, Outcome, Phase, Trigger};
use model::{ChangeId, CommitId, Millis};
use serde_json::{Value, json};

use crate::documented::{fixture, with};
use crate::traps::{at, some};
use crate::{RECEIVED_AT, approvals, events, told};

const JOB: &str = "gitlab.example.com/acme/shop/-/jobs/801";

fn full_sha() -> Option<CommitId> {
    Some(CommitId::new("3".repeat(40)))
}

#[test]
fn the_commit_id_of_a_job_is_its_pipeline() {
    let body = fixture("build.success");
    assert_eq!(body["commit"]["id"], body["pipeline_id"]);
    let job = told!(TaskRun, &body);
    assert_eq!(job.commit, full_sha());
    assert_eq!(job.run.unwrap().as_str(), "gitlab.example.com/acme/shop/-/pipelines/500");
}

#[test]
fn an_older_job_has_no_project() {
    let mut body = fixture("build.success");
    body.as_object_mut().unwrap().remove("project");
    assert_eq!(events(&body), events(&fixture("build.success")));
}

#[test]
fn a_job_that_did_not_fail_has_a_failure_reason() {
    let body = fixture("build.success");
    assert!(body["build_failure_reason"].is_string());
    let job = told!(TaskRun, &body);
    assert_eq!((job.outcome, job.reason.as_deref()), (Some(Outcome::Success), Some("success")));
    let job = told!(TaskRun, &fixture("build.failed"));
    assert_eq!((job.outcome, job.reason.as_deref()), (Some(Outcome::Failure), Some("script_failure")));
}

#[test]
fn a_job_tried_again_is_another_job() {
    let body = fixture("build.failed");
    assert_eq!(body["retries_count"], 1);
    assert_eq!(told!(TaskRun, &body).attempt, 1);
}

#[test]
fn a_job_waits_from_when_it_was_ready_and_not_from_when_it_was_made() {
    let job = told!(TaskRun, &fixture("build.success"));
    assert_eq!((job.created_at, job.queued_at), (some("2024-05-01T09:10:05Z"), some("2024-05-01T10:00:00Z")));
    let long = with("build.success", &[("/build_queued_duration", json!(1e9))]);
    assert_eq!(told!(TaskRun, &long).queued_at, some("2024-05-01T09:10:05Z"), "no job waits before it is made");
    let pending = told!(TaskRun, &fixture("build.pending"));
    assert_eq!((pending.phase, pending.queued_at), (Phase::Queued, None), "not told since when");
}

#[test]
fn a_delivery_that_is_late_is_not_later_than_the_next_one() {
    let order = ["build.pending", "build.success"].map(|name| events(&fixture(name))[0].occurred_at);
    assert!(order[0] < order[1] && order[1] < RECEIVED_AT);
    let order = ["pipeline.manual", "pipeline.success"].map(|name| events(&fixture(name))[0].occurred_at);
    assert_eq!(order, [at("2024-05-01T09:15:00Z"), at("2024-05-01T10:04:00Z")]);
}

#[test]
fn a_pipeline_that_goes_on_keeps_its_finished_at() {
    let body = with("pipeline.success", &[("/object_attributes/status", json!("running"))]);
    let run = told!(PipelineRun, &body);
    assert_eq!((run.phase, run.finished_at), (Phase::Running, None));
    assert_eq!(run.started_at, some("2024-05-01T09:10:10Z"));
    let undated = with("pipeline.success", &[("/object_attributes/queued_duration", json!(null))]);
    assert_eq!(told!(PipelineRun, &undated).started_at, some("2024-05-01T09:10:10Z"), "with its first job");
}

#[test]
fn the_name_of_a_pipeline_is_anything() {
    let run = told!(PipelineRun, &fixture("pipeline.success"));
    assert_eq!((run.pipeline.as_str(), run.definition.as_deref()), (".gitlab-ci.yml", Some(".gitlab-ci.yml")));
    let child =
        told!(PipelineRun, &with("pipeline.success", &[("/object_attributes/source", json!("parent_pipeline"))]));
    assert_eq!((child.pipeline.as_str(), child.definition), ("child pipeline", None));
}

#[test]
fn a_pipeline_of_a_fork_names_a_change_of_another_project() {
    let run = told!(PipelineRun, &fixture("pipeline.merge_request"));
    assert_eq!((run.changes, run.trigger), (vec![ChangeId::from("12")], Trigger::Change));
    assert_eq!(run.parent_run.unwrap().as_str(), "gitlab.example.com/acme/till/-/pipelines/30");
    let foreign = with("pipeline.merge_request", &[("/merge_request/target_project_id", json!(7))]);
    assert_eq!(told!(PipelineRun, &foreign).changes, []);
}

#[test]
fn the_account_of_a_schedule_did_nothing() {
    let body = with("pipeline.success", &[("/object_attributes/source", json!("schedule"))]);
    let by = told!(PipelineRun, &body).triggered_by;
    assert_eq!((by.key, by.kind), (None, ActorKind::Machine));
}

#[test]
fn a_manual_job_is_a_gate_until_somebody_starts_it() {
    let [ApprovalBody::GateRequested(asked)] = &approvals(&fixture("pipeline.manual"))[..] else { panic!("not asked") };
    assert_eq!((asked.gate.gate.as_str(), asked.gate.kind), (format!("{JOB}/manual").as_str(), GateKind::ManualJob));
    assert_eq!(asked.requested_at, some("2024-05-01T09:10:05Z"));
    let [ApprovalBody::GateDecided(clicked)] = &approvals(&fixture("pipeline.success"))[..] else { panic!("no click") };
    assert_eq!((&clicked.gate, clicked.decision), (&asked.gate, Decision::Approved));
    assert_eq!((clicked.decided_at, clicked.decided_by.kind), (some("2024-05-01T10:00:00Z"), ActorKind::Human));
    assert_eq!(clicked.about.deployment.as_ref().unwrap().as_str(), format!("{JOB}/deployment"));
    let pipeline = events(&fixture("pipeline.success"));
    let by = told!(PipelineRun, &fixture("pipeline.success")).triggered_by;
    assert_ne!(clicked.decided_by, by, "who merged did not start the job");
    assert_eq!(pipeline.len(), 5, "the pipeline, two jobs, a deployment, a click");
}

#[test]
fn a_manual_job_that_was_never_started_is_no_click() {
    for status in ["skipped", "canceled", "created", "pending"] {
        let body = with("pipeline.manual", &[("/builds/0/status", json!(status))]);
        assert_eq!(approvals(&body), [], "{status}");
    }
}

#[test]
fn a_delayed_job_is_said_to_be_manual_and_waits_for_the_clock() {
    let body = with("pipeline.success", &[("/builds/0/when", json!("delayed"))]);
    assert_eq!(approvals(&body), []);
    assert!(!told!(TaskRun, &body).manual);
}

#[test]
fn a_job_held_back_that_is_not_manual_waits_for_an_approval() {
    let [ApprovalBody::GateRequested(asked)] = &approvals(&fixture("pipeline.approval"))[..] else {
        panic!("not asked")
    };
    assert_eq!((asked.gate.kind, asked.gate.name.as_str()), (GateKind::DeploymentProtection, "production"));
    let [ApprovalBody::GateDecided(decided), _] = &approvals(&fixture("deployment.approved"))[..] else {
        panic!("not decided")
    };
    assert_eq!(decided.gate, asked.gate);
}

#[test]
fn of_several_approvals_one_is_told_at_a_time() {
    let [ApprovalBody::GateDecided(one), ApprovalBody::GateQuorum(quorum)] =
        &approvals(&fixture("deployment.approved"))[..]
    else {
        panic!("not an approval of several")
    };
    assert_eq!((one.final_decision, one.decision, one.by_author), (None, Decision::Approved, Some(false)));
    assert_eq!((one.decided_at, quorum.required, quorum.given), (some("2024-05-01T09:50:00Z"), 2, 1));
    let [ApprovalBody::GateDecided(no)] = &approvals(&fixture("deployment.rejected"))[..] else {
        panic!("no rejection")
    };
    assert_eq!((no.final_decision, no.decision), (Some(true), Decision::Rejected));
    let unruled = with("deployment.approved", &[("/approval/approval_rule", json!(null))]);
    assert_eq!(approvals(&unruled).len(), 1);
}

#[test]
fn blocked_may_mean_a_click_or_an_approval() {
    assert_eq!(approvals(&fixture("deployment.blocked")), [], "the job knows");
    assert_eq!(told!(Deployment, &fixture("deployment.blocked")).phase, Phase::Waiting);
    let [ApprovalBody::GateRequested(asked)] = &approvals(&fixture("deployment.api"))[..] else { panic!("not asked") };
    assert_eq!(asked.gate.gate.as_str(), "gitlab.example.com/acme/shop/-/deployments/16/approval");
}

#[test]
fn a_deployment_has_a_short_sha_and_the_address_of_its_commit() {
    let commit = |members: &[(&str, Value)]| told!(Deployment, &with("deployment.success", members)).commit;
    assert_eq!(commit(&[]), full_sha());
    for address in [json!(null), json!("https://gitlab.example.com/acme/shop"), json!(format!("x/{}", "4".repeat(40)))]
    {
        assert_eq!(commit(&[("/commit_url", address)]), Some(CommitId::from("33333333")));
    }
}

#[test]
fn a_deployment_does_not_name_its_pipeline_and_its_job_does() {
    let by_job = told!(Deployment, &fixture("build.success"));
    let by_itself = told!(Deployment, &fixture("deployment.success"));
    assert_eq!(by_job.deployment, by_itself.deployment);
    assert_eq!((by_job.job, by_job.production), (by_itself.job, by_itself.production));
    assert_eq!((by_itself.run, by_job.phase), (None, Phase::Created));
    assert_eq!(by_job.run.unwrap().as_str(), "gitlab.example.com/acme/shop/-/pipelines/500");
    let old = with("deployment.success", &[("/deployment_id", json!(null))]);
    assert_eq!(told!(Deployment, &old).deployment, by_job.deployment, "older versions do not tell the id");
}

#[test]
fn a_tag_is_told_as_one_by_the_job_and_not_by_the_deployment() {
    let tag = [("/ref", json!("v1.2.0")), ("/tag", json!(true))];
    let by_job = told!(Deployment, &with("build.success", &tag));
    assert_eq!((by_job.ref_name.as_deref(), by_job.version.as_deref()), (Some("v1.2.0"), Some("v1.2.0")));
    assert_eq!(told!(Deployment, &fixture("build.success")).version, None);
    assert_eq!(told!(Deployment, &with("deployment.success", &tag)).version, None);
}

#[test]
fn names_of_a_job_may_come_without_their_prefix_too() {
    let body = with("build.success", &[("/name", json!("another")), ("/status", json!("failed")), ("/id", json!(1))]);
    assert_eq!(events(&body), events(&fixture("build.success")));
}

#[test]
fn a_job_that_stops_an_environment_deploys_nothing() {
    let stop = with("build.success", &[("/environment/action", json!("stop"))]);
    assert_eq!(events(&stop).len(), 1);
    let pending = fixture("build.pending");
    assert_eq!(events(&pending).len(), 1, "nor does one that has not begun");
}

#[test]
fn a_tier_other_tells_nothing() {
    for (tier, production) in [("production", Some(true)), ("staging", Some(false)), ("other", None)] {
        let body = with("deployment.success", &[("/environment_tier", json!(tier))]);
        assert_eq!(told!(Deployment, &body).production, production, "{tier}");
    }
}

#[test]
fn a_deployment_starts_and_ends_by_its_statuses() {
    let running = told!(Deployment, &fixture("deployment.running"));
    assert_eq!((running.started_at, running.finished_at), (some("2024-05-01T10:00:06Z"), None));
    let done = told!(Deployment, &fixture("deployment.success"));
    assert_eq!((done.started_at, done.finished_at), (None, some("2024-05-01T10:03:59Z")));
    assert_eq!(done.finished_at.unwrap() - running.started_at.unwrap(), Millis(233_000));
    for (status, outcome) in
        [("failed", Outcome::Failure), ("canceled", Outcome::Cancelled), ("skipped", Outcome::Skipped)]
    {
        let body = with("deployment.success", &[("/status", json!(status))]);
        assert_eq!(told!(Deployment, &body).outcome, Some(outcome), "{status}");
    }
}
