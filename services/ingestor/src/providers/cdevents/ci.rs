//! Changes, runs, builds, tests and artifacts.

use model::event::{
    Artifact, ArtifactAction, Build, Change, ChangeAction, ChangeReview, ChangeState, Outcome, Phase, PipelineRun,
    ReviewState, TaskKind, TaskRun, TestLevel, TestRun, Trigger,
};
use model::{ArtifactId, ChangeId, Repository, RunId, TaskId, Timestamp};

use super::shape::Text;
use super::{Observation, Observer, UNKNOWN, named};
use crate::providers::Unreadable;

impl Observer<'_> {
    pub(super) fn change(&self) -> Result<Observation, Unreadable> {
        use {ChangeAction as Action, ChangeState as State};
        let (action, state) = match self.kind.predicate {
            "created" => (Action::Opened, State::Open),
            "updated" => (Action::Updated, State::Open),
            "merged" => (Action::Merged, State::Merged),
            "abandoned" => (Action::Abandoned, State::Abandoned),
            "reviewed" => return Ok(self.change_review()),
            _ => return Ok(UNKNOWN),
        };
        let Some((repository, number)) = self.changed() else { return Ok(NO_REPOSITORY) };
        let mut change = Change::new(repository, number, action, state);
        match action {
            Action::Opened => change.created_at = Some(self.at),
            Action::Merged => change.merged_at = Some(self.at),
            _ => {}
        }
        if matches!(state, State::Merged | State::Abandoned) {
            change.closed_at = Some(self.at);
        }
        if action == Action::Merged {
            change.merge_commit = self.named.commit.clone();
        } else {
            change.head = self.named.commit.clone();
        }
        Ok(change.into())
    }

    /// The event says that somebody reviewed, not with which verdict.
    fn change_review(&self) -> Observation {
        let Some((repository, number)) = self.changed() else { return NO_REPOSITORY };
        let mut review = ChangeReview::new(repository, number, self.event_id(), ReviewState::Commented);
        review.commit = self.named.commit.clone();
        review.submitted_at = Some(self.at);
        review.into()
    }

    /// Repository and number of the change that is the subject.
    fn changed(&self) -> Option<(Repository, ChangeId)> {
        let subject = &self.event.subject;
        let page = named::of_address(&subject.id);
        if let (Some(repository), Some(number)) = (page.repository, page.change) {
            return Some((repository, number));
        }
        let source = subject.source.get().unwrap_or(&self.event.context.source);
        let repository = named::of_repository(subject.content.repository.as_ref())
            .repository
            .or_else(|| self.named.repository.clone())
            .or_else(|| named::repository_source(source))?;
        Some((repository, ChangeId::new(subject.id.as_str())))
    }

    pub(super) fn pipeline_run(&self) -> Observation {
        let content = &self.event.subject.content;
        let progress = self.progress();
        let name = content.pipeline_name.owned().unwrap_or_default();
        let mut run = PipelineRun::new(RunId::new(self.subject()), 1, name, progress.phase);
        run.repository = self.named.repository.clone();
        run.outcome = progress.outcome;
        run.reason = content.outcome.owned();
        run.commit = self.named.commit.clone();
        run.ref_name = self.named.ref_name.clone();
        run.changes = self.named.change.clone().into_iter().collect();
        run.environment = self.named.environment.clone();
        run.queued_at = progress.queued_at;
        run.started_at = progress.started_at;
        run.finished_at = progress.finished_at;
        run.url = self.url.clone();
        run.into()
    }

    pub(super) fn task_run(&self) -> Observation {
        let content = &self.event.subject.content;
        let progress = self.progress();
        let name = content.task_name.owned().unwrap_or_default();
        let mut task = TaskRun::new(TaskId::new(self.subject()), 1, name, TaskKind::Job, progress.phase);
        task.run = self.named.run.clone();
        task.repository = self.named.repository.clone();
        task.outcome = progress.outcome;
        task.reason = content.outcome.owned();
        task.commit = self.named.commit.clone();
        task.ref_name = self.named.ref_name.clone();
        task.environment = self.named.environment.clone();
        task.queued_at = progress.queued_at;
        task.started_at = progress.started_at;
        task.finished_at = progress.finished_at;
        task.url = self.url.clone();
        task.into()
    }

    /// A build has no outcome in the vocabulary: that of its run says how it went.
    pub(super) fn build(&self) -> Observation {
        let content = &self.event.subject.content;
        let progress = self.progress();
        let mut build = Build::new(self.subject(), progress.phase);
        build.repository = self.named.repository.clone();
        build.run = self.named.run.clone();
        build.commit = self.named.commit.clone();
        build.artifact = content.artifact_id.get().map(ArtifactId::new);
        build.outcome = content.outcome.get().and(progress.outcome);
        build.queued_at = progress.queued_at;
        build.started_at = progress.started_at;
        build.finished_at = progress.finished_at;
        build.url = self.url.clone();
        build.into()
    }

    pub(super) fn test_run(&self) -> Observation {
        let content = &self.event.subject.content;
        let progress = self.progress();
        let (level, tested) = match self.kind.subject {
            "testsuiterun" => (TestLevel::Suite, &content.test_suite),
            _ => (TestLevel::Case, &content.test_case),
        };
        let mut test = TestRun::new(self.subject(), level, progress.phase);
        test.name = tested.as_ref().map(|tested| tested.name.owned().unwrap_or_else(|| tested.id.clone()));
        test.suite = content.test_suite_run.as_ref().map(|suite| self.id_of(suite));
        test.run = self.named.run.clone();
        test.commit = self.named.commit.clone();
        test.environment = self.named.environment.clone();
        test.outcome = progress.outcome;
        test.severity = content.severity.owned();
        test.reason = content.reason.owned();
        test.trigger = content.trigger.as_ref().map_or(Trigger::Unknown, |trigger| trigger_of(&trigger.kind));
        test.queued_at = progress.queued_at;
        test.started_at = progress.started_at;
        test.finished_at = progress.finished_at;
        test.url = self.url.clone();
        test.into()
    }

    pub(super) fn artifact(&self) -> Observation {
        let action = match self.kind.predicate {
            "packaged" => ArtifactAction::Packaged,
            "signed" => ArtifactAction::Signed,
            "published" => ArtifactAction::Published,
            "downloaded" => ArtifactAction::Downloaded,
            "deleted" => ArtifactAction::Deleted,
            _ => return UNKNOWN,
        };
        let id = self.event.subject.id.as_str();
        let mut artifact = Artifact::new(ArtifactId::new(id), action);
        artifact.digest = named::digest(id);
        artifact.tags = named::tags(id);
        artifact.repository = self.named.repository.clone();
        artifact.commit = self.named.commit.clone();
        artifact.change = self.named.change.clone();
        artifact.run = self.named.run.clone();
        artifact.actor = self.actor(&self.event.subject.content.user);
        artifact.url = self.url.clone();
        artifact.into()
    }

    /// How far the subject has come: an event carries one time, that of its predicate.
    fn progress(&self) -> Progress {
        let none =
            Progress { phase: Phase::Queued, outcome: None, queued_at: None, started_at: None, finished_at: None };
        let at = Some(self.at);
        match self.kind.predicate {
            "queued" => Progress { queued_at: at, ..none },
            "started" => Progress { phase: Phase::Running, started_at: at, ..none },
            "skipped" => Progress { phase: Phase::Finished, outcome: Some(Outcome::Skipped), finished_at: at, ..none },
            _ => {
                let outcome = Some(outcome_of(&self.event.subject.content.outcome));
                Progress { phase: Phase::Finished, outcome, finished_at: at, ..none }
            }
        }
    }
}

/// Every field of a repository is optional in the vocabulary, but without one a change cannot be told from another's.
const NO_REPOSITORY: Observation = Observation::Nothing("names no repository");

struct Progress {
    phase: Phase,
    outcome: Option<Outcome>,
    queued_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

fn outcome_of(word: &Text) -> Outcome {
    match word.get().map(str::to_ascii_lowercase).as_deref() {
        Some("success") => Outcome::Success,
        Some("failure") => Outcome::Failure,
        Some("error") => Outcome::Error,
        Some("cancel" | "canceled" | "cancelled") => Outcome::Cancelled,
        _ => Outcome::Unknown,
    }
}

fn trigger_of(word: &Text) -> Trigger {
    match word.get() {
        Some("manual") => Trigger::Manual,
        Some("pipeline") => Trigger::Upstream,
        Some("schedule") => Trigger::Schedule,
        Some(_) => Trigger::Other,
        None => Trigger::Unknown,
    }
}
