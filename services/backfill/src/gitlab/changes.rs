//! Merge requests, their approvals and their own commits.

use serde_json::{Value, json};

use super::bodies::{account, encoded, number, text, time, when};
use super::reader::Reader;
use crate::BackfillError;

const EVENT: &str = "Merge Request Hook";
/// That a merge request was opened, with its commits, which no webhook lists.
const OPENED: &str = "backfill.merge_request";
/// What GitLab notes where somebody approves.
const APPROVED: &str = "approved this merge request";

impl Reader<'_> {
    /// A merge request: that it was opened and with which commits, how it stands, and who has approved it.
    pub(super) async fn merge_request(&mut self, found: &Value) -> Result<(), BackfillError> {
        let id = number(found, "id", "a merge request")?;
        let iid = number(found, "iid", "a merge request")?;
        let state = text(found, "state", "a merge request")?;
        let commits = if state == "closed" { None } else { Some(self.commits_of(found, iid).await?) };
        self.approvals(found, id, iid).await?;
        // Its last commit was another one then.
        let mut opened = self.body(found, "open", "created_at", &found["author"]);
        opened["object_attributes"]["state"] = "opened".into();
        opened["object_attributes"]["last_commit"] = Value::Null;
        opened["object_kind"] = OPENED.into();
        opened["commits"] = commits.into();
        self.deliver(OPENED, &[&"merge_request", &id, &"open"], opened).await?;
        let merged_by = if found["merge_user"].is_object() { &found["merge_user"] } else { &found["merged_by"] };
        let (action, at, by) = match state {
            "merged" => ("merge", "merged_at", merged_by),
            "closed" => ("close", "closed_at", &found["closed_by"]),
            // When it came to stand so, only the last touch says, and not by whom.
            _ => ("update", "updated_at", &Value::Null),
        };
        let at = if time(found, at).is_some() { at } else { "updated_at" };
        let told_at = time(found, at).unwrap_or_default();
        let body = self.body(found, action, at, by);
        self.deliver(EVENT, &[&"merge_request", &id, &action, &told_at.0], body).await
    }

    /// The body of the webhook of this action, which was at that time and by that account.
    fn body(&self, found: &Value, action: &str, at: &str, by: &Value) -> Value {
        let here = found["source_project_id"] == self.project_id;
        let labels = found["labels"].as_array().into_iter().flatten();
        json!({
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "user": account(by),
            "object_attributes": {
                "id": found["id"],
                "iid": found["iid"],
                "url": found["web_url"],
                "action": action,
                "state": found["state"],
                "draft": found["draft"],
                "work_in_progress": found["work_in_progress"],
                "author_id": found["author"]["id"],
                "source_branch": found["source_branch"],
                "target_branch": found["target_branch"],
                // A fork is named by a number alone.
                "source": here.then_some(&self.project),
                "last_commit": found["sha"].as_str().map(|sha| json!({ "id": sha })),
                "merge_commit_sha": found["merge_commit_sha"],
                "squash_commit_sha": found["squash_commit_sha"],
                "created_at": when(found, "created_at"),
                "updated_at": when(found, at),
            },
            "labels": labels.map(|label| json!({ "title": label })).collect::<Vec<_>>(),
        })
    }

    /// Ids of the commits of a merge request, oldest first. What was squashed or rebased stands on no branch that is read, and is told here: the
    /// list of the merge request has no parents, that of what its head has beyond its target does. A target that is gone has nothing
    /// to compare with.
    async fn commits_of(&mut self, found: &Value, iid: u64) -> Result<Vec<String>, BackfillError> {
        let listed = self.all(format!("{}/merge_requests/{iid}/commits?per_page=100", self.path)).await?;
        let ids = listed.iter().rev().map(|commit| text(commit, "id", "a commit").map(str::to_owned));
        let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
        let (Some(head), Some(target)) = (found["sha"].as_str(), found["target_branch"].as_str()) else {
            return Ok(ids);
        };
        if ids.iter().all(|id| self.told.contains(id)) {
            return Ok(ids);
        }
        let range = encoded(&format!("{target}..{head}"));
        for commit in self.all(format!("{}/repository/commits?ref_name={range}&per_page=100", self.path)).await? {
            let sha = text(&commit, "id", "a commit")?.to_owned();
            if !self.told.contains(&sha) {
                self.told_commit(sha, &commit, None).await?;
            }
        }
        Ok(ids)
    }

    /// Approvals that stand. Of which commit, is not told. Recent versions tell when; else the notes of the merge request do, and an
    /// approval without a time is left out.
    async fn approvals(&mut self, found: &Value, id: u64, iid: u64) -> Result<(), BackfillError> {
        let path = format!("{}/merge_requests/{iid}", self.path);
        let Some(approvals) = self.find(&format!("{path}/approvals")).await? else { return Ok(()) };
        let mut approvals = approvals["approved_by"].as_array().cloned().unwrap_or_default();
        if approvals.iter().any(|approval| time(approval, "approved_at").is_none()) {
            let notes = self.all(format!("{path}/notes?sort=asc&order_by=created_at&per_page=100")).await?;
            for approval in &mut approvals {
                let by = &approval["user"]["id"];
                let approved =
                    |note: &&Value| note["system"] == true && note["body"] == APPROVED && note["author"]["id"] == *by;
                if let Some(note) = notes.iter().rfind(approved) {
                    approval["approved_at"] = note["created_at"].clone();
                }
            }
        }
        for approval in &approvals {
            let Some(at) = time(approval, "approved_at") else { continue };
            let by = number(&approval["user"], "id", "the account of an approval")?;
            let mut body = self.body(found, "approved", "updated_at", &approval["user"]);
            body["object_attributes"]["last_commit"] = Value::Null;
            body["changes"] = json!({ "updated_at": { "current": when(approval, "approved_at") } });
            self.deliver(EVENT, &[&"approval", &id, &by, &at.0], body).await?;
        }
        Ok(())
    }
}
