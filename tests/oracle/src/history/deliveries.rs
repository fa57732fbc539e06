//! Deployments, from each provider's first word of one to the last correction.

use model::event::{Artifact, ArtifactAction, Deployment, DeploymentAction, Outcome, Phase, Rollout};
use model::{ArtifactId, CommitId, DeploymentId, Environment, TaskId, Timestamp};

use super::moves::{Correction, Move, Reference, Stages, Target};
use super::story::{Deployed, IMAGE, MINUTE, Story, back, machine, person};

const SUCCESS: Option<Outcome> = Some(Outcome::Success);
const FAILURE: Option<Outcome> = Some(Outcome::Failure);

const fn name_of(target: Target) -> &'static str {
    match target {
        Target::Production => "production",
        Target::Staging => "staging",
        Target::Eu => "eu",
        Target::Dev => "dev",
        Target::Preview => "preview-7",
        Target::ProductionUs => "Prod-US",
    }
}

impl Story {
    pub fn delivered(&mut self, what: &Move) {
        match what {
            Move::Deploy { repository, back, to, by, stages, service } => {
                self.deploy(*repository, *back, *to, *by, *stages, *service);
            }
            Move::Again { to, older } => self.again(*to, *older),
            Move::Promote { repository, back } => {
                for to in [Target::Staging, Target::Production] {
                    self.deploy(*repository, *back, to, Reference::Full, Stages::Succeeds, 0);
                    self.wait(200);
                }
            }
            Move::Correct { back, how } => self.correct(*back, *how),
            Move::Restate { back, run } => self.restate(*back, *run),
            Move::Bump { back, to, late } => self.bump(*back, *to, *late),
            _ => {}
        }
    }

    fn new_deployment(&mut self, to: Target) -> Deployment {
        let id = DeploymentId::new(format!("deployment/{}", self.number()));
        Deployment {
            production: (to == Target::Eu).then_some(true),
            transient: to == Target::Preview,
            triggered_by: machine(),
            created_at: Some(Timestamp(self.now)),
            ..Deployment::new(id, Environment::new(name_of(to)), DeploymentAction::Deploy, Phase::Created)
        }
    }

    pub fn deploy(&mut self, repository: u8, by: u8, to: Target, reference: Reference, stages: Stages, service: u8) {
        let project = self.project(repository);
        let mut told = self.new_deployment(to);
        told.repository = Some(self.repository(project));
        told.service = [None, None, Some("api"), Some("web")][usize::from(service) % 4].map(str::to_owned);
        // Hotfixes are deployed, too.
        let hotfix = self.hotfix_of(project, by).filter(|_| service % 2 == 1);
        let commit = hotfix.or_else(|| self.on_main(project, by));
        match reference {
            Reference::Full => told.commit = commit,
            Reference::Abbreviated => {
                told.commit = commit.and_then(|id| id.as_str().get(..7).map(CommitId::new));
            }
            Reference::Tag if service == 0 => told.version = Some(format!("v{}", by % 3)),
            Reference::Tag => told.ref_name = Some(format!("refs/tags/v{}", by % 3)),
            Reference::Artifact => {
                told.artifacts = back(&self.artifacts, by).map(|packed| packed.artifact.clone()).into_iter().collect();
            }
            Reference::Run => {
                told.run = self.last_run();
                told.job = told.run.as_ref().map(|run| TaskId::new(format!("{run}/3")));
            }
            Reference::Image => {
                let short = commit.as_ref().and_then(|id| id.as_str().get(..9)).unwrap_or("none");
                let tags = ["latest".to_owned(), format!("main-{short}"), format!("v{}", by % 3)];
                told.artifacts = vec![ArtifactId::new(format!("{IMAGE}:{}", tags[usize::from(by) % 3]))];
            }
            Reference::ToldLater => told.commit = self.write_for_later(project),
            Reference::Nothing => told.ref_name = Some("refs/heads/main".into()),
        }
        self.go_through(told, stages);
    }

    /// A commit that everybody hears of only at the end.
    fn write_for_later(&mut self, project: usize) -> Option<CommitId> {
        let before = self.tip(project);
        let line = self.line(project, before.clone(), 2);
        let push = self.push(project, "main", before, &line);
        self.late.push((self.now, push.into()));
        self.projects[project].main.extend(line.iter().cloned());
        line.last().cloned()
    }

    /// Tells of the states one after the other, some minutes apart.
    fn go_through(&mut self, told: Deployment, stages: Stages) {
        let (full, partial) = (Rollout::Full, Rollout::Partial);
        let (running, finished) = (Phase::Running, Phase::Finished);
        let states: &[(Phase, Option<Outcome>, Rollout)] = match stages {
            Stages::Succeeds | Stages::Removes => {
                &[(Phase::Created, None, full), (running, None, full), (finished, SUCCESS, full)]
            }
            Stages::FinishOnly => &[(finished, SUCCESS, Rollout::Unknown)],
            Stages::Fails => &[(running, None, full), (finished, FAILURE, full)],
            Stages::FailsThenSucceeds => &[(finished, FAILURE, full), (running, None, full), (finished, SUCCESS, full)],
            Stages::Canary => &[(running, None, partial), (finished, SUCCESS, partial), (finished, SUCCESS, full)],
            Stages::CanaryOnly => &[(running, None, partial), (finished, SUCCESS, partial)],
            Stages::CanaryFailsFirst => &[(finished, FAILURE, partial), (finished, SUCCESS, partial)],
            Stages::Superseded => &[(finished, SUCCESS, full), (Phase::Superseded, None, full)],
            Stages::Waits => &[(Phase::Waiting, None, full)],
        };
        let mut told = told;
        if stages == Stages::Removes {
            told.action = DeploymentAction::Remove;
        }
        for (n, (phase, outcome, rollout)) in states.iter().enumerate() {
            let at = self.wait(6);
            (told.phase, told.outcome, told.rollout) = (*phase, *outcome, *rollout);
            if *phase == Phase::Running {
                told.started_at = told.started_at.or(Some(at));
            }
            told.finished_at = Some(at).filter(|_| *phase == Phase::Finished && n % 2 == 0);
            self.tell(told.clone());
        }
        self.deployments.push(Deployed { told, at: self.now });
    }

    /// What stands in an environment is deployed once more, or what stood there before it.
    fn again(&mut self, to: Target, older: bool) {
        let there = |deployed: &&Deployed| deployed.told.environment.as_str() == name_of(to);
        let all: Vec<Deployed> = self.deployments.iter().filter(there).cloned().collect();
        let Some(like) = back(&all, u8::from(older)) else { return };
        let anew = self.new_deployment(to);
        let told = Deployment {
            action: if older { DeploymentAction::RollBack } else { DeploymentAction::Deploy },
            triggered_by: person(2),
            deployment: anew.deployment,
            created_at: anew.created_at,
            started_at: None,
            finished_at: None,
            transient: false,
            ..like.told.clone()
        };
        self.go_through(told, Stages::Succeeds);
    }

    fn correct(&mut self, by: u8, how: Correction) {
        let Some(Deployed { told, at }) = back(&self.deployments, by).cloned() else { return };
        let mut told = Deployment { finished_at: None, ..told };
        match how {
            Correction::ToFailure => (told.phase, told.outcome) = (Phase::Finished, FAILURE),
            Correction::ToSuccess => (told.phase, told.outcome) = (Phase::Finished, SUCCESS),
            Correction::Superseded => (told.phase, told.outcome) = (Phase::Superseded, None),
            // A backfill knows better when it was.
            Correction::EarlierFinish => {
                (told.phase, told.outcome) = (Phase::Finished, SUCCESS);
                told.finished_at = Some(Timestamp(at - 3 * MINUTE));
            }
            Correction::OtherCommit => told.commit = self.on_main(0, by.wrapping_add(1)),
            Correction::OtherEnvironment => told.environment = Environment::new("staging"),
        }
        self.wait(2);
        self.tell(told);
    }

    /// Another source tells of the same thing, with less of it.
    fn restate(&mut self, by: u8, run: bool) {
        if run {
            let Some(ran) = back(&self.runs, by).cloned() else { return };
            let repository = Some(self.repository(ran.project));
            let told = model::event::PipelineRun { repository, commit: None, started_at: None, ..ran.told };
            return self.tell_at(ran.at, told);
        }
        let Some(Deployed { told, at }) = back(&self.deployments, by).cloned() else { return };
        let told = Deployment { commit: None, run: None, url: Some("https://example.org/again".into()), ..told };
        self.tell_at(at, told);
    }

    /// GitOps: an artifact of one repository is deployed by a commit of another.
    fn bump(&mut self, by: u8, to: Target, late: bool) {
        let Some(built) = self.on_main(0, by) else { return };
        let digest = format!("sha256:{:08x}", self.number());
        let artifact = Artifact {
            digest: Some(digest.clone()),
            commit: Some(built),
            repository: Some(self.repository(0)),
            ..Artifact::new(ArtifactId::new(format!("pkg:oci/shop@{digest}")), ArtifactAction::Packaged)
        };
        if late {
            self.late.push((self.now, artifact.into()));
        } else {
            self.tell(artifact);
        }
        let tip = self.tip(1);
        let bumped = self.line(1, tip, 1);
        self.land(1, &bumped);
        let mut told = self.new_deployment(to);
        told.repository = Some(self.repository(0));
        told.artifacts = vec![ArtifactId::new(digest)];
        told.task = Some("sync".into());
        self.go_through(told, Stages::Succeeds);
    }
}
