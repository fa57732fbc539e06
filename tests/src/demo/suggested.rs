//! The catalog that is suggested for the history, without anybody having said anything, is the one that a person wrote for it.

use std::collections::BTreeMap;

use correlation::{Gap, Kind, Owners, Suggestion, Survey};
use model::event::{Catalog, Tier};
use model::{Repository, Timestamp};

use super::oracle::{plain, realm};
use super::*;

const MONTH: i64 = 30 * 86_400_000;

fn since(days: i64) -> Timestamp {
    Timestamp(NOW.0 - days * 86_400_000)
}

/// The files of CODEOWNERS, as each team would write its own.
fn owners() -> BTreeMap<Repository, Owners> {
    let of =
        |repository: &str, text: &str| (Repository::new(format!("github.com/acme/{repository}")), Owners::read(text));
    BTreeMap::from([
        of("storefront", "* @acme/web"),
        of("search", "* @acme/web @dev-web-1"),
        of("billing", "* @acme/payments"),
        of("payouts", "*.go @acme/payments\n/banks/ @dev-payments-1 @acme/payments"),
        of("platform-mono", "* @acme/platform\n/docs/ @acme/writers"),
    ])
}

fn suggestion(days: i64) -> Suggestion {
    let (demo, _) = plain();
    Survey::from(realm(&demo.webhooks)).suggest((since(days), NOW), &owners())
}

/// What both say by themselves: without what is not guessed, and without a service that is named like its component.
fn comparable(mut catalog: Catalog) -> Catalog {
    (catalog.revision, catalog.calendars) = (0, Vec::new());
    catalog.teams.sort_by(|a, b| a.team.cmp(&b.team));
    catalog.components.sort_by(|a, b| a.component.cmp(&b.component));
    catalog.environments.sort_by(|a, b| a.environment.cmp(&b.environment));
    for component in &mut catalog.components {
        let name = component.component.clone();
        component.services.retain(|service| service != name.as_str());
    }
    // What a gate is there to catch, no event of the history tells.
    catalog.gates.iter_mut().for_each(|gate| gate.purposes.clear());
    catalog
}

#[test]
fn what_is_suggested_is_what_a_person_wrote() {
    let suggestion = suggestion(DAYS);
    let (told, written) = (comparable(suggestion.catalog.clone()), comparable(catalog()));
    println!("{suggestion}");
    assert_eq!(told.teams, written.teams);
    assert_eq!(told.components, written.components);
    assert_eq!(told.environments, written.environments);
    for gate in &written.gates {
        assert!(told.gates.iter().any(|told| told.gate == gate.gate), "{gate:?}: {:?}", told.gates);
    }
    assert_eq!(suggestion.left, Vec::<String>::new());
    let read: Catalog = toml::from_str(&format!("revision = 0\n{suggestion}")).unwrap();
    assert_eq!(read, suggestion.catalog);
}

#[test]
fn a_preview_shows_the_releases_of_the_time() {
    let (demo, _) = plain();
    let suggestion = suggestion(30);
    let expected = |component: &str| {
        let of =
            |release: &&ExpectedRelease| release.component.as_str() == component && release.production_at >= since(30);
        demo.expected.releases.iter().filter(of).count()
    };
    for entry in suggestion.entries.iter().filter(|entry| entry.kind == Kind::Component) {
        let preview = entry.preview.as_ref().unwrap();
        assert_eq!(preview.releases, expected(&entry.name), "{}: {preview:?}", entry.name);
        // Its deployments name the service `search` and no repository: that is a component of that name by itself.
        assert_eq!(preview.by_it == 0, entry.name == "search", "{}: {preview:?}", entry.name);
        assert!(preview.newest.windows(2).all(|pair| pair[0].at >= pair[1].at), "{preview:?}");
    }
    let made_by = |name: &str| {
        let of = |entry: &&correlation::Entry| entry.kind == Kind::Environment && entry.name == name;
        suggestion.entries.iter().find(of).unwrap().preview.clone().unwrap().releases
    };
    // The names say the same without a line.
    assert_eq!((made_by("production"), made_by("staging")), (0, 0));
}

#[test]
fn with_its_catalog_little_is_left_unmapped() {
    let (demo, _) = plain();
    let mut survey = Survey::from(realm(&demo.webhooks));
    let gaps = |survey: &Survey| -> Vec<(Gap, String)> {
        survey.unmapped(Timestamp(NOW.0 - MONTH)).into_iter().map(|line| (line.gap, line.name)).collect()
    };
    let bare = gaps(&survey);
    for repository in ["billing", "payouts", "platform-mono", "search", "storefront"] {
        assert!(bare.contains(&(Gap::Repository, format!("github.com/acme/{repository}"))), "{bare:?}");
    }
    for (gap, name) in
        [(Gap::Environment, "production-canary"), (Gap::DeployedService, "ledger"), (Gap::DeployedService, "search")]
    {
        assert!(bare.contains(&(gap, name.to_owned())), "{name}: {bare:?}");
    }
    survey.put(catalog());
    assert_eq!(gaps(&survey), []);
    assert!(survey.catalog().environments.iter().any(|entry| entry.tier == Tier::Other));
}
