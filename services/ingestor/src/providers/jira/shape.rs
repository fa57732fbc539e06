//! A body of Jira, read member by member: what is missing, null, empty or of another shape than expected is not told, since anybody
//! may put a field or a rule of their own there. Only a time that is none is an error.

use model::event::{Actor, ActorKind};
use model::{IncidentId, Timestamp};
use serde_json::Value;

use crate::people::People;
use crate::providers::Unreadable;

/// The name of a body's event, in Jira's words.
pub(super) fn event(body: &Value) -> Option<&str> {
    text(&body["webhookEvent"])
}

/// What happened to the issue of a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    /// It was opened.
    Created,
    /// It changed, or is only shown.
    Updated,
    /// It is gone.
    Deleted,
    /// Something that is no change of an issue.
    Other,
}

impl Action {
    pub(super) fn of(body: &Value) -> Self {
        match event(body) {
            Some("jira:issue_created") => Self::Created,
            // A rule or the webhook of a transition sends no event; a comment is an update of its issue in Data Center.
            Some("jira:issue_updated") | None => Self::Updated,
            Some("jira:issue_deleted") => Self::Deleted,
            Some(_) => Self::Other,
        }
    }
}

/// What an issue is, by the name of its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Incident,
    Change,
    Other,
}

impl Kind {
    /// Jira Service Management calls its own types `[System] Incident` and `[System] Change`.
    pub(super) fn of(name: &str) -> Self {
        let name = name.trim().to_lowercase();
        match name.strip_prefix("[system] ").unwrap_or(&name) {
            "incident" | "major incident" => Self::Incident,
            "change" | "change request" | "normal change" | "standard change" | "emergency change" => Self::Change,
            _ => Self::Other,
        }
    }
}

/// A move from one status to another, by their names.
pub(super) struct Move<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
}

/// How far an issue has come: the category of its status.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Category {
    /// Nobody has begun.
    New,
    /// Under way.
    InProgress,
    Done,
    Unknown,
}

/// An issue as one body shows it.
pub(super) struct Issue<'a> {
    pub(super) body: &'a Value,
    pub(super) action: Action,
    pub(super) fields: &'a Value,
    /// Key for people: `OPS-7`.
    pub(super) key: Option<&'a str>,
    /// When the body was made.
    pub(super) at: Timestamp,
    /// Address of the Jira without its scheme, and so the namespace of its accounts: `acme.atlassian.net`, `example.com/jira`.
    site: String,
    scheme: &'a str,
    id: String,
    people: &'a People,
}

impl<'a> Issue<'a> {
    /// The issue of a body. "Issue data (Automation format)" is the issue itself, in all others it is a member.
    pub(super) fn new(
        body: &'a Value,
        action: Action,
        received_at: Timestamp,
        people: &'a People,
    ) -> Result<Self, Unreadable> {
        let issue = body.get("issue").unwrap_or(body);
        let fields = &issue["fields"];
        let (Some(id), true) = (scalar(&issue["id"]), fields.is_object()) else {
            let why = "the body has no `issue` with `id` and `fields`: it is no webhook of an issue";
            return Err(Unreadable::Value(why.to_owned()));
        };
        let Some((scheme, site)) = text(&issue["self"]).and_then(site) else {
            let given = text(&issue["self"]).unwrap_or_default();
            let why =
                format!("`issue.self` is `{given}`, which is no address of an issue: it tells which Jira it is from");
            return Err(Unreadable::Value(why));
        };
        let at = match time(&body["timestamp"], "timestamp")? {
            Some(at) => Some(at),
            None => time(&fields["updated"], "issue.fields.updated")?,
        };
        let (key, at) = (text(&issue["key"]), at.unwrap_or(received_at));
        Ok(Self { body, action, fields, key, at, site, scheme, id, people })
    }

    pub(super) fn kind(&self) -> Kind {
        name(&self.fields["issuetype"]).map_or(Kind::Other, Kind::of)
    }

    /// Id over all providers. The key is none: it changes when the issue moves to another project.
    pub(super) fn path(&self) -> String {
        format!("{}/issues/{}", self.site, self.id)
    }

    /// Id of another issue of this Jira, as an incident.
    pub(super) fn other_incident(&self, issue: &Value) -> Option<IncidentId> {
        Some(IncidentId::new(format!("{}/issues/{}", self.site, scalar(&issue["id"])?)))
    }

    /// Its page. The gateway of Atlassian's own apps has none.
    pub(super) fn link(&self) -> Option<String> {
        let page = !self.site.starts_with("api.atlassian.com/");
        self.key.filter(|_| page).map(|key| format!("{}://{}/browse/{key}", self.scheme, self.site))
    }

    pub(super) fn time(&self, field: &str) -> Result<Option<Timestamp>, Unreadable> {
        time(&self.fields[field], &format!("issue.fields.{field}"))
    }

    pub(super) fn status(&self) -> Option<&'a str> {
        name(&self.fields["status"])
    }

    pub(super) fn category(&self) -> Category {
        match text(&self.fields["status"]["statusCategory"]["key"]) {
            Some("new") => Category::New,
            Some("indeterminate") => Category::InProgress,
            Some("done") => Category::Done,
            // Before Jira 6.2 statuses had no category.
            None if text(&self.fields["resolutiondate"]).is_some() => Category::Done,
            _ => Category::Unknown,
        }
    }

    /// The change of a field in this delivery.
    pub(super) fn changed(&self, field: &str) -> Option<&'a Value> {
        let items = self.body["changelog"]["items"].as_array()?;
        items.iter().find(|item| item["field"] == field)
    }

    /// The move between statuses that this delivery tells, by its changelog or as the webhook of a transition.
    pub(super) fn moved(&self) -> Option<Move<'a>> {
        let (from, to) = match self.changed("status") {
            Some(item) => (&item["fromString"], &item["toString"]),
            None => (&self.body["transition"]["from_status"], &self.body["transition"]["to_status"]),
        };
        let (from, to) = (text(from)?, text(to)?);
        (from != to).then_some(Move { from, to })
    }

    /// Names of the services that it concerns, sorted: components, the field "Affected services" of Service Management (known by the
    /// ids of its values), and what a rule names.
    pub(super) fn services(&self, named: Option<&String>) -> Vec<String> {
        let components = items(&self.fields["components"]).filter_map(name);
        let fields = self.fields.as_object().into_iter().flat_map(serde_json::Map::values);
        let affected = fields.flat_map(items).filter_map(|value| {
            let id = text(&value["id"]).filter(|id| id.starts_with("ari:cloud:graph::service/"))?;
            Some(name(value).unwrap_or(id))
        });
        let all = components.chain(affected).chain(named.map(String::as_str)).map(str::to_owned);
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Who made the change.
    pub(super) fn user(&self) -> Actor {
        self.account(&self.body["user"])
    }

    /// An account, by its id in Cloud and its name in Data Center.
    pub(super) fn account(&self, account: &Value) -> Actor {
        let id = text(&account["accountId"]).or_else(|| text(&account["name"])).or_else(|| text(&account["key"]));
        let kind = match text(&account["accountType"]) {
            Some("app") => ActorKind::Machine,
            Some("atlassian" | "customer") => ActorKind::Human,
            _ => ActorKind::Unknown,
        };
        id.map_or_else(Actor::default, |id| self.people.actor(&self.site, id, kind))
    }
}

/// Scheme and address of the Jira in the address of one of its issues, for programs (`…/rest/api/2/issue/1`) or for people
/// (`…/browse/OPS-7`).
fn site(address: &str) -> Option<(&str, String)> {
    let (scheme, rest) = address.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    let (site, _) = rest.split_once("/rest/").or_else(|| rest.split_once("/browse/"))?;
    let site = site.rsplit_once('@').map_or(site, |(_, site)| site);
    (!site.is_empty()).then(|| (scheme, site.to_lowercase()))
}

/// A text that is not empty.
pub(super) fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A text, or the name of something that has one.
pub(super) fn name(value: &Value) -> Option<&str> {
    text(value).or_else(|| text(&value["name"])).or_else(|| text(&value["value"]))
}

/// Ids are texts in webhooks and integers in what a rule sends.
pub(super) fn scalar(value: &Value) -> Option<String> {
    text(value).map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
}

pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A time: RFC 3339, `2021-04-28T21:50:00.000+0200`, milliseconds since 1970 as a number or a text of digits, or an object that has
/// it in several forms, as in Service Management.
pub(super) fn time(value: &Value, place: &str) -> Result<Option<Timestamp>, Unreadable> {
    let wrong = |why: String| Unreadable::Value(format!("`{place}`: {why}"));
    match value {
        Value::Number(number) => {
            let at = number.as_i64().map(Timestamp);
            at.map(Some).ok_or_else(|| wrong(format!("{number} is no number of milliseconds since 1970")))
        }
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(ms) => Ok(Some(Timestamp(ms))),
            Err(_) => Timestamp::parse_rfc3339(text).map(Some).map_err(|error| wrong(error.to_string())),
        },
        Value::Object(forms) => match (forms.get("epochMillis"), forms.get("iso8601")) {
            (Some(ms), _) => time(ms, place),
            (None, Some(text)) => time(text, place),
            (None, None) => Ok(None),
        },
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_come_in_several_forms() {
        let read = |value: Value| time(&value, "at").unwrap();
        let at = Some(Timestamp(1_619_639_400_000));
        assert_eq!(read(json!("2021-04-28T21:50:00.000+0200")), at);
        assert_eq!(read(json!(1_619_639_400_000_i64)), at);
        assert_eq!(read(json!("1619639400000")), at);
        assert_eq!(read(json!({"epochMillis": 1_619_639_400_000_i64, "friendly": "28/Apr/21"})), at);
        assert_eq!(read(json!({"iso8601": "2021-04-28T19:50:00+0000"})), at);
        assert_eq!(read(json!("")), None);
        assert_eq!(read(Value::Null), None);
        let error = time(&json!("28/Apr/21 9:50 PM"), "issue.fields.created").unwrap_err().to_string();
        assert!(error.starts_with("`issue.fields.created`: `28/Apr/21 9:50 PM` is not a time"), "{error}");
        assert!(time(&json!(1.5), "at").is_err());
    }

    #[test]
    fn a_jira_is_known_by_the_address_of_its_issues() {
        for (address, expected) in [
            ("https://acme.atlassian.net/rest/api/2/issue/10001", Some("acme.atlassian.net")),
            ("https://Acme.atlassian.net/browse/OPS-7", Some("acme.atlassian.net")),
            ("http://intranet.example.com:8080/jira/rest/api/2/issue/1", Some("intranet.example.com:8080/jira")),
            ("https://api.atlassian.com/ex/jira/c1/rest/api/2/issue/1", Some("api.atlassian.com/ex/jira/c1")),
            ("javascript:alert(1)//rest/", None),
            ("https:///rest/api", None),
            ("OPS-7", None),
        ] {
            assert_eq!(site(address).map(|(_, site)| site).as_deref(), expected, "{address}");
        }
    }
}
