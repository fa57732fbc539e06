//! Runs, tasks and changes of which something new was learnt, and what that leads to.
//!
//! Much is told of each of them in a row, and what one of them touches may be a lot. So what follows is worked out once for all that
//! happened to a thing between two derivations.

use indexmap::{IndexMap, IndexSet};
use model::{RunId, TaskId};
use rustc_hash::FxBuildHasher;

use super::attempts::TaskTries;
use super::{ChangeNumber, State};

/// What there is news of.
#[derive(Debug, Default)]
pub struct Stirred {
    pub(super) runs: IndexSet<RunId, FxBuildHasher>,
    /// Tasks, each with where its attempts stood before.
    pub(super) tasks: IndexMap<TaskId, Option<TaskTries>, FxBuildHasher>,
    /// Changes whose commits may be others now.
    pub(super) changes: IndexSet<ChangeNumber, FxBuildHasher>,
}

impl State {
    /// Works out what follows from the news.
    pub(super) fn settle_stirred(&mut self) {
        let Stirred { runs, tasks, changes } = std::mem::take(&mut self.stirred);
        changes.into_iter().for_each(|number| self.find_members(number));
        // Attempts of a task stand where its run stood, so that they come before the runs.
        let mut touched: IndexSet<RunId, FxBuildHasher> = IndexSet::default();
        for (id, stood) in tasks {
            self.task_tried(&id, stood);
            touched.extend(self.task_changed(&id));
        }
        runs.iter().for_each(|id| self.run_changed(id));
        touched.difference(&runs).for_each(|id| self.run_touched(id));
    }
}
