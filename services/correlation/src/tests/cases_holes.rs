//! Where something is not known, the row says so.

use model::event::*;
use model::fact::{Fact, Lineage, ReleaseCommitFact, ReleaseFact};
use model::{CommitId, DeploymentId, Environment, Repository, Timestamp};

use super::{Run, event};

fn sha(n: u8) -> CommitId {
    CommitId::new(format!("{n:02x}").repeat(20))
}

fn repository() -> Repository {
    Repository::new("github.com/acme/shop")
}

fn info(n: u8) -> CommitInfo {
    CommitInfo { committed_at: Some(Timestamp(i64::from(n))), ..CommitInfo::new(sha(n)) }
}

/// A push of these commits, which the provider listed all.
fn pushed(branch: &str, before: u8, commits: Vec<CommitInfo>) -> Body {
    Push {
        before: Some(sha(before)),
        after: commits.last().map(|info| info.id.clone()),
        commits,
        ..Push::new(repository(), format!("refs/heads/{branch}"))
    }
    .into()
}

fn deployed(n: u8, at: i64) -> Body {
    Deployment {
        repository: Some(repository()),
        commit: Some(sha(n)),
        outcome: Some(Outcome::Success),
        finished_at: Some(Timestamp(at)),
        ..Deployment::new(
            DeploymentId::new(format!("to {n}")),
            Environment::new("production"),
            DeploymentAction::Deploy,
            Phase::Finished,
        )
    }
    .into()
}

fn play(bodies: Vec<Body>) -> Run {
    let at = |n: usize| i64::try_from(n).unwrap();
    Run::of(&bodies.into_iter().enumerate().map(|(n, body)| event(at(n), &format!("d{n}"), body)).collect::<Vec<_>>())
}

fn release(run: &Run, n: u8) -> ReleaseFact {
    let of = |fact: &Fact| match fact {
        Fact::Release(row) if row.commit == Some(sha(n)) => Some(row.clone()),
        _ => None,
    };
    run.tables.0.values().find_map(of).unwrap()
}

fn shipped(run: &Run, n: u8) -> ReleaseCommitFact {
    let of = |fact: &Fact| match fact {
        Fact::ReleaseCommit(row) if row.commit == sha(n) => Some(row.clone()),
        _ => None,
    };
    run.tables.0.values().find_map(of).unwrap()
}

/// A hotfix is cut from the first of two commits that were pushed together. What was below that one only the push knows, and its end
/// is not deployed.
#[test]
fn a_branch_from_the_middle_of_a_push_has_a_hole_below_it() {
    let mut told = vec![
        pushed("main", 1, vec![info(2), info(3)]),
        pushed("hotfix", 2, vec![info(4)]),
        deployed(9, 10),
        deployed(4, 20),
    ];
    let run = play(told.clone());
    assert_eq!((release(&run, 4).commits, release(&run, 4).commits_complete), (2, false));
    // Once somebody tells what is below, nothing is missing.
    told.push(
        Commits { repository: repository(), commits: vec![CommitInfo { parents: Some(vec![]), ..info(2) }] }.into(),
    );
    assert!(release(&play(told), 4).commits_complete);
}

#[test]
fn a_commit_of_which_only_the_name_is_known_is_a_hole() {
    let told = |second: CommitInfo| {
        play(vec![
            Commits { repository: repository(), commits: vec![CommitInfo { parents: Some(vec![]), ..info(1) }] }.into(),
            deployed(1, 10),
            pushed("main", 1, vec![second, info(3)]),
            deployed(3, 20),
        ])
    };
    let whole = release(&told(info(2)), 3);
    assert_eq!((whole.commits, whole.commits_complete), (2, true));
    let named = release(&told(CommitInfo::new(sha(2))), 3);
    assert_eq!((named.commits, named.commits_complete), (1, false));
}

#[test]
fn a_cut_list_of_paths_does_not_say_whose_a_commit_is_not() {
    let component = CatalogComponent {
        component: "api".into(),
        team: None,
        repository: Some(repository()),
        paths: vec!["api/**".into()],
        excluded_paths: Vec::new(),
        services: Vec::new(),
        markers: Vec::new(),
        partial_counts: false,
        attribution_window: None,
        baseline_none: false,
        calendar: None,
    };
    let catalog = Catalog { revision: 1, components: vec![component], ..Catalog::default() };
    let told = |path: &str, cut: bool| {
        let commit =
            CommitInfo { parents: Some(Vec::new()), paths: Some(vec![path.to_owned()]), paths_cut: cut, ..info(1) };
        let row = release(
            &play(vec![
                catalog.clone().into(),
                Commits { repository: repository(), commits: vec![commit] }.into(),
                deployed(1, 10),
            ]),
            1,
        );
        (row.commits, row.commits_complete)
    };
    assert_eq!(told("web/a", false), (0, true));
    assert_eq!(told("web/a", true), (1, false));
    assert_eq!(told("api/a", true), (1, true));
}

/// 5, which is not deployed, is a child of 2. That says nothing of how 3 holds 2.
#[test]
fn a_child_that_is_not_deployed_is_no_lineage() {
    let child = |n: u8, of: u8| {
        let info = CommitInfo { parents: Some(vec![sha(of)]), ..info(n) };
        Body::from(Commits { repository: repository(), commits: vec![info] })
    };
    let mut told = vec![pushed("main", 1, vec![info(2), info(3)]), deployed(3, 10), child(5, 2)];
    assert_eq!(shipped(&play(told.clone()), 2).lineage, Lineage::Push);
    told.push(child(3, 2));
    assert_eq!(shipped(&play(told), 2).lineage, Lineage::Parents);
}

/// GitHub's pushes tell who wrote a commit, and not when.
#[test]
fn who_wrote_a_commit_is_known_without_when() {
    let by_machine = CommitInfo { author: Actor { key: Some("bot".into()), kind: ActorKind::Machine }, ..info(2) };
    let run = play(vec![pushed("main", 1, vec![by_machine, info(3)]), deployed(3, 10)]);
    assert_eq!(release(&run, 3).machine_commits, 1);
    assert_eq!((shipped(&run, 2).author_kind, shipped(&run, 3).author_kind), (ActorKind::Machine, ActorKind::Unknown));
}
