//! Pushes, changes, hotfixes, picks, tags, and clones that tell of commits again.

use model::event::{
    Change, ChangeAction, ChangeReview, ChangeState, Commits, MergeMethod, Push, ReviewState, Tag, TagAction,
};
use model::{ChangeId, CommitId, Timestamp};

use super::moves::{Branch, Merge, Move, Pick, Tagging};
use super::story::{Story, back, person};

impl Story {
    pub fn source(&mut self, what: &Move) {
        match what {
            Move::Push { repository, commits, cut } => self.pushed(self.project(*repository), *commits, *cut),
            Move::Change { repository, commits, merge, branch, listed, reviewed } => {
                let project = self.project(*repository);
                self.change(project, *commits, *merge, *branch, [*listed, *reviewed, false]);
            }
            Move::ForcePush { repository, commits, merge } => {
                self.change(self.project(*repository), *commits, *merge, Branch::Own, [false, true, true]);
            }
            Move::Train { repository, changes } => {
                for _ in 0..*changes {
                    self.change(self.project(*repository), 1, Merge::Squash, Branch::Own, [true, false, false]);
                }
            }
            Move::Hotfix { repository, back, commits, deployed } => {
                self.hotfix(self.project(*repository), *back, *commits, *deployed);
            }
            Move::Pick { repository, back, how } => self.pick(self.project(*repository), *back, *how),
            Move::Backfill { repository, shallow } => self.backfill(self.project(*repository), *shallow),
            Move::Tag { repository, back, name, how } => self.tag(self.project(*repository), *back, *name, *how),
            _ => {}
        }
    }

    fn pushed(&mut self, project: usize, commits: u8, cut: bool) {
        let (before, line) = (self.tip(project), self.line(project, self.tip(project), commits));
        let mut push = self.push(project, "main", before, &line);
        if cut {
            // The provider lists the last one only.
            push.commits_cut = true;
            push.commits.drain(..line.len() - 1);
        }
        self.projects[project].main.extend(line);
        self.wait(1);
        self.tell(push);
    }

    /// `listed`: the provider lists the commits of the change. `reviewed`: somebody looks at it. `forced`: its branch is rewritten.
    fn change(
        &mut self,
        project: usize,
        commits: u8,
        merge: Merge,
        branch: Branch,
        [listed, reviewed, forced]: [bool; 3],
    ) {
        self.projects[project].changes += 1;
        let number = self.projects[project].changes;
        let name = if branch == Branch::LivesOn { "develop".to_owned() } else { format!("topic-{number}") };
        let base = self.tip(project);
        let from =
            self.projects[project].develop.clone().filter(|_| branch == Branch::LivesOn).or_else(|| base.clone());
        let mut line = self.line(project, from.clone(), commits);
        // A branch that is made with its first commit has no place before.
        let before = from.filter(|_| branch == Branch::LivesOn && self.projects[project].develop.is_some());
        let push = self.push(project, &name, before, &line);
        self.wait(1);
        self.tell(push);
        let mut told = Change {
            source_branch: Some(name.clone()),
            target_branch: Some("main".into()),
            base: base.clone(),
            head: line.last().cloned(),
            commits: listed.then(|| line.clone()),
            created_at: Some(self.wait(2)),
            author: person(number),
            draft: Some(false),
            ..Change::new(
                self.repository(project),
                ChangeId::new(number.to_string()),
                ChangeAction::Opened,
                ChangeState::Open,
            )
        };
        if branch == Branch::Fork {
            told.source_repository = Some("github.com/fork/shop".into());
        }
        self.tell(told.clone());
        if forced {
            line = self.rewrite(project, &name, &line, base);
            (told.head, told.action) = (line.last().cloned(), ChangeAction::Updated);
            self.wait(1);
            self.tell(told.clone());
        }
        if reviewed {
            self.review(&told);
        }
        if branch == Branch::LivesOn {
            self.projects[project].develop = line.last().cloned();
        }
        self.end_change(project, told, &line, merge);
    }

    /// The branch is made anew on top of its base.
    fn rewrite(&mut self, project: usize, branch: &str, line: &[CommitId], base: Option<CommitId>) -> Vec<CommitId> {
        let anew = self.line(project, base, u8::try_from(line.len()).unwrap_or(1));
        let push = self.push(project, branch, line.last().cloned(), &anew);
        self.wait(1);
        self.tell(Push { forced: true, ..push });
        anew
    }

    fn review(&mut self, change: &Change) {
        let verdicts =
            [ReviewState::Commented, ReviewState::ChangesRequested, ReviewState::Dismissed, ReviewState::Approved];
        for state in verdicts {
            let submitted_at = Some(self.wait(15));
            let review = self.number().to_string();
            let review = ChangeReview::new(change.repository.clone(), change.change.clone(), review, state);
            self.tell(ChangeReview { submitted_at, reviewer: person(3), commit: change.head.clone(), ..review });
        }
    }

    fn end_change(&mut self, project: usize, mut told: Change, line: &[CommitId], merge: Merge) {
        self.wait(30);
        let tip = self.tip(project);
        let landed: Vec<CommitId> = match merge {
            Merge::Open => return,
            Merge::Abandoned => {
                (told.action, told.state) = (ChangeAction::Abandoned, ChangeState::Abandoned);
                told.closed_at = Some(Timestamp(self.now));
                return self.tell(told);
            }
            Merge::Squash => vec![self.squash(project, &told)],
            Merge::Queue => self.queue(project, &told),
            Merge::Rebase => self.rebase(project, line),
            Merge::TwoParents => {
                let parents = tip.iter().chain(line.last()).cloned().collect();
                line.iter().cloned().chain([self.commit(project, parents)]).collect()
            }
            Merge::FastForward => line.to_vec(),
        };
        // What a branch brought before is not new to the default branch.
        let landed: Vec<CommitId> = landed.into_iter().filter(|id| !self.projects[project].main.contains(id)).collect();
        let at = Timestamp(self.now);
        (told.action, told.state, told.merged_at) = (ChangeAction::Merged, ChangeState::Merged, Some(at));
        told.merge_commit = landed.last().cloned();
        told.merge_method = Some(match merge {
            Merge::TwoParents => MergeMethod::Merge,
            Merge::Rebase => MergeMethod::Rebase,
            Merge::FastForward => MergeMethod::FastForward,
            _ => MergeMethod::Squash,
        });
        self.tell(told);
        self.land(project, &landed);
    }

    /// The same changes anew on top of the default branch; author times stay.
    fn rebase(&mut self, project: usize, line: &[CommitId]) -> Vec<CommitId> {
        let count = u8::try_from(line.len()).unwrap_or(1);
        let anew = self.line(project, self.tip(project), count);
        for (old, new) in line.iter().zip(&anew) {
            let authored_at = self.git.get(old).map(|made| made.authored_at);
            if let (Some(made), Some(at)) = (self.git.get_mut(new), authored_at) {
                made.authored_at = at;
            }
        }
        anew
    }

    /// One commit for all, whose message names the change.
    fn squash(&mut self, project: usize, change: &Change) -> CommitId {
        let id = self.commit(project, self.tip(project).into_iter().collect());
        if let Some(made) = self.git.get_mut(&id) {
            made.changes.push(change.change.clone());
        }
        id
    }

    /// The merge queue tries the commit that it then brings in.
    fn queue(&mut self, project: usize, told: &Change) -> Vec<CommitId> {
        let mut queued = told.clone();
        queued.action = ChangeAction::Enqueued;
        self.tell(queued);
        let tip = self.tip(project);
        let tried = vec![self.squash(project, told)];
        let push = self.push(project, &format!("queue/{}", told.change), tip, &tried);
        self.tell(push);
        self.wait(12);
        tried
    }

    fn hotfix(&mut self, project: usize, back: u8, commits: u8, deployed: bool) {
        let last = self.deployments.iter().rev().find_map(|deployed| deployed.told.commit.clone());
        let known = last.filter(|id| deployed && self.git.contains_key(id));
        let Some(from) = known.or_else(|| self.on_main(project, back)) else { return };
        let line = self.line(project, Some(from.clone()), commits);
        // The branch is made where production stands, and then moves.
        let push = self.push(project, "hotfix", Some(from), &line);
        self.wait(1);
        self.tell(push);
        self.hotfixes.extend(line.last().map(|id| (project, id.clone())));
    }

    fn pick(&mut self, project: usize, by: u8, how: Pick) {
        let Some(of) = self.on_main(project, by) else { return };
        let release = self.on_main(project, by.wrapping_add(2));
        let (parent, branch) = match how {
            Pick::Revert => (self.tip(project), "main"),
            Pick::Cherry | Pick::Backport => (release, "release-1"),
        };
        let picked = self.commit(project, parent.clone().into_iter().collect());
        let original = self.git.get(&of).map(|made| (made.authored_at, made.patch.clone()));
        if let (Some(made), Some((authored_at, patch))) = (self.git.get_mut(&picked), original) {
            match how {
                Pick::Revert => made.reverts = vec![of],
                Pick::Cherry => {
                    // By its whole id, or in short.
                    let given = if by.is_multiple_of(2) { of.as_str() } else { &of.as_str()[..9] };
                    made.cherry_picked_from = vec![CommitId::new(given)];
                    (made.authored_at, made.patch) = (authored_at, patch);
                }
                // The same patch without a word.
                Pick::Backport => (made.authored_at, made.patch) = (authored_at, patch),
            }
        }
        if how == Pick::Revert {
            return self.land(project, &[picked]);
        }
        let push = self.push(project, branch, parent, std::slice::from_ref(&picked));
        self.wait(1);
        self.tell(push);
        self.hotfixes.push((project, picked));
    }

    fn backfill(&mut self, project: usize, shallow: bool) {
        let main = &self.projects[project].main;
        let depth = if shallow { 3 } else { main.len() };
        let told: Vec<CommitId> = main.iter().rev().take(depth).cloned().collect();
        let mut commits: Vec<_> = told.iter().map(|id| self.info(id, true)).collect();
        if let (true, Some(oldest)) = (shallow, commits.last_mut()) {
            oldest.parents = Some(Vec::new());
        }
        self.tell(Commits { repository: self.repository(project), commits });
    }

    fn tag(&mut self, project: usize, by: u8, name: u8, how: Tagging) {
        let commit = match how {
            Tagging::NoCommit => None,
            Tagging::Moved => self.on_main(project, by.wrapping_add(1)),
            _ => self.on_main(project, by),
        };
        let action = match how {
            Tagging::Deleted => TagAction::Deleted,
            Tagging::Published => TagAction::Published,
            _ => TagAction::Tagged,
        };
        let told = Tag {
            commit,
            created_at: Some(Timestamp(self.now)),
            prerelease: Some(false),
            ..Tag::new(self.repository(project), format!("v{name}"), action)
        };
        match how {
            Tagging::ToldLate => self.late.push((self.now, told.into())),
            _ => self.tell(told),
        }
    }

    /// The last commit of a hotfix or of a branch of releases.
    pub fn hotfix_of(&self, project: usize, by: u8) -> Option<CommitId> {
        let of: Vec<&CommitId> = self.hotfixes.iter().filter(|(of, _)| *of == project).map(|(_, id)| id).collect();
        back(&of, by).map(|id| (*id).clone())
    }
}
