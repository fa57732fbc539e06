//! What makes five files one set of dashboards.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::dashboards::{self, CLICKHOUSE, Dashboard, PROMETHEUS, Place, folder, list, text};
use serde_json::Value;

/// Links to them stand in alerts, pages and bookmarks: never rename one.
const UIDS: [(&str, &str); 5] = [
    ("delivery.json", "throughline-delivery"),
    ("gates-and-builds.json", "throughline-gates-and-builds"),
    ("operations.json", "throughline-operations"),
    ("platform.json", "throughline-platform"),
    ("release.json", "throughline-release"),
];

fn all() -> Vec<Dashboard> {
    dashboards::all().unwrap()
}

#[test]
fn they_are_these_five() {
    let dashboards = all();
    let found: Vec<(&str, &str)> = dashboards.iter().map(|d| (d.file.as_str(), d.uid())).collect();
    assert_eq!(found, UIDS);
    for d in &dashboards {
        assert_eq!(list(&d.json, "tags"), [Value::from("throughline")], "{}", d.file);
        assert_eq!((&d.json["id"], &d.json["timezone"]), (&Value::Null, &"browser".into()), "{}", d.file);
        assert!(!text(&d.json, "description").is_empty(), "{}", d.file);
        assert_eq!(d.json["schemaVersion"], all()[0].json["schemaVersion"], "{}", d.file);
    }
}

/// Members by name, two blanks deep: so a change in Grafana is a change of a few lines here.
#[test]
fn they_are_written_as_grafana_exports_them() {
    for d in all() {
        let sorted: BTreeMap<String, Value> = serde_json::from_str(&d.text).unwrap();
        let exported = serde_json::to_string_pretty(&sorted).unwrap();
        let lines = exported.lines().zip(d.text.lines());
        let differing = lines.enumerate().find(|(_, (exported, is))| exported != is);
        assert_eq!(differing, None, "{}: the first line that Grafana would write otherwise", d.file);
        assert_eq!(format!("{exported}\n"), d.text, "{}", d.file);
    }
}

#[test]
fn every_panel_says_how_to_read_it_and_what_its_emptiness_means() {
    for d in all() {
        let mut titles = BTreeSet::new();
        for panel in d.panels() {
            let title = text(panel, "title");
            assert!(titles.insert(title), "{}: two panels are called \"{title}\"", d.file);
            let description = text(panel, "description");
            assert!(description.len() > 40 && description.ends_with('.'), "{}, \"{title}\": {description}", d.file);
            let empty = text(&panel["fieldConfig"]["defaults"], "noValue");
            assert!(empty.ends_with('.'), "{}, \"{title}\" says nothing where it is empty: {empty}", d.file);
        }
    }
}

#[test]
fn ids_are_unique_and_no_panel_lies_on_another() {
    for d in all() {
        let panels = list(&d.json, "panels");
        let ids: BTreeSet<i64> = panels.iter().filter_map(|panel| panel["id"].as_i64()).collect();
        assert_eq!(ids.len(), panels.len(), "{}", d.file);
        let mut taken = BTreeSet::new();
        for panel in panels {
            let of = |member: &str| panel["gridPos"][member].as_i64().unwrap();
            let (x, y, w, h) = (of("x"), of("y"), of("w"), of("h"));
            assert!(x + w <= 24, "{}, \"{}\" is wider than the page", d.file, text(panel, "title"));
            for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(place), "{}, \"{}\" lies on another", d.file, text(panel, "title"));
            }
        }
    }
}

#[test]
fn every_query_reads_views_of_the_chosen_source() {
    for d in all() {
        let variables: BTreeSet<&str> = d.variables().iter().map(|variable| text(variable, "name")).collect();
        for query in d.queries() {
            let place = format!("{}, {:?}", d.file, query.place);
            assert!(!query.text.is_empty(), "{place}: no query");
            let variable = if query.source == CLICKHOUSE { "datasource" } else { "metrics" };
            assert!([CLICKHOUSE, PROMETHEUS].contains(&query.source), "{place}: {}", query.source);
            assert!(variables.contains(variable), "{place}: there is no variable `{variable}`");
            assert_eq!(text(&query.target["datasource"], "uid"), format!("${{{variable}}}"), "{place}");
            let words: Vec<&str> = query.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            let beneath = words.iter().find(|word| word.ends_with("_rows") || word.eq_ignore_ascii_case("final"));
            assert_eq!(beneath, None, "{place}: the view has the FINAL, and the table beneath it is nobody's");
            if query.source == CLICKHOUSE {
                assert!(!query.text.contains("now("), "{place}: `$__toTime` is the time of whoever looks");
                assert!(query.text.lines().count() > 1, "{place}: one line is hard to read");
            }
        }
    }
}

/// Every panel and mark that looks at events keeps to the time that is chosen, and to the realm.
#[test]
fn every_query_of_clickhouse_is_bounded() {
    for d in all() {
        for query in d.queries().into_iter().filter(|query| query.source == CLICKHOUSE) {
            let of_components = matches!(&query.place, Place::Variable(name) if ["realm", "team", "component"].contains(&name.as_str()));
            let watermarks = query.text.contains("FROM load_watermarks");
            let place = format!("{}, {:?}", d.file, query.place);
            let bounded = query.text.contains("$__timeFilter(") || query.text.contains("<= $__toTime");
            assert!(of_components || watermarks || bounded, "{place}: no bound of time");
            let of_realm = query.text.contains("realm = ${realm:singlequote}");
            let is_realm = matches!(&query.place, Place::Variable(name) if name == "realm");
            assert!(is_realm || watermarks || of_realm, "{place}: rows of every realm");
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let dashboards = all();
    for d in &dashboards {
        let links = list(&d.json, "links");
        let others = links.iter().find(|link| text(link, "type") == "dashboards").expect("links to the others");
        assert_eq!(list(others, "tags"), [Value::from("throughline")], "{}", d.file);
        assert!(
            others["includeVars"] == true && others["keepTime"] == true,
            "{}: the choice is lost on the way",
            d.file
        );
        let mut urls = Vec::new();
        urls_of(&d.json["panels"], &mut urls);
        for url in urls {
            if url == "${__value.raw}" {
                continue;
            }
            let (uid, parameters) = url.strip_prefix("/d/").and_then(|path| path.split_once('?')).unwrap_or((url, ""));
            let target = dashboards.iter().find(|other| other.uid() == uid);
            let target = target.unwrap_or_else(|| panic!("{}: {url} leads nowhere", d.file));
            assert!(parameters.contains("${__url_time_range}"), "{}: {url} loses the time", d.file);
            let known = |name: &str| target.variables().iter().any(|variable| text(variable, "name") == name);
            for parameter in parameters.split('&') {
                let name = parameter.strip_prefix("var-").and_then(|rest| rest.split('=').next());
                let kept = parameter.strip_prefix("${").and_then(|rest| rest.strip_suffix(":queryparam}"));
                let name = name.or(kept);
                assert!(name.is_none_or(known), "{}: {url} sets a variable that {uid} does not have", d.file);
            }
        }
    }
}

fn urls_of<'a>(value: &'a Value, urls: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(url) if name == "url" => urls.push(url),
                    other => urls_of(other, urls),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| urls_of(element, urls)),
        _ => {}
    }
}

/// From the organisation down: a variable is filled by those before it alone.
#[test]
fn variables_are_chained() {
    for d in all() {
        let names: Vec<&str> = d.variables().iter().map(|variable| text(variable, "name")).collect();
        assert_eq!(names[0], "datasource", "{}", d.file);
        assert!(
            names.ends_with(&["component"]) || names.windows(2).any(|pair| pair == ["team", "component"]),
            "{}",
            d.file
        );
        for (position, variable) in d.variables().iter().enumerate() {
            let sql = text(&variable["query"], "rawSql");
            for name in &names[position..] {
                let uses = sql.contains(&format!("${{{name}")) || sql.contains(&format!("${name})"));
                assert!(!uses, "{}: `{}` needs `{name}`, which comes later", d.file, names[position]);
            }
        }
    }
}

/// Versions stand in one place for who installs, and in the queries: they are the same.
#[test]
fn the_plugin_is_the_one_that_is_installed() {
    let environment = std::fs::read_to_string(folder().join("grafana.env")).unwrap();
    let installed = format!("GF_PLUGINS_PREINSTALL_SYNC={CLICKHOUSE}@");
    let version = environment.lines().find_map(|line| line.strip_prefix(&installed)).expect("the plugin is pinned");
    for d in all() {
        for query in d.queries().into_iter().filter(|query| query.source == CLICKHOUSE) {
            assert_eq!(text(query.target, "pluginVersion"), version, "{}, {:?}", d.file, query.place);
        }
        for panel in d.panels() {
            let grafana = text(panel, "pluginVersion");
            assert!(environment.contains(&format!("Grafana {grafana} ")), "{}: made by Grafana {grafana}", d.file);
        }
    }
}

/// The variables of the dashboards choose what is provisioned, and nothing secret stands in a file.
#[test]
fn sources_are_provisioned_without_secrets() {
    let read = |path: &str| std::fs::read_to_string(folder().join("provisioning").join(path)).unwrap();
    let sources = read("datasources/throughline.yaml");
    let environment = std::fs::read_to_string(folder().join("grafana.env")).unwrap();
    for d in all() {
        for variable in d.variables().iter().filter(|variable| text(variable, "type") == "datasource") {
            let uid = text(&variable["current"], "value");
            assert!(sources.contains(&format!("uid: {uid}\n")), "{}: no source `{uid}` is provisioned", d.file);
            assert!(sources.contains(&format!("type: {}\n", text(variable, "query"))), "{}", d.file);
        }
    }
    assert!(sources.contains("password: $CLICKHOUSE_PASSWORD\n"));
    let named = sources.split('$').skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_uppercase() && c != '_').next());
    for name in named.flatten().filter(|name| *name != "CLICKHOUSE_PASSWORD") {
        assert!(
            environment.lines().any(|line| line.starts_with(&format!("{name}="))),
            "{name} has no value in grafana.env"
        );
    }
    assert!(!environment.lines().any(|line| line.contains("PASSWORD=")), "a secret in grafana.env");
    assert!(read("dashboards/throughline.yaml").contains("folder: Throughline\n"));
}
