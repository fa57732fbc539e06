//! Holds every column of every table in ClickHouse against what must come out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use model::Realm;
use model::event::{Body, Event};
use model::fact::{Fact, Identity};
use model::schema::Subject;
use serde_json::Value;
use tokio::task::block_in_place;
use warehouse::Table;

use super::history::REALMS;
use crate::installation::Installation;

/// Rows by realm and identity, without revisions.
type Rows = BTreeMap<(Realm, Identity), Fact>;

/// What was compared and what differed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Rows that must be there.
    pub rows: usize,
    /// Rows that must be there, by table.
    pub tables: BTreeMap<&'static str, usize>,
    /// Each row that is missing, left over, there twice, or different in some column.
    pub differences: Vec<String>,
}

/// All rows that must come out of the events of a realm, as the oracle works them out: the correlation is what is disturbed.
fn wanted(realm: &Realm, events: &[Event<Body>]) -> Rows {
    let rows = oracle::tables(events, realm).0.into_iter();
    rows.map(|(identity, fact)| ((realm.clone(), identity), fact)).collect()
}

/// Compares what is in ClickHouse with what follows from the events that were accepted.
///
/// # Errors
/// Where ClickHouse cannot be asked, or a row cannot be read.
pub async fn check(installation: &Installation, events: &[Event<Body>]) -> Result<Checked> {
    let wanted: Rows = REALMS.map(Realm::new).iter().flat_map(|realm| wanted(realm, events)).collect();
    let mut checked = Checked { rows: wanted.len(), ..Checked::default() };
    for (_, identity) in wanted.keys() {
        if let Some(table) = Table::of(identity.subject()) {
            *checked.tables.entry(table.name).or_default() += 1;
        }
    }
    let mut found = Rows::new();
    for table in Table::all() {
        for (realm, fact) in rows(installation, table.name).await? {
            let key = (realm, fact.identity());
            if let Some(other) = found.insert(key.clone(), fact) {
                checked.differences.push(format!("twice in {}: {key:?}\n  {other:?}", table.name));
            }
        }
    }
    checked.differences.extend(differences(&wanted, &found));
    checked.differences.extend(dead_letters(installation)?);
    Ok(checked)
}

/// Nothing that was sent is unreadable.
fn dead_letters(installation: &Installation) -> Result<Vec<String>> {
    let mut letters = Vec::new();
    let visit = |record: stream::Record| {
        letters.push(format!("left over: a dead letter at offset {} of partition {}", record.offset, record.partition));
        ControlFlow::Continue(())
    };
    block_in_place(|| stream::scan::read_all(&installation.kafka(), &stream::topics::DEAD_LETTERS, visit))?;
    Ok(letters)
}

/// What a reader of the view sees, as facts: without revision and mark of deletion.
async fn rows(installation: &Installation, table: &str) -> Result<Vec<(Realm, Fact)>> {
    let sql = format!(
        "SELECT *, toInt64(0) AS revision, false AS deleted FROM {table} FORMAT JSONEachRow \
         SETTINGS output_format_json_quote_64bit_integers = 0, date_time_output_format = 'iso'"
    );
    let answer = installation.query(&sql).await?;
    answer.lines().map(|line| fact(table, line).with_context(|| format!("a row of {table}: {line}"))).collect()
}

fn fact(table: &str, line: &str) -> Result<(Realm, Fact)> {
    #[derive(serde::Deserialize)]
    struct Of {
        realm: Realm,
    }
    let subject = Subject::of_topic(&format!("facts.{table}")).with_context(|| format!("{table} is no table"))?;
    let row = &mut serde_json::Deserializer::from_str(line);
    let fact = Fact::from_columns(subject, row)?.with_context(|| format!("{table} is no table"))?;
    Ok((serde_json::from_str::<Of>(line)?.realm, fact))
}

fn differences(wanted: &Rows, found: &Rows) -> Vec<String> {
    let keys: BTreeSet<_> = wanted.keys().chain(found.keys()).collect();
    let difference = |key: &(Realm, Identity)| match (wanted.get(key), found.get(key)) {
        (Some(wanted), Some(found)) if wanted == found => None,
        (Some(wanted), Some(found)) => Some(format!("different: {key:?}{}", columns_that_differ(wanted, found))),
        (Some(wanted), None) => Some(format!("missing: {wanted:?}")),
        (None, found) => Some(format!("left over: {found:?}")),
    };
    keys.into_iter().filter_map(difference).collect()
}

fn columns_that_differ(wanted: &Fact, found: &Fact) -> String {
    let (Value::Object(wanted), Value::Object(found)) = (columns(wanted), columns(found)) else { return String::new() };
    let mut text = String::new();
    for (name, wanted) in &wanted {
        let found = found.get(name).unwrap_or(&Value::Null);
        if wanted != found {
            // Writing to a text cannot fail.
            let _ = write!(text, "\n  {name}: {found} and not {wanted}");
        }
    }
    text
}

fn columns(fact: &Fact) -> Value {
    serde_json::to_value(fact).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use model::fact::DeploymentFact;

    use super::super::history::{History, Told};
    use super::*;

    #[test]
    fn a_difference_in_any_column_is_seen() {
        let rows = |evidence: &str, commits| {
            let row = DeploymentFact { commits, evidence: vec![evidence.to_owned()], ..Default::default() };
            let fact = Fact::from(row);
            Rows::from([((Realm::new("r"), fact.identity()), fact)])
        };
        assert_eq!(differences(&rows("a", 1), &rows("a", 1)), [] as [String; 0]);
        let seen = differences(&rows("a", 1), &rows("b", 2)).join("");
        assert!(seen.contains(r#"evidence: ["b"] and not ["a"]"#) && seen.contains("commits: 2 and not 1"), "{seen}");
        assert!(differences(&rows("a", 1), &Rows::new())[0].starts_with("missing"));
        assert!(differences(&Rows::new(), &rows("a", 1))[0].starts_with("left over"));
    }

    /// The same without a server in between, so that chaos is looked into only for what chaos does.
    #[test]
    fn the_correlation_makes_of_a_history_what_the_oracle_does() {
        let event = |(n, told): (usize, Told)| Event {
            realm: told.realm.into(),
            source: told.realm.into(),
            provider: "import".into(),
            delivery: format!("d{n}"),
            index: 0,
            adapter: 1,
            occurred_at: told.occurred_at,
            received_at: told.occurred_at,
            link: None,
            body: told.body,
        };
        let events: Vec<Event<Body>> = History::new(1).take(12_000).enumerate().map(event).collect();
        let mut tables = BTreeSet::new();
        for realm in REALMS.map(Realm::new) {
            let mut known = correlation::Realm::new(realm.clone());
            for event in events.iter().filter(|event| event.realm == realm) {
                known.apply(event.clone());
            }
            let found = known.derive_everything().into_iter().map(|fact| ((realm.clone(), fact.identity()), fact));
            let wanted = wanted(&realm, &events);
            tables.extend(wanted.keys().filter_map(|(_, identity)| Some(Table::of(identity.subject())?.name)));
            let differences = differences(&wanted, &found.collect());
            assert_eq!(differences, [] as [String; 0]);
        }
        assert_eq!(tables, Table::all().iter().map(|table| table.name).collect());
    }

    #[test]
    fn every_table_is_read() {
        for table in Table::all() {
            let error = fact(table.name, "{}").unwrap_err().to_string();
            assert!(!error.contains("nothing here reads"), "{}", table.name);
        }
    }
}
