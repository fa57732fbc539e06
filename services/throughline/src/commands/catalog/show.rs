//! `throughline catalog show`: the catalog in force, and what holds where it says nothing.

use std::path::Path;
use std::process::ExitCode;

use correlation::{ATTRIBUTION_WINDOW, TIER_NAMES};
use model::event::{Catalog, CatalogCalendar, CatalogComponent, Marker};
use model::{Millis, Realm};
use serde::Serialize;
use serde_json::{Value, json};

use super::say;
use super::table::table;
use crate::catalog::{Known, newest};
use crate::cli::CatalogShow;
use crate::config::{Config, sections};

pub fn run(file: Option<&Path>, arguments: &CatalogShow) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let CatalogShow { realm, json } = arguments;
    let known = newest(&config.kafka, &Realm::new(realm))?;
    say(&if *json { json_of(realm, known.as_ref()).to_string() } else { shown(realm, known.as_ref()) })?;
    Ok(ExitCode::SUCCESS)
}

fn json_of(realm: &str, known: Option<&Known>) -> Value {
    let tiers: serde_json::Map<String, Value> =
        TIER_NAMES.iter().map(|(tier, names)| (text(tier), json!(names))).collect();
    json!({
        "realm": realm,
        "catalog": known.map(|known| &known.catalog),
        "received_at": known.map(|known| known.received_at.to_string()),
        "defaults": {
            "markers": [{"kind": "deployment"}],
            "attribution_window": ATTRIBUTION_WINDOW,
            "calendar": known.and_then(|known| known.catalog.calendars.first()).map(|calendar| &calendar.calendar),
            "tiers": tiers,
        },
    })
}

fn shown(realm: &str, known: Option<&Known>) -> String {
    let nothing = Catalog::default();
    let catalog = known.map_or(&nothing, |known| &known.catalog);
    let head = match known {
        Some(known) => {
            format!("Realm {realm}: catalog of revision {}, put at {}\n", known.catalog.revision, known.received_at)
        }
        None => format!("Realm {realm}: no catalog was ever put, so that everything holds by default\n"),
    };
    [head, components(catalog), teams(catalog), environments(catalog), gates(catalog), calendars(catalog)]
        .concat()
        .trim_end()
        .to_owned()
}

/// A section: what the catalog says as a table, and what holds besides.
fn section(title: &str, heading: &[&str], rows: &[Vec<String>], besides: &str) -> String {
    let said = if rows.is_empty() { String::new() } else { table(heading, rows) };
    format!("\n{title}\n{said}  {besides}\n")
}

fn components(catalog: &Catalog) -> String {
    let first = catalog.calendars.first().map_or("-", |calendar| calendar.calendar.as_str());
    let row = |entry: &CatalogComponent| {
        let except = entry.excluded_paths.iter().map(|path| format!("not {path}"));
        let paths: Vec<String> = entry.paths.iter().cloned().chain(except).collect();
        vec![
            entry.component.to_string(),
            entry.team.clone().unwrap_or_else(|| "-".to_owned()),
            entry.repository.as_ref().map_or("-".to_owned(), ToString::to_string),
            if paths.is_empty() { "all".to_owned() } else { paths.join(" ") },
            or_dash(&entry.services.join(" ")),
            markers(&entry.markers),
            if entry.partial_counts { "first stage" } else { "full rollout" }.to_owned(),
            hours(entry.attribution_window.unwrap_or(ATTRIBUTION_WINDOW)),
            entry.calendar.clone().unwrap_or_else(|| first.to_owned()),
            if entry.baseline_none { "counts" } else { "is the baseline" }.to_owned(),
        ]
    };
    let rows: Vec<_> = catalog.components.iter().map(row).collect();
    section(
        "Components",
        &[
            "COMPONENT",
            "TEAM",
            "REPOSITORY",
            "PATHS",
            "SERVICES",
            "DEPLOYED BY",
            "REACHED AT",
            "INCIDENTS WITHIN",
            "CALENDAR",
            "FIRST DEPLOYMENT",
        ],
        &rows,
        &format!(
            "Every other repository is a component by itself, named by its path without the host, and so is a service without a \
             repository: deployed by deployment events, reached at the full rollout, incidents within {}.",
            hours(ATTRIBUTION_WINDOW)
        ),
    )
}

fn teams(catalog: &Catalog) -> String {
    let rows: Vec<_> = catalog.teams.iter().map(|team| vec![team.team.clone()]).collect();
    let besides = match rows.is_empty() {
        true => "None are listed: a component may name any.",
        false => "A component may name no other.",
    };
    section("Teams", &["TEAM"], &rows, besides)
}

fn environments(catalog: &Catalog) -> String {
    let row = |entry: &model::event::CatalogEnvironment| {
        vec![entry.environment.to_string(), or_dash(&entry.aliases.join(" ")), text(&entry.tier)]
    };
    let rows: Vec<_> = catalog.environments.iter().map(row).collect();
    let tiers = TIER_NAMES.iter().map(|(tier, names)| format!("{} is {}", names.join(", "), text(tier)));
    let besides = format!(
        "By default, in any case: {}; what its provider calls production is production; anything else is other.",
        tiers.collect::<Vec<_>>().join("; ")
    );
    section("Environments", &["ENVIRONMENT", "ALIASES", "TIER"], &rows, &besides)
}

fn gates(catalog: &Catalog) -> String {
    let row = |entry: &model::event::CatalogGate| {
        let kind = entry.kind.as_ref().map_or("as told".to_owned(), text);
        vec![entry.gate.clone(), kind, or_dash(&entry.purposes.join(", "))]
    };
    let rows: Vec<_> = catalog.gates.iter().map(row).collect();
    let besides =
        "Every other gate has the kind that its events tell, and the purposes that its team says on the review page.";
    section("Gates", &["GATE", "KIND", "THERE TO CATCH"], &rows, besides)
}

fn calendars(catalog: &Catalog) -> String {
    let row = |entry: &CatalogCalendar| {
        let days: Vec<String> = entry.work_days.iter().map(ToString::to_string).collect();
        let time = |minute: i32| format!("{:02}:{:02}", minute.div_euclid(60), minute.rem_euclid(60));
        vec![
            entry.calendar.clone(),
            entry.zone.clone(),
            if days.is_empty() { "1 2 3 4 5".to_owned() } else { days.join(" ") },
            format!("{} to {}", time(entry.day_starts), time(entry.day_ends)),
            entry.holidays.len().to_string(),
        ]
    };
    let rows: Vec<_> = catalog.calendars.iter().map(row).collect();
    let besides = match rows.is_empty() {
        true => "There are none: working time is not told.",
        false => "The first is that of components that name none.",
    };
    section("Calendars", &["CALENDAR", "ZONE", "DAYS (1 MONDAY)", "HOURS", "HOLIDAYS"], &rows, besides)
}

fn markers(markers: &[Marker]) -> String {
    if markers.is_empty() {
        return "deployment".to_owned();
    }
    let marker = |marker: &Marker| {
        let name = marker.name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
        let to = marker.environment.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        format!("{}{name}{to}", text(&marker.kind))
    };
    markers.iter().map(marker).collect::<Vec<_>>().join(", ")
}

fn hours(span: Millis) -> String {
    const HOUR: i64 = 60 * 60 * 1000;
    match span.0 % HOUR {
        0 => format!("{} h", span.0 / HOUR),
        _ => format!("{} ms", span.0),
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// A value of an enumeration, as the catalog writes it.
fn text(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::catalog::CatalogText;

    #[test]
    fn what_the_catalog_says_stands_beside_what_holds_by_default() {
        let toml = "revision = 4\nteams = [{ team = 'web' }]\n[[components]]\ncomponent = 'shop'\nrepository = 'github.com/acme/shop'\n\
                    markers = [{ kind = 'pipeline', name = 'deploy*', environment = 'live' }]\nattribution_window = 7200000\n\
                    [[components]]\ncomponent = 'tills'\n[[gates]]\ngate = 'board'\nkind = 'change_board'\n\
                    [[calendars]]\ncalendar = 'office'\nzone = 'UTC'\nday_starts = 540\nday_ends = 1020";
        let catalog = CatalogText::read(toml.as_bytes().to_vec(), Path::new("c")).unwrap().catalog;
        let known = Known { catalog, received_at: Timestamp(1_714_521_600_000) };
        let text = shown("default", Some(&known)).split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "catalog of revision 4, put at 2024-05-01T00:00:00.000Z",
            "shop - github.com/acme/shop all - pipeline \"deploy*\" to live full rollout 2 h office is the baseline",
            "tills - - all - deployment full rollout 24 h office",
            "board change_board -",
            "office UTC 1 2 3 4 5 09:00 to 17:00 0",
            "production, prod, live is production",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let bare = shown("acme", None);
        assert!(bare.contains("no catalog was ever put") && bare.contains("There are none"), "{bare}");
        let json = json_of("default", Some(&known));
        assert_eq!(json["catalog"]["components"][1]["component"], "tills");
        assert_eq!(json["defaults"]["calendar"], "office");
        assert_eq!(json["defaults"]["tiers"]["production"], json!(["production", "prod", "live"]));
    }
}
