//! ServiceNow: change requests as gates, the decisions of single approvers, and incidents.
//!
//! **Bodies.** ServiceNow has no webhooks of its own: what comes is what a Business Rule, a Flow or an outbound REST message sends, so
//! each member may be missing. Read are a record by itself; a record as `record` beside `table`, `instance`, `previous` (its state and
//! approval before the update) and references (`references.rs`), as the script of the page sends it; and what the Table API
//! answers, `result` with one record or several. Values are plain, or `{value, display_value, link}`.
//! Tables: <https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html>
//!
//! **What is assumed:**
//! - Times are `yyyy-MM-dd HH:mm:ss` in UTC, as `value` and `getValue()` give them; what is displayed is in the zone and form of a
//!   user, and is not looked at. A time of another form is an error.
//! - Everything is a text: numbers, booleans (`"true"`), states. States are numbers, the same in every instance (new -5, assess -4,
//!   authorize -3, scheduled -2, implement -1, review 0, closed 3, canceled 4; incidents new 1, in progress 2, on hold 3, resolved 6,
//!   closed 7, canceled 8), or the words they are displayed as.
//! - The table is `table`, else `sys_class_name`, else the prefix of the number: CHG, INC.
//! - Ids are the instance's host, the table and the `sys_id`. A clone of an instance has the same ones, so the host must be told: by
//!   `instance` or by any link. Otherwise `servicenow` stands for it.

mod changes;
mod incidents;
mod shape;

use model::event::Body;
use model::inbox::InboxRecord;
use serde_json::Value;

use self::shape::{Record, Table};
use super::{Door, Expected, Observed, Page, Provider, Reading, Unreadable};
use crate::people::People;
use crate::signature::Scheme;

/// Reads what scripts in ServiceNow send.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceNow;

const DOOR: Door = Door { provider: "servicenow", schemes: &[Scheme::Token], delivery: &[], event: None, kept: &[] };

/// What a person pastes. It runs in every release: no syntax newer than ECMAScript 5. The secret stands in the profile, encrypted.
const SCRIPT: &str = "On the tab Advanced put this script, with the id of the profile in place of PROFILE:
(function executeRule(current, previous) {
  var names = ['sys_id', 'number', 'state', 'approval', 'approval_set', 'type', 'priority', 'severity', 'category', 'cmdb_ci',
    'business_service', 'correlation_id', 'caused_by', 'sysapproval', 'source_table', 'opened_at', 'resolved_at', 'closed_at',
    'reopened_time', 'sys_created_on', 'sys_created_by', 'sys_updated_on', 'sys_updated_by'];
  var before = function (name) { return previous && previous.isValidField(name) ? previous.getValue(name) : null; };
  var body = { table: current.getTableName(), instance: gs.getProperty('glide.servlet.uri'), record: {}, references: {},
    previous: { state: before('state'), approval: before('approval') } };
  names.forEach(function (name) {
    if (!current.isValidField(name) || current[name].nil()) return;
    body.record[name] = { value: current.getValue(name), display_value: current[name].getDisplayValue() };
  });
  var request = new sn_ws.RESTMessageV2();
  request.setEndpoint('{url}'); request.setHttpMethod('post');
  request.setAuthenticationProfile('basic', 'PROFILE');
  request.setRequestHeader('Content-Type', 'application/json');
  request.setRequestBody(JSON.stringify(body)); request.executeAsync();
})(current, previous);";

const PAGE: Page = Page {
    title: "ServiceNow",
    tells: "change requests with their approvals, and incidents",
    steps: &[
        "Open System Web Services, Outbound, Basic Auth Configurations, then New. Name and username: throughline. Password: {secret}. \
         Submit, open it again, and take its id: right-click its header, Copy sys_id.",
        "Open System Definition, Business Rules, then New. Name: Throughline. Table: Change Request [change_request]. Tick Active and \
         Advanced.",
        "On the tab \u{201c}When to run\u{201d}: when after; tick Insert and Update; filter conditions: State changes, or Approval \
         changes.",
        SCRIPT,
        "Submit. Make the same rule for Incident [incident], with the conditions State changes, or Priority changes, or Configuration \
         item changes.",
        "Make the same rule for Approval [sysapproval_approver], with the condition State changes, if the tables should show how many \
         approved.",
        "If a field of yours names what is released, fill `references` before `var request`: \
         `body.references.repository = current.getValue('u_repository');` and likewise commit, run, deployment, service, version, \
         environment.",
    ],
    permissions: &[
        "The roles `business_rule_admin` and `web_service_admin`, or `admin`, add the rules and the profile once. Nothing else is \
         given away: Throughline never calls ServiceNow.",
    ],
    events: EVENTS,
    notes: &[
        "Times are UTC as long as `value` is sent, as the script does. Displayed times have no zone and are not read.",
        "A change request becomes a wait of a release where it names what is released: its configuration item under the name that the \
         catalog knows as a service, the address of a run in `correlation_id`, or `references`.",
        "`executeAsync` does not try again: what is sent while Throughline is away is lost. The next update of an \
         incident makes up for it, that of a change request does not.",
        "Planned and actual times of the work (`start_date`, `work_start`) tell of no deployment and are not read.",
    ],
    documentation: "https://developer.servicenow.com/dev.do#!/reference/api/latest/server/sn_ws-namespace/c_RESTMessageV2API",
};

const fn event(event: &'static str, setting: &'static str, tells: &'static str, essential: bool) -> Expected {
    Expected { event, setting, tells, essential }
}

const EVENTS: &[Expected] = &[
    event("change_request", "Change Request", "approvals of changes: asked for, given, refused, withdrawn", true),
    event("incident", "Incident", "incidents, their end and their cause", false),
    event("sysapproval_approver", "Approval", "who of several approved", false),
];

impl Provider for ServiceNow {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn version(&self) -> i32 {
        1
    }

    /// The table of the record.
    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        let body: Value = serde_json::from_slice(delivery.body.as_ref()).ok()?;
        let record = shape::records(&body).next()?;
        Some(Table::of(&body, record).name().to_owned())
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let body: Value = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: "a record of ServiceNow in JSON".to_owned(), source })?;
        let (mut events, mut ignored, mut bad) = (Vec::new(), None, Vec::new());
        let mut count = 0;
        for (index, json) in shape::records(&body).enumerate() {
            count += 1;
            match Record::new(&body, json, delivery.received_at, people).and_then(|record| read_one(&record)) {
                Ok(Told::Events(told)) => events.extend(told),
                Ok(Told::Nothing(why)) => ignored = ignored.or(Some(why)),
                Err(error) => bad.push((index, error)),
            }
        }
        match (bad.len(), events.is_empty()) {
            (0, false) => Ok(Reading::Events(events)),
            (0, true) => Ok(Reading::Ignored(ignored.unwrap_or("no record").to_owned())),
            (1, true) if count == 1 => Err(bad.remove(0).1),
            (wrong, nothing) => {
                let each: Vec<_> = bad.iter().map(|(index, error)| format!("record {index}: {error}")).collect();
                let unreadable = format!("{wrong} of {count} records cannot be read: {}", each.join("; "));
                if nothing { Err(Unreadable::Value(unreadable)) } else { Ok(Reading::Mixed { events, unreadable }) }
            }
        }
    }
}

/// What a record tells.
enum Told {
    Events(Vec<Observed>),
    /// Nothing, and why: `incident: …`.
    Nothing(&'static str),
}

fn read_one(record: &Record<'_>) -> Result<Told, Unreadable> {
    match record.table {
        Table::ChangeRequest => changes::change_request(record),
        Table::Approver => changes::approver(record),
        Table::Incident => incidents::incident(record),
        Table::Other => Ok(Told::Nothing("another table: neither a change request, nor an approval, nor an incident")),
    }
}

/// What a record tells, as seen at its last update.
fn told(record: &Record<'_>, bodies: Vec<Body>) -> Result<Told, Unreadable> {
    let (occurred_at, link) = (record.at()?, record.link());
    let observed = |body| Observed { occurred_at, link: link.clone(), body };
    Ok(Told::Events(bodies.into_iter().map(observed).collect()))
}
