//! Where commits come from: the way of each up to its merge, picks and reverts.

use model::fact::Origin;
use model::{CommitId, Timestamp};

use crate::known::Commit;
use crate::look_ups::things;
use crate::world::{Way, World};

/// Of several times the earliest; of one told twice, an author time says most and a commit time least.
fn earliest(times: impl IntoIterator<Item = (Timestamp, Origin)>) -> Option<(Timestamp, Origin)> {
    let says = |origin| [Origin::Authored, Origin::Squashed, Origin::Picked].iter().position(|of| *of == origin);
    times.into_iter().min_by_key(|(at, origin)| (*at, says(*origin).unwrap_or(usize::MAX)))
}

impl World {
    /// The way of a commit up to its merge.
    pub fn way(&self, id: &CommitId) -> Way {
        let Some(commit) = self.known.commits.get(id) else { return self.way_of_the_unknown(id) };
        let change = self.brought_by(id).map(|(_, change)| change);
        let merged_at = change.and_then(|change| change.merged.as_ref()).map(|(at, _)| *at);
        let picked = self.sources(id).into_iter().filter_map(|(at, _)| Some((at?, Origin::Picked)));
        let counted_from = earliest(self.own_time(id).into_iter().chain(picked));
        Way {
            authored_at: counted_from.map(|(at, _)| at),
            origin: counted_from.map(|(_, origin)| origin).unwrap_or_default(),
            author: commit.author,
            opened_at: change.and_then(|change| change.created_at),
            merged_at: merged_at.or(commit.landed_at),
            committed_at: commit.committed_at,
        }
    }

    /// Of a commit that was merely named, a change may tell.
    fn way_of_the_unknown(&self, id: &CommitId) -> Way {
        let change = self.brought_by(id).map(|(_, change)| change);
        let own = self.own_time(id);
        Way {
            authored_at: own.map(|(at, _)| at),
            origin: own.map(|(_, origin)| origin).unwrap_or_default(),
            opened_at: change.and_then(|change| change.created_at),
            merged_at: change.and_then(|change| change.merged.as_ref()).map(|(at, _)| *at),
            ..Way::default()
        }
    }

    /// Its own time, or that of the earliest commit squashed into it.
    fn own_time(&self, id: &CommitId) -> Option<(Timestamp, Origin)> {
        let commit = self.known.commits.get(id);
        let authored = commit.and_then(Commit::authored_at).map(|at| (at, Origin::Authored));
        let own = authored.or_else(|| commit?.committed_at.map(|at| (at, Origin::Committed)));
        earliest(own.into_iter().chain(self.squashed_at(id).map(|at| (at, Origin::Squashed))))
    }

    /// When the first of the commits was written that were squashed into this one; none where it is no squash: where it is the
    /// last commit of its change, or holds it, or came to the default branch with it, or has its author time.
    fn squashed_at(&self, id: &CommitId) -> Option<Timestamp> {
        let (key, change) = self.brought_by(id)?;
        let commit = self.known.commits.get(id);
        let merged_it = change.merged.as_ref().is_some_and(|(_, merge)| merge.as_ref() == Some(id));
        if !merged_it || commit.is_some_and(Commit::is_merge) {
            return None;
        }
        if let Some(head) = &change.head {
            let is_fast_forward = head == id;
            let holds_head = commit.is_some_and(|commit| commit.older().contains(head));
            let landed = |id| self.known.commits.get(id)?.landed_at;
            let came_along = landed(head).is_some_and(|at| landed(id).is_some_and(|merged| at <= merged));
            // A rebase keeps author times, a squash has its own.
            let author_time = |id| self.known.commits.get(id)?.authored_at();
            let is_rebase = author_time(head).is_some() && author_time(head) == author_time(id);
            if is_fast_forward || holds_head || came_along || is_rebase {
                return None;
            }
        }
        // A branch that lives on holds commits that an earlier change brought already.
        let own = self.members(key).iter().filter(|member| self.brought_by(member).is_some_and(|(by, _)| by == key));
        own.filter_map(|member| self.known.commits.get(member)?.written_at()).min()
    }

    /// Commits that it was picked from, by its own word or by the same patch, each with the time to count it from.
    fn sources(&self, id: &CommitId) -> Vec<(Option<Timestamp>, CommitId)> {
        let Some(commit) = self.known.commits.get(id) else { return Vec::new() };
        let meant = |given: &CommitId| self.resolve(given).unwrap_or_else(|| given.clone());
        let by_word = commit.picked_from.iter().map(meant).filter(|source| source != id);
        let same_patch =
            commit.patch.iter().flat_map(|patch| things(&self.look_ups.commits_by_patch, patch, &self.known.commits));
        let by_patch = same_patch.filter(|(_, other)| self.is_pick(commit, other));
        let sources = by_word.chain(by_patch.map(|(id, _)| id.clone()));
        sources.map(|source| (self.own_time(&source).map(|(at, _)| at), source)).collect()
    }

    /// The same patch once more in the same repository, later. To revert a revert is no pick.
    fn is_pick(&self, commit: &Commit, of: &Commit) -> bool {
        let is_later = commit.committed_at.is_some_and(|at| of.committed_at.is_some_and(|source| source < at));
        commit.patch.is_some()
            && commit.patch == of.patch
            && commit.reverts.is_empty()
            && is_later
            && !commit.repositories.is_disjoint(&of.repositories)
    }

    /// The commit that it was picked from: of several the earliest.
    pub fn picked_from(&self, id: &CommitId) -> Option<CommitId> {
        self.sources(id).into_iter().min_by_key(|(at, id)| (at.is_none(), *at, id.clone())).map(|(_, id)| id)
    }

    /// The commit that it reverts: of several the one of the smallest id.
    pub fn reverts(&self, id: &CommitId) -> Option<CommitId> {
        let given = self.known.commits.get(id)?.reverts.iter();
        given.map(|given| self.resolve(given).unwrap_or_else(|| given.clone())).min()
    }

    /// The commit that reverted it: of several the one written first.
    pub fn reverted_by(&self, id: &CommitId) -> Option<CommitId> {
        let all = things(&self.look_ups.reverting, id, &self.known.commits).filter(|(by, _)| *by != id);
        all.min_by_key(|(by, commit)| (commit.written_at().is_none(), commit.written_at(), *by))
            .map(|(by, _)| by.clone())
    }
}
