//! Picks, reverts, squashes, merge queues and moved branches, worked out by hand.

use model::event::*;
use model::fact::{Origin, ReleaseCommitFact};
use model::{ChangeId, CommitId, Millis, Timestamp};

use super::Run;
use super::cases::{HOUR, line, merged, play, pushed, release, repository, sha, shipped, success};

/// Commit `n` on top of `parent`, written at one time and committed at another.
fn info(n: u8, parent: u8, authored_at: Option<i64>, committed_at: i64) -> CommitInfo {
    CommitInfo {
        parents: Some(vec![sha(parent)]),
        authored_at: authored_at.map(Timestamp),
        committed_at: Some(Timestamp(committed_at)),
        ..CommitInfo::new(sha(n))
    }
}

fn told(info: CommitInfo) -> (i64, Body) {
    let at = info.committed_at.unwrap().0;
    (at, Commits { repository: repository(), commits: vec![info] }.into())
}

/// 1 is in production; then 9, on top of it, is deployed at 20 h.
fn backport(picked: CommitInfo) -> Vec<(i64, Body)> {
    let mut history = line();
    history.extend([(10 * HOUR, success("a", 1)), told(picked), (20 * HOUR, success("b", 9))]);
    history
}

fn row(run: &Run, n: u8) -> ReleaseCommitFact {
    shipped(run, n).unwrap_or_else(|| panic!("commit {n} was not shipped"))
}

#[test]
fn a_pick_counts_from_the_commit_it_was_picked_from() {
    // Commit 3 was written at 3 h. A provider that tells no author time says only that 9 was committed at 15 h.
    let picked = CommitInfo { cherry_picked_from: vec![sha(3)], ..info(9, 1, None, 15 * HOUR) };
    let run = play(backport(picked.clone()));
    let fact = row(&run, 9);
    assert_eq!((fact.origin, fact.picked_from), (Origin::Picked, Some(sha(3))));
    assert_eq!((fact.authored_at, fact.lead_time), (Some(Timestamp(3 * HOUR)), Some(Millis(17 * HOUR))));
    assert_eq!(release(&run, 9).lead_time, Some(Millis(17 * HOUR)));
    // The backported commit is its own: what it was picked from was not shipped.
    assert_eq!((release(&run, 9).commits, shipped(&run, 3)), (1, None));
    // Where git's author time is told, it is that of the source, and so its own.
    let kept = CommitInfo { authored_at: Some(Timestamp(3 * HOUR)), ..picked };
    let fact = row(&play(backport(kept)), 9);
    assert_eq!((fact.origin, fact.lead_time), (Origin::Authored, Some(Millis(17 * HOUR))));
    // A plain commit has no source.
    let fact = row(&play(backport(info(9, 1, None, 15 * HOUR))), 9);
    assert_eq!((fact.origin, fact.picked_from, fact.lead_time), (Origin::Committed, None, Some(Millis(5 * HOUR))));
}

#[test]
fn a_source_by_an_abbreviation_is_found_when_it_is_told() {
    let short = CommitId::given(&sha(30).as_str()[..9]).unwrap();
    let picked = CommitInfo { cherry_picked_from: vec![short.clone()], ..info(9, 1, Some(14 * HOUR), 15 * HOUR) };
    let mut history = backport(picked);
    let fact = row(&play(history.clone()), 9);
    assert_eq!((fact.picked_from, fact.origin), (Some(short), Origin::Authored));
    history.push((25 * HOUR, told(info(30, 2, Some(13 * HOUR), 13 * HOUR)).1));
    let fact = row(&play(history), 9);
    assert_eq!((fact.picked_from, fact.origin), (Some(sha(30)), Origin::Picked));
    assert_eq!(fact.lead_time, Some(Millis(7 * HOUR)));
}

#[test]
fn the_same_patch_committed_later_is_a_pick() {
    let patch = Some("7c1f".to_owned());
    let source = CommitInfo { patch_id: patch.clone(), ..info(30, 2, Some(12 * HOUR), 13 * HOUR) };
    let picked = CommitInfo { patch_id: patch, ..info(9, 1, None, 15 * HOUR) };
    let mut history = backport(picked.clone());
    history.push(told(source.clone()));
    let fact = row(&play(history.clone()), 9);
    assert_eq!((fact.picked_from, fact.lead_time), (Some(sha(30)), Some(Millis(8 * HOUR))));
    // The earlier of the two is picked from nothing.
    history.push((21 * HOUR, success("c", 30)));
    assert_eq!(row(&play(history), 30).picked_from, None);
    // To revert a revert makes the patch once more, and is new work.
    let mut history = backport(CommitInfo { reverts: vec![sha(40)], ..picked });
    history.push(told(source));
    let fact = row(&play(history), 9);
    assert_eq!((fact.picked_from, fact.reverts, fact.lead_time), (None, Some(sha(40)), Some(Millis(5 * HOUR))));
}

#[test]
fn a_revert_names_both_sides() {
    let mut history = line();
    let short = CommitId::given(&sha(2).as_str()[..8]).unwrap();
    history.extend([
        told(CommitInfo { reverts: vec![short], ..info(8, 4, Some(6 * HOUR), 6 * HOUR) }),
        told(CommitInfo { reverts: vec![sha(8)], ..info(9, 8, Some(7 * HOUR), 7 * HOUR) }),
        told(CommitInfo { reverts: vec![sha(2)], ..info(20, 9, Some(8 * HOUR), 8 * HOUR) }),
        (10 * HOUR, success("a", 1)),
        (11 * HOUR, success("b", 20)),
    ]);
    let run = play(history);
    // Reverted twice: the first one counts.
    assert_eq!(row(&run, 2).reverted_by, Some(sha(8)));
    assert_eq!((row(&run, 8).reverts, row(&run, 8).reverted_by), (Some(sha(2)), Some(sha(9))));
    assert_eq!((row(&run, 9).reverts, row(&run, 9).reverted_by), (Some(sha(8)), None));
    assert_eq!(row(&run, 3).reverted_by, None);
}

#[test]
fn a_squash_says_so() {
    let history = vec![
        (0, pushed("main", None, &[(1, 0)])),
        (2 * HOUR, pushed("topic", None, &[(2, HOUR), (3, 2 * HOUR)])),
        (5 * HOUR, merged("7", 3, 9, 3 * HOUR, 5 * HOUR)),
        (5 * HOUR, pushed("main", Some(1), &[(9, 5 * HOUR)])),
        (HOUR, success("a", 1)),
        (8 * HOUR, success("b", 9)),
    ];
    let fact = row(&play(history.clone()), 9);
    assert_eq!((fact.origin, fact.authored_at), (Origin::Squashed, Some(Timestamp(HOUR))));
    // Picked from there to a release branch, it counts from the same hour.
    let mut history = history;
    let picked = CommitInfo { cherry_picked_from: vec![sha(9)], ..info(20, 1, None, 9 * HOUR) };
    history.extend([told(picked), (10 * HOUR, success("c", 20))]);
    let fact = row(&play(history), 20);
    assert_eq!((fact.origin, fact.authored_at), (Origin::Picked, Some(Timestamp(HOUR))));
}

/// Two changes of two commits each in one group of a merge queue; `merges` are the commits that bring them in. The branch of the
/// queue is pushed first, and the same commits then to the default branch.
fn queued(listed: &[(u8, i64)]) -> Vec<(i64, Body)> {
    let topic = |name: &str, commits: &[(u8, i64)]| pushed(name, None, commits);
    let change = |number: &str, branch: &str, head: u8, merge: u8| -> Body {
        let Body::Ci(CiBody::Change(mut change)) = merged(number, head, merge, 3 * HOUR, 6 * HOUR) else {
            unreachable!()
        };
        change.source_branch = Some(branch.to_owned());
        change.into()
    };
    vec![
        (0, pushed("main", None, &[(1, 0)])),
        (HOUR, success("a", 1)),
        (3 * HOUR, topic("one", &[(10, HOUR), (11, 2 * HOUR)])),
        (3 * HOUR, topic("two", &[(20, 2 * HOUR), (21, 3 * HOUR)])),
        (5 * HOUR, pushed("gh-readonly-queue/main/pr-2-0101", None, listed)),
        (6 * HOUR, pushed("main", Some(1), listed)),
        (6 * HOUR, change("1", "one", 11, 12)),
        (6 * HOUR, change("2", "two", 21, 22)),
        (8 * HOUR, success("b", 22)),
    ]
}

#[test]
fn a_merge_queue_that_squashes() {
    let run = play(queued(&[(12, 5 * HOUR), (22, 5 * HOUR)]));
    for (n, change, hours) in [(12, "1", 1), (22, "2", 2)] {
        let fact = row(&run, n);
        assert_eq!((fact.origin, fact.authored_at), (Origin::Squashed, Some(Timestamp(hours * HOUR))), "{n}");
        assert_eq!((fact.change, fact.merged_at), (Some(ChangeId::new(change)), Some(Timestamp(6 * HOUR))), "{n}");
    }
    assert_eq!((release(&run, 22).commits, shipped(&run, 10)), (2, None));
    // It came by the default branch, whatever branch it was on before.
    assert_eq!(release(&run, 22).kind, model::fact::ReleaseKind::Regular);
}

#[test]
fn a_merge_queue_that_merges() {
    // The push tells no parents: that 12 merges 11 shows by 11 having come along.
    let all = [(10, HOUR), (11, 2 * HOUR), (12, 5 * HOUR), (20, 2 * HOUR), (21, 3 * HOUR), (22, 5 * HOUR)];
    let run = play(queued(&all));
    for n in [12, 22] {
        let fact = row(&run, n);
        assert_eq!((fact.origin, fact.authored_at), (Origin::Committed, Some(Timestamp(5 * HOUR))), "{n}");
    }
    assert_eq!(release(&run, 22).commits, 6);
}

#[test]
fn what_a_forced_push_dropped_is_not_shipped() {
    let Body::Ci(CiBody::Push(mut forced)) = pushed("main", Some(2), &[(3, 3 * HOUR)]) else { unreachable!() };
    forced.forced = true;
    let mut history = vec![
        (HOUR, pushed("main", None, &[(1, HOUR)])),
        (2 * HOUR, pushed("main", Some(1), &[(2, 2 * HOUR)])),
        (3 * HOUR, forced.into()),
        (4 * HOUR, success("a", 1)),
        (5 * HOUR, success("b", 3)),
    ];
    let run = play(history.clone());
    assert_eq!((shipped(&run, 2), release(&run, 3).commits), (None, 1));
    assert!(!release(&run, 3).commits_complete, "what a forced branch stands on is not told");
    // Reached after all, by a commit that was built on it.
    history.extend([told(info(4, 2, None, 6 * HOUR)), (7 * HOUR, success("c", 4))]);
    assert_eq!(row(&play(history), 2).at, Timestamp(7 * HOUR));
}
