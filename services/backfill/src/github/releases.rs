//! Releases.

use serde_json::{Value, json};

use super::BackfillError;
use super::bodies::{number, time};
use super::reader::Reader;
use crate::reading::Flow;

impl Reader<'_> {
    /// A release that is published. Releases come by the time of their commit, so that an old one may have been published lately.
    pub(super) async fn release(&mut self, release: Value) -> Result<Flow, BackfillError> {
        let Some(published_at) = time(&release, "published_at") else { return Ok(Flow::Next) };
        if release["draft"] == true || published_at < self.query.since {
            return Ok(Flow::Next);
        }
        let id = number(&release, "id", "a release")?;
        let updated_at = time(&release, "updated_at").unwrap_or(published_at);
        let body = json!({ "action": "published", "release": release });
        self.deliver("release", &[&"release", &id, &updated_at.0], body).await?;
        Ok(Flow::Next)
    }
}
