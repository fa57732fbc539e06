//! Every body of these providers under `$THROUGHLINE_TEST_DATA`, read in place: real ones, which are not part of the project.
//!
//! Most of them are answers of the providers' APIs, which no webhook sends: those have to become dead letters, with a reason that
//! says so. The rows of the tables (CSV) are answers of APIs, too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ingestor::providers::Reading;

use crate::read_bytes;

/// Bodies of webhooks; all others are answers of APIs.
const WEBHOOKS: &[&str] = &["incident/alertmanager/zulip/", "signatures/bodies/pagerduty-v3-"];

fn bodies(root: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut found = Vec::new();
    for provider in ["alertmanager", "opsgenie", "pagerduty"] {
        let mut folders = vec![root.join("incident").join(provider)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push((provider, path)) }
            }
        }
    }
    found.extend(
        ["valid", "mismatch"]
            .map(|which| ("pagerduty", root.join(format!("signatures/bodies/pagerduty-v3-{which}.bin")))),
    );
    found.sort();
    found
}

#[test]
fn every_captured_body_is_read_or_is_none_of_a_webhook() {
    let Some(root) = std::env::var_os("THROUGHLINE_TEST_DATA").filter(|root| !root.is_empty()) else {
        // Past the capture of the test harness, which would hide it.
        let skipped = "SKIPPED: set THROUGHLINE_TEST_DATA to read the captured bodies of incident tools";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{skipped}\n")).unwrap();
        return;
    };
    let root = PathBuf::from(root);
    let (mut outcomes, mut wrong) = (BTreeMap::<String, u32>::new(), Vec::new());
    let bodies = bodies(&root);
    assert!(bodies.len() >= 35, "only {} bodies found", bodies.len());
    for (provider, path) in bodies {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let is_webhook = WEBHOOKS.iter().any(|start| name.starts_with(start));
        let outcome = match read_bytes(provider, std::fs::read(&path).unwrap()) {
            Ok(Reading::Events(events)) if is_webhook => format!("{provider}: {} events", events.len()),
            Err(error) if !is_webhook => format!("{provider}: {error}"),
            other => {
                wrong.push(format!("{name}: {other:?}"));
                continue;
            }
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{outcomes:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
