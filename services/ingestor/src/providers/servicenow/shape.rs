//! A record of ServiceNow: fields with a value, a display value and a link, most of them missing.

use model::Timestamp;
use model::event::{Actor, ActorKind};
use serde_json::Value;

use crate::people::People;
use crate::providers::Unreadable;

/// Tables that are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Table {
    ChangeRequest,
    /// One approver's part in an approval.
    Approver,
    Incident,
    Other,
}

impl Table {
    pub(super) fn of(body: &Value, record: &Value) -> Self {
        let named = text(&body["table"]).or_else(|| value(record, "sys_class_name"));
        let named = named.map(|name| name.to_lowercase().replace(' ', "_"));
        match named.as_deref() {
            Some("change_request") => Self::ChangeRequest,
            Some("sysapproval_approver" | "approval") => Self::Approver,
            Some("incident") => Self::Incident,
            Some(_) => Self::Other,
            None if value(record, "sysapproval").is_some() => Self::Approver,
            None => match value(record, "number").and_then(|number| number.get(..3)) {
                Some("CHG") => Self::ChangeRequest,
                Some("INC") => Self::Incident,
                _ => Self::Other,
            },
        }
    }

    /// Name in ServiceNow.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ChangeRequest => "change_request",
            Self::Approver => "sysapproval_approver",
            Self::Incident => "incident",
            Self::Other => "other",
        }
    }
}

/// The records of a body: its `record`, its `result` (one or a list, as the Table API answers), or itself.
pub(super) fn records(body: &Value) -> impl Iterator<Item = &Value> {
    let held = body.get("record").or_else(|| body.get("result")).unwrap_or(body);
    let (list, one) = match held {
        Value::Array(list) => (list.as_slice(), None),
        one => (Default::default(), Some(one)),
    };
    list.iter().chain(one)
}

/// A record, and what its body tells beside it.
pub(super) struct Record<'a> {
    pub(super) body: &'a Value,
    pub(super) json: &'a Value,
    pub(super) table: Table,
    /// Host of the instance, where told.
    instance: Option<String>,
    id: &'a str,
    received_at: Timestamp,
    people: &'a People,
}

impl<'a> Record<'a> {
    pub(super) fn new(
        body: &'a Value,
        json: &'a Value,
        received_at: Timestamp,
        people: &'a People,
    ) -> Result<Self, Unreadable> {
        let Some(id) = value(json, "sys_id").or_else(|| value(json, "number")) else {
            let why = "the body is no record of ServiceNow: it has neither `sys_id` nor `number`";
            return Err(Unreadable::Value(why.to_owned()));
        };
        let links = json.as_object().into_iter().flat_map(serde_json::Map::values);
        let mut addresses = text(&body["instance"]).into_iter().chain(links.filter_map(|field| text(&field["link"])));
        let instance = addresses.find_map(host);
        Ok(Self { body, json, table: Table::of(body, json), instance, id, received_at, people })
    }

    /// The value of a field.
    pub(super) fn value(&self, field: &str) -> Option<&'a str> {
        value(self.json, field)
    }

    /// What a field shows to people, else its value.
    pub(super) fn shown(&self, field: &str) -> Option<&'a str> {
        text(&self.json[field]["display_value"]).or_else(|| self.value(field))
    }

    /// A state as a number or a word, in lower case and with spaces: `-3`, `authorize`, `not requested`.
    pub(super) fn word(&self, field: &str) -> Option<String> {
        self.value(field).map(plain)
    }

    /// A field before the update, as a word; the inner one is none where it was empty, the outer one where it is not told.
    pub(super) fn before(&self, field: &str) -> Option<Option<String>> {
        let before = self.body["previous"].get(field)?;
        Some(text(before).or_else(|| text(&before["value"])).map(plain))
    }

    /// A time of the record: `2024-01-15 10:30:00`, UTC.
    pub(super) fn time(&self, field: &str) -> Result<Option<Timestamp>, Unreadable> {
        let Some(text) = self.value(field) else { return Ok(None) };
        let parsed = Timestamp::parse_rfc3339(&format!("{}Z", text.replacen(' ', "T", 1)))
            .or_else(|_| Timestamp::parse_rfc3339(text));
        parsed.map(Some).map_err(|_| {
            Unreadable::Value(format!(
                "`{field}`: `{text}` is no time like 2024-01-15 09:30:00; send the `value` of the field, not what it displays"
            ))
        })
    }

    /// When it was as it shows: when it was updated last, else made, else received.
    pub(super) fn at(&self) -> Result<Timestamp, Unreadable> {
        let updated = self.time("sys_updated_on")?;
        Ok(updated.or(self.time("sys_created_on")?).unwrap_or(self.received_at))
    }

    /// Id over all providers.
    pub(super) fn path(&self) -> String {
        self.path_of(self.table, self.id)
    }

    /// Id over all providers of another record of this instance.
    pub(super) fn path_of(&self, table: Table, id: &str) -> String {
        format!("{}/{}/{id}", self.instance.as_deref().unwrap_or("servicenow"), table.name())
    }

    /// Its page, where the instance is known.
    pub(super) fn link(&self) -> Option<String> {
        self.link_of(self.table, self.value("sys_id")?)
    }

    /// The page of another record of this instance.
    pub(super) fn link_of(&self, table: Table, id: &str) -> Option<String> {
        let instance = self.instance.as_deref()?;
        let plain = id.bytes().all(|c| c.is_ascii_alphanumeric());
        plain.then(|| format!("https://{instance}/{}.do?sys_id={id}", table.name()))
    }

    /// An account by its user name, which `sys_created_by` and `sys_updated_by` hold. `system` is ServiceNow itself.
    pub(super) fn account(&self, field: &str) -> Actor {
        match self.value(field) {
            None => Actor::default(),
            Some("system") => Actor { key: None, kind: ActorKind::Machine },
            Some(name) => {
                let namespace = self.instance.as_deref().unwrap_or("servicenow");
                self.people.actor(namespace, name, ActorKind::Unknown)
            }
        }
    }
}

fn value<'a>(record: &'a Value, field: &str) -> Option<&'a str> {
    let field = &record[field];
    text(field).or_else(|| text(&field["value"]))
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('_', " ")
}

/// Host of an address.
fn host(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b':');
    (!host.is_empty() && host.bytes().all(plain)).then(|| host.to_lowercase())
}
