//! Releases.

use serde_json::{Value, json};

use super::bodies::{only, text, time, when};
use super::reader::Reader;
use crate::BackfillError;

impl Reader<'_> {
    /// A release. Whoever made it may have said that it was released before or will be later.
    pub(super) async fn release(&mut self, found: &Value) -> Result<(), BackfillError> {
        let (created_at, released_at) = (time(found, "created_at"), time(found, "released_at"));
        if created_at.max(released_at).is_none_or(|at| at < self.query.since) {
            return Ok(());
        }
        let (project, tag) = (self.project_id, text(found, "tag_name", "a release")?.to_owned());
        let commit = &found["commit"];
        let body = json!({
            "object_kind": "release",
            "action": "create",
            "tag": tag,
            "name": found["name"],
            "created_at": when(found, "created_at"),
            "released_at": when(found, "released_at"),
            "url": found["_links"]["self"],
            "commit": commit.is_object().then(|| only(commit, &["id"])),
        });
        let released_at = released_at.unwrap_or_default();
        self.deliver("Release Hook", &[&"release", &project, &tag, &released_at.0], body).await
    }
}
