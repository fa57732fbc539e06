//! Commits: which there are, and what each tells.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gix::actor::SignatureRef;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use gix::{ObjectId, ThreadSafeRepository};
use model::event::{Actor, ActorKind, CommitInfo, Commits};
use model::git::{Origins, is_machine, origins, private_login};
use model::{CommitId, Repository, Timestamp};

use super::Error;
use super::lines::{deliver, progress};
use super::paths::Paths;
use super::source::Source;
use crate::Sink;

/// One commit of so many ends an event; which, its id says, so that one commit more moves no other cut.
const CUT: u8 = 64;
/// Events are cut after so many commits, and after so many bytes of paths.
const MOST: usize = 256;
const MOST_BYTES: usize = 1024 * 1024;
/// What each thread keeps of trees and commits that it has seen, in bytes, and of what others in a pack are told apart from.
const OBJECT_CACHE: usize = 32 * 1024 * 1024;
const PACK_CACHE: usize = 32 * 1024 * 1024;

/// The commits to tell of.
pub(super) struct History {
    /// By commit time, then by id.
    pub commits: Vec<(i64, ObjectId)>,
    /// Those of them whose parents a shallow clone left out, sorted.
    pub boundary: Vec<ObjectId>,
    /// How many are older than was asked for.
    pub left_out: u64,
}

/// Finds every commit that the tips reach.
pub(super) fn walk(
    repository: &gix::Repository,
    tips: impl Iterator<Item = ObjectId>,
    since: Option<Timestamp>,
) -> Result<History, Error> {
    let broken = |source| Error::Walk(Box::new(source));
    let shallow = repository.shallow_commits().map_err(broken)?;
    let cut_off: HashSet<ObjectId> = shallow.iter().flat_map(|ids| ids.iter().copied()).collect();
    let (mut commits, mut boundary, mut left_out) = (Vec::new(), Vec::new(), 0);
    // A commit graph knows nothing of what a shallow clone has left out.
    let walk =
        repository.rev_walk(tips).sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst)).use_commit_graph(false);
    for info in walk.all().map_err(broken)? {
        let info = info.map_err(broken)?;
        let seconds = info.commit_time.unwrap_or_default();
        if since.is_some_and(|since| Timestamp::from_seconds(seconds) < since) {
            left_out += 1;
            continue;
        }
        if cut_off.contains(&info.id) {
            boundary.push(info.id);
        }
        commits.push((seconds, info.id));
    }
    commits.sort_unstable();
    boundary.sort_unstable();
    Ok(History { commits, boundary, left_out })
}

/// Delivers the commits, on as many threads as there are processors; how many of them have unknown paths.
pub(super) fn tell(source: &Source, history: &History, sink: &Sink) -> Result<u64, Error> {
    let chunks: Vec<&[(i64, ObjectId)]> = history
        .commits
        .chunk_by(|(_, id), _| id.as_bytes().last().is_none_or(|byte| byte % CUT != 0))
        .flat_map(|chunk| chunk.chunks(MOST))
        .collect();
    let total = Some(history.commits.len());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    progress(sink, "commits", 0, total);
    let work = || {
        let repository = cached(&source.repository);
        let mut reader = Reader::new(&repository, &source.name, &history.boundary);
        while let Some(chunk) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = reader.tell(chunk, sink) {
                next.store(chunks.len(), Ordering::Relaxed);
                return Err(error);
            }
            progress(sink, "commits", done.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len(), total);
        }
        Ok(reader.without_paths)
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.sum()
    })
}

/// A handle for one thread, with caches.
pub(super) fn cached(repository: &ThreadSafeRepository) -> gix::Repository {
    let mut repository = repository.to_thread_local();
    repository.object_cache_size(OBJECT_CACHE);
    repository.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(PACK_CACHE)));
    repository
}

/// Reads commits on one thread.
struct Reader<'a> {
    repository: &'a gix::Repository,
    name: &'a Repository,
    boundary: &'a [ObjectId],
    paths: Paths<'a>,
    without_paths: u64,
}

impl<'a> Reader<'a> {
    fn new(repository: &'a gix::Repository, name: &'a Repository, boundary: &'a [ObjectId]) -> Self {
        Self { repository, name, boundary, paths: Paths::new(repository), without_paths: 0 }
    }

    fn tell(&mut self, chunk: &[(i64, ObjectId)], sink: &Sink) -> Result<(), Error> {
        let (mut commits, mut at, mut bytes) = (Vec::with_capacity(chunk.len()), i64::MIN, 0);
        for (index, (seconds, id)) in chunk.iter().enumerate() {
            let commit =
                self.info(*id).map_err(|source| Error::Commit { id: id.to_string(), source: Box::new(source) })?;
            bytes += commit.paths.iter().flatten().map(String::len).sum::<usize>();
            at = at.max(*seconds);
            commits.push(commit);
            if bytes >= MOST_BYTES || index + 1 == chunk.len() {
                let commits = std::mem::take(&mut commits);
                deliver(Timestamp::from_seconds(at), Commits { repository: self.name.clone(), commits }, sink)?;
                (at, bytes) = (i64::MIN, 0);
            }
        }
        Ok(())
    }

    fn info(&mut self, id: ObjectId) -> gix::Result<CommitInfo> {
        let object = self.repository.find_commit(id)?;
        let commit = object.decode()?;
        let parents: Vec<ObjectId> = commit.parents().collect();
        // A line of author or committer that is malformed tells nothing; the commit is one all the same.
        let (author, committer) = (commit.author().ok(), commit.committer().ok());
        let cut_off = self.boundary.binary_search(&id).is_ok();
        let changed = if cut_off { None } else { self.paths.changed(commit.tree(), &parents) };
        self.without_paths += u64::from(changed.is_none());
        let Origins { cherry_picked_from, reverts, changes } = origins(&commit.message.to_string());
        let told = |id: &ObjectId| CommitId::new(id.to_string());
        let actor = |by: Option<&SignatureRef<'_>>| {
            by.map_or_else(Actor::default, |by| account(self.name, &by.name.to_string(), &by.email.to_string()))
        };
        Ok(CommitInfo {
            parents: Some(parents.iter().map(told).collect()),
            authored_at: author.as_ref().and_then(seconds),
            committed_at: committer.as_ref().and_then(seconds),
            author: actor(author.as_ref()),
            committer: actor(committer.as_ref()),
            paths_cut: changed.as_ref().is_some_and(|changed| changed.cut),
            paths: changed.map(|changed| changed.paths),
            cherry_picked_from,
            reverts,
            changes,
            ..CommitInfo::new(told(&id))
        })
    }
}

/// When somebody signed.
pub(super) fn seconds(by: &SignatureRef<'_>) -> Option<Timestamp> {
    by.time().ok().map(|time| Timestamp::from_seconds(time.seconds))
}

/// An account as an import names it, in plain text: that of the host where the address is one of those that it hands out.
pub(super) fn account(repository: &Repository, name: &str, address: &str) -> Actor {
    let host = repository.as_str().split('/').next().unwrap_or_default();
    if let Some(login) = private_login(host, address) {
        let kind = if is_machine(login) { ActorKind::Machine } else { ActorKind::Human };
        return Actor { key: Some(format!("{host}/{login}")), kind };
    }
    let kind = if is_machine(name) { ActorKind::Machine } else { ActorKind::Unknown };
    Actor { key: Some(address.to_owned()).filter(|address| !address.trim().is_empty()), kind }
}
