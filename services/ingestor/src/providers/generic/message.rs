//! One body of the documented form, with what every kind has in common: when, which, how far.

use model::event::{Outcome, Phase, References, Trigger};
use model::inbox::InboxRecord;
use model::{ArtifactId, DeploymentId, RunId, TaskId, Timestamp};

use super::members::{Members, missing};
use crate::people::People;
use crate::providers::Unreadable;

/// One thing that a sender tells.
pub(super) struct Message<'a> {
    pub(super) members: Members,
    pub(super) people: &'a People,
    /// The delivery that it came in.
    pub(super) delivery: &'a InboxRecord,
    /// Its place among those of the delivery, from 0.
    pub(super) index: usize,
}

/// How far something has come, and when it did.
pub(super) struct Progress {
    pub(super) phase: Phase,
    pub(super) outcome: Option<Outcome>,
    /// The sender's word.
    pub(super) reason: Option<String>,
    /// When it came so far.
    pub(super) at: Timestamp,
    pub(super) created_at: Option<Timestamp>,
    pub(super) queued_at: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
}

/// Words for how far something has come; those of common CI systems are understood as well.
const STATUSES: &[(&str, (Phase, Option<Outcome>))] = &[
    ("created", (Phase::Created, None)),
    ("waiting", (Phase::Waiting, None)),
    ("queued", (Phase::Queued, None)),
    ("started", (Phase::Running, None)),
    ("running", (Phase::Running, None)),
    ("in_progress", (Phase::Running, None)),
    ("success", (Phase::Finished, Some(Outcome::Success))),
    ("succeeded", (Phase::Finished, Some(Outcome::Success))),
    ("passed", (Phase::Finished, Some(Outcome::Success))),
    ("failure", (Phase::Finished, Some(Outcome::Failure))),
    ("failed", (Phase::Finished, Some(Outcome::Failure))),
    ("error", (Phase::Finished, Some(Outcome::Error))),
    ("timeout", (Phase::Finished, Some(Outcome::Timeout))),
    ("timed_out", (Phase::Finished, Some(Outcome::Timeout))),
    ("cancelled", (Phase::Finished, Some(Outcome::Cancelled))),
    ("canceled", (Phase::Finished, Some(Outcome::Cancelled))),
    ("aborted", (Phase::Finished, Some(Outcome::Cancelled))),
    ("skipped", (Phase::Finished, Some(Outcome::Skipped))),
    ("neutral", (Phase::Finished, Some(Outcome::Neutral))),
];

/// Words for what started a run.
const TRIGGERS: &[(&str, Trigger)] = &[
    ("push", Trigger::Push),
    ("change", Trigger::Change),
    ("merge_queue", Trigger::MergeQueue),
    ("tag", Trigger::Tag),
    ("schedule", Trigger::Schedule),
    ("manual", Trigger::Manual),
    ("api", Trigger::Api),
    ("upstream", Trigger::Upstream),
    ("deployment", Trigger::Deployment),
    ("incident", Trigger::Incident),
    ("other", Trigger::Other),
];

impl Message<'_> {
    /// When it happened: `at`, else the first of these members that was told, else when it was received.
    pub(super) fn at(&self, others: &[&str]) -> Result<Timestamp, Unreadable> {
        for name in ["at"].iter().chain(others) {
            if let Some(at) = self.members.time(name)? {
                return Ok(at);
            }
        }
        Ok(self.delivery.received_at)
    }

    /// How far it has come, by `status` and the times beside it. `at` is when it came so far, unless that time is told by itself.
    pub(super) fn progress(&self) -> Result<Progress, Unreadable> {
        let (phase, outcome) = self.members.needed_word("status", STATUSES)?;
        let of_phase = match phase {
            Phase::Created | Phase::Waiting => "created_at",
            Phase::Queued => "queued_at",
            Phase::Running => "started_at",
            Phase::Finished | Phase::Superseded => "finished_at",
        };
        let at = self.at(&[of_phase])?;
        let time = |name| Ok(self.members.time(name)?.or((name == of_phase).then_some(at)));
        Ok(Progress {
            phase,
            outcome,
            reason: self.members.text("status")?,
            at,
            created_at: time("created_at")?,
            queued_at: time("queued_at")?,
            started_at: time("started_at")?,
            finished_at: time("finished_at")?.filter(|_| phase == Phase::Finished),
        })
    }

    pub(super) fn trigger(&self) -> Result<Trigger, Unreadable> {
        Ok(self.members.word("trigger", TRIGGERS)?.unwrap_or_default())
    }

    /// An id that is unique over all providers. One without a slash is of this source; one with a slash is unique already: it is an
    /// address, or begins with the host or the source that it belongs to.
    pub(super) fn qualified(&self, space: &str, id: &str) -> String {
        let id = id.split_once("://").map_or(id, |(_, rest)| rest).trim_end_matches('/');
        if id.contains('/') { id.to_owned() } else { format!("{}/{space}/{id}", self.delivery.source) }
    }

    /// The id of what is told, unique over all providers, where one is told.
    pub(super) fn id(&self, space: &str) -> Result<Option<String>, Unreadable> {
        Ok(self.members.text("id")?.map(|id| self.qualified(space, &id)))
    }

    /// The same; it must be told.
    pub(super) fn needed_id(&self, space: &str) -> Result<String, Unreadable> {
        self.id(space)?.ok_or_else(|| missing("id", "142"))
    }

    /// The same; what is told once, at its end, is known by its delivery where it has no id.
    pub(super) fn id_at_end(&self, space: &str, phase: Phase) -> Result<String, Unreadable> {
        match self.id(space)? {
            Some(id) => Ok(id),
            None if phase == Phase::Finished => Ok(self.id_of_delivery(space)),
            None => Err(Unreadable::Value(
                "`id` is missing: without one this cannot be told to be the same when its end is told; such as \"id\": \"142\""
                    .to_owned(),
            )),
        }
    }

    /// An id for what has none: by the delivery, so that a delivery that is sent again tells the same.
    pub(super) fn id_of_delivery(&self, space: &str) -> String {
        format!("{}/{space}/{}/{}", self.delivery.source, self.delivery.delivery, self.index)
    }

    /// The run that it names by `build`.
    pub(super) fn run(&self) -> Result<Option<RunId>, Unreadable> {
        Ok(self.members.text("build")?.map(|id| RunId::new(self.qualified("builds", &id))))
    }

    /// The job that it names by `job`.
    pub(super) fn job(&self) -> Result<Option<TaskId>, Unreadable> {
        Ok(self.members.text("job")?.map(|id| TaskId::new(self.qualified("jobs", &id))))
    }

    /// Branch or tag.
    pub(super) fn ref_name(&self) -> Result<Option<String>, Unreadable> {
        let name = self.members.text("tag")?.or(self.members.text("branch")?);
        Ok(name.map(|name| short(&name).to_owned()))
    }

    /// What an approval or an incident is about.
    pub(super) fn about(&self) -> Result<References, Unreadable> {
        let members = &self.members;
        let deployment = members.text("deployment")?;
        Ok(References {
            repository: members.repository("repository")?,
            commit: members.commit("commit")?,
            ref_name: self.ref_name()?,
            change: members.change("change")?,
            run: self.run()?,
            task: self.job()?,
            deployment: deployment.map(|id| DeploymentId::new(self.qualified("deployments", &id))),
            artifact: members.text("artifact")?.map(ArtifactId::new),
            service: members.text("service")?,
            environment: members.environment()?,
            version: members.text("version")?,
            ticket: members.text("ticket")?,
        })
    }
}

/// Name of a branch or a tag without `refs/heads/` or `refs/tags/`.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name)
}
