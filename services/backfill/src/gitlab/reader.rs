//! One reading of a project.

use std::collections::{BTreeMap, HashSet};

use model::Timestamp;
use reqwest::Url;
use serde_json::Value;

use super::bodies::{encoded, name, number, project, seconds, text, time};
use super::{Checkpoint, Cursor, Part, Query};
use crate::http::Client;
use crate::reading::{Flow, Page, Reading, Source, Taking, pages};
use crate::{BackfillError, Sink};

/// Parameter of a list of what was touched by then.
const BEFORE: &str = "updated_before";

/// A reading under way.
pub(super) struct Reader<'a> {
    pub reading: Reading<'a, Part>,
    pub query: &'a Query,
    /// `/projects/<id>`.
    pub path: String,
    /// The project as webhooks show it.
    pub project: Value,
    pub project_id: u64,
    pub web_url: String,
    /// None while there is no commit.
    default_branch: Option<String>,
    /// Tiers of environments by their names.
    pub tiers: BTreeMap<String, Value>,
    /// Whether deployments can be approved, as far as is known; the free edition has no such thing.
    pub has_approvals: bool,
    /// Commits that this reading has told.
    pub told: HashSet<String>,
}

impl<'a> Reader<'a> {
    /// Looks the project up.
    pub async fn start(
        client: &'a Client,
        query: &'a Query,
        cursor: Cursor,
        checkpoint: &'a (dyn Fn(Checkpoint) + Send + Sync),
        sink: &'a Sink,
    ) -> Result<Self, BackfillError> {
        let reading = Reading::new("gitlab", "project", client, cursor, checkpoint, sink);
        let found: Value = reading.get(&format!("/projects/{}", encoded(&query.project))).await?.json()?;
        let project_id = number(&found, "id", "the project")?;
        Ok(Self {
            reading,
            query,
            path: format!("/projects/{project_id}"),
            project: project(&found),
            project_id,
            web_url: text(&found, "web_url", "the project")?.to_owned(),
            default_branch: found["default_branch"].as_str().map(str::to_owned),
            tiers: BTreeMap::new(),
            has_approvals: true,
            told: HashSet::new(),
        })
    }

    /// Reads one part, unless it was read before.
    pub async fn part(&mut self, part: Part) -> Result<(), BackfillError> {
        if !self.reading.begin(part) {
            return Ok(());
        }
        let (path, since) = (&self.path, seconds(self.query.since.0.div_euclid(1000)));
        let touched = format!("updated_after={since}&order_by=updated_at&sort=desc&per_page=100");
        let first = match part {
            Part::Commits => self.default_branch.as_deref().map(|branch| {
                format!("{path}/repository/commits?ref_name={}&since={since}&per_page=100", encoded(branch))
            }),
            Part::Tags => Some(format!("{path}/repository/tags?order_by=updated&sort=desc&per_page=100")),
            Part::MergeRequests => Some(format!("{path}/merge_requests?state=all&scope=all&{touched}")),
            Part::Pipelines => Some(format!("{path}/pipelines?{touched}")),
            Part::ChildPipelines => Some(format!("{path}/pipelines?source=parent_pipeline&{touched}")),
            Part::Deployments => Some(format!("{path}/deployments?{touched}")),
            Part::Releases => Some(format!("{path}/releases?order_by=released_at&sort=desc&per_page=100")),
        };
        if part == Part::Deployments {
            self.find_environments().await?;
        }
        if let Some(first) = first {
            pages(self, part, first).await?;
        }
        self.reading.end();
        Ok(())
    }

    /// One object; none where it has been removed.
    pub async fn find(&self, address: &str) -> Result<Option<Value>, BackfillError> {
        self.reading.find(address).await
    }

    /// All items of a list that is short; none where what it belongs to has been removed.
    pub async fn all(&self, address: String) -> Result<Vec<Value>, BackfillError> {
        self.reading.all(address).await
    }

    /// Gives a delivery. `members` is its body without the project.
    pub async fn deliver(
        &mut self,
        event: &str,
        id: &[&(dyn std::fmt::Display + Sync)],
        mut members: Value,
    ) -> Result<(), BackfillError> {
        members["project"] = self.project.clone();
        self.reading.deliver(event, name(id), &members).await
    }
}

impl<'a> Source<'a, Part> for Reader<'a> {
    fn reading(&mut self) -> &mut Reading<'a, Part> {
        &mut self.reading
    }

    /// Commits are known by their hash, tags and releases by their name, all else by a number.
    fn key(part: Part, item: &Value) -> Result<String, BackfillError> {
        let what = crate::Part::name(part);
        match part {
            Part::Commits => text(item, "id", what).map(str::to_owned),
            Part::Tags => text(item, "name", what).map(str::to_owned),
            Part::Releases => text(item, "tag_name", what).map(str::to_owned),
            _ => number(item, "id", what).map(|id| id.to_string()),
        }
    }

    fn take(&mut self, part: Part, item: Value) -> Taking<'_> {
        Box::pin(async move {
            match part {
                Part::Commits => self.commit(item).await,
                Part::Tags => self.tag(&item).await,
                Part::MergeRequests => self.merge_request(&item).await,
                Part::Pipelines | Part::ChildPipelines => self.pipeline(&item).await,
                Part::Deployments => self.deployment(&item).await,
                Part::Releases => self.release(&item).await,
            }?;
            Ok(Flow::Next)
        })
    }

    /// Lists by the time of the last touch go on from the time at which the page ends.
    fn next(part: Part, page: &Page<'_>) -> Option<String> {
        let next = page.answer.next.clone()?;
        if !is_by_touch(part) {
            return Some(next);
        }
        let ends_at = page.items.last().and_then(|item| time(item, "updated_at"));
        ends_at.and_then(|at| before(page.address, at)).or(Some(next))
    }

    /// GitLab counts no further than 10 000.
    fn total(part: Part, page: &Page<'_>, done: u64) -> Option<u64> {
        page.answer.total.map(|total| if is_by_touch(part) { done + total } else { total })
    }
}

const fn is_by_touch(part: Part) -> bool {
    match part {
        Part::MergeRequests | Part::Pipelines | Part::ChildPipelines | Part::Deployments => true,
        Part::Commits | Part::Tags | Part::Releases => false,
    }
}

/// The same list from that time on; none where the page at hand is of that time from its first item to its last. Times are told to
/// the millisecond and known more exactly, so the last item may come again.
fn before(address: &str, at: Timestamp) -> Option<String> {
    // What is asked for first is given without a host.
    let url = Url::parse(address).or_else(|_| Url::parse(&format!("http://host{address}"))).ok()?;
    let before = Timestamp(at.0 + 1).to_string();
    if url.query_pairs().any(|(name, value)| name == BEFORE && value == before) {
        return None;
    }
    let (path, query) = address.split_once('?')?;
    let name = |parameter: &&str| !matches!(parameter.split('=').next(), Some(BEFORE | "page"));
    let kept: Vec<&str> = query.split('&').filter(name).collect();
    Some(format!("{path}?{}&{BEFORE}={before}", kept.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_from_the_time_at_which_a_page_ends() {
        let at = Timestamp::parse_rfc3339("2026-01-02T03:04:05.678Z").unwrap();
        let first = "/projects/1/pipelines?updated_after=2026-01-01T00:00:00Z&per_page=100";
        let second = before(first, at).unwrap();
        assert_eq!(second, format!("{first}&updated_before=2026-01-02T03:04:05.679Z"));
        let linked = format!("https://gitlab.com/api/v4{}&page=2", second.replace(':', "%3A"));
        // All of the page is of one instant.
        assert_eq!((before(&second, at), before(&linked, at)), (None, None));
        let third = before(&linked, Timestamp(at.0 - 1000)).unwrap();
        assert!(third.ends_with("per_page=100&updated_before=2026-01-02T03:04:04.679Z"), "{third}");
    }
}
