//! Grafana's published schema: the npm package `@grafana/schema`, types generated from the definitions that Grafana itself is
//! built from. TypeScript's compiler holds each dashboard against them, members that nobody knows included: there is no JSON
//! schema of dashboards to be had.
//!
//! The two packages are fetched once, as `tests/fixtures/grafana/package-lock.json` pins them, into the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use end_to_end::dashboards::{self, Dashboard, list, text};
use end_to_end::fetched;
use serde_json::Value;

const PACKAGE: &str = include_str!("../../fixtures/grafana/package.json");
const PACKAGE_LOCK: &str = include_str!("../../fixtures/grafana/package-lock.json");

/// Panels whose options are published, with the names that the package has for them, and whether their fields have any.
const PANELS: [(&str, &str, bool); 4] = [
    ("barchart", "BarChart", true),
    ("stat", "Stat", false),
    ("table", "Table", true),
    ("timeseries", "TimeSeries", true),
];

/// `Json<T>` is what a `T` is in a file, where the members of an enumeration are their texts. What the schema leaves open, or
/// calls unfinished, is said here: a query has the members of its data source, and a variable the text of its query.
const TYPES: &str = "
type Json<T> = unknown extends T ? T : T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends Array<infer E> ? Array<Json<E>> : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Dashboard = Omit<Published, 'annotations' | 'templating'> & {
  annotations?: { list?: Array<Omit<AnnotationQuery, 'target'> & { target?: DataQuery & Record<string, unknown> }> };
  templating?: { list?: Array<VariableModel & { definition?: string }> };
};
";

#[test]
fn every_dashboard_validates() {
    let faults = faults(&dashboards::all().unwrap());
    assert!(faults.is_empty(), "{faults}");
}

/// The check sees what it is there to see.
#[test]
fn what_grafana_does_not_know_is_found() {
    let json = dashboards::all().unwrap().swap_remove(0).json;
    let wrong = |pointer: &str, name: &str, value: Value| {
        let mut json = json.clone();
        json.pointer_mut(pointer).unwrap()[name] = value;
        Dashboard { file: "wrong.json".into(), text: json.to_string(), json }
    };
    for (pointer, name, value) in [
        ("", "titel", "Delivery".into()),
        ("/time", "from", 90.into()),
        ("/panels/0/fieldConfig/defaults/color", "mode", "rainbow".into()),
        ("/panels/0/options", "showHaeder", true.into()),
        ("/templating/list/1", "refresh", 7.into()),
    ] {
        let faults = faults(&[wrong(pointer, name, value)]);
        assert!(faults.contains("error TS"), "{pointer}/{name} is not seen: {faults}");
    }
}

/// What the compiler says of them; empty where all is well.
fn faults(dashboards: &[Dashboard]) -> String {
    let home = package();
    let folder = tempfile::Builder::new().prefix("check-").tempdir_in(&home).unwrap();
    let program = folder.path().join("dashboards.ts");
    std::fs::write(&program, typescript(dashboards)).unwrap();
    let output = Command::new("node")
        .arg(home.join("node_modules/typescript/bin/tsc"))
        .args("--noEmit --strict --target es2022 --module esnext --moduleResolution bundler --skipLibCheck".split(' '))
        .arg(&program)
        .output()
        .expect("node runs TypeScript's compiler: install it (Debian and Ubuntu `apt-get install nodejs`)");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// A program that is well typed exactly if the dashboards fit.
fn typescript(dashboards: &[Dashboard]) -> String {
    let mut program =
        "import type { Dashboard as Published, AnnotationQuery, VariableModel, DataQuery } from '@grafana/schema';\n"
            .to_owned();
    for (kind, name, _) in PANELS {
        let module = format!("@grafana/schema/dist/esm/raw/composable/{kind}/panelcfg/x/{name}PanelCfg_types.gen");
        program.push_str(&format!("import type * as {kind} from '{module}';\n"));
    }
    program.push_str(TYPES);
    for dashboard in dashboards {
        let name = dashboard.file.trim_end_matches(".json").replace('-', "_");
        program.push_str(&format!("export const {name}: Json<Dashboard> = {};\n", dashboard.json));
        for panel in list(&dashboard.json, "panels") {
            let published = PANELS.iter().find(|(kind, ..)| *kind == text(panel, "type"));
            let Some((kind, _, has_fields)) = published else { continue };
            let options = &panel["options"];
            program
                .push_str(&format!("export const {name}_{}_options: Json<{kind}.Options> = {options};\n", panel["id"]));
            if *has_fields {
                let custom = &panel["fieldConfig"]["defaults"]["custom"];
                program.push_str(&format!(
                    "export const {name}_{}_custom: Json<{kind}.FieldConfig> = {custom};\n",
                    panel["id"]
                ));
            }
        }
    }
    program
}

/// The folder with the packages, installed if it is not there.
fn package() -> PathBuf {
    let lock: Value = serde_json::from_str(PACKAGE_LOCK).unwrap();
    let version = |name: &str| lock["packages"][format!("node_modules/{name}")]["version"].as_str().unwrap().to_owned();
    let name = format!("grafana-schema-{}-{}", version("@grafana/schema"), version("typescript"));
    fetched::folder(&name, install).unwrap()
}

fn install(folder: &Path) -> anyhow::Result<()> {
    std::fs::write(folder.join("package.json"), PACKAGE)?;
    std::fs::write(folder.join("package-lock.json"), PACKAGE_LOCK)?;
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .context("npm fetches Grafana's schema: install it (Debian and Ubuntu `apt-get install npm`)")?;
    ensure!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
