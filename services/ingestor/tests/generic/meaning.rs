//! What is told becomes the right thing, also where little is told.

use ingestor::providers::Provider;
use ingestor::providers::generic::GENERIC;
use model::event::{
    ActorKind, ApprovalBody, Body, ChangeState, CiBody, DeploymentAction, IncidentBody, Outcome, Phase, Rollout,
};
use model::{ChangeId, CommitId, Environment, Repository};
use serde_json::{Value, json};

use crate::{RECEIVED_AT, at, ci, delivery, only, people, told};

const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const ZERO: &str = "0000000000000000000000000000000000000000";

fn deployment(body: &Value) -> model::event::Deployment {
    match ci(body) {
        CiBody::Deployment(deployment) => deployment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_deployment_in_five_words_is_one() {
    let body =
        json!({"kind": "deployment", "environment": "prod", "service": "shop", "version": "1.4", "status": "ok"});
    assert!(crate::read(&body).is_err(), "`ok` could mean anything");
    let body =
        json!({"kind": "deployment", "environment": "prod", "service": "shop", "version": 1.4, "status": "Passed"});
    let told = deployment(&body);
    assert_eq!((told.environment, told.version.as_deref()), (Environment::from("prod"), Some("1.4")));
    assert_eq!((told.phase, told.outcome), (Phase::Finished, Some(Outcome::Success)));
    assert_eq!(told.finished_at, Some(RECEIVED_AT));
    assert_eq!(told.deployment.as_str(), "scripts/deployments/d1/0");
}

#[test]
fn a_start_and_its_end_are_one_deployment() {
    let with = |status: &str, time: &str| {
        deployment(&json!({"kind": "deployment", "id": 142, "environment": "production", "service": "shop",
            "status": status, "at": time}))
    };
    let (start, end) = (with("started", "2026-05-01T09:25:00Z"), with("failed", "2026-05-01T09:30:00Z"));
    assert_eq!(start.deployment, end.deployment);
    assert_eq!((start.started_at, start.finished_at), (Some(at("2026-05-01T09:25:00Z")), None));
    assert_eq!((end.started_at, end.finished_at), (None, Some(at("2026-05-01T09:30:00Z"))));
    assert_eq!(end.outcome, Some(Outcome::Failure));
}

#[test]
fn a_rollback_is_a_deployment() {
    let told = deployment(&json!({"kind": "deployment", "environment": "production", "service": "shop",
        "status": "success", "action": "rollback", "tag": "refs/tags/v1.3.0", "partial": "true"}));
    assert_eq!((told.action, told.rollout), (DeploymentAction::RollBack, Rollout::Partial));
    assert_eq!((told.version.as_deref(), told.ref_name.as_deref()), (Some("refs/tags/v1.3.0"), Some("v1.3.0")));
}

#[test]
fn a_time_of_its_own_goes_before_at_and_tells_when() {
    let body = json!({"kind": "build", "id": "1", "status": "success", "finished_at": "2026-05-01T09:08:00Z"});
    assert_eq!(only(&body).occurred_at, at("2026-05-01T09:08:00Z"));
    let body = json!({"kind": "build", "id": "1", "status": "success", "finished_at": "2026-05-01T09:08:00Z",
        "at": "2026-05-01T09:09:00Z"});
    let CiBody::PipelineRun(run) = ci(&body) else { panic!("no run") };
    assert_eq!(run.finished_at, Some(at("2026-05-01T09:08:00Z")));
    let body = json!({"kind": "build", "id": "1", "status": "running", "finished_at": "2026-05-01T09:08:00Z"});
    let CiBody::PipelineRun(run) = ci(&body) else { panic!("no run") };
    assert_eq!((run.finished_at, run.started_at), (None, Some(RECEIVED_AT)), "it has not ended");
}

#[test]
fn ids_are_those_of_the_source_unless_they_are_unique() {
    let run = |id: &str| match ci(&json!({"kind": "job", "name": "deploy", "build": id, "status": "queued"})) {
        CiBody::TaskRun(job) => (job.run.unwrap().to_string(), job.task.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(run("142"), ("scripts/builds/142".to_owned(), "scripts/builds/142/jobs/deploy".to_owned()));
    let github = "github.com/acme/shop/actions/runs/1";
    assert_eq!(run(github).0, github);
    assert_eq!(run(&format!("https://{github}/")).0, github);
}

#[test]
fn a_push_without_a_list_does_not_say_what_came() {
    let push = |more: Value| {
        let mut body = json!({"kind": "push", "repository": "github.com/acme/shop", "branch": "refs/heads/main",
            "commit": SHA, "before": "3f1c0a9e5b7d2468ace013579bdf02468ace1357"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        match ci(&body) {
            CiBody::Push(push) => push,
            other => panic!("{other:?}"),
        }
    };
    let bare = push(json!({}));
    assert!(bare.commits_cut && bare.commits.is_empty());
    assert_eq!(bare.ref_name, "refs/heads/main");
    let listed = push(json!({"commits": [SHA]}));
    assert!(!listed.commits_cut);
    assert_eq!(listed.commits[0].id, CommitId::from(SHA));
    let deleted = push(json!({"commit": ZERO}));
    assert_eq!(deleted.after, None);
}

#[test]
fn a_trial_merge_is_no_merge() {
    let change =
        |status: &str| match ci(&json!({"kind": "change", "id": "#12", "repository": "git@github.com:acme/shop.git",
            "status": status, "merge_commit": SHA, "by": "github.com/octocat", "automated": false}))
        {
            CiBody::Change(change) => change,
            other => panic!("{other:?}"),
        };
    let open = change("updated");
    assert_eq!((open.state, open.merge_commit), (ChangeState::Open, None));
    let merged = change("merged");
    assert_eq!((merged.merge_commit, merged.merged_at), (Some(CommitId::from(SHA)), Some(RECEIVED_AT)));
    assert_eq!((merged.change, merged.repository), (ChangeId::from("12"), Repository::from("github.com/acme/shop")));
    assert_eq!(merged.merged_by, people().actor("github.com", "octocat", ActorKind::Human));
}

#[test]
fn a_gate_is_met_by_its_id_and_named_by_its_name() {
    let act = |status: &str| {
        told!(
            Body::Approval,
            &json!({"kind": "approval", "id": "CHG-1", "name": "board", "status": status, "environment": "production",
                "required": 2, "deployment": "142"})
        )
    };
    let ApprovalBody::GateRequested(asked) = act("requested") else { panic!("not asked") };
    assert_eq!((asked.gate.gate.as_str(), asked.required), ("scripts/approvals/CHG-1", Some(2)));
    assert_eq!(asked.about.deployment.unwrap().as_str(), "scripts/deployments/142");
    let ApprovalBody::GateDecided(decided) = act("rejected") else { panic!("not decided") };
    assert_eq!(decided.gate, asked.gate);
    assert!(matches!(act("expired"), ApprovalBody::GateExpired(_)));
    assert!(matches!(act("bypassed"), ApprovalBody::GateBypassed(_)));
    assert!(matches!(act("cancelled"), ApprovalBody::GateCancelled(_)));
    assert!(matches!(act("requested again"), ApprovalBody::GateRequestedAgain(_)));
}

#[test]
fn an_incident_names_its_cause_only_where_it_does() {
    let incident = |more: Value| {
        let mut body = json!({"kind": "incident", "id": "9", "status": "opened", "service": "shop",
            "environment": "production"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        match told!(Body::Incident, &body) {
            IncidentBody::IncidentDetected(detected) => detected.incident,
            other => panic!("{other:?}"),
        }
    };
    assert!(incident(json!({})).about.is_empty());
    assert_eq!(incident(json!({"version": "1.4.0"})).about[0].version.as_deref(), Some("1.4.0"));
}

#[test]
fn no_account_leaves_in_plain_text() {
    let body = json!([
        {"kind": "commit", "repository": "github.com/acme/shop", "commit": SHA, "author": "mona@example.org"},
        {"kind": "change", "id": 1, "repository": "github.com/acme/shop", "status": "opened", "author": "mona", "by": "mona"},
        {"kind": "approval", "id": 1, "name": "board", "status": "approved", "by": "github.com/mona"},
        {"kind": "incident", "id": 1, "status": "opened", "by": "mona"},
    ]);
    let told = format!("{:?}", GENERIC.read(&delivery(body.to_string()), &people()).unwrap());
    assert!(!told.contains("mona"), "{told}");
}
