//! Against repositories that git itself wrote.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use globset::Glob;
use model::event::{Body, CiBody, CommitInfo, Tag};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::{Delivery, Progress};

/// A root, a commit on a side line that moves a file, one on the main line, and a merge that edits a third file; then a revert.
const STREAM: &str = "\
commit refs/heads/main
mark :1
author Octocat <1+octocat@users.noreply.github.com> 1000000000 +0100
committer GitHub <noreply@github.com> 1000000100 +0000
data 11
Begin (#1)

M 100644 inline src/a.rs
data 1
a
M 100644 inline b.txt
data 1
b
M 100644 inline c.txt
data 1
c

commit refs/heads/side
mark :2
author A <a@example.org> 1000001000 +0000
committer A <a@example.org> 1000001000 +0000
data 4
Move
from :1
R b.txt moved/b.txt

commit refs/heads/main
mark :3
author bot[bot] <bot@example.org> 1000002000 +0000
committer A <a@example.org> 1000002000 +0000
data 4
Edit
from :1
M 100644 inline src/a.rs
data 2
aa

commit refs/heads/main
mark :4
author A <a@example.org> 1000003000 +0000
committer A <a@example.org> 1000003000 +0000
data 37
Merge pull request #2 from acme/side

from :3
merge :2
R b.txt moved/b.txt
M 100644 inline c.txt
data 2
cc

tag v1
from :3
tagger A <a@example.org> 1000001500 +0000
data 2
v1
reset refs/tags/light
from :4

";

fn git(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "protocol.file.allow=always"]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git is installed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?} failed");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository(stream: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--bare", "--initial-branch=main"], "");
    git(folder.path(), &["fast-import", "--quiet"], stream);
    folder
}

fn options(folder: &Path) -> Options {
    let repository = Some(Repository::new("github.com/acme/shop"));
    Options { from: folder.display().to_string(), repository, ..Options::default() }
}

/// What a repository told, in any order.
struct Read {
    summary: Summary,
    deliveries: Vec<Delivery>,
    progress: Vec<Progress>,
}

#[derive(Deserialize)]
struct Line {
    occurred_at: Timestamp,
    body: Body,
}

fn read(options: &Options) -> Read {
    let (sender, mut receiver) = mpsc::channel(10_000);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let progress = {
        let seen = Arc::clone(&seen);
        Arc::new(move |at| seen.lock().unwrap().push(at))
    };
    let summary = super::read(options, &Sink { deliveries: sender, progress }).unwrap();
    let mut deliveries: Vec<Delivery> = std::iter::from_fn(|| receiver.blocking_recv()).collect();
    deliveries.sort_by(|a, b| a.id.cmp(&b.id));
    let progress = seen.lock().unwrap().clone();
    Read { summary, deliveries, progress }
}

impl Read {
    fn lines(&self) -> impl Iterator<Item = Line> {
        self.deliveries.iter().map(|delivery| {
            assert_eq!((delivery.provider, &delivery.event), ("import", &None));
            serde_json::from_slice(&delivery.body).unwrap()
        })
    }

    /// In the order of author time.
    fn commits(&self) -> Vec<CommitInfo> {
        let mut commits: Vec<CommitInfo> = self
            .lines()
            .filter_map(|line| match line.body {
                Body::Ci(CiBody::Commits(told)) => Some(told.commits),
                _ => None,
            })
            .flatten()
            .collect();
        commits.sort_by_key(|commit| commit.authored_at);
        commits
    }

    /// By name.
    fn tags(&self) -> Vec<(Timestamp, Tag)> {
        let mut tags: Vec<_> = self
            .lines()
            .filter_map(|line| match line.body {
                Body::Ci(CiBody::Tag(tag)) => Some((line.occurred_at, tag)),
                _ => None,
            })
            .collect();
        tags.sort_by(|(_, a), (_, b)| a.tag.cmp(&b.tag));
        tags
    }
}

#[test]
fn commits_tell_parents_times_accounts_origins_and_paths() {
    let folder = repository(STREAM);
    let told = read(&options(folder.path()));
    let commits = told.commits();
    let [root, moved, edited, merge] = &commits[..] else { panic!("{commits:?}") };
    let paths = |commit: &CommitInfo| commit.paths.clone().unwrap();
    assert_eq!(paths(root), ["b.txt", "c.txt", "src/a.rs"]);
    assert_eq!(paths(moved), ["b.txt", "moved/b.txt"]);
    assert_eq!(paths(edited), ["src/a.rs"]);
    assert_eq!(paths(merge), ["c.txt"], "what differs from both lines");
    assert_eq!(root.parents, Some(Vec::new()));
    assert_eq!(merge.parents, Some(vec![edited.id.clone(), moved.id.clone()]));
    assert_eq!(root.authored_at, Some(Timestamp(1_000_000_000_000)));
    assert_eq!(root.committed_at, Some(Timestamp(1_000_000_100_000)));
    let account = |actor: &model::event::Actor| (actor.key.clone().unwrap(), actor.kind);
    use model::event::ActorKind::{Human, Machine, Unknown};
    assert_eq!(account(&root.author), ("github.com/octocat".to_owned(), Human));
    assert_eq!(account(&root.committer), ("github.com/web-flow".to_owned(), Machine));
    assert_eq!(account(&moved.author), ("a@example.org".to_owned(), Unknown));
    assert_eq!(account(&edited.author), ("bot@example.org".to_owned(), Machine));
    let change = |commit: &CommitInfo| commit.changes.first().map(ToString::to_string);
    assert_eq!((change(root).as_deref(), change(merge).as_deref()), (Some("1"), Some("2")));
    assert!(told.summary.whole);
    assert_eq!((told.summary.commits, told.summary.tags, told.summary.branch.as_deref()), (4, 2, Some("main")));
    let last = |stage: &str| told.progress.iter().filter(|at| at.stage == stage).map(|at| at.done).max();
    assert_eq!((last("commits"), last("tags")), (Some(4), Some(2)));
}

#[test]
fn tags_have_the_time_of_their_tagger_else_of_their_commit() {
    let folder = repository(STREAM);
    git(folder.path(), &["tag", "tree", "main^{tree}"], "");
    git(
        folder.path(),
        &["-c", "user.name=B", "-c", "user.email=b@example.org", "tag", "-m", "again", "nested", "v1"],
        "",
    );
    let told = read(&options(folder.path()));
    let commits = told.commits();
    let tags = told.tags();
    let [(light_at, light), (_, nested), (v1_at, v1)] = &tags[..] else { panic!("{tags:?}") };
    assert_eq!((*light_at, light.commit.as_ref()), (Timestamp(1_000_003_000_000), Some(&commits[3].id)));
    assert_eq!(*v1_at, Timestamp(1_000_001_500_000), "older than its commit");
    assert_eq!((v1.created_at, v1.commit.as_ref()), (Some(*v1_at), Some(&commits[2].id)));
    assert_eq!((nested.tag.as_str(), nested.commit.as_ref()), ("nested", Some(&commits[2].id)));
    assert_eq!(nested.actor.key.as_deref(), Some("b@example.org"));
    assert_eq!(told.summary.tags_of_no_commit, 1);
}

#[test]
fn a_shallow_clone_ends_in_a_hole_and_not_in_roots() {
    let folder = repository(STREAM);
    let clone = tempfile::tempdir().unwrap();
    let address = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "--quiet", "--bare", "--depth=2", &address, "shop.git"], "");
    let path = clone.path().join("shop.git");
    let told = read(&options(&path));
    let commits = told.commits();
    let [moved, edited, merge] = &commits[..] else { panic!("{commits:?}") };
    for boundary in [moved, edited] {
        assert_eq!(boundary.parents.as_ref().map(Vec::len), Some(1), "not a root");
        assert_eq!(boundary.paths, None, "not the whole tree");
    }
    assert_eq!(merge.paths.as_deref(), Some(&["c.txt".to_owned()][..]));
    assert_eq!((told.summary.boundary, told.summary.without_paths, told.summary.whole), (2, 2, false));
    assert!(told.summary.to_string().contains("shallow"), "{}", told.summary);
}

#[test]
fn grafts_and_replacements_change_nothing() {
    let folder = repository(STREAM);
    let before = read(&options(folder.path()));
    let commits = before.commits();
    git(folder.path(), &["replace", "--graft", commits[3].id.as_str()], "");
    std::fs::create_dir_all(folder.path().join("info")).unwrap();
    std::fs::write(folder.path().join("info/grafts"), format!("{}\n", commits[2].id)).unwrap();
    let after = read(&options(folder.path()));
    assert_eq!(after.deliveries, before.deliveries);
    assert_eq!((before.summary.grafts, after.summary.grafts), (0, 2));
}

#[test]
fn a_bundle_an_address_and_a_clone_tell_the_same() {
    let folder = repository(STREAM);
    let other = tempfile::tempdir().unwrap();
    let bundle = other.path().join("shop.bundle");
    git(folder.path(), &["bundle", "create", "--quiet", bundle.to_str().unwrap(), "HEAD", "--all"], "");
    let address = format!("file://{}", folder.path().display());
    git(other.path(), &["clone", "--quiet", &address, "work"], "");
    let work = other.path().join("work");
    // What is checked out, or committed here alone, is not the default branch.
    git(&work, &["checkout", "--quiet", "-b", "mine", "HEAD~1"], "");
    let here = read(&options(folder.path()));
    for from in [bundle.display().to_string(), address, work.display().to_string()] {
        let there = read(&Options { from: from.clone(), ..options(folder.path()) });
        assert_eq!(there.deliveries, here.deliveries, "{from}");
        assert_eq!(there.summary, here.summary, "{from}");
    }
}

#[test]
fn what_is_read_can_be_narrowed() {
    let folder = repository(STREAM);
    let with = |change: &dyn Fn(&mut Options)| {
        let mut options = options(folder.path());
        change(&mut options);
        read(&options)
    };
    let side = with(&|options| {
        options.branch = Some("side".to_owned());
        options.tags = Some(Glob::new("none-*").unwrap().compile_matcher());
    });
    assert_eq!((side.summary.commits, side.summary.tags, side.summary.whole), (2, 0, true));
    let late = with(&|options| options.since = Some(Timestamp(1_000_001_800_000)));
    assert_eq!((late.summary.commits, late.summary.left_out, late.summary.tags), (2, 2, 1));
    assert!(!late.summary.whole);
    let unknown = Options { branch: Some("no".to_owned()), ..options(folder.path()) };
    let (deliveries, receiver) = mpsc::channel(1);
    let sink = Sink { deliveries, progress: Arc::new(|_| ()) };
    assert_eq!(super::read(&unknown, &sink).unwrap_err().to_string(), "there is no branch `no`; there are: main, side");
    drop(receiver);
    assert!(matches!(super::read(&options(folder.path()), &sink), Err(Error::Closed)));
}

/// A straight line of commits, the first of which is dated before 1970 was over.
fn line(commits: u32) -> String {
    (1..=commits)
        .map(|n| {
            let from = if n == 1 { String::new() } else { format!("from :{}\n", n - 1) };
            format!(
                "commit refs/heads/main\nmark :{n}\ncommitter A <a@example.org> {} +0000\ndata 1\nx\n{from}\
                 M 100644 inline {n}.txt\ndata 1\nx\n\n",
                n * 1000
            )
        })
        .collect()
}

#[test]
fn a_repository_that_has_grown_tells_mostly_what_it_told() {
    let (short, long) = (repository(&line(1500)), repository(&line(1501)));
    let (short, long) = (read(&options(short.path())), read(&options(long.path())));
    assert_eq!(long.commits().len(), 1501);
    let new = long.deliveries.iter().filter(|delivery| !short.deliveries.contains(delivery)).count();
    assert_eq!(new, 1, "of {}", long.deliveries.len());
    assert!(long.lines().all(|line| line.occurred_at >= Timestamp(100_000_000_000)), "an import takes them");
}

#[test]
fn an_empty_repository_tells_nothing() {
    let told = read(&options(repository("").path()));
    assert_eq!((told.deliveries.len(), told.summary.branch.as_deref()), (0, None));
}
