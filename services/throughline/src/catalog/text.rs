//! The text of a catalog: read, checked, and made a line to import.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use correlation::Calendar;
use globset::Glob;
use ingestor::people::People;
use ingestor::providers::{Provider, Reading, import::Import};
use model::event::{Body, Catalog, ControlBody, MarkerKind};
use model::inbox::InboxRecord;
use model::{Realm, Source, Timestamp};
use serde_json::{Value, json};

use crate::commands::inbox;

/// Source that catalogs are said to come from.
const SOURCE: &str = "catalog";

/// When a catalog is said to have happened: it holds for everything that was ever told. One time for all makes the same catalog the
/// same record, whoever sends it.
const EVER: Timestamp = Timestamp::from_seconds(946_684_800);

/// A catalog that was read and in which nothing is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogText {
    /// What it says; of revision 0 where it names none.
    pub catalog: Catalog,
    /// The revision that it names.
    pub revision: Option<i64>,
}

impl CatalogText {
    /// Reads it; says everything that is wrong with it.
    pub fn read(bytes: Vec<u8>, name: &Path) -> anyhow::Result<Self> {
        let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", name.display()))?;
        Self::parse(&text).with_context(|| format!("the catalog {} cannot be used", name.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = toml::from_str(text)?;
        let mut catalog = json_of(toml::Value::Table(table));
        let names_revision = catalog.get("revision").is_some();
        if !names_revision {
            catalog["revision"] = json!(0);
        }
        let catalog = imported(&catalog)?;
        let wrong = wrong(&catalog);
        if !wrong.is_empty() {
            bail!("{}", wrong.join("; "));
        }
        let revision = names_revision.then_some(catalog.revision);
        Ok(Self { catalog, revision })
    }

    /// The record that puts it in force as that revision, the same whenever it is made.
    pub fn record(&self, realm: &Realm, revision: i64) -> InboxRecord {
        let catalog = Catalog { revision, ..self.catalog.clone() };
        inbox::line(&Source::new(SOURCE), realm, line(&json!(catalog)))
    }

    /// Whether it says what another one says, of whichever revision.
    pub fn is_like(&self, other: &Catalog) -> bool {
        self.catalog == Catalog { revision: self.catalog.revision, ..other.clone() }
    }
}

fn line(catalog: &Value) -> Vec<u8> {
    json!({"occurred_at": EVER, "body": {"Catalog": catalog}}).to_string().into_bytes()
}

/// The catalog as the import will read it: it finds misspelt keys, and brings repositories to their one form.
fn imported(catalog: &Value) -> anyhow::Result<Catalog> {
    let record = inbox::line(&Source::new(SOURCE), &Realm::default(), line(catalog));
    // It names nobody.
    let read = Import.read(&record, &People::new(b"")).map_err(|error| {
        let text = format!("{:#}", anyhow::Error::new(error));
        anyhow::Error::msg(text.replace("body.Catalog.", ""))
    })?;
    match read {
        Reading::Events(events) => events.into_iter().find_map(|event| match event.body {
            Body::Control(ControlBody::Catalog(catalog)) => Some(catalog),
            _ => None,
        }),
        Reading::Ignored(_) | Reading::Mixed { .. } => None,
    }
    .context("it is no catalog")
}

/// TOML as JSON; a date, such as a holiday, becomes a text.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(truth) => json!(truth),
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, json_of(value))).collect())
        }
    }
}

/// What a catalog says that cannot be meant.
fn wrong(catalog: &Catalog) -> Vec<String> {
    let mut wrong = Vec::new();
    duplicates("components", catalog.components.iter().map(|c| c.component.as_str()), &mut wrong);
    duplicates("teams", catalog.teams.iter().map(|team| team.team.as_str()), &mut wrong);
    duplicates("environments", catalog.environments.iter().map(|e| e.environment.as_str()), &mut wrong);
    duplicates("gates", catalog.gates.iter().map(|gate| gate.gate.as_str()), &mut wrong);
    duplicates("calendars", catalog.calendars.iter().map(|calendar| calendar.calendar.as_str()), &mut wrong);
    for component in &catalog.components {
        let name = &component.component;
        for pattern in component.paths.iter().chain(&component.excluded_paths) {
            check_pattern(&format!("paths of component `{name}`"), pattern, &mut wrong);
        }
        for marker in &component.markers {
            if let Some(pattern) = &marker.name {
                check_pattern(&format!("markers of component `{name}`"), pattern, &mut wrong);
            }
        }
        if component.repository.is_none() && component.markers.iter().any(|m| m.kind != MarkerKind::Deployment) {
            wrong.push(format!(
                "component `{name}` names no repository, and a run, a task, a tag or a release counts for that of its repository"
            ));
        }
        if let Some(calendar) = &component.calendar
            && !catalog.calendars.iter().any(|known| known.calendar == *calendar)
        {
            wrong.push(format!("component `{name}` names the calendar `{calendar}`, and there is none of that name"));
        }
        // A catalog that lists no teams lets components name them freely.
        if let Some(team) = &component.team
            && !catalog.teams.is_empty()
            && !catalog.teams.iter().any(|known| known.team == *team)
        {
            wrong.push(format!("component `{name}` names the team `{team}`, and there is none of that name"));
        }
    }
    for environment in &catalog.environments {
        let name = environment.environment.as_str();
        // The name is matched as the aliases are.
        check_pattern("names of environments", name, &mut wrong);
        for pattern in &environment.aliases {
            check_pattern(&format!("aliases of environment `{name}`"), pattern, &mut wrong);
        }
    }
    for gate in &catalog.gates {
        check_pattern("names of gates", &gate.gate, &mut wrong);
    }
    for calendar in &catalog.calendars {
        let errors = Calendar::new(calendar).err().unwrap_or_default();
        wrong.extend(errors.iter().map(ToString::to_string));
    }
    wrong
}

fn duplicates<'a>(what: &str, names: impl Iterator<Item = &'a str>, wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() {
            wrong.push(format!("{what}: a name is empty"));
        } else if !seen.insert(name) {
            wrong.push(format!("{what}: `{name}` stands there twice"));
        }
    }
}

fn check_pattern(place: &str, pattern: &str, wrong: &mut Vec<String>) {
    if let Err(error) = Glob::new(pattern) {
        wrong.push(format!("{place}: `{pattern}` is no pattern: {}", error.kind()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        format!("{:#}", CatalogText::parse(text).unwrap_err())
    }

    #[test]
    fn a_catalog_becomes_a_line_to_import() {
        let read = CatalogText::parse(
            "[[components]]\ncomponent = 'shop'\nrepository = 'https://github.com/Acme/shop'\npaths = ['services/shop/**']\n\
             markers = [{ kind = 'pipeline', name = 'deploy*', environment = 'production' }]\n\
             [[environments]]\nenvironment = 'production'\naliases = ['prod-*']\ntier = 'production'\n\
             [[calendars]]\ncalendar = 'office'\nzone = 'Europe/Berlin'\nday_starts = 540\nday_ends = 1020\n\
             holidays = [2026-12-25, '2026-12-26']",
        )
        .unwrap();
        let line: Value = serde_json::from_slice(&read.record(&Realm::default(), 7).body.0).unwrap();
        let catalog = &line["body"]["Catalog"];
        assert_eq!(catalog["calendars"][0]["holidays"], json!(["2026-12-25", "2026-12-26"]));
        assert_eq!((&catalog["revision"], read.revision), (&json!(7), None));
        assert_eq!(catalog["components"][0]["repository"], "github.com/acme/shop");
        assert_eq!(CatalogText::parse("revision = 7").unwrap().revision, Some(7));
    }

    /// Whoever sends it, and whenever: it is the same record, also where it is written otherwise.
    #[test]
    fn the_same_catalog_is_the_same_record() {
        let realm = Realm::default();
        let one =
            CatalogText::parse("[[components]]\ncomponent = 'shop'\nrepository = 'github.com/acme/shop'").unwrap();
        let other = CatalogText::parse(
            "# Ours\n[[components]]\nrepository = 'git@github.com:acme/shop.git'\ncomponent = 'shop'\npaths = []",
        )
        .unwrap();
        assert_eq!(one.record(&realm, 3).delivery, other.record(&realm, 3).delivery);
        assert_ne!(one.record(&realm, 3).delivery, one.record(&realm, 4).delivery);
        assert!(one.is_like(&Catalog { revision: 9, ..other.catalog.clone() }));
        assert!(!one.is_like(&Catalog::default()));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (text, said) in [
            ("components = [", "components"),
            ("[[componets]]\ncomponent = 'a'", "componets"),
            ("[[components]]\ncomponent = 'a'\npath = ['x']", "path"),
            ("[[components]]\ncomponent = 'a'\n[[components]]\ncomponent = 'a'", "`a` stands there twice"),
            ("[[components]]\ncomponent = 'a'\npaths = ['x/[']", "paths of component `a`: `x/[` is no pattern"),
            ("[[components]]\ncomponent = 'a'\nexcluded_paths = ['{x']", "paths of component `a`: `{x` is no pattern"),
            (
                "[[environments]]\nenvironment = 'p'\ntier = 'other'\naliases = ['p-[']",
                "aliases of environment `p`: `p-[` is no pattern",
            ),
            ("[[environments]]\nenvironment = 'p['\ntier = 'other'", "environments: `p[` is no pattern"),
            (
                "[[components]]\ncomponent = 'a'\nmarkers = [{ kind = 'deployment' }, { kind = 'tag' }]",
                "component `a` names no repository",
            ),
            (
                "[[components]]\ncomponent = 'a'\nrepository = 'h/a'\nmarkers = [{ kind = 'tag', name = 'v[' }]",
                "markers of component `a`: `v[` is no pattern",
            ),
            ("[[components]]\ncomponent = 'a'\ncalendar = 'office'", "calendar `office`"),
            ("[[teams]]\nteam = 't'\n[[components]]\ncomponent = 'a'\nteam = 'u'", "team `u`"),
            ("[[environments]]\nenvironment = 'p'\ntier = 'live'", "live"),
            (
                "[[calendars]]\ncalendar = 'c'\nzone = 'UTC'\nday_starts = 600\nday_ends = 500\nholidays = ['easter']",
                "`easter` is no day",
            ),
            (
                "[[calendars]]\ncalendar = 'c'\nzone = 'Europe/Berlyn'\nday_starts = 540\nday_ends = 1020",
                "calendar `c`: `Europe/Berlyn` is no time zone",
            ),
            (
                "[[calendars]]\ncalendar = 'c'\nzone = 'UTC'\nday_starts = 600\nday_ends = 500\nwork_days = [8]",
                "8 is no day of the week",
            ),
            ("[[gates]]\ngate = 'prod-['", "names of gates: `prod-[` is no pattern"),
        ] {
            let error = refused(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
