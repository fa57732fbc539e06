//! What is suggested for real applications that say nothing but what they deploy where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use correlation::{Kind, Realm, Survey};
use model::event::{Body, CiBody, DeploymentAction, Event, Tier};
use model::{Repository, Timestamp};

use super::{App, ENVIRONMENTS, Replay, component};
use crate::history::Told;

fn event(number: usize, told: Told) -> Event<Body> {
    Event {
        realm: "default".into(),
        source: "govuk".into(),
        provider: "import".to_owned(),
        delivery: number.to_string(),
        index: 0,
        adapter: 1,
        occurred_at: told.at,
        received_at: told.at,
        link: None,
        body: told.body,
    }
}

/// The repository of a deployment that is no removal.
fn deployed_from(told: &Told) -> Option<Repository> {
    match &told.body {
        Body::Ci(CiBody::Deployment(of)) if of.action != DeploymentAction::Remove => of.repository.clone(),
        _ => None,
    }
}

/// A person would name each application after its repository, let deployments count, and say which environment is for what.
#[test]
fn real_applications_are_components_and_their_way_leads_to_production() {
    let Some(data) = std::env::var_os("THROUGHLINE_TEST_DATA") else {
        eprintln!(
            "SKIPPED: THROUGHLINE_TEST_DATA is not set, so there are no real deployments to suggest a catalog for"
        );
        return;
    };
    let folder = PathBuf::from(data).join("histories/govuk");
    let names = App::names(&folder).unwrap();
    let apps: Vec<App> = names.iter().map(|name| App::read(&folder, name).unwrap()).collect();
    let replay = Replay::read(&folder, &apps).unwrap().unwrap();
    let mut told: Vec<Told> = apps.iter().flat_map(|app| app.history.clone()).chain(replay.history).collect();
    told.sort_by_key(|told| told.at);
    let until = told.last().unwrap().at;
    let since = Timestamp(until.0 - 30 * 86_400_000);
    let deployed: BTreeSet<Repository> =
        told.iter().filter(|told| told.at >= since).filter_map(deployed_from).collect();
    let mut realm = Realm::new("default".into());
    for (number, told) in told.into_iter().enumerate() {
        realm.apply(event(number, told));
    }
    let suggestion = Survey::from(realm).suggest((since, until), &BTreeMap::new());
    println!("{suggestion}");

    let tiers: BTreeMap<&str, Tier> =
        suggestion.catalog.environments.iter().map(|entry| (entry.environment.as_str(), entry.tier)).collect();
    assert_eq!(tiers, ENVIRONMENTS.into_iter().zip([Tier::Integration, Tier::Staging, Tier::Production]).collect());
    let components = &suggestion.catalog.components;
    assert_eq!(components.iter().filter_map(|of| of.repository.clone()).collect::<BTreeSet<_>>(), deployed);
    for of in components {
        assert!(of.repository.as_ref().is_some_and(|from| from.name() == of.component.as_str()), "{of:?}");
        assert!(of.markers.is_empty() && of.paths.is_empty(), "{of:?}");
    }
    // The releases are those that are there anyway, under the name of the repository with its owner.
    for name in &names {
        let entry = suggestion.entries.iter().find(|entry| entry.kind == Kind::Component && entry.name == *name);
        let preview = entry.unwrap().preview.as_ref().unwrap();
        assert!(preview.releases > 0, "{name}");
        let instead: Vec<(&str, usize)> = preview.instead_of.iter().map(|(of, count)| (of.as_str(), *count)).collect();
        assert_eq!(instead, [(component(name).as_str(), preview.releases)]);
    }
}
