//! `throughline catalog`: checks a catalog and sends it as a control record.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use correlation::Calendar;
use globset::Glob;
use ingestor::providers::import::check_line;
use model::event::{Catalog, MarkerKind};
use model::{Realm, Source};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{block_on, inbox, now, read_input, say};
use crate::config::{Config, sections};

/// Source that catalogs are said to come from.
const SOURCE: &str = "catalog";

pub fn check(catalog: &Path) -> anyhow::Result<ExitCode> {
    let (_, catalog) = read(catalog)?;
    say(&format!("{}: nothing is wrong", describe(&catalog)))?;
    Ok(ExitCode::SUCCESS)
}

pub fn put(file: Option<&Path>, catalog: &Path, realm: &str) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let (line, catalog) = read(catalog)?;
    block_on(async {
        let inbox = inbox::open(&config.kafka).await?;
        inbox::put(&inbox, inbox::line(&Source::new(SOURCE), &Realm::new(realm), line)).await
    })?;
    say(&format!("{} put in realm {realm}", describe(&catalog)))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(catalog: &Catalog) -> String {
    format!(
        "catalog of revision {}: {} components, {} teams, {} environments, {} gates, {} calendars",
        catalog.revision,
        catalog.components.len(),
        catalog.teams.len(),
        catalog.environments.len(),
        catalog.gates.len(),
        catalog.calendars.len()
    )
}

/// Reads a catalog, as a line to import and by itself; says everything that is wrong with it.
fn read(path: &Path) -> anyhow::Result<(Vec<u8>, Catalog)> {
    let bytes = read_input(path)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
    parse(&text).with_context(|| format!("the catalog {} cannot be used", path.display()))
}

fn parse(text: &str) -> anyhow::Result<(Vec<u8>, Catalog)> {
    let table: toml::Table = toml::from_str(text)?;
    let mut catalog = json_of(toml::Value::Table(table));
    if catalog.get("revision").is_none() {
        catalog["revision"] = json!(now().0);
    }
    let line = json!({"occurred_at": now(), "body": {"Catalog": &catalog}}).to_string().into_bytes();
    // The same check as for an import: it finds misspelt keys, too.
    check_line(&line).map_err(|error| {
        let text = format!("{:#}", anyhow::Error::new(error));
        anyhow::Error::msg(text.replace("body.Catalog.", ""))
    })?;
    let catalog = Catalog::deserialize(catalog)?;
    let wrong = wrong(&catalog);
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    Ok((line, catalog))
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
        format!("{:#}", parse(text).unwrap_err())
    }

    #[test]
    fn a_catalog_becomes_a_line_to_import() {
        let (line, catalog) = parse(
            "[[components]]\ncomponent = 'shop'\nrepository = 'github.com/acme/shop'\npaths = ['services/shop/**']\n\
             markers = [{ kind = 'pipeline', name = 'deploy*', environment = 'production' }]\n\
             [[environments]]\nenvironment = 'production'\naliases = ['prod-*']\ntier = 'production'\n\
             [[calendars]]\ncalendar = 'office'\nzone = 'Europe/Berlin'\nday_starts = 540\nday_ends = 1020\n\
             holidays = [2026-12-25, '2026-12-26']",
        )
        .unwrap();
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(line["body"]["Catalog"]["calendars"][0]["holidays"], json!(["2026-12-25", "2026-12-26"]));
        assert_eq!(line["body"]["Catalog"]["revision"], catalog.revision);
        assert!(catalog.revision > 1_700_000_000_000, "{}", catalog.revision);
        assert_eq!(parse("revision = 7").unwrap().1.revision, 7);
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
