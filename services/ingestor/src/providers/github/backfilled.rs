//! What GitHub's API tells and no webhook does: `backfill.commit`, `backfill.tag`, `backfill.pull_request` and
//! `backfill.approvals`. A backfill wraps the objects of the API into bodies like those of webhooks. See
//! <https://docs.github.com/en/rest>.

use model::event::{
    Body, CiBody, CommitInfo, Commits, Decision, Gate, GateDecided, GateKind, GateRequested, References, Tag, TagAction,
};
use model::{CommitId, Environment, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::changes::pull_request;
use super::deployments::DeploymentShape;
use super::payload::{Account, GitUser, Repo, When, changes, commit, nullable, same_account, text};
use super::place::Place;
use super::runs::WorkflowRun;
use super::{Delivery, one};
use crate::providers::{Observed, Reading, Unreadable};
use model::git::origins;

/// The API lists no more files of a commit.
const MAX_FILES: usize = 3000;

#[derive(Deserialize)]
struct CommitPayload {
    commit: ApiCommit,
    repository: Repo,
}

/// A commit with the accounts that GitHub knows by the addresses in it.
#[derive(Deserialize)]
struct ApiCommit {
    sha: String,
    commit: GitCommit,
    author: Option<Account>,
    committer: Option<Account>,
    parents: Vec<Parent>,
    files: Option<Vec<File>>,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
}

#[derive(Deserialize)]
struct GitCommit {
    author: Option<GitUser>,
    committer: Option<GitUser>,
    #[serde(default, deserialize_with = "nullable")]
    message: String,
}

#[derive(Deserialize)]
struct Parent {
    sha: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    /// Where it was before it was renamed; a copy names its source here, which it did not touch.
    previous_filename: Option<String>,
    #[serde(default, deserialize_with = "text")]
    status: Option<String>,
}

#[derive(Deserialize)]
struct TagPayload {
    tag: ApiTag,
    repository: Repo,
}

#[derive(Deserialize)]
struct ApiTag {
    name: String,
    commit: String,
    #[serde(default)]
    created_at: When,
}

#[derive(Deserialize)]
struct ApprovalsPayload {
    approvals: Vec<Approval>,
    /// Who is asked, while nobody has answered.
    reviewers: Option<Vec<IgnoredAny>>,
    deployment: DeploymentShape,
    deployment_statuses: Vec<Status>,
    workflow_run: WorkflowRun,
    workflow_job: Job,
    repository: Repo,
}

/// An answer of a reviewer: neither when it was given, nor to which attempt of the run.
#[derive(Deserialize)]
struct Approval {
    state: String,
    user: Option<Account>,
}

#[derive(Deserialize)]
struct Status {
    state: String,
    #[serde(default)]
    created_at: When,
}

#[derive(Deserialize)]
struct Job {
    id: u64,
    #[serde(default, deserialize_with = "text")]
    html_url: Option<String>,
}

/// `backfill.commit`: a commit with its parents, and with its paths where they were asked for.
pub(super) fn told_commit(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let CommitPayload { commit: told, repository } = delivery.payload()?;
    let place = Place::new(delivery.people, &repository);
    let Some(id) = commit(Some(&told.sha)).filter(CommitId::is_full) else {
        return Err(Unreadable::Value(format!("`sha` of the commit is `{}`, which is no commit", told.sha)));
    };
    let (author, committer) = (known(told.commit.author, told.author), known(told.commit.committer, told.committer));
    let date = |user: &Option<GitUser>| user.as_ref().and_then(|user| user.date.0);
    let origins = origins(&told.commit.message);
    let info = CommitInfo {
        parents: told.parents.iter().map(|parent| commit(Some(&parent.sha))).collect(),
        authored_at: date(&author),
        committed_at: date(&committer),
        author: place.git_user(author.as_ref()),
        committer: place.git_user(committer.as_ref()),
        paths: told.files.as_deref().map(paths),
        paths_cut: told.files.as_ref().is_some_and(|files| files.len() >= MAX_FILES),
        cherry_picked_from: origins.cherry_picked_from,
        reverts: origins.reverts,
        changes: origins.changes,
        ..CommitInfo::new(id)
    };
    let at = info.committed_at.or(info.authored_at).unwrap_or(delivery.received_at);
    Ok(one(at, told.html_url, Commits { repository: place.repository, commits: vec![info] }))
}

/// The author or committer with the login of the account, as pushes give it.
fn known(user: Option<GitUser>, account: Option<Account>) -> Option<GitUser> {
    user.map(|user| GitUser { username: account.and_then(|account| account.login), ..user })
}

fn paths(files: &[File]) -> Vec<String> {
    let renamed = files.iter().filter(|file| file.status.as_deref() == Some("renamed"));
    let before = renamed.filter_map(|file| file.previous_filename.clone());
    let mut paths: Vec<String> = files.iter().map(|file| file.filename.clone()).chain(before).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// `backfill.tag`: a tag as it stands when it is read. When it was made, only its tagger knows, or its commit for want of one;
/// a push that told it knows better and happened before it was read here.
pub(super) fn told_tag(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let TagPayload { tag, repository } = delivery.payload()?;
    let place = Place::new(delivery.people, &repository);
    let told = Tag {
        commit: commit(Some(&tag.commit)).filter(CommitId::is_full),
        created_at: tag.created_at.0,
        ..Tag::new(place.repository, tag.name, TagAction::Tagged)
    };
    Ok(one(delivery.received_at, None, told))
}

#[derive(Deserialize)]
struct Listed {
    commits: Vec<String>,
}

/// `backfill.pull_request`: one as its webhook tells it, and the commits that it came to have.
pub(super) fn told_pull(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let Listed { commits } = delivery.payload()?;
    let commits: Vec<CommitId> = commits.iter().filter_map(|id| commit(Some(id))).collect();
    let mut reading = pull_request(delivery)?;
    if let Reading::Events(events) = &mut reading {
        for observed in events {
            if let Body::Ci(CiBody::Change(change)) = &mut observed.body {
                change.commits = Some(commits.clone());
            }
        }
    }
    Ok(reading)
}

/// `backfill.approvals`: people were asked whether a deployment may go on, and what they said. The answers have no time: as in a
/// `deployment_review`, what they moved is the clock, which is the status of the deployment that came after the wait.
pub(super) fn approvals(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: ApprovalsPayload = delivery.payload()?;
    let Some(environment) = payload.deployment.environment() else {
        return Err(Unreadable::Value("the deployment names no `environment`".to_owned()));
    };
    // Another deployment that succeeds meanwhile makes this one inactive, and it waits on.
    let waits = |status: &Status| matches!(status.state.as_str(), "waiting" | "pending" | "inactive");
    let mut statuses = payload.deployment_statuses.iter().skip_while(|status| status.state != "waiting");
    let asked_at = statuses.next().and_then(|status| status.created_at.0);
    let asked_at = asked_at.or(payload.deployment.created_at.0).unwrap_or(delivery.received_at);
    let moved = statuses.find(|status| !waits(status));
    let wait = Wait { place: Place::new(delivery.people, &payload.repository), payload: &payload, environment };
    let decided = moved.and_then(|status| Some((wait.decision(status)?, status.created_at.0.unwrap_or(asked_at))));
    let requested = Observed { occurred_at: asked_at, link: wait.url(), body: wait.requested(asked_at).into() };
    let decided = decided.map(|((decision, by), at)| {
        let body = wait.decided(decision, by, at).into();
        Observed { occurred_at: at, link: wait.url(), body }
    });
    Ok(Reading::Events([Some(requested), decided].into_iter().flatten().collect()))
}

/// A deployment that waited for people.
struct Wait<'a> {
    place: Place<'a>,
    payload: &'a ApprovalsPayload,
    environment: Environment,
}

impl<'a> Wait<'a> {
    /// What was decided and by whom: how the deployment went on, where an answer is there that says the same. Without one it went on
    /// for another reason.
    fn decision(&self, moved: &Status) -> Option<(Decision, &'a Approval)> {
        let (decision, word) = match moved.state.as_str() {
            "failure" | "error" => (Decision::Rejected, "rejected"),
            _ => (Decision::Approved, "approved"),
        };
        Some((decision, self.payload.approvals.iter().find(|approval| approval.state == word)?))
    }

    fn url(&self) -> Option<String> {
        self.payload.workflow_job.html_url.clone()
    }

    fn gate(&self) -> Gate {
        let run = &self.payload.workflow_run;
        Gate {
            kind: GateKind::DeploymentProtection,
            environment: Some(self.environment.clone()),
            attempt: run.attempt(),
            ..Gate::new(self.place.review_gate(run.id, run.attempt(), &self.environment), self.environment.to_string())
        }
    }

    fn about(&self) -> References {
        let run = &self.payload.workflow_run;
        References {
            repository: Some(self.place.repository.clone()),
            commit: commit(run.head_sha.as_deref()),
            ref_name: run.head_branch.clone(),
            change: super::approvals::only(changes(&run.pull_requests, &self.payload.repository)),
            run: Some(self.place.run(run.id)),
            task: Some(self.place.check(self.payload.workflow_job.id)),
            environment: Some(self.environment.clone()),
            ..References::default()
        }
    }

    fn requested(&self, at: Timestamp) -> GateRequested {
        let reviewers = self.payload.reviewers.as_ref().and_then(|reviewers| i32::try_from(reviewers.len()).ok());
        GateRequested {
            requested_at: Some(at),
            // By the status of the deployment, which may be a second away from the request.
            inferred: true,
            requested_by: self.place.account(self.payload.workflow_run.started_by()),
            approvers: reviewers,
            url: self.url(),
            ..GateRequested::new(self.gate(), self.about())
        }
    }

    fn decided(&self, decision: Decision, by: &Approval, at: Timestamp) -> GateDecided {
        let about = self.about();
        GateDecided {
            decided_at: Some(at),
            decided_by: self.place.account(by.user.as_ref()),
            by_author: same_account(by.user.as_ref(), self.payload.workflow_run.started_by()),
            commit: about.commit.clone(),
            // One of the reviewers is enough, for yes and for no.
            final_decision: Some(true),
            // The answers of all attempts of a run are in one list, without their times.
            inferred: true,
            url: self.url(),
            ..GateDecided::new(self.gate(), about, decision)
        }
    }
}
