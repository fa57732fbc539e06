//! `throughline backfill`: history that is there already, into the inbox.

mod api;
pub mod git;
pub mod github;
pub mod gitlab;
pub mod pagerduty;
mod progress;
mod state;
mod take;

use std::collections::BTreeMap;

use anyhow::bail;
use ingestor::receive::SourceConfig;
use model::{Realm, Source};

use crate::cli::Destination;

/// The source and realm that a history comes under: those of the webhooks, so that it is told once.
fn place(
    sources: &BTreeMap<String, SourceConfig>,
    provider: &str,
    asked: &Destination,
) -> anyhow::Result<(Source, Realm)> {
    let name = match &asked.source {
        Some(name) => name.clone(),
        None => {
            let of_provider = sources.iter().filter(|(_, source)| source.provider == provider);
            match of_provider.map(|(name, _)| name.as_str()).collect::<Vec<_>>()[..] {
                [name] => name.to_owned(),
                [] => bail!("no source of the provider {provider} is configured: name one with --source"),
                ref several => bail!("the sources {} are of {provider}: name one with --source", several.join(", ")),
            }
        }
    };
    Ok(named(sources, &name, asked))
}

/// The source of that name, and its realm unless another is asked for.
fn named(sources: &BTreeMap<String, SourceConfig>, name: &str, asked: &Destination) -> (Source, Realm) {
    let configured = sources.get(name).map(|source| source.realm.clone());
    let realm = asked.realm.clone().or(configured).unwrap_or_else(|| "default".to_owned());
    (Source::new(name), Realm::new(realm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(sources: &str, source: Option<&str>, realm: Option<&str>) -> Result<(String, String), String> {
        let sources = toml::from_str(sources).unwrap();
        let asked = Destination { source: source.map(str::to_owned), realm: realm.map(str::to_owned) };
        let placed = place(&sources, "github", &asked);
        placed.map(|(source, realm)| (source.to_string(), realm.to_string())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_history_comes_under_the_source_of_its_webhooks() {
        let one = "a = { provider = 'github', realm = 'acme' }\nb = { provider = 'cdevents' }";
        assert_eq!(placed(one, None, None), Ok(("a".into(), "acme".into())));
        assert_eq!(placed(one, None, Some("r")), Ok(("a".into(), "r".into())));
        assert_eq!(placed(one, Some("c"), None), Ok(("c".into(), "default".into())));
        assert!(placed("", None, None).unwrap_err().contains("--source"));
        let two = "a = { provider = 'github' }\nb = { provider = 'github' }";
        assert!(placed(two, None, None).unwrap_err().contains("a, b"));
        assert_eq!(placed(two, Some("b"), None), Ok(("b".into(), "default".into())));
    }
}
