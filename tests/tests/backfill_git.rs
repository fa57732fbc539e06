//! Real repositories, read and correlated in memory: every commit has the first release and the lead time that git gives.
#![allow(clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backfill::git::{Options, Summary, read};
use backfill::{Delivery, Sink};
use correlation::{Applied, Realm};
use end_to_end::git::{FirstRelease, Project};
use globset::Glob;
use ingestor::normalise::{Outcome, adapters, normalise};
use ingestor::people::People;
use ingestor::providers::import::check_line;
use model::event::{Body, Catalog, CatalogComponent, Event, Marker, MarkerKind};
use model::fact::Fact;
use model::inbox::InboxRecord;
use model::{Component, Repository, Source, Timestamp};
use tokio::sync::mpsc;

/// A folder of real histories and one of their repositories, where there are any.
fn data() -> Option<(PathBuf, PathBuf)> {
    let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA") else {
        eprintln!("SKIPPED: THROUGHLINE_TEST_DATA is not set, so there is no real repository to read");
        return None;
    };
    let histories = PathBuf::from(data).join("histories");
    Some((histories.join("git"), histories.join("git-repos")))
}

fn deliveries(bundle: &Path, pattern: Option<&str>) -> (Summary, Vec<Delivery>) {
    let tags = pattern.map(|pattern| Glob::new(pattern).unwrap().compile_matcher());
    let options = Options { from: bundle.display().to_string(), tags, ..Options::default() };
    let (sender, mut receiver) = mpsc::channel(64);
    let sink = Sink { deliveries: sender, progress: Arc::new(|_| ()) };
    let reading = std::thread::spawn(move || read(&options, &sink).unwrap());
    let deliveries = std::iter::from_fn(|| receiver.blocking_recv()).collect();
    (reading.join().unwrap(), deliveries)
}

fn events(delivery: Delivery) -> Vec<Event<Body>> {
    check_line(&delivery.body).unwrap();
    let record = InboxRecord {
        source: Source::new("git"),
        realm: model::Realm::new("r"),
        provider: delivery.provider.to_owned(),
        delivery: delivery.id,
        event: delivery.event,
        content_type: None,
        headers: BTreeMap::new(),
        received_at: Timestamp(0),
        body: delivery.body.into(),
    };
    match normalise(&record, &adapters(), &People::new(b"k")) {
        Outcome::Events(events) => events,
        other => panic!("{other:?}"),
    }
}

/// What the command proposes, as an event.
fn catalog(name: &str, pattern: Option<String>) -> Delivery {
    let component = CatalogComponent {
        component: Component::new(name),
        team: None,
        repository: Some(Repository::new(format!("localhost/{name}"))),
        paths: Vec::new(),
        excluded_paths: Vec::new(),
        services: Vec::new(),
        markers: vec![Marker { kind: MarkerKind::Tag, name: pattern, environment: None }],
        partial_counts: false,
        attribution_window: None,
        baseline_none: true,
        calendar: None,
    };
    let catalog = Catalog { revision: 1, components: vec![component], ..Catalog::default() };
    let line = serde_json::json!({"occurred_at": "2026-01-01T00:00:00Z", "body": {"Catalog": catalog}});
    Delivery { provider: "import", event: None, id: "catalog".to_owned(), body: line.to_string().into_bytes() }
}

fn releases(realm: &Realm) -> BTreeMap<String, FirstRelease> {
    let release = |fact| match fact {
        Fact::ReleaseCommit(row) if row.environment.as_str() == "production" => {
            let release = FirstRelease {
                tag: row.version.to_string(),
                at: row.at,
                lead_time: row.lead_time.unwrap(),
                since_commit: row.at - row.committed_at.unwrap(),
            };
            Some((row.commit.to_string(), release))
        }
        _ => None,
    };
    realm.derive_everything().into_iter().filter_map(release).collect()
}

fn holds(name: &str) {
    let Some((histories, bundles)) = data() else { return };
    let project = Project::read(&histories, name).unwrap();
    let (summary, told) = deliveries(&bundles.join(format!("{name}.bundle")), project.pattern.as_deref());
    assert!(summary.whole, "{summary}");
    assert_eq!((summary.tags, summary.without_paths), (project.tags as u64, 0), "{summary}");
    let mut realm = Realm::new(model::Realm::new("r"));
    let catalog = catalog(name, project.pattern.clone());
    for event in std::iter::once(catalog).chain(told.iter().cloned()).flat_map(events) {
        assert!(!matches!(realm.apply(event), Applied::Ignored(_)));
    }
    let found = releases(&realm);
    let wrong: Vec<_> = project.truth.iter().filter(|(commit, truth)| found.get(*commit) != Some(*truth)).collect();
    assert!(wrong.is_empty(), "{} of {} commits, such as {:?}", wrong.len(), project.truth.len(), wrong[0]);
    assert_eq!(found.len(), project.truth.len(), "commits released that git does not know of");
    for event in told.into_iter().flat_map(events) {
        assert!(matches!(realm.apply(event), Applied::NoNews), "read again, it tells nothing new");
    }
}

#[test]
fn every_commit_of_a_cloned_project_is_released_first_by_the_tag_that_git_gives() {
    holds("ripgrep");
}

/// Its repository has the tags of other packages as well, which do not count.
#[test]
fn of_many_packages_the_tags_of_one_count() {
    holds("tokio");
}
