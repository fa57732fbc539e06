//! Every body under `$THROUGHLINE_TEST_DATA/gitlab`, read in place: real deliveries, which are not part of the project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ingestor::people::People;
use ingestor::providers::gitlab::GitLab;
use ingestor::providers::{Provider, Reading};

use crate::{delivery, people};

/// What may be ignored, and why. Anything else is a mistake of the adapter.
const ACCEPTED: &[&str] = &[
    "access_token: bears on no delivery",
    "feature_flag: bears on no delivery",
    "issue.close: bears on no delivery",
    "issue.open: bears on no delivery",
    "issue.reopen: bears on no delivery",
    "issue.update: bears on no delivery",
    "note: bears on no delivery",
    "note.create: bears on no delivery",
    "subgroup_create: bears on no delivery",
    "user_add_to_group: bears on no delivery",
    "wiki_page.create: bears on no delivery",
];

#[test]
fn every_captured_body_is_read_or_ignored_by_name() {
    let Some(bodies) = bodies() else { return };
    let people: People = people();
    let (mut read, mut ignored, mut wrong) =
        (BTreeMap::<String, u32>::new(), BTreeMap::<String, u32>::new(), Vec::new());
    for path in bodies {
        let delivery = delivery(std::fs::read(&path).unwrap());
        match GitLab.read(&delivery, &people) {
            Ok(Reading::Events(events)) if !events.is_empty() => {
                let kind = GitLab.event(&delivery).unwrap_or_default();
                println!("{} ({kind}): {} events", path.display(), events.len());
                *read.entry(kind).or_default() += 1;
            }
            Ok(Reading::Ignored(reason)) if ACCEPTED.contains(&reason.as_str()) => {
                *ignored.entry(reason).or_default() += 1;
            }
            other => wrong.push(format!("{}: {other:?}", path.display())),
        }
    }
    println!("read: {read:#?}; ignored: {ignored:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every captured body, sorted; `None`, said loudly, where there are none to be had.
fn bodies() -> Option<Vec<PathBuf>> {
    let Some(root) = std::env::var_os("THROUGHLINE_TEST_DATA").filter(|root| !root.is_empty()) else {
        // Past the capture of the test harness, which would hide it.
        let skipped = "SKIPPED: set THROUGHLINE_TEST_DATA to read the captured deliveries of GitLab";
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{skipped}\n")).unwrap();
        return None;
    };
    let root = PathBuf::from(root).join("gitlab");
    let found = files(&root);
    assert!(found.len() >= 50, "only {} bodies found under {}", found.len(), root.display());
    Some(found)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}
