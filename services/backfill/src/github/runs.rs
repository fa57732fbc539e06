//! Workflow runs and their jobs.

use serde_json::{Value, json};

use super::bodies::{action, number, only, time};
use super::reader::Reader;
use super::{BackfillError, Part};
use crate::reading::members::seconds;
use crate::reading::{Flow, Spans, spans};

impl<'a> Spans<'a, Part> for Reader<'a> {
    const MOST: u64 = 1000;
    const LONGEST: i64 = i64::MAX;

    fn within(&self, (from, to): (i64, i64), whole: bool) -> String {
        let per_page = if whole { 100 } else { 1 };
        format!("{}/actions/runs?created={}..{}&per_page={per_page}", self.path, seconds(from), seconds(to))
    }

    fn count(answer: &Value) -> Result<u64, BackfillError> {
        number(answer, "total_count", "the list of runs")
    }
}

impl Reader<'_> {
    /// Reads runs by spans of time, each short enough to hold no more than GitHub gives.
    pub(super) async fn runs(&mut self) -> Result<(), BackfillError> {
        self.find_workflows().await?;
        let since = self.query.since.0.div_euclid(1000);
        spans(self, Part::Runs, since).await
    }

    /// A run's own name may be a title made for it; that of its workflow is kept apart.
    async fn find_workflows(&mut self) -> Result<(), BackfillError> {
        for workflow in self.all(format!("{}/actions/workflows?per_page=100", self.path)).await? {
            let id = number(&workflow, "id", "a workflow")?;
            self.workflows.insert(id, only(&workflow, &["id", "name", "path"]));
        }
        Ok(())
    }

    /// A run with its earlier attempts and the jobs of all of them.
    pub(super) async fn run(&mut self, run: Value) -> Result<Flow, BackfillError> {
        let id = number(&run, "id", "a run")?;
        for attempt in 1..run["run_attempt"].as_u64().unwrap_or(1) {
            if let Some(earlier) = self.find(&format!("{}/actions/runs/{id}/attempts/{attempt}", self.path)).await? {
                self.attempt(id, earlier).await?;
            }
        }
        for job in self.all(format!("{}/actions/runs/{id}/jobs?filter=all&per_page=100", self.path)).await? {
            let (id, action) = (number(&job, "id", "a job")?, action(&job, "queued"));
            let status = job["status"].as_str().unwrap_or("unknown").to_owned();
            let body = json!({ "action": action, "workflow_job": job });
            self.deliver("workflow_job", &[&"workflow_job", &id, &status], body).await?;
        }
        self.attempt(id, run).await?;
        Ok(Flow::Next)
    }

    async fn attempt(&mut self, id: u64, run: Value) -> Result<(), BackfillError> {
        let attempt = run["run_attempt"].as_u64().unwrap_or(1);
        let updated_at = time(&run, "updated_at").unwrap_or_default();
        let workflow = run["workflow_id"].as_u64().and_then(|id| self.workflows.get(&id).cloned());
        let body = json!({ "action": action(&run, "requested"), "workflow_run": run, "workflow": workflow });
        self.deliver("workflow_run", &[&"workflow_run", &id, &attempt, &updated_at.0], body).await
    }
}
