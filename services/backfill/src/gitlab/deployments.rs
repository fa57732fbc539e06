//! Deployments, and who let them pass.

use serde_json::{Value, json};

use super::bodies::{account, build, number, text, time, when};
use super::reader::Reader;
use crate::BackfillError;

const EVENT: &str = "Deployment Hook";
/// Characters of an abbreviated commit.
const SHORT: usize = 8;

impl Reader<'_> {
    /// Deployments name their environment, and not its tier.
    pub(super) async fn find_environments(&mut self) -> Result<(), BackfillError> {
        for environment in self.all(format!("{}/environments?per_page=100", self.path)).await? {
            let name = text(&environment, "name", "an environment")?;
            self.tiers.insert(name.to_owned(), environment["tier"].clone());
        }
        Ok(())
    }

    /// A deployment: the job that makes it, with its environment, which lists of jobs leave out; that it began, how it stands, and
    /// its approvals.
    pub(super) async fn deployment(&mut self, found: &Value) -> Result<(), BackfillError> {
        let id = number(found, "id", "a deployment")?;
        let status = text(found, "status", "a deployment")?.to_owned();
        let job = &found["deployable"];
        if job.is_object() {
            let (job_id, status) = (number(job, "id", "the job of a deployment")?, text(job, "status", "a job")?);
            self.deliver("Job Hook", &[&"deploy", &job_id, &status], self.job_of(found)).await?;
        }
        if time(job, "started_at").is_some() && !matches!(status.as_str(), "created" | "blocked" | "running") {
            let body = self.status(found, "running", when(job, "started_at"));
            self.deliver(EVENT, &[&"deployment", &id, &"running"], body).await?;
        }
        let (object, at) = match status.as_str() {
            "created" => (found, "created_at"),
            "running" if time(job, "started_at").is_some() => (job, "started_at"),
            "success" | "failed" | "canceled" if time(job, "finished_at").is_some() => (job, "finished_at"),
            _ => (found, "updated_at"),
        };
        let body = self.status(found, &status, when(object, at));
        self.deliver(EVENT, &[&"deployment", &id, &status], body).await?;
        if self.has_approvals {
            self.approvals_of(found, id).await?;
        }
        Ok(())
    }

    /// The body of the webhook of the job that makes a deployment.
    fn job_of(&self, found: &Value) -> Value {
        let mut body = build(&found["deployable"]);
        body["environment"] = json!({
            "name": found["environment"]["name"],
            "action": "start",
            "deployment_tier": self.tier(found),
        });
        body
    }

    fn tier(&self, found: &Value) -> Value {
        let tier = found["environment"]["name"].as_str().and_then(|name| self.tiers.get(name));
        tier.cloned().unwrap_or_default()
    }

    /// The body of the webhook by which a deployment came to a status.
    fn status(&self, found: &Value, status: &str, at: Value) -> Value {
        let sha = found["sha"].as_str();
        json!({
            "object_kind": "deployment",
            "status": status,
            "status_changed_at": at,
            "deployment_id": found["id"],
            "deployable_id": found["deployable"]["id"],
            "deployable_url": found["deployable"]["web_url"],
            "environment": found["environment"]["name"],
            "environment_tier": self.tier(found),
            "ref": found["ref"],
            "short_sha": sha.and_then(|sha| sha.get(..SHORT)),
            "commit_url": sha.map(|sha| format!("{}/-/commit/{sha}", self.web_url)),
            "user": account(&found["user"]),
        })
    }

    /// What was said of a deployment, and that it was asked for.
    async fn approvals_of(&mut self, found: &Value, id: u64) -> Result<(), BackfillError> {
        let Some(whole) = self.find(&format!("{}/deployments/{id}", self.path)).await? else { return Ok(()) };
        let Some(approvals) = whole["approvals"].as_array() else {
            self.has_approvals = false;
            return Ok(());
        };
        let waits = whole["pending_approval_count"].as_u64().is_some_and(|count| count > 0);
        if let (true, Some(job)) = (waits || !approvals.is_empty(), found["deployable"]["id"].as_u64()) {
            let mut body = self.job_of(found);
            body["object_kind"] = "backfill.approval".into();
            self.deliver("backfill.approval", &[&"approval_of", &job], body).await?;
        }
        for approval in approvals {
            let status = text(approval, "status", "an approval")?;
            let by = number(&approval["user"], "id", "the account of an approval")?;
            let at = time(approval, "created_at").unwrap_or_default();
            let mut body = self.status(found, status, approval["created_at"].clone());
            body["approver"] = account(&approval["user"]);
            body["approval"] = json!({ "status": status, "approval_rule": rule(&whole, approval) });
            self.deliver(EVENT, &[&"deployment_approval", &id, &by, &status, &at.0], body).await?;
        }
        Ok(())
    }
}

/// The rule that an approval is counted by, where there are rules.
fn rule(whole: &Value, approval: &Value) -> Value {
    let is_it =
        |other: &Value| other["user"]["id"] == approval["user"]["id"] && other["created_at"] == approval["created_at"];
    let rules = whole["approval_summary"]["rules"].as_array();
    let counted = |rule: &&Value| rule["deployment_approvals"].as_array().is_some_and(|all| all.iter().any(is_it));
    let rule = rules.and_then(|rules| rules.iter().find(counted));
    rule.map_or(Value::Null, |rule| json!({ "id": rule["id"], "required_approvals": rule["required_approvals"] }))
}
