//! promtool has read everything and run every unit test, and the unit tests are about every rule.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use end_to_end::prometheus::{ask, files, folder};

use crate::programs;

/// What stands behind `key: ` in the lines of these files.
fn values(folder: &Path, key: &str) -> BTreeSet<String> {
    let key = format!("{key}: ");
    let texts = files(folder, "yml").unwrap().into_iter().map(|file| std::fs::read_to_string(file).unwrap());
    let lines: Vec<String> = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.iter().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(&key)).map(str::to_owned).collect()
}

/// The arguments of promtool that run these unit tests.
fn test_rules(files: &[PathBuf]) -> Vec<&std::ffi::OsStr> {
    ["test".as_ref(), "rules".as_ref()].into_iter().chain(files.iter().map(|file| file.as_os_str())).collect()
}

#[test]
fn promtool_accepts_the_configuration_and_all_rules() {
    let Some(programs) = programs() else { return };
    let said = ask(&programs.promtool, ["check", "config", folder().join("prometheus.yml").to_str().unwrap()]).unwrap();
    let rules = files(&folder().join("rules"), "yml").unwrap();
    assert_eq!(said.matches("rules found").count(), rules.len(), "a file that the configuration does not name: {said}");
}

#[test]
fn every_unit_test_passes() {
    let Some(programs) = programs() else { return };
    ask(&programs.promtool, test_rules(&files(&folder().join("tests"), "yml").unwrap())).unwrap();
}

#[test]
fn every_rule_has_cases() {
    let tests = folder().join("tests");
    let (recorded, alerts) = (values(&folder().join("rules"), "record"), values(&folder().join("rules"), "alert"));
    let (asked, tested) = (values(&tests, "expr"), values(&tests, "alertname"));
    let untested: Vec<&String> = recorded.difference(&asked).chain(alerts.difference(&tested)).collect();
    assert!(untested.is_empty(), "no case of {untested:?}");
    assert_eq!(tested.difference(&alerts).count(), 0, "cases of alerts that are no more: {tested:?}");
    let text: String =
        files(&tests, "yml").unwrap().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for alert in &alerts {
        let cases: Vec<&str> = text.split("- eval_time: ").filter(|case| names(case, alert)).collect();
        let says = |case: &&&str| case.contains("summary: ") && case.contains("description: ");
        assert!(cases.iter().any(|case| says(&case)), "no case shows what {alert} says");
        assert!(cases.iter().any(|case| !case.contains("exp_alerts:")), "no case in which {alert} is over");
    }
}

/// Whether a case is about the alert.
fn names(case: &str, alert: &str) -> bool {
    case.lines().any(|line| line.trim() == format!("alertname: {alert}"))
}

/// The unit tests see what they are there to see: each of these is one character or one word away from what is shipped.
#[test]
fn a_rule_that_is_wrong_fails_a_unit_test() {
    let Some(programs) = programs() else { return };
    for (rules, right, wrong, tests) in [
        ("delivery.yml", "lead_time_shift_ratio:max > 1", "lead_time_shift_ratio:max > 2", "delivery.yml"),
        ("delivery.yml", "keep_firing_for: 2h", "keep_firing_for: 5m", "delivery.yml"),
        ("platform.yml", "teams:count >= 2", "teams:count >= 1", "platform.yml"),
        ("platform.yml", ">= 0.25", ">= 0.2", "platform.yml"),
        ("operations.yml", "state=\"open\"} > 0", "state=\"lost\"} > 0", "sources.yml"),
        ("recording.yml", "ratio:max{segment!=\"several\"}", "ratio:max", "recording.yml"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (changed, unit_tests) = (folder.path().join("rules"), folder.path().join("tests"));
        for made in [&changed, &unit_tests] {
            std::fs::create_dir(made).unwrap();
        }
        for file in files(&super::prometheus::folder().join("rules"), "yml").unwrap() {
            std::fs::copy(&file, changed.join(file.file_name().unwrap())).unwrap();
        }
        let text = std::fs::read_to_string(changed.join(rules)).unwrap();
        assert!(text.contains(right), "{rules} has no `{right}` any more");
        std::fs::write(changed.join(rules), text.replace(right, wrong)).unwrap();
        std::fs::copy(super::prometheus::folder().join("tests").join(tests), unit_tests.join(tests)).unwrap();
        let said = ask(&programs.promtool, test_rules(&[unit_tests.join(tests)]));
        let said = said.err().unwrap_or_else(|| panic!("{rules} with `{wrong}` passes {tests}")).to_string();
        assert!(said.contains("exp:"), "it fails, but not for what it says: {said}");
    }
}
