//! `build`: a job; and the jobs that come along with a pipeline.

use model::event::{
    Actor, Body, Decision, Deployment, DeploymentAction, Gate, GateDecided, GateKind, GateRequested, Phase, References,
    TaskKind, TaskRun,
};
use model::{ChangeId, CommitId, Environment, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::Delivery;
use super::deployments::is_production;
use super::payload::{Account, JobEnvironment, Project, Runner, Span, When, commit, nullable, text};
use super::place::{Place, approval_gate};
use super::progress::{Progress, progress};
use crate::providers::{Observed, Reading, Unreadable};

/// Before the names of what a delivery tells of its job.
const PREFIX: &str = "build_";

/// What a delivery of a job tells beside the job.
#[derive(Deserialize)]
struct JobPayload {
    pipeline_id: u64,
    /// Its `commit` has the id of the pipeline.
    sha: Option<String>,
    #[serde(rename = "ref", default, deserialize_with = "text")]
    ref_name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    tag: bool,
    /// Left out by older versions.
    project: Option<Project>,
    repository: Option<JobRepository>,
}

#[derive(Deserialize)]
struct JobRepository {
    homepage: String,
}

/// A job: its own deliveries tell the same as those of its pipeline, by names that begin with [`PREFIX`].
#[derive(Deserialize)]
pub(super) struct Job {
    id: u64,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    status: String,
    #[serde(default, deserialize_with = "text")]
    failure_reason: Option<String>,
    /// With its pipeline, however long it has to wait for its turn.
    #[serde(default)]
    created_at: When,
    #[serde(default)]
    pub(super) started_at: When,
    #[serde(default)]
    finished_at: When,
    /// From when it was ready to its start.
    #[serde(default)]
    queued_duration: Span,
    #[serde(default, deserialize_with = "nullable")]
    allow_failure: bool,
    /// Told by the pipeline alone: `on_success`, `manual`, `delayed`, ….
    #[serde(default, deserialize_with = "text")]
    when: Option<String>,
    /// Somebody may start it. True of a delayed job as well, which the clock starts.
    #[serde(default, deserialize_with = "nullable")]
    manual: bool,
    /// Whose pipeline it is; once a manual job was started, who did.
    user: Option<Account>,
    runner: Option<Runner>,
    environment: Option<JobEnvironment>,
}

/// Where a job belongs.
pub(super) struct JobRun<'a> {
    pub(super) place: &'a Place<'a>,
    pub(super) pipeline: u64,
    pub(super) commit: Option<CommitId>,
    pub(super) ref_name: Option<String>,
    /// The ref is a tag.
    pub(super) tag: bool,
    pub(super) change: Option<ChangeId>,
    pub(super) received_at: Timestamp,
}

/// `build`: a job came to another status. GitLab calls jobs builds in its deliveries.
pub(super) fn build(delivery: &Delivery<'_>) -> Result<Reading, Unreadable> {
    let payload: JobPayload = delivery.payload()?;
    let job: Job = super::shape(delivery.kind, &without_prefix(delivery.body))?;
    let place = Place::new(delivery.people, payload.page()?);
    Ok(Reading::Events(payload.run(&place, delivery.received_at).observed(&job)))
}

/// That the deployment which a job makes had to be approved: since when at the earliest, the page of the job, and the request.
pub(super) fn approval_asked(delivery: &Delivery<'_>) -> Result<(Option<Timestamp>, String, Body), Unreadable> {
    let payload: JobPayload = delivery.payload()?;
    let job: Job = super::shape(delivery.kind, &without_prefix(delivery.body))?;
    let place = Place::new(delivery.people, payload.page()?);
    let of = payload.run(&place, delivery.received_at);
    let gate = of.approval_gate(&job).ok_or_else(|| {
        Unreadable::Value("the job names no `environment`, so that it makes no deployment to approve".to_owned())
    })?;
    let (at, request) = of.request(&job, gate);
    Ok((at, place.page(&format!("jobs/{}", job.id)), request))
}

impl JobPayload {
    fn page(&self) -> Result<&str, Unreadable> {
        let page = self.project.as_ref().map(|project| &*project.web_url);
        page.or_else(|| Some(&*self.repository.as_ref()?.homepage)).ok_or_else(|| {
            Unreadable::Value("the job has neither `project.web_url` nor `repository.homepage`".to_owned())
        })
    }

    fn run<'a>(&self, place: &'a Place<'a>, received_at: Timestamp) -> JobRun<'a> {
        JobRun {
            place,
            pipeline: self.pipeline_id,
            commit: commit(self.sha.as_deref()),
            ref_name: self.ref_name.clone(),
            tag: self.tag,
            change: None,
            received_at,
        }
    }
}

fn without_prefix(body: &Value) -> Value {
    let mut job = body.as_object().cloned().unwrap_or_default();
    let prefixed = job.iter().filter_map(|(name, told)| Some((name.strip_prefix(PREFIX)?.to_owned(), told.clone())));
    let prefixed: Vec<_> = prefixed.collect();
    job.extend(prefixed);
    Value::Object(job)
}

impl Job {
    pub(super) fn times(&self) -> [When; 3] {
        [self.created_at, self.started_at, self.finished_at]
    }

    fn by_hand(&self) -> bool {
        self.manual && self.when.as_deref() != Some("delayed")
    }

    fn environment(&self) -> Option<Environment> {
        self.environment.as_ref()?.name.as_deref().map(Environment::new)
    }

    fn deploys(&self) -> bool {
        self.environment.as_ref().is_some_and(|told| told.action.as_deref().is_none_or(|action| action == "start"))
    }

    /// When it was ready. The times are told in whole seconds and the span in parts of one, so it may seem to be before the job was
    /// made.
    fn queued_at(&self) -> Option<Timestamp> {
        let (started, queued) = self.started_at.0.zip(self.queued_duration.0)?;
        let at = Timestamp((started - Timestamp(queued.0)).0);
        Some(self.created_at.0.map_or(at, |created| at.max(created)))
    }
}

impl JobRun<'_> {
    /// What is told by a job: the job, what it deploys, and the gate before it.
    pub(super) fn observed(&self, job: &Job) -> Vec<Observed> {
        let task = self.task(job);
        // It is not told when the job came to its status: not before the last time that is told. So a delivery that is late does not
        // hide what came after it.
        let at = task.finished_at.or(task.started_at).or(task.created_at).unwrap_or(self.received_at);
        let link = task.url.clone();
        let seen = |at: Timestamp, body: Body| Observed { occurred_at: at, link: link.clone(), body };
        let deployment = self.deployment(job, &task).map(|(at, told)| seen(at, told.into()));
        let gate =
            self.asked(job).or_else(|| self.clicked(job)).map(|(at, body)| seen(at.unwrap_or(self.received_at), body));
        [Some(seen(at, task.into())), deployment, gate].into_iter().flatten().collect()
    }

    fn task(&self, job: &Job) -> TaskRun {
        let Progress { phase, outcome, reason } = progress(&job.status, job.failure_reason.as_deref());
        let mut runner_labels = job.runner.as_ref().map(|runner| runner.tags.clone()).unwrap_or_default();
        runner_labels.sort_unstable();
        runner_labels.dedup();
        let started_at = job.started_at.0.filter(|_| phase >= Phase::Running);
        TaskRun {
            run: Some(self.place.run(self.pipeline)),
            repository: Some(self.place.repository.clone()),
            outcome,
            reason,
            commit: self.commit.clone(),
            ref_name: self.ref_name.clone(),
            environment: job.environment(),
            manual: job.by_hand(),
            started_by: match job.by_hand() && started_at.is_some() {
                true => self.place.account(job.user.as_ref()),
                false => Actor::default(),
            },
            allowed_to_fail: job.allow_failure,
            runner_group: job.runner.as_ref().and_then(|runner| runner.runner_type.clone()),
            runner_labels,
            created_at: job.created_at.0,
            queued_at: started_at.and_then(|_| job.queued_at()),
            started_at,
            finished_at: job.finished_at.0.filter(|_| phase == Phase::Finished),
            url: Some(self.place.page(&format!("jobs/{}", job.id))),
            // Tried again, it is another job of the same name.
            ..TaskRun::new(self.place.job(job.id), 1, job.name.clone(), TaskKind::Job, phase)
        }
    }

    /// What a job that has begun deploys: its pipeline and its full commit, which deliveries of deployments do not tell. How the
    /// deployment goes on, they do.
    fn deployment(&self, job: &Job, task: &TaskRun) -> Option<(Timestamp, Deployment)> {
        let started_at = task.started_at.filter(|_| job.deploys())?;
        let tier = job.environment.as_ref().and_then(|told| told.deployment_tier.as_deref());
        let told = Deployment {
            repository: Some(self.place.repository.clone()),
            production: is_production(tier),
            commit: self.commit.clone(),
            ref_name: self.ref_name.clone(),
            version: self.ref_name.clone().filter(|_| self.tag),
            run: task.run.clone(),
            job: Some(task.task.clone()),
            url: task.url.clone(),
            ..Deployment::new(
                self.place.deployment_of(job.id),
                task.environment.clone()?,
                DeploymentAction::Deploy,
                Phase::Created,
            )
        };
        Some((started_at, told))
    }

    /// A job that is held back: until somebody starts it, or, where it starts by itself, until its deployment is approved. It is not
    /// told since when; as the job was made with its pipeline, it is since then at the earliest, and since the end of what runs before it.
    fn asked(&self, job: &Job) -> Option<(Option<Timestamp>, Body)> {
        if job.status != "manual" || job.when.is_none() {
            return None;
        }
        let gate = if job.by_hand() { self.manual_gate(job) } else { self.approval_gate(job)? };
        Some(self.request(job, gate))
    }

    fn request(&self, job: &Job, gate: Gate) -> (Option<Timestamp>, Body) {
        let at = job.created_at.0;
        let request = GateRequested {
            requested_at: at,
            url: Some(self.place.page(&format!("jobs/{}", job.id))),
            ..GateRequested::new(gate, self.about(job))
        };
        (at, request.into())
    }

    /// Somebody started a job.
    fn clicked(&self, job: &Job) -> Option<(Option<Timestamp>, Body)> {
        let started_at = job.started_at.0.filter(|_| job.by_hand())?;
        let at = Some(job.queued_at().unwrap_or(started_at));
        let decision = GateDecided {
            decided_at: at,
            decided_by: self.place.account(job.user.as_ref()),
            commit: self.commit.clone(),
            final_decision: Some(true),
            url: Some(self.place.page(&format!("jobs/{}", job.id))),
            ..GateDecided::new(self.manual_gate(job), self.about(job), Decision::Approved)
        };
        Some((at, decision.into()))
    }

    /// Before what the job deploys.
    fn approval_gate(&self, job: &Job) -> Option<Gate> {
        let environment = job.environment()?;
        let gate = Gate::new(approval_gate(&self.place.deployment_of(job.id)), environment.to_string());
        Some(Gate { kind: GateKind::DeploymentProtection, environment: Some(environment), ..gate })
    }

    fn manual_gate(&self, job: &Job) -> Gate {
        Gate {
            kind: GateKind::ManualJob,
            environment: job.environment(),
            ..Gate::new(self.place.manual_gate(job.id), job.name.clone())
        }
    }

    fn about(&self, job: &Job) -> References {
        References {
            repository: Some(self.place.repository.clone()),
            commit: self.commit.clone(),
            ref_name: self.ref_name.clone(),
            change: self.change.clone(),
            run: Some(self.place.run(self.pipeline)),
            task: Some(self.place.job(job.id)),
            deployment: job.deploys().then(|| self.place.deployment_of(job.id)),
            environment: job.environment(),
            ..References::default()
        }
    }
}
