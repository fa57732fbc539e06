//! What was tried again: whether the same thing passed later, and when a branch was green again.

use model::event::{Outcome, Trigger};
use model::{CommitId, Repository, RunId, TaskId, Timestamp};

use crate::known::{Attempt, Run, is_failure};
use crate::world::World;

/// What stays the same from one attempt to the next: a pipeline and a commit, or only the run itself.
#[derive(Debug, PartialEq)]
enum Ground<'a> {
    Commit(&'a Repository, &'a String, CommitId),
    Run(&'a RunId),
}

/// A pass: when it began, whose, which attempt.
pub type Pass<'a, Id> = (Timestamp, &'a Id, i32);

impl Run {
    /// Repository, and the definition or name of the pipeline.
    fn tried(&self) -> Option<(&Repository, &String)> {
        let named = Some(&self.pipeline).filter(|name| !name.is_empty());
        Some((self.repository.as_ref()?, self.definition.as_ref().or(named)?))
    }

    /// Its pipeline on its branch. Runs for changes stand apart: their branch may be one of the same name in a fork.
    fn branch(&self) -> Option<(&Repository, &String, &String, bool)> {
        let (repository, pipeline) = self.tried()?;
        Some((repository, pipeline, self.ref_name.as_ref()?, self.trigger == Trigger::Change))
    }
}

impl World {
    fn ground<'a>(&'a self, id: &'a RunId) -> Ground<'a> {
        let on_commit = || {
            // A run for a change may try its commit merged into the target, which moves on.
            let run = self.known.runs.get(id).filter(|run| run.trigger != Trigger::Change)?;
            let (repository, pipeline) = run.tried()?;
            Some(Ground::Commit(repository, pipeline, self.resolve(run.commit.as_ref()?)?))
        };
        on_commit().unwrap_or(Ground::Run(id))
    }

    /// The first attempt with nothing changed that passed and had begun at that instant or later.
    pub fn run_passed_from<'a>(&'a self, id: &'a RunId, at: Timestamp) -> Option<Pass<'a, RunId>> {
        let ground = self.ground(id);
        let runs = self.known.runs.iter().filter(|(other, _)| self.ground(other) == ground);
        let passes = runs.flat_map(|(id, run)| passes(id, run.attempts.iter()));
        passes.filter(|(began, ..)| *began >= at).min()
    }

    /// The same of tasks of a name.
    pub fn task_passed_from<'a>(&'a self, run: &'a RunId, name: &str, at: Timestamp) -> Option<Pass<'a, TaskId>> {
        let ground = self.ground(run);
        let tasks = self.known.tasks.iter().filter(|(_, task)| task.name == name);
        let tasks = tasks.filter(|(_, task)| task.run.as_ref().is_some_and(|run| self.ground(run) == ground));
        let passes = tasks.flat_map(|(id, task)| passes(id, task.attempts.iter()));
        passes.filter(|(began, ..)| *began >= at).min()
    }

    /// Where the attempt is the first failure of its pipeline on its branch since the last pass: when it passed there again.
    pub fn green_at(&self, id: &RunId, number: i32) -> Option<Timestamp> {
        let own = self.known.runs.get(id)?.branch()?;
        let mut ends = Vec::new();
        for (id, run) in self.known.runs.iter().filter(|(_, run)| run.branch() == Some(own)) {
            for (number, attempt) in &run.attempts {
                let Some((outcome, at)) = attempt.end() else { continue };
                if outcome == Outcome::Success || is_failure(outcome) {
                    // Of one instant, failures come first.
                    ends.push((at, outcome == Outcome::Success, id, *number));
                }
            }
        }
        ends.sort();
        let this = ends.iter().position(|(_, passed, of, n)| !passed && *of == id && *n == number)?;
        let is_first = this.checked_sub(1).is_none_or(|before| ends[before].1);
        ends[this..].iter().find(|(_, passed, ..)| *passed).map(|(at, ..)| *at).filter(|_| is_first)
    }
}

fn passes<'a, Id>(
    id: &'a Id,
    attempts: impl Iterator<Item = (&'a i32, &'a Attempt)>,
) -> impl Iterator<Item = Pass<'a, Id>> {
    attempts.filter_map(move |(number, attempt)| Some((attempt.pass_began()?, id, *number)))
}
