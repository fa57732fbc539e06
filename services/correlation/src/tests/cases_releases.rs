//! Kinds of release, what counts as a deployment, and which commit one brings, worked out by hand.

use model::event::*;
use model::fact::{DeploymentFact, DeploymentKind, Fact, ReleaseKind};
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, Environment, Millis, Repository, Timestamp, Version,
};

use super::Run;
use super::cases::{
    HOUR, kind, line, merged, play, pushed, release, repository, run_of, sha, shipped, state, success, task,
};

fn deployment(run: &Run, id: &str) -> Option<DeploymentFact> {
    run.tables.0.values().find_map(|fact| match fact {
        Fact::Deployment(fact) if fact.deployment.as_str() == id => Some(fact.clone()),
        _ => None,
    })
}

fn component(markers: Vec<Marker>) -> CatalogComponent {
    CatalogComponent {
        component: "shop".into(),
        team: None,
        repository: Some(repository()),
        paths: Vec::new(),
        excluded_paths: Vec::new(),
        services: vec!["shop-api".into()],
        markers,
        partial_counts: false,
        attribution_window: None,
        baseline_none: false,
        calendar: None,
    }
}

fn catalog(markers: Vec<Marker>) -> (i64, Body) {
    (0, Catalog { revision: 1, components: vec![component(markers)], ..Catalog::default() }.into())
}

fn marker(kind: MarkerKind, name: &str) -> Marker {
    Marker { kind, name: Some(name.to_owned()), environment: None }
}

/// Commits 1, 2 and 3 came to the default branch hour by hour, 9 to a branch that was cut from 2; 1, 2 and 9 are deployed.
fn hotfixed() -> Vec<(i64, Body)> {
    vec![
        (HOUR, pushed("main", None, &[(1, HOUR)])),
        (2 * HOUR, pushed("main", Some(1), &[(2, 2 * HOUR)])),
        (5 * HOUR, pushed("main", Some(2), &[(3, 5 * HOUR)])),
        (6 * HOUR, pushed("urgent", Some(2), &[(9, 6 * HOUR)])),
        (3 * HOUR, success("a", 1)),
        (4 * HOUR, success("b", 2)),
        (7 * HOUR, success("c", 9)),
    ]
}

#[test]
fn a_hotfix_did_not_come_by_the_default_branch() {
    let mut history = hotfixed();
    // The next release brings 3, and merges the fix.
    history.push((9 * HOUR, pushed("main", Some(3), &[(9, 6 * HOUR), (4, 9 * HOUR)])));
    history.push((10 * HOUR, success("d", 4)));
    let run = play(history);
    assert_eq!(release(&run, 2).kind, ReleaseKind::Regular);
    assert_eq!(release(&run, 9).kind, ReleaseKind::Hotfix);
    assert_eq!((release(&run, 4).kind, release(&run, 4).commits), (ReleaseKind::Regular, 2));
}

#[test]
fn a_fix_by_the_default_branch_is_a_regular_release() {
    let mut history = hotfixed();
    history.push((6 * HOUR + 1, pushed("main", Some(3), &[(9, 6 * HOUR)])));
    assert_eq!(release(&play(history), 9).kind, ReleaseKind::Regular);
}

#[test]
fn a_squash_of_what_the_default_branch_had_is_no_hotfix() {
    let mut history = hotfixed();
    // 9 squashes 2 and 3, which the default branch had, into the branch that is deployed.
    history.push((6 * HOUR, merged("1", 3, 9, 5 * HOUR, 6 * HOUR)));
    assert_eq!(release(&play(history), 9).kind, ReleaseKind::Regular);
}

#[test]
fn a_hotfix_branch_begins_at_a_commit_of_the_default_branch() {
    let mut history = hotfixed();
    // Where it was cut is told by a push of its own, and so is part of its pull request, which is merged back later.
    history.push((5 * HOUR + 1, pushed("urgent", None, &[(2, 2 * HOUR)])));
    history.push((9 * HOUR, pushed("main", Some(3), &[(9, 6 * HOUR), (4, 9 * HOUR)])));
    let mut fix = Change::new(repository(), ChangeId::new("7"), ChangeAction::Merged, ChangeState::Merged);
    (fix.head, fix.source_branch, fix.base) = (Some(sha(9)), Some("urgent".to_owned()), Some(sha(3)));
    (fix.merged_at, fix.merge_commit) = (Some(Timestamp(9 * HOUR)), Some(sha(4)));
    history.push((9 * HOUR, fix.into()));
    assert_eq!(release(&play(history), 9).kind, ReleaseKind::Hotfix);
}

#[test]
fn nothing_is_a_hotfix_while_nobody_watches_the_default_branch() {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (11 * HOUR, success("b", 2))]);
    assert_eq!(release(&play(history.clone()), 2).kind, ReleaseKind::Regular);
    // Watched only after commit 2 was made.
    history.push((12 * HOUR, pushed("main", Some(4), &[(5, 12 * HOUR)])));
    assert_eq!(release(&play(history), 2).kind, ReleaseKind::Regular);
}

/// Kind of a release of one commit that touched these files.
fn kind_of(paths: &[&str], author: ActorKind) -> ReleaseKind {
    let mut history = line();
    let info = CommitInfo {
        parents: Some(vec![sha(4)]),
        authored_at: Some(Timestamp(5 * HOUR)),
        author: Actor { key: None, kind: author },
        paths: Some(paths.iter().map(|path| (*path).to_owned()).collect()),
        ..CommitInfo::new(sha(5))
    };
    history.extend([
        (5 * HOUR, Commits { repository: repository(), commits: vec![info] }.into()),
        (10 * HOUR, success("a", 4)),
        (11 * HOUR, success("b", 5)),
    ]);
    release(&play(history), 5).kind
}

#[test]
fn files_tell_dependencies_and_configuration() {
    let human = ActorKind::Human;
    assert_eq!(kind_of(&["Cargo.toml", "Cargo.lock"], human), ReleaseKind::Dependencies);
    assert_eq!(kind_of(&["web/package.json"], human), ReleaseKind::Regular);
    assert_eq!(kind_of(&["web/package.json"], ActorKind::Machine), ReleaseKind::Dependencies);
    assert_eq!(kind_of(&["requirements.txt"], human), ReleaseKind::Dependencies);
    assert_eq!(kind_of(&["Cargo.lock", "src/lib.rs"], human), ReleaseKind::Regular);
    assert_eq!(kind_of(&["deploy/helm/values.yaml", "config/limits.toml"], human), ReleaseKind::Configuration);
    assert_eq!(kind_of(&["deploy/values.yaml", "Cargo.lock"], human), ReleaseKind::Regular);
    assert_eq!(kind_of(&["config/boot.rs"], human), ReleaseKind::Regular);
    assert_eq!(kind_of(&[], human), ReleaseKind::Regular);
}

#[test]
fn a_commit_whose_files_are_not_known_makes_a_regular_release() {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), (11 * HOUR, success("b", 2))]);
    assert_eq!(release(&play(history), 2).kind, ReleaseKind::Regular);
}

#[test]
fn what_missed_the_train_waits_for_the_next() {
    // 2 is merged at 5 h, the train leaves at 9 h with the merge of 3.
    let mut history = line();
    history.extend([
        (5 * HOUR, merged("1", 2, 2, 3 * HOUR, 5 * HOUR)),
        (9 * HOUR, merged("2", 3, 3, 8 * HOUR, 9 * HOUR)),
        (4 * HOUR, success("a", 1)),
        (10 * HOUR, success("b", 3)),
    ]);
    let release = release(&play(history), 3);
    // Of 7 h for commit 3 and 8 h for commit 2, the lower median is that of commit 3, which waited for nothing.
    assert_eq!((release.lead_time, release.batch_wait), (Some(Millis(7 * HOUR)), Some(Millis(0))));
    let mut history = line();
    history.extend([
        (5 * HOUR, merged("1", 2, 2, 3 * HOUR, 5 * HOUR)),
        (6 * HOUR, merged("2", 3, 3, 4 * HOUR, 6 * HOUR)),
        (9 * HOUR, merged("3", 4, 4, 8 * HOUR, 9 * HOUR)),
        (4 * HOUR, success("a", 1)),
        (10 * HOUR, success("b", 4)),
    ]);
    let release = super::cases::release(&play(history), 4);
    assert_eq!(release.median_commit, Some(sha(3)));
    assert_eq!(release.batch_wait, Some(Millis(3 * HOUR)), "merged at 6 h, cut at 9 h");
}

/// A deployment by GitOps: from another repository, at a commit of that one.
fn bumped(id: &str, image: &str) -> Body {
    Deployment {
        repository: Some(Repository::new("github.com/acme/clusters")),
        service: Some("shop-api".into()),
        artifacts: vec![ArtifactId::new(image)],
        ..state(id, "production", 200, Phase::Finished, Some(Outcome::Success))
    }
    .into()
}

fn gitops(image: &str) -> Vec<(i64, Body)> {
    let mut history = line();
    history.extend([catalog(Vec::new()), (10 * HOUR, success("a", 1)), (11 * HOUR, bumped("b", image))]);
    history
}

fn tagged(name: &str, n: u8, at: i64) -> (i64, Body) {
    (at, Tag { commit: Some(sha(n)), ..Tag::new(repository(), name.to_owned(), TagAction::Tagged) }.into())
}

/// Commit that deployment `b` brings.
fn brought(history: Vec<(i64, Body)>) -> Option<CommitId> {
    let mut reversed = history.clone();
    reversed.reverse();
    let (run, other) = (play(history), play(reversed));
    let found = deployment(&run, "b").unwrap();
    assert_eq!(deployment(&other, "b").map(|fact| fact.commit), Some(found.commit.clone()));
    assert_eq!(found.component, Component::new("shop"));
    found.commit
}

#[test]
fn a_version_bump_in_another_repository_leads_to_the_source() {
    let image = "ghcr.io/acme/shop";
    // Named after the commit, whole or abbreviated, with something before or behind.
    assert_eq!(brought(gitops(&format!("{image}:{}", sha(3)))), Some(sha(3)));
    assert_eq!(brought(gitops(&format!("{image}:release-{}", sha(3)))), Some(sha(3)));
    assert_eq!(brought(gitops(&format!("{image}:main-{}-7", &sha(3).as_str()[..8]))), Some(sha(3)));
    // A version: a tag of the source repository, told whenever.
    let mut history = gitops(&format!("{image}:v3"));
    assert_eq!(brought(history.clone()), None);
    history.push(tagged("v3", 3, 12 * HOUR));
    assert_eq!(brought(history.clone()), Some(sha(3)));
    assert_eq!(shipped(&play(history), 3).unwrap().version, Version::new("v3"));
    let mut history = gitops(&format!("{image}:1.4"));
    history.push(tagged("v1.4", 3, 9 * HOUR));
    assert_eq!(brought(history), Some(sha(3)));
    // A digest has the length of a commit's id.
    assert_eq!(brought(gitops(&format!("{image}@sha256:{}", "0f".repeat(32)))), None);
    // A branch leads nowhere, and the commit of the other repository is none of the component.
    assert_eq!(brought(gitops(&format!("{image}:main"))), None);
}

fn built(name: &str, digest: Option<&str>, tags: &[&str], n: u8) -> (i64, Body) {
    let artifact = Artifact {
        digest: digest.map(str::to_owned),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        commit: Some(sha(n)),
        ..Artifact::new(ArtifactId::new(name), ArtifactAction::Published)
    };
    (9 * HOUR, artifact.into())
}

#[test]
fn an_image_leads_to_the_commit_it_was_built_from() {
    let image = "ghcr.io/acme/shop";
    let mut history = gitops(&format!("{image}@sha256:0f"));
    history.push(built(image, Some("sha256:0f"), &["1.4"], 3));
    assert_eq!(brought(history), Some(sha(3)));
    let mut history = gitops(&format!("{image}:1.4"));
    history.push(built(&format!("{image}@sha256:0f"), None, &["1.4"], 3));
    assert_eq!(brought(history.clone()), Some(sha(3)));
    // The tag was moved: which of the two was deployed nobody knows.
    history.push(built(&format!("{image}@sha256:10"), None, &["1.4"], 2));
    assert_eq!(brought(history), None);
}

#[test]
fn a_commit_of_the_source_is_taken_at_its_word() {
    let mut history = line();
    let Body::Ci(CiBody::Deployment(mut told)) = bumped("b", "ghcr.io/acme/shop:main") else { unreachable!() };
    told.commit = Some(sha(3));
    history.extend([catalog(Vec::new()), (10 * HOUR, success("a", 1)), (11 * HOUR, told.into())]);
    assert_eq!(brought(history), Some(sha(3)));
}

const RUN: &str = "r/attempts/1#shop";

/// Commits 1 and 2, each with a run that deploys it; the second begins at 6 h and ends at 7 h.
fn piped(markers: Vec<Marker>) -> Vec<(i64, Body)> {
    let finished = |id: &str, n: u8, at: i64| {
        let Body::Ci(CiBody::PipelineRun(mut run)) = run_of(id, n, at) else { unreachable!() };
        (run.phase, run.outcome) = (Phase::Finished, Some(Outcome::Success));
        (run.started_at, run.finished_at) = (Some(Timestamp(at)), Some(Timestamp(at + HOUR)));
        (at + HOUR, run.into())
    };
    let mut history = line();
    history.extend([catalog(markers), finished("q", 1, 4 * HOUR), finished("r", 2, 6 * HOUR)]);
    history
}

#[test]
fn a_pipeline_may_count_as_the_deployment() {
    // Nothing says so.
    assert_eq!(deployment(&play(piped(Vec::new())), RUN), None);
    assert_eq!(deployment(&play(piped(vec![marker(MarkerKind::Pipeline, "build*")])), RUN), None);
    let mut history = piped(vec![marker(MarkerKind::Pipeline, "deliv*"), marker(MarkerKind::Deployment, "*")]);
    // A deployment event is told, too, and counts no more.
    history.push((8 * HOUR, success("b", 3)));
    let run = play(history);
    let fact = deployment(&run, RUN).unwrap();
    assert_eq!((fact.marker, fact.kind), (MarkerKind::Pipeline, DeploymentKind::Forward));
    assert_eq!((fact.tier, fact.environment), (Tier::Production, Environment::new("production")));
    assert_eq!((fact.started_at, fact.finished_at), (Some(Timestamp(6 * HOUR)), Some(Timestamp(7 * HOUR))));
    assert_eq!(fact.replaced, Some(Version::new(sha(1).as_str())));
    assert_eq!(release(&run, 2).lead_time, Some(Millis(5 * HOUR)));
    assert_eq!(release(&run, 2).deploy, Some(Millis(HOUR)));
    assert_eq!(kind(&run, "b"), DeploymentKind::None);
    assert_eq!(shipped(&run, 3), None);
}

#[test]
fn a_run_by_hand_that_counts_as_the_deployment_was_for_that() {
    let mut history = piped(vec![marker(MarkerKind::Pipeline, "deliv*")]);
    let Body::Ci(CiBody::PipelineRun(mut run)) = run_of("r", 2, 6 * HOUR) else { unreachable!() };
    run.trigger = Trigger::Manual;
    run.triggered_by = Actor { key: Some("somebody".into()), kind: ActorKind::Human };
    run.phase = Phase::Queued;
    history.push((6 * HOUR, run.clone().into()));
    (run.phase, run.outcome) = (Phase::Finished, Some(Outcome::Success));
    (run.started_at, run.finished_at) = (Some(Timestamp(6 * HOUR)), Some(Timestamp(7 * HOUR)));
    history.push((7 * HOUR, run.into()));
    let played = play(history);
    let step = played.tables.0.values().find_map(|fact| match fact {
        Fact::ManualStep(step) => Some(step.clone()),
        _ => None,
    });
    let step = step.unwrap();
    assert_eq!(step.environment, Some(Environment::new("production")));
    assert_eq!(step.version, Some(Version::new(sha(2).as_str())));
}

#[test]
fn a_task_may_count_as_the_deployment() {
    let mut to_staging = marker(MarkerKind::Task, "ship");
    to_staging.environment = Some(Environment::new("staging"));
    let mut history = piped(vec![to_staging]);
    history.push((9 * HOUR, task("ship", "r", [6 * HOUR, 7 * HOUR, 8 * HOUR])));
    let fact = deployment(&play(history), "ship/attempts/1#shop").unwrap();
    assert_eq!((fact.commit, fact.tier), (Some(sha(2)), Tier::Staging));
    assert_eq!((fact.started_at, fact.finished_at), (Some(Timestamp(7 * HOUR)), Some(Timestamp(8 * HOUR))));
}

#[test]
fn a_tag_or_its_publication_may_count_as_the_deployment() {
    let id = "github.com/acme/shop/tags/v2#shop";
    let mut history = line();
    history.extend([tagged("v1", 1, 4 * HOUR), tagged("v2", 2, 5 * HOUR), tagged("tmp", 3, 6 * HOUR)]);
    // Told again, it has not moved.
    history.push(tagged("v2", 2, 9 * HOUR));
    let published = |name: &str, at: i64, prerelease: bool| {
        let tag = Tag::new(repository(), name.to_owned(), TagAction::Published);
        let at = Timestamp(at);
        (at.0, Body::from(Tag { published_at: Some(at), prerelease: Some(prerelease), ..tag }))
    };
    let by = |kind: MarkerKind, more: Vec<(i64, Body)>| {
        let mut history = history.clone();
        history.push(catalog(vec![marker(kind, "v*")]));
        history.extend(more);
        play(history)
    };
    let run = by(MarkerKind::Tag, Vec::new());
    let fact = deployment(&run, id).unwrap();
    assert_eq!((fact.marker, fact.finished_at), (MarkerKind::Tag, Some(Timestamp(5 * HOUR))));
    assert_eq!((fact.version, fact.replaced), (Some(Version::new("v2")), Some(Version::new("v1"))));
    assert_eq!(shipped(&run, 2).unwrap().lead_time, Some(Millis(3 * HOUR)));
    assert_eq!((shipped(&run, 3), fact.evidence.len()), (None, 1));
    // Removed, it is no deployment any more.
    let removed = Tag::new(repository(), "v2".to_owned(), TagAction::Deleted);
    assert_eq!(deployment(&by(MarkerKind::Tag, vec![(10 * HOUR, removed.into())]), id), None);
    assert_eq!(deployment(&by(MarkerKind::Release, Vec::new()), id), None);
    assert_eq!(deployment(&by(MarkerKind::Release, vec![published("v2", 7 * HOUR, true)]), id), None);
    let run = by(MarkerKind::Release, vec![published("v2", 7 * HOUR, true), published("v2", 8 * HOUR, false)]);
    let fact = deployment(&run, id).unwrap();
    assert_eq!((fact.marker, fact.finished_at), (MarkerKind::Release, Some(Timestamp(8 * HOUR))));
    assert_eq!(fact.commit, Some(sha(2)));
}

#[test]
fn a_stage_is_told_apart_from_the_full_rollout() {
    let mut history = line();
    let staged = |rollout: Rollout| Deployment {
        rollout,
        ..state("b", "production", 2, Phase::Finished, Some(Outcome::Success))
    };
    history.extend([
        (10 * HOUR, success("a", 1)),
        (11 * HOUR, staged(Rollout::Partial).into()),
        (13 * HOUR, staged(Rollout::Full).into()),
    ]);
    let fact = deployment(&play(history), "b").unwrap();
    assert_eq!((fact.partial_at, fact.finished_at), (Some(Timestamp(11 * HOUR)), Some(Timestamp(13 * HOUR))));
    assert_eq!(fact.replaced, Some(Version::new(sha(1).as_str())));
    let first = DeploymentId::new("a");
    assert_eq!(deployment(&play(line()), first.as_str()), None);
}
