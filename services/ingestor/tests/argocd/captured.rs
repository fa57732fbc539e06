//! Every body under `$THROUGHLINE_TEST_DATA/ci/argocd`, read in place: real notifications, which are not part of the project.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ingestor::providers::Reading;
use model::event::{Body, CiBody};

use crate::read;

#[test]
fn every_captured_body_is_read_or_ignored_by_name() {
    let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA") else {
        eprintln!("SKIPPED every_captured_body_is_read_or_ignored_by_name: THROUGHLINE_TEST_DATA is not set");
        return;
    };
    let (mut ends, mut syncs) = (BTreeMap::<String, u32>::new(), BTreeSet::new());
    for file in std::fs::read_dir(Path::new(&data).join("ci/argocd/cdviz-captured")).unwrap() {
        let path = file.unwrap().path();
        let body = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let end = match read(&body) {
            Ok(Reading::Events(events)) => {
                for event in events {
                    let Body::Ci(CiBody::Deployment(told)) = event.body else { panic!("{}", path.display()) };
                    println!(
                        "{} {} {:?} {:?} {:?} {:?} {:?}",
                        event.occurred_at,
                        told.environment,
                        told.phase,
                        told.commit,
                        told.version,
                        told.artifacts,
                        told.action
                    );
                    syncs.insert(told.deployment);
                }
                "events".to_owned()
            }
            Ok(Reading::Ignored(reason)) => format!("ignored: {reason}"),
            other => panic!("{}: {other:?}", path.display()),
        };
        *ends.entry(end).or_default() += 1;
    }
    println!("{ends:#?}; {} deployments", syncs.len());
    assert!(ends.get("events").is_some_and(|count| *count >= 15), "{ends:#?}");
    assert!(ends.keys().all(|end| end == "events" || end == "ignored: application: never synced"), "{ends:#?}");
}
