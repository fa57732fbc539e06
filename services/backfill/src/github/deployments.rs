//! Deployments, their statuses, and who let them pass.

use serde_json::{Value, json};

use super::BackfillError;
use super::bodies::{number, run_and_job, text, time};
use super::reader::Reader;
use crate::reading::Flow;

impl Reader<'_> {
    /// A deployment with its statuses in their order, the newest deployments first.
    pub(super) async fn deployment(&mut self, deployment: Value) -> Result<Flow, BackfillError> {
        if time(&deployment, "created_at").is_some_and(|at| at < self.query.since) {
            return Ok(Flow::Enough);
        }
        let id = number(&deployment, "id", "a deployment")?;
        let mut statuses = self.all(format!("{}/deployments/{id}/statuses?per_page=100", self.path)).await?;
        statuses.sort_by_key(|status| (time(status, "created_at"), status["id"].as_u64()));
        let updated_at = time(&deployment, "updated_at").unwrap_or_default();
        let body = json!({ "action": "created", "deployment": deployment });
        self.deliver("deployment", &[&"deployment", &id, &updated_at.0], body).await?;
        for status in &statuses {
            let id = number(status, "id", "a status of a deployment")?;
            let state = text(status, "state", "a status of a deployment")?;
            let body = json!({ "action": "created", "deployment_status": status, "deployment": deployment });
            self.deliver("deployment_status", &[&"deployment_status", &id, &state], body).await?;
        }
        if statuses.iter().any(|status| status["state"] == "waiting") {
            self.approvals(id, &deployment, &statuses).await?;
        }
        Ok(Flow::Next)
    }

    /// A deployment that waited: whom it was waiting for, if it was for people. The approvals name their run and environment,
    /// neither the attempt nor the time: the job tells the attempt, the statuses tell when it went on.
    async fn approvals(&mut self, id: u64, deployment: &Value, statuses: &[Value]) -> Result<(), BackfillError> {
        let pages = statuses.iter().flat_map(|status| [&status["log_url"], &status["target_url"]]);
        let Some((run, job)) = pages.filter_map(Value::as_str).find_map(run_and_job) else { return Ok(()) };
        let environment = text(deployment, "environment", "a deployment")?;
        let actions = format!("{}/actions", self.path);
        let names = |approval: &Value| -> bool {
            let named = approval["environments"].as_array();
            named.is_some_and(|all| all.iter().any(|named| named["name"] == environment))
        };
        let mut approvals = self.all(format!("{actions}/runs/{run}/approvals")).await?;
        approvals.retain(names);
        let mut pending = Vec::new();
        if approvals.is_empty() && statuses.last().is_some_and(|last| last["state"] == "waiting") {
            pending = self.all(format!("{actions}/runs/{run}/pending_deployments")).await?;
            pending.retain(|pending| {
                pending["environment"]["name"] == environment && pending["reviewers"][0] != Value::Null
            });
        }
        // It waited for a timer or for an app, then.
        if approvals.is_empty() && pending.is_empty() {
            return Ok(());
        }
        let Some(job) = self.find(&format!("{actions}/jobs/{job}")).await? else { return Ok(()) };
        let attempt = job["run_attempt"].as_u64().unwrap_or(1);
        let Some(run) = self.find(&format!("{actions}/runs/{run}/attempts/{attempt}")).await? else { return Ok(()) };
        let body = json!({
            "approvals": approvals,
            "reviewers": pending.first().map(|pending| pending["reviewers"].clone()),
            "deployment": deployment,
            "deployment_statuses": statuses,
            "workflow_run": run,
            "workflow_job": job,
        });
        let last = statuses.last().and_then(|last| last["id"].as_u64()).unwrap_or_default();
        self.deliver("backfill.approvals", &[&"approvals", &id, &last], body).await
    }
}
