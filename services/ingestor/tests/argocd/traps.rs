//! One test for each trap known from real notifications, and named after it.

use model::event::{ActorKind, DeploymentAction, Outcome, Phase, Rollout};
use model::{ArtifactId, CommitId, Environment, Repository, Timestamp};
use serde_json::{Value, json};

use crate::documented::fixture;
use crate::{RECEIVED_AT, events, people, read, sync};

const COMMIT: &str = "9b1d0c2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn with(name: &str, members: &[(&str, Value)]) -> Value {
    let mut body = fixture(name);
    for (pointer, value) in members {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value.clone();
    }
    body
}

#[test]
fn of_several_sources_revision_is_null_and_revisions_mixes_charts_and_commits() {
    for empty in [Value::Null, json!("")] {
        let told = sync(&with("several-sources", &[("/app/status/operationState/syncResult/revision", empty)]));
        assert_eq!(told.commit, Some(CommitId::from(COMMIT)));
        assert_eq!(told.version.as_deref(), Some("0.6.3"));
        assert_eq!(told.repository, Some(Repository::from("github.com/acme/deployments")));
        assert_eq!(told.artifacts, [ArtifactId::from("ghcr.io/acme/charts/billing:0.6.3")]);
    }
}

#[test]
fn revisions_that_do_not_fit_the_sources_are_not_mixed_up() {
    let told = sync(&with("several-sources", &[("/app/status/operationState/syncResult/revisions", json!(["0.6.3"]))]));
    assert_eq!((told.commit, told.version), (None, None));
    assert_eq!(told.repository, Some(Repository::from("github.com/acme/deployments")));
}

#[test]
fn a_sync_of_weeks_ago_is_told_again_and_is_the_same() {
    let again = with("succeeded", &[("/app/status/health/status", json!("Degraded"))]);
    let (first, again) = (events(&fixture("succeeded")), events(&again));
    assert_eq!((first.len(), again.len()), (1, 1));
    assert_eq!(first[0].occurred_at, at("2024-05-01T09:30:30Z"), "not when it was received");
    assert_eq!(again[0].occurred_at, first[0].occurred_at);
    assert!(again[0].occurred_at < RECEIVED_AT);
    let (running, succeeded) = (sync(&fixture("running")), sync(&fixture("succeeded")));
    assert_eq!(running.deployment, succeeded.deployment);
    assert_eq!((running.phase, running.started_at), (Phase::Running, succeeded.started_at));
}

#[test]
fn while_it_runs_the_images_are_those_of_before() {
    let running = sync(&fixture("running"));
    assert_eq!(running.artifacts, [ArtifactId::from("ghcr.io/acme/shop:1.4.0")], "what kustomize sets, not what runs");
    let not_looked_again = [("/app/status/health/lastTransitionTime", json!("2024-04-20T10:00:00Z"))];
    let told = sync(&with("succeeded", &not_looked_again));
    assert_eq!(told.artifacts, running.artifacts);
}

#[test]
fn an_image_with_two_tags_is_not_known() {
    let images = json!(["ghcr.io/acme/billing:0.6.2", "ghcr.io/acme/billing:0.6.3", "ghcr.io/acme/proxy:2.1"]);
    let members = [
        ("/app/status/summary/images", images),
        ("/app/status/health/lastTransitionTime", json!("2024-05-01T15:22:00Z")),
    ];
    let told = sync(&with("several-sources", &members));
    assert_eq!(
        told.artifacts,
        [ArtifactId::from("ghcr.io/acme/charts/billing:0.6.3"), "ghcr.io/acme/proxy:2.1".into()]
    );
}

#[test]
fn an_application_that_turns_unhealthy_did_not_fail_to_deploy() {
    let told = sync(&with("succeeded", &[("/app/status/health/status", json!("Degraded"))]));
    assert_eq!(told.outcome, Some(Outcome::Success));
}

#[test]
fn phases_are_outcomes() {
    let phase = |word: &str| sync(&with("succeeded", &[("/app/status/operationState/phase", json!(word))]));
    assert_eq!(phase("Failed").outcome, Some(Outcome::Failure));
    assert_eq!(phase("Error").outcome, Some(Outcome::Error));
    let ending = phase("Terminating");
    assert_eq!((ending.phase, ending.outcome, ending.finished_at), (Phase::Running, None, None));
    let error = read(&with("succeeded", &[("/app/status/operationState/phase", json!("Done"))])).unwrap_err();
    assert!(error.contains("is `Done`, which is none of Running"), "{error}");
}

#[test]
fn environments_are_told_apart_by_cluster_and_namespace() {
    let of = |label: Value, to: Value| {
        sync(&with("succeeded", &[("/app/metadata/labels", label), ("/app/spec/destination", to)])).environment
    };
    let own = json!({"server": "https://kubernetes.default.svc", "namespace": "shop"});
    let far = json!({"server": "https://staging.example.org:6443/", "namespace": "shop"});
    let named = json!({"name": "production-eu", "namespace": "shop"});
    assert_eq!(of(json!({"environment": "production"}), own.clone()), Environment::from("production"));
    assert_eq!(of(json!({"environment": ""}), own), Environment::from("shop"));
    assert_eq!(of(Value::Null, far), Environment::from("staging.example.org:6443/shop"));
    assert_eq!(of(json!({}), named), Environment::from("production-eu/shop"));
    let error = read(&with("failed", &[("/app/spec/destination", json!({}))])).unwrap_err();
    assert!(error.contains("give the application a label `environment`"), "{error}");
}

#[test]
fn who_asked_for_it_is_a_hash_or_argo_cd_itself() {
    let person = sync(&fixture("several-sources")).triggered_by;
    assert_eq!(person, people().actor("argocd.example.org", "octocat", ActorKind::Human));
    let itself = sync(&fixture("succeeded")).triggered_by;
    assert_eq!((itself.key, itself.kind), (None, ActorKind::Machine));
}

#[test]
fn a_sync_of_chosen_resources_is_a_part_and_a_dry_run_is_none() {
    let chosen = json!([{"group": "apps", "kind": "Deployment", "name": "shop"}]);
    let told = sync(&with("succeeded", &[("/app/status/operationState/operation/sync/resources", chosen)]));
    assert_eq!(told.rollout, Rollout::Partial);
    let dry = read(&with("succeeded", &[("/app/status/operationState/operation/sync/dryRun", json!(true))]));
    assert_eq!(dry, Ok(ingestor::providers::Reading::Ignored("application: a dry run".to_owned())));
}

#[test]
fn a_removed_application_tells_its_last_sync_once_more() {
    let told = events(&fixture("removed"));
    assert_eq!(told[0], events(&fixture("succeeded"))[0]);
    let model::event::Body::Ci(model::event::CiBody::Deployment(removal)) = &told[1].body else { panic!("{told:?}") };
    assert_eq!((removal.action, told[1].occurred_at), (DeploymentAction::Remove, at("2024-05-20T12:00:00Z")));
}

#[test]
fn the_application_may_be_the_body_itself() {
    let bare = fixture("succeeded")["app"].clone();
    let told = sync(&bare);
    assert_eq!(told.deployment.as_str(), "argo/applications/argocd/shop/2024-05-01T09:30:00.000Z");
    assert_eq!((told.url, told.commit), (None, sync(&fixture("succeeded")).commit));
}

#[test]
fn another_body_is_refused_by_name() {
    assert!(read(&json!({"text": "shop is synced"})).unwrap_err().contains("by the documented template"));
    let error = read(&with("succeeded", &[("/app/status/operationState/startedAt", json!(true))])).unwrap_err();
    assert!(error.contains("at app.status.operationState"), "{error}");
}
