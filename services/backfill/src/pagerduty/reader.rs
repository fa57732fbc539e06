//! One reading of an account.

use reqwest::StatusCode;
use serde_json::Value;

use super::events::{body, fields, lacks, moved};
use super::{Checkpoint, Cursor, Part, Query};
use crate::http::Client;
use crate::reading::members::{encoded, name, number, seconds, text, time};
use crate::reading::{Flow, Page, Reading, Source, Spans, Taking, items, spans};
use crate::{BackfillError, Sink};

/// Items of a page.
const LIMIT: u64 = 100;
/// PagerDuty takes a span of six months at most.
const SIX_MONTHS: i64 = 180 * 86_400;

/// A reading under way.
pub(super) struct Reader<'a> {
    reading: Reading<'a, Part>,
    /// The account has custom fields.
    has_fields: bool,
}

impl<'a> Reader<'a> {
    pub async fn start(
        client: &'a Client,
        cursor: Cursor,
        checkpoint: &'a (dyn Fn(Checkpoint) + Send + Sync),
        sink: &'a Sink,
    ) -> Result<Self, BackfillError> {
        let reading = Reading::new("pagerduty", "account", client, cursor, checkpoint, sink);
        let has_fields = match reading.get("/incidents/custom_fields").await {
            Ok(answer) => !items(&answer)?.is_empty(),
            // They are part of some plans only.
            Err(error) if matches!(error.status(), Some(status) if is_lacking(status)) => false,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { reading, has_fields })
    }

    pub async fn incidents(&mut self, query: &Query) -> Result<(), BackfillError> {
        if self.reading.begin(Part::Incidents) {
            spans(self, Part::Incidents, query.since.0.div_euclid(1000)).await?;
            self.reading.end();
        }
        Ok(())
    }

    /// An incident: everything that moved it, and its custom fields.
    async fn incident(&mut self, incident: &Value) -> Result<(), BackfillError> {
        let id = text(incident, "id", "an incident")?.to_owned();
        let log = self.log(&id).await?;
        for moved in moved(incident, &log)? {
            let delivery = name(&[&"incident", &id, &moved.entry, &moved.event]);
            self.reading.deliver(moved.event, delivery, &body(incident, &moved)).await?;
        }
        if self.has_fields {
            let address = format!("/incidents/{}/custom_fields/values", encoded(&id));
            let Some(found) = self.reading.find(&address).await? else { return Ok(()) };
            let at = time(incident, "last_status_change_at").or_else(|| time(incident, "created_at"));
            let at = at.ok_or_else(|| lacks("an incident", "created_at"))?;
            let body = fields(incident, at, &found["custom_fields"]);
            let event = "incident.custom_field_values.updated";
            self.reading.deliver(event, name(&[&"fields", &id, &at.0]), &body).await?;
        }
        Ok(())
    }

    /// All entries of the log of an incident; none where it has been removed.
    async fn log(&self, id: &str) -> Result<Vec<Value>, BackfillError> {
        let (mut log, mut offset) = (Vec::new(), 0);
        loop {
            let id = encoded(id);
            let address = format!("/incidents/{id}/log_entries?time_zone=UTC&limit={LIMIT}&offset={offset}");
            let Some(answer) = self.reading.get_if_there(&address).await? else { break };
            let page = items(&answer)?;
            offset += page.len();
            let has_more = has_more(&answer.json()?) && !page.is_empty();
            log.extend(page);
            if !has_more {
                break;
            }
        }
        Ok(log)
    }
}

/// What answers a request for something that the plan does not have.
fn is_lacking(status: StatusCode) -> bool {
    matches!(status, StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
}

fn has_more(answer: &Value) -> bool {
    answer["more"] == true
}

impl<'a> Source<'a, Part> for Reader<'a> {
    fn reading(&mut self) -> &mut Reading<'a, Part> {
        &mut self.reading
    }

    fn key(_part: Part, item: &Value) -> Result<String, BackfillError> {
        text(item, "id", "an incident").map(str::to_owned)
    }

    fn take(&mut self, _part: Part, item: Value) -> Taking<'_> {
        Box::pin(async move {
            self.incident(&item).await?;
            Ok(Flow::Next)
        })
    }

    /// The page says whether there are more, and not where.
    fn next(_part: Part, page: &Page<'_>) -> Option<String> {
        let answer: Value = page.answer.json().ok()?;
        let (list, offset) = page.address.rsplit_once("&offset=")?;
        let offset = offset.parse::<usize>().ok()? + page.items.len();
        (has_more(&answer) && !page.items.is_empty()).then(|| format!("{list}&offset={offset}"))
    }
}

impl<'a> Spans<'a, Part> for Reader<'a> {
    const MOST: u64 = 10_000;
    const LONGEST: i64 = SIX_MONTHS;

    /// The oldest first, so that a page stays as it is while it is read.
    fn within(&self, (from, to): (i64, i64), whole: bool) -> String {
        // Whether the end is in it, is not said.
        let (since, until) = (seconds(from), seconds(to + 1));
        let list = format!("/incidents?since={since}&until={until}&time_zone=UTC&sort_by=created_at:asc");
        if whole { format!("{list}&limit={LIMIT}&offset=0") } else { format!("{list}&limit=1&total=true&offset=0") }
    }

    fn count(answer: &Value) -> Result<u64, BackfillError> {
        number(answer, "total", "the list of incidents")
    }
}
