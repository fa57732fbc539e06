//! Every body under `$THROUGHLINE_TEST_DATA/ci/jenkins`, read in place: real bodies, which are not part of the project.

use std::collections::BTreeMap;
use std::path::Path;

use ingestor::providers::Reading;

use crate::read_bytes;

/// What is no body of a webhook of Jenkins: answers of its REST API, and test scripts of a plugin that is called by webhooks.
fn is_no_body(folder: &str) -> bool {
    matches!(folder, "ocean" | "generic-webhook-trigger-bdd")
}

#[test]
fn every_captured_body_is_read_or_ignored_by_name() {
    let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA") else {
        eprintln!("SKIPPED every_captured_body_is_read_or_ignored_by_name: THROUGHLINE_TEST_DATA is not set");
        return;
    };
    let mut ends = BTreeMap::<String, u32>::new();
    for folder in std::fs::read_dir(Path::new(&data).join("ci/jenkins")).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            let end = match read_bytes(std::fs::read(&path).unwrap()) {
                Ok(Reading::Events(_)) => "events".to_owned(),
                Ok(Reading::Ignored(reason)) => format!("ignored: {reason}"),
                other if is_no_body(&name) => {
                    assert!(other.is_err(), "{}", path.display());
                    "no body of a webhook".to_owned()
                }
                other => panic!("{}: {other:?}", path.display()),
            };
            *ends.entry(format!("{name}: {end}")).or_default() += 1;
        }
    }
    println!("{ends:#?}");
    assert!(ends.get("cdevents-plugin: events").is_some_and(|count| *count >= 2), "{ends:#?}");
}
