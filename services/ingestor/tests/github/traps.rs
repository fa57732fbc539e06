//! One test for each trap known from real deliveries, and named after it.

use ingestor::providers::Reading;
use model::event::{
    ActorKind, ApprovalBody, ChangeAction, ChangeState, Decision, GateKind, Outcome, Phase, ReviewState, TagAction,
    Trigger,
};
use model::{ChangeId, CommitId, Timestamp};
use serde_json::{Value, json};

use crate::documented::fixture;
use crate::{RECEIVED_AT, approval, events, ignored, read, told};

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn some(text: &str) -> Option<Timestamp> {
    Some(at(text))
}

/// The fixture with some members set, each named by its JSON pointer.
fn with(name: &str, members: &[(&str, Value)]) -> Value {
    let mut body = fixture(name);
    for (pointer, value) in members {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value.clone();
    }
    body
}

const ZERO: &str = "0000000000000000000000000000000000000000";

#[test]
fn repository_times_are_integers_in_a_push_and_texts_elsewhere() {
    let as_integer = fixture("push");
    assert!(as_integer["repository"]["created_at"].is_i64() && as_integer["repository"]["pushed_at"].is_i64());
    let as_text = with("push", &[("/repository/pushed_at", json!("2024-05-01T09:30:00Z"))]);
    assert_eq!(events("push", &as_integer), events("push", &as_text));
    assert_eq!(events("push", &as_integer)[0].occurred_at, at("2024-05-01T09:30:00Z"));
}

#[test]
fn a_queued_or_waiting_job_has_a_started_at_and_has_not_started() {
    for name in ["workflow_job.queued", "workflow_job.waiting"] {
        let body = fixture(name);
        assert!(body["workflow_job"]["started_at"].is_string());
        assert_eq!(told!(TaskRun, "workflow_job", &body).started_at, None, "{name}");
    }
    let running = [
        ("/action", json!("in_progress")),
        ("/workflow_job/status", json!("in_progress")),
        ("/workflow_job/started_at", json!("2024-05-01T09:37:30Z")),
    ];
    let queued = told!(TaskRun, "workflow_job", &fixture("workflow_job.queued"));
    let running = told!(TaskRun, "workflow_job", &with("workflow_job.queued", &running));
    let wait = running.started_at.unwrap() - queued.queued_at.unwrap();
    assert_eq!(wait, model::Millis(90_000), "from the queued `created_at` to the in_progress `started_at`");
}

#[test]
fn a_job_sent_as_queued_may_still_wait_for_its_approval() {
    let body = with("workflow_job.queued", &[("/workflow_job/status", json!("waiting"))]);
    let job = told!(TaskRun, "workflow_job", &body);
    assert_eq!((job.phase, job.queued_at), (Phase::Waiting, None));
}

#[test]
fn a_job_that_was_never_on_a_runner_has_not_started() {
    let ended = |conclusion: &str, runner: Value| {
        with(
            "workflow_job.completed",
            &[
                ("/workflow_job/conclusion", json!(conclusion)),
                ("/workflow_job/runner_id", runner),
                ("/workflow_job/steps", json!([])),
            ],
        )
    };
    for (conclusion, outcome) in [
        ("skipped", Outcome::Skipped),
        ("cancelled", Outcome::Cancelled),
        // What a job ends with whose deployment was rejected.
        ("failure", Outcome::Failure),
    ] {
        for runner in [json!(0), Value::Null] {
            let job = told!(TaskRun, "workflow_job", &ended(conclusion, runner));
            assert_eq!((job.outcome, job.started_at), (Some(outcome), None));
            assert_eq!(job.finished_at, some("2024-05-01T09:40:50Z"));
        }
        assert!(told!(TaskRun, "workflow_job", &ended(conclusion, json!(7))).started_at.is_some());
    }
}

#[test]
fn a_second_attempt_starts_long_after_the_run_was_made() {
    let run = told!(PipelineRun, "workflow_run", &fixture("workflow_run.second-attempt"));
    assert_eq!(run.attempt, 2);
    assert_eq!(run.created_at, some("2024-05-01T09:30:02Z"));
    assert_eq!(run.started_at, some("2024-05-02T11:00:00Z"));
    assert_eq!(run.finished_at, None);
}

#[test]
fn a_run_that_asks_for_approval_has_ended_and_never_begun() {
    let body = with(
        "workflow_run.completed",
        &[("/action", json!("requested")), ("/workflow_run/conclusion", json!("action_required"))],
    );
    let run = told!(PipelineRun, "workflow_run", &body);
    assert_eq!((run.phase, run.outcome), (Phase::Finished, Some(Outcome::ActionRequired)));
    assert_eq!(run.started_at, None);
}

#[test]
fn pull_requests_are_empty_for_forks_and_foreign_within_them() {
    let told_changes = |pulls: Value| {
        let body = with("workflow_run.second-attempt", &[("/workflow_run/pull_requests", pulls)]);
        told!(PipelineRun, "workflow_run", &body).changes
    };
    assert_eq!(told_changes(json!([])), []);
    assert_eq!(told_changes(json!([{ "number": 12, "base": { "repo": { "id": 42 } } }])), [ChangeId::from("12")]);
    assert_eq!(told_changes(json!([{ "number": 12, "base": { "repo": { "id": 7 } } }])), []);
}

#[test]
fn a_run_of_the_merge_queue_names_its_change_by_its_branch() {
    let body = with(
        "workflow_run.completed",
        &[
            ("/workflow_run/event", json!("merge_group")),
            ("/workflow_run/head_branch", json!("gh-readonly-queue/main/pr-12-1111111")),
        ],
    );
    let run = told!(PipelineRun, "workflow_run", &body);
    assert_eq!((run.trigger, run.changes), (Trigger::MergeQueue, vec![ChangeId::from("12")]));
}

#[test]
fn the_merge_commit_of_an_unmerged_change_is_a_trial() {
    let open = fixture("pull_request.synchronize");
    assert!(open["pull_request"]["merge_commit_sha"].is_string());
    assert_eq!(told!(Change, "pull_request", &open).merge_commit, None);
    let abandoned = [("/action", json!("closed")), ("/pull_request/state", json!("closed"))];
    let abandoned = told!(Change, "pull_request", &with("pull_request.synchronize", &abandoned));
    assert_eq!((abandoned.action, abandoned.state), (ChangeAction::Abandoned, ChangeState::Abandoned));
    assert_eq!(abandoned.merge_commit, None);
    let merged = told!(Change, "pull_request", &fixture("pull_request.closed"));
    assert_eq!((merged.action, merged.state), (ChangeAction::Merged, ChangeState::Merged));
    assert_eq!(merged.merge_commit, Some(CommitId::from("3333333333333333333333333333333333333333")));
}

#[test]
fn the_time_of_a_pushed_commit_is_its_committers() {
    let commit = told!(Push, "push", &fixture("push")).commits.remove(0);
    assert_eq!((commit.authored_at, commit.committed_at), (None, some("2024-05-01T09:10:00Z")));
    let dates = [
        ("/commits/0/author/date", json!("2024-04-29T08:00:00Z")),
        ("/commits/0/committer/date", json!("2024-05-01T09:10:00Z")),
    ];
    let commit = told!(Push, "push", &with("push", &dates)).commits.remove(0);
    assert_eq!(commit.authored_at, some("2024-04-29T08:00:00Z"));
    assert_eq!((commit.committed_at, commit.parents), (some("2024-05-01T09:10:00Z"), None));
}

#[test]
fn without_a_sender_the_pusher_pushed() {
    let by_sender = told!(Push, "push", &fixture("push")).pushed_by;
    let by_pusher = told!(Push, "push", &with("push", &[("/sender", json!(null))])).pushed_by;
    assert!(by_sender.key.is_some());
    assert_eq!(by_pusher.key, by_sender.key);
}

#[test]
fn deleted_refs_have_a_zero_sha_and_no_head_commit() {
    let branch = told!(Push, "push", &fixture("push.branch-deleted"));
    assert_eq!((branch.after, branch.commits_cut), (None, false));
    assert!(branch.before.is_some());
    let tag = [("/ref", json!("refs/tags/v1.2.0"))];
    let tag = told!(Tag, "push", &with("push.branch-deleted", &tag));
    assert_eq!((tag.action, tag.commit), (TagAction::Deleted, None));
    let made = [("/before", json!(ZERO)), ("/created", json!(true))];
    assert_eq!(told!(Push, "push", &with("push", &made)).before, None);
}

#[test]
fn the_sha_of_an_annotated_tag_is_not_its_commit() {
    let body = fixture("push.annotated-tag");
    assert_ne!(body["after"], body["head_commit"]["id"]);
    let tag = told!(Tag, "push", &body);
    assert_eq!(tag.commit, Some(CommitId::from("3333333333333333333333333333333333333333")));
    assert_eq!(tag.target_branch.as_deref(), Some("main"));
}

#[test]
fn a_list_of_commits_may_be_cut() {
    let cut = |members: &[(&str, Value)]| told!(Push, "push", &with("push", members)).commits_cut;
    assert!(!cut(&[]));
    assert!(cut(&[("/size", json!(3))]));
    assert!(cut(&[("/distinct_size", json!(3))]));
    assert!(cut(&[("/after", json!("5555555555555555555555555555555555555555"))]), "the last one is missing");
    assert!(cut(&[("/commits", json!([]))]), "a branch cannot move forward without a commit");
    assert!(!cut(&[("/commits", json!([])), ("/forced", json!(true))]));
    assert!(!cut(&[("/commits", json!([])), ("/created", json!(true)), ("/before", json!(ZERO))]));
    let last = fixture("push")["commits"][1].clone();
    assert!(cut(&[("/commits", vec![last.clone(); 2048].into())]));
    assert!(!cut(&[("/commits", vec![last; 2047].into())]));
}

#[test]
fn a_list_of_paths_may_be_cut() {
    let many = |n: usize| -> Value { (0..n).map(|i| format!("{i:04}")).collect::<Vec<_>>().into() };
    let commit = |members: &[(&str, Value)]| told!(Push, "push", &with("push", members)).commits.remove(1);
    let whole = commit(&[]);
    assert_eq!(whole.paths.unwrap(), ["Cargo.toml", "pay/card.rs"], "a path is told once");
    assert!(!whole.paths_cut);
    assert!(commit(&[("/commits/1/added", many(3000))]).paths_cut);
    let untold = commit(&[
        ("/commits/1/added", json!(null)),
        ("/commits/1/removed", json!(null)),
        ("/commits/1/modified", json!(null)),
    ]);
    assert_eq!(untold.paths, None);
}

#[test]
fn a_draft_release_has_no_published_at() {
    let body = fixture("release.draft");
    assert!(body["release"]["published_at"].is_null());
    assert_eq!(ignored("release", &body), "release.created: a draft");
    let taken_back = with("release.draft", &[("/action", json!("unpublished"))]);
    let tag = told!(Tag, "release", &taken_back);
    assert_eq!((tag.action, tag.published_at), (TagAction::Unpublished, None));
    assert_eq!(events("release", &taken_back)[0].occurred_at, RECEIVED_AT, "no time of it in the body");
}

#[test]
fn a_release_is_published_when_it_was_published_not_when_its_commit_was_made() {
    let body = fixture("release.published");
    let tag = told!(Tag, "release", &body);
    assert_eq!((tag.created_at, tag.published_at), (None, some("2024-05-01T10:00:00Z")));
    assert_eq!(events("release", &body)[0].occurred_at, at("2024-05-01T10:00:00Z"));
    let mut as_released = body;
    as_released["action"] = json!("released");
    assert_eq!(told!(Tag, "release", &as_released), tag, "both are sent for one publication");
}

#[test]
fn a_review_is_asked_for_by_workflow_job_run_requestor_and_since() {
    let body = fixture("deployment_review.requested");
    assert!(body["workflow_job_run"].is_object() && body["requestor"].is_object());
    let ApprovalBody::GateRequested(request) = approval("deployment_review", &body) else { panic!("no request") };
    assert_eq!(
        request.gate.gate.as_str(),
        "github.com/octo-org/shop/actions/runs/5000/attempts/1/environments/production"
    );
    assert_eq!(request.gate.kind, GateKind::DeploymentProtection);
    assert_eq!(request.requested_at, some("2024-05-01T09:33:05Z"));
    assert_eq!((request.requested_by.kind, request.approvers, request.required), (ActorKind::Human, Some(2), None));
    assert_eq!(request.about.task.unwrap().as_str(), "github.com/octo-org/shop/checks/8000");
}

#[test]
fn one_decision_may_open_the_gates_of_several_environments() {
    let decided = events("deployment_review", &fixture("deployment_review.approved"));
    let gates: Vec<String> = decided
        .into_iter()
        .map(|observed| match observed.body {
            model::event::Body::Approval(ApprovalBody::GateDecided(decided)) => {
                assert_eq!((decided.decision, decided.by_author), (Decision::Approved, Some(false)));
                assert_eq!(decided.decided_at, some("2024-05-01T09:36:00Z"));
                decided.gate.gate.to_string()
            }
            other => panic!("no decision: {other:?}"),
        })
        .collect();
    let run = "github.com/octo-org/shop/actions/runs/5000/attempts/1/environments";
    assert_eq!(gates, [format!("{run}/production"), format!("{run}/production-eu")], "two jobs share one gate");
}

#[test]
fn a_decision_by_who_started_the_run_is_by_the_author() {
    let rejected = approval("deployment_review", &fixture("deployment_review.rejected"));
    let ApprovalBody::GateDecided(decided) = rejected else { panic!("no decision") };
    assert_eq!((decided.decision, decided.by_author), (Decision::Rejected, Some(true)));
}

#[test]
fn a_decision_written_before_its_jobs_moved_is_timed_by_its_delivery() {
    let stale = json!("2024-05-01T09:33:05Z");
    let body = with(
        "deployment_review.rejected",
        &[("/workflow_job_run/updated_at", stale.clone()), ("/workflow_job_runs/0/updated_at", stale)],
    );
    let ApprovalBody::GateDecided(decided) = approval("deployment_review", &body) else { panic!("no decision") };
    assert_eq!(decided.decided_at, Some(RECEIVED_AT), "not the moment at which the wait began");
}

#[test]
fn a_protection_rule_names_its_run_in_the_callback_only() {
    let asked = approval("deployment_protection_rule", &fixture("deployment_protection_rule"));
    let ApprovalBody::GateRequested(request) = asked else { panic!("no request") };
    assert_eq!(request.about.run.unwrap().as_str(), "github.com/octo-org/shop/actions/runs/5000");
    assert_eq!(request.gate.gate.as_str(), "github.com/octo-org/shop/deployments/700/rules/31");
}

#[test]
fn a_merge_group_is_a_gate_that_ends_in_three_ways() {
    let gate = |body: &Value| approval("merge_group", body);
    let ApprovalBody::GateRequested(asked) = gate(&fixture("merge_group.checks_requested")) else {
        panic!("no request")
    };
    assert_eq!((asked.about.change, asked.gate.kind), (Some(ChangeId::from("12")), GateKind::MergeQueue));
    let ApprovalBody::GateDecided(merged) = gate(&fixture("merge_group.destroyed")) else { panic!("no decision") };
    assert_eq!((merged.gate.gate, merged.decided_by.kind), (asked.gate.gate.clone(), ActorKind::Machine));
    for reason in ["invalidated", "dequeued"] {
        let body = with("merge_group.destroyed", &[("/reason", json!(reason))]);
        let ApprovalBody::GateCancelled(given_up) = gate(&body) else { panic!("not cancelled") };
        assert_eq!(given_up.gate.gate, asked.gate.gate);
    }
}

#[test]
fn the_year_1_means_not_set() {
    let body = with("workflow_job.completed", &[("/workflow_job/steps/0/started_at", json!("0001-01-01T00:00:00Z"))]);
    assert_eq!(told!(TaskRun, "workflow_job", &body).steps[0].started_at, None);
    let body = with("release.published", &[("/release/published_at", json!("0001-01-01T00:00:00Z"))]);
    assert_eq!(told!(Tag, "release", &body).published_at, None);
}

#[test]
fn conclusions_come_in_any_case_as_null_and_empty() {
    for (conclusion, outcome) in [
        (json!("SUCCESS"), Outcome::Success),
        (json!("success"), Outcome::Success),
        (json!("Timed_Out"), Outcome::Timeout),
        (json!("startup_failure"), Outcome::Error),
        (json!("stale"), Outcome::Cancelled),
        (json!(null), Outcome::Unknown),
        (json!(""), Outcome::Unknown),
    ] {
        let body = with("workflow_run.completed", &[("/workflow_run/conclusion", conclusion.clone())]);
        assert_eq!(told!(PipelineRun, "workflow_run", &body).outcome, Some(outcome), "{conclusion}");
    }
    let steps = [("/workflow_job/steps/0/conclusion", json!(""))];
    let running = told!(TaskRun, "workflow_job", &with("workflow_job.completed", &steps));
    assert_eq!(running.steps[0].outcome, None, "a step without a conclusion has not ended");
}

#[test]
fn verdicts_come_in_any_case() {
    assert_eq!(
        told!(ChangeReview, "pull_request_review", &fixture("pull_request_review")).state,
        ReviewState::Approved
    );
    let body = with("pull_request_review", &[("/review/state", json!("pending"))]);
    assert_eq!(ignored("pull_request_review", &body), "pull_request_review.submitted: a review that is pending");
}

#[test]
fn the_payload_of_a_deployment_is_a_text_or_an_object() {
    for payload in [json!({ "service": "checkout" }), json!("{\"service\":\"checkout\"}")] {
        let told = told!(Deployment, "deployment", &with("deployment", &[("/deployment/payload", payload)]));
        assert_eq!((told.service.as_deref(), told.version), (Some("checkout"), None));
    }
    for payload in [json!(""), json!("checkout"), json!(null), json!([]), json!({ "service": 7 })] {
        let told = told!(Deployment, "deployment", &with("deployment", &[("/deployment/payload", payload)]));
        assert_eq!(told.service, None);
    }
}

#[test]
fn not_marked_as_production_does_not_mean_not_production() {
    assert_eq!(told!(Deployment, "deployment", &fixture("deployment")).production, None);
    let marked = with("deployment", &[("/deployment/production_environment", json!(true))]);
    assert_eq!(told!(Deployment, "deployment", &marked).production, Some(true));
}

#[test]
fn a_deployment_starts_and_ends_by_its_statuses() {
    let status = |name: &str| told!(Deployment, "deployment_status", &fixture(name));
    let running = status("deployment_status.in_progress");
    assert_eq!((running.started_at, running.finished_at), (some("2024-05-01T09:37:31Z"), None));
    let done = status("deployment_status.success");
    assert_eq!((done.started_at, done.finished_at), (None, some("2024-05-01T09:40:52Z")));
    assert_eq!((done.outcome, done.version.as_deref()), (Some(Outcome::Success), Some("v1.2.0")));
    assert_eq!(done.job, running.job);
    let replaced = status("deployment_status.inactive");
    assert_eq!((replaced.phase, replaced.outcome, replaced.finished_at), (Phase::Superseded, None, None));
}

#[test]
fn checks_of_github_actions_are_left_to_the_job() {
    let slug = json!("github-actions");
    let check = with("check_run", &[("/check_run/app/slug", slug.clone())]);
    assert_eq!(ignored("check_run", &check), "check_run.completed: the workflow job tells it");
    let suite = with("check_suite", &[("/check_suite/app/slug", slug)]);
    assert_eq!(ignored("check_suite", &suite), "check_suite.completed: the workflow run tells it");
}

#[test]
fn reasons_for_ignoring_name_kind_and_action_and_nothing_else() {
    assert_eq!(ignored("issues", &json!({ "action": "opened" })), "issues.opened: bears on no delivery");
    assert_eq!(ignored("fork", &json!({})), "fork: bears on no delivery");
    assert_eq!(ignored("New Kind!", &json!({ "action": "a b" })), "other.other: bears on no delivery");
    let body = with("pull_request.synchronize", &[("/action", json!("locked"))]);
    assert_eq!(ignored("pull_request", &body), "pull_request.locked: moves no change");
    assert!(matches!(read("ping", &json!([])), Ok(Reading::Ignored(_))));
}

#[test]
fn an_enterprise_server_has_its_own_host() {
    let url = json!("https://github.example.com/Octo-Org/Shop");
    let body = with("push", &[("/repository/html_url", url)]);
    let there = told!(Push, "push", &body);
    let here = told!(Push, "push", &fixture("push"));
    assert_eq!(there.repository.as_str(), "github.example.com/octo-org/shop");
    assert_ne!(there.pushed_by.key, here.pushed_by.key);
}
