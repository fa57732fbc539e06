//! Which paths a commit changed.

use gix::ObjectId;
use gix::bstr::BString;
use gix::diff::tree::recorder::Change;
use gix::diff::tree::{Recorder, State};
use gix::objs::TreeRefIter;

/// So many bytes of paths are told of a commit; one event must fit into a record.
const LONGEST: usize = 2 * 1024 * 1024;

/// Compares trees, keeping what it needs for that from one commit to the next.
pub(super) struct Paths<'a> {
    repository: &'a gix::Repository,
    state: State,
}

/// Paths that a commit changed, sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub paths: Vec<String>,
    /// Some were left out.
    pub cut: bool,
}

impl<'a> Paths<'a> {
    pub fn new(repository: &'a gix::Repository) -> Self {
        Self { repository, state: State::default() }
    }

    /// Paths at which a commit with this tree differs from each of its parents; none where a parent or a tree is not there.
    pub fn changed(&mut self, tree: ObjectId, parents: &[ObjectId]) -> Option<Changed> {
        let mut bases = parents.iter().map(|parent| self.tree_of(*parent)).collect::<Option<Vec<_>>>()?;
        if bases.contains(&tree) {
            return Some(Changed { paths: Vec::new(), cut: false });
        }
        if bases.is_empty() {
            bases.push(ObjectId::empty_tree(tree.kind()));
        }
        let mut changed = self.between(bases[0], tree)?;
        for base in &bases[1..] {
            if changed.is_empty() {
                break;
            }
            let others = self.between(*base, tree)?;
            changed.retain(|path| others.binary_search(path).is_ok());
        }
        let mut room = LONGEST;
        let told = changed.iter().take_while(|path| {
            let fits = path.len() <= room;
            room = room.saturating_sub(path.len());
            fits
        });
        let paths: Vec<String> = told.map(ToString::to_string).collect();
        Some(Changed { cut: paths.len() < changed.len(), paths })
    }

    fn tree_of(&self, commit: ObjectId) -> Option<ObjectId> {
        Some(self.repository.find_commit(commit).ok()?.tree_id().ok()?.detach())
    }

    /// Files that are not the same in two trees, sorted. One that was moved is at two places.
    fn between(&mut self, old: ObjectId, new: ObjectId) -> Option<Vec<BString>> {
        let hash = new.kind();
        let (old, new) = (self.repository.find_tree(old).ok()?, self.repository.find_tree(new).ok()?);
        let (old, new) = (TreeRefIter::from_bytes(&old.data, hash), TreeRefIter::from_bytes(&new.data, hash));
        let mut recorder = Recorder::default();
        gix::diff::tree(old, new, &mut self.state, &self.repository.objects, &mut recorder).ok()?;
        let mut paths: Vec<BString> = recorder.records.into_iter().filter_map(file).collect();
        paths.sort_unstable();
        paths.dedup();
        Some(paths)
    }
}

/// The path of a change, unless it is one of a folder.
fn file(change: Change) -> Option<BString> {
    let (is_file, path) = match change {
        Change::Addition { entry_mode, path, .. } | Change::Deletion { entry_mode, path, .. } => {
            (entry_mode.is_no_tree(), path)
        }
        Change::Modification { previous_entry_mode, entry_mode, path, .. } => {
            (previous_entry_mode.is_no_tree() || entry_mode.is_no_tree(), path)
        }
    };
    is_file.then_some(path)
}
