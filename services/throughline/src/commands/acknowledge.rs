//! `throughline acknowledge`: what came since a shift is the new usual of its component.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use ingestor::providers::import::check_line;
use model::event::{Actor, ActorKind, Body, ShiftAcknowledged};
use model::{Component, Realm, Source, Timestamp};
use serde::Deserialize;
use serde_json::json;
use warehouse::{Warehouse, WarehouseConfig};

use super::refused::explained;
use super::{block_on, complain, inbox, now, say};
use crate::cli::Acknowledge;
use crate::config::{Config, sections};
use crate::nearest::nearest;

/// Source that acknowledgements are said to come from.
const SOURCE: &str = "acknowledge";

/// A row of `components`, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Row {
    component: String,
    acknowledged: Vec<Timestamp>,
}

pub fn run(file: Option<&Path>, arguments: &Acknowledge) -> anyhow::Result<ExitCode> {
    let now = now();
    let at = arguments.at.unwrap_or(now);
    ensure!(at <= now, "--at is {at}, which is still to come: what is acknowledged has happened");
    let config = Config::load(file, sections::KAFKA_AND_CLICKHOUSE)?;
    config.log.start()?;
    let line = line(arguments, now)?;
    let before = block_on(async {
        let before = match components(&config.clickhouse, &arguments.realm).await {
            Ok(rows) => before(arguments, &rows)?,
            Err(error) => {
                let error = explained(error, &config.clickhouse);
                complain(&format!("whether `{}` is a component cannot be asked: {error:#}", arguments.component));
                None
            }
        };
        let inbox = inbox::open(&config.kafka).await?;
        inbox::put(&inbox, inbox::line(&Source::new(SOURCE), &Realm::new(&arguments.realm), line)).await?;
        Ok(before)
    })?;
    say(&if arguments.json { as_json(arguments, at, before) } else { as_text(arguments, at, before) })?;
    Ok(ExitCode::SUCCESS)
}

/// The event as a line to import, which makes a hash of the account.
fn line(arguments: &Acknowledge, now: Timestamp) -> anyhow::Result<Vec<u8>> {
    let person = |account: &String| Actor { key: Some(account.clone()), kind: ActorKind::Human };
    let body = Body::from(ShiftAcknowledged {
        component: Component::new(&arguments.component),
        acknowledged_at: arguments.at,
        acknowledged_by: arguments.by.as_ref().map(person).unwrap_or_default(),
        note: arguments.note.clone(),
    });
    let line = serde_json::to_vec(&json!({"occurred_at": now, "body": body}))?;
    check_line(&line)?;
    Ok(line)
}

/// The components of a realm.
async fn components(config: &WarehouseConfig, realm: &str) -> anyhow::Result<Vec<Row>> {
    let warehouse = Warehouse::new(config)?;
    // It gives up sooner than a query does.
    warehouse.ping().await?;
    let sql = "SELECT component, acknowledged FROM components WHERE realm = {realm:String}";
    Ok(warehouse.query(sql).param("realm", realm).rows().await?)
}

/// When a shift of the component was acknowledged last; an error where there is no such component.
fn before(arguments: &Acknowledge, rows: &[Row]) -> anyhow::Result<Option<Timestamp>> {
    let Acknowledge { component, realm, .. } = arguments;
    if let Some(row) = rows.iter().find(|row| row.component == *component) {
        return Ok(row.acknowledged.last().copied());
    }
    match nearest(component, rows.iter().map(|row| row.component.as_str())) {
        Some(near) => bail!("realm {realm} has no component `{component}`; did you mean `{near}`?"),
        None => bail!(
            "realm {realm} has no component `{component}`: `throughline query --sql 'SELECT realm, component FROM components'` \
             lists them"
        ),
    }
}

fn as_json(arguments: &Acknowledge, at: Timestamp, before: Option<Timestamp>) -> String {
    let Acknowledge { component, realm, .. } = arguments;
    let [at, before] = [Some(at), before].map(|at| at.map(|at| at.to_string()));
    json!({"realm": realm, "component": component, "acknowledged_at": at, "acknowledged_before": before}).to_string()
}

fn as_text(arguments: &Acknowledge, at: Timestamp, before: Option<Timestamp>) -> String {
    let Acknowledge { component, realm, .. } = arguments;
    let before = before.map(|before| format!(" (the last one at {before})")).unwrap_or_default();
    format!(
        "shift of {component} acknowledged at {at}{before}: put in realm {realm}\n\
         What came since the shift began is what comes later is compared with; where none stood, what comes from that time on."
    )
}

#[cfg(test)]
mod tests {
    use ingestor::people::People;
    use ingestor::providers::import::Import;
    use ingestor::providers::{Provider, Reading};
    use model::event::ReviewBody;

    use super::*;

    const AT: Timestamp = Timestamp(1_779_285_600_000);

    fn arguments() -> Acknowledge {
        Acknowledge {
            component: "payouts".to_owned(),
            realm: "default".to_owned(),
            note: Some("agreed with audit".to_owned()),
            at: None,
            by: Some("github.com/octocat".to_owned()),
            json: false,
        }
    }

    fn rows() -> Vec<Row> {
        let row = |component: &str, acknowledged| Row { component: component.to_owned(), acknowledged };
        vec![row("ledger", Vec::new()), row("payouts", vec![Timestamp(1), AT])]
    }

    #[test]
    fn who_says_so_leaves_as_a_hash() {
        for at in [None, Some(AT)] {
            let line = line(&Acknowledge { at, ..arguments() }, Timestamp(AT.0 + 1)).unwrap();
            let record = inbox::line(&Source::new(SOURCE), &Realm::new("default"), line);
            let people = People::new(b"a key of the tests");
            let Ok(Reading::Events(events)) = Import.read(&record, &people) else { panic!("not read: {record:?}") };
            assert_eq!(events[0].occurred_at, Timestamp(AT.0 + 1));
            let Body::Review(ReviewBody::ShiftAcknowledged(said)) = &events[0].body else { panic!("{events:?}") };
            let by = people.account("import", "github.com/octocat", ActorKind::Unknown).key;
            assert!(by.is_some() && said.acknowledged_by == Actor { key: by, kind: ActorKind::Human });
            assert_eq!((said.component.as_str(), said.acknowledged_at), ("payouts", at));
            assert_eq!(said.note.as_deref(), Some("agreed with audit"));
        }
    }

    #[test]
    fn nobody_is_said_to_have_said_so_who_is_not_named() {
        let line = line(&Acknowledge { by: None, ..arguments() }, AT).unwrap();
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let by = &line["body"]["ShiftAcknowledged"]["acknowledged_by"];
        assert_eq!(*by, json!({"key": null, "kind": "unknown"}));
    }

    #[test]
    fn a_component_that_is_none_is_named() {
        let asked = |component: &str| {
            let arguments = Acknowledge { component: component.to_owned(), ..arguments() };
            before(&arguments, &rows()).map_err(|error| error.to_string())
        };
        assert_eq!((asked("payouts"), asked("ledger")), (Ok(Some(AT)), Ok(None)));
        let near = "realm default has no component `payout`; did you mean `payouts`?";
        assert_eq!(asked("payout"), Err(near.to_owned()));
        assert!(asked("shop").unwrap_err().contains("SELECT realm, component FROM components"));
    }

    #[test]
    fn what_was_done_is_said() {
        let text = as_text(&arguments(), AT, Some(Timestamp(0)));
        for part in ["payouts acknowledged at 2026-05-20T14:00:00.000Z", "the last one at 1970-01-01", "realm default"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!as_text(&arguments(), AT, None).contains("the last one"));
        let json: serde_json::Value = serde_json::from_str(&as_json(&arguments(), AT, None)).unwrap();
        let said = json!({"realm": "default", "component": "payouts", "acknowledged_at": "2026-05-20T14:00:00.000Z",
                          "acknowledged_before": null});
        assert_eq!(json, said);
    }
}
