//! The manifest of the App: what it is called, where it is told, what it may read.
//! See <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>.

use ingestor::providers::github::app;
use serde_json::{Map, Value, json};

/// GitHub takes no longer name.
const LONGEST_NAME: usize = 34;
const DESCRIPTION: &str = "Follows changes to production, and reads only.";

/// The manifest of an App that sends its webhooks to `hook` and may read what they tell. `homepage` is the installation's address;
/// GitHub sends the browser back to `back`.
pub fn manifest(name: &str, homepage: &str, hook: &str, back: &str) -> Value {
    let permissions: Map<String, Value> =
        app::PERMISSIONS.iter().map(|permission| (permission.key.to_owned(), json!("read"))).collect();
    json!({
        "name": name,
        "url": homepage,
        "description": DESCRIPTION,
        "hook_attributes": { "url": hook, "active": true },
        "redirect_url": back,
        "public": false,
        "default_permissions": permissions,
        "default_events": app::events().collect::<Vec<_>>(),
    })
}

/// A name that is likely to be free: GitHub has one App of each name.
pub fn proposed_name(org: Option<&str>, host: &str) -> String {
    format!("Throughline {}", org.unwrap_or(host)).chars().take(LONGEST_NAME).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ingestor::providers::github::EVENTS;

    use super::*;

    fn of_demo() -> Value {
        manifest("n", "https://t.example.com", "https://t.example.com/hooks/github", "http://127.0.0.1:1/made")
    }

    #[test]
    fn every_event_of_the_page_is_chosen_with_its_permission_and_nothing_beyond() {
        let manifest = of_demo();
        let chosen: BTreeSet<&str> =
            manifest["default_events"].as_array().unwrap().iter().map(|event| event.as_str().unwrap()).collect();
        let page = EVENTS.iter().map(|expected| expected.event).filter(|event| !app::UNCHOSEN.contains(event));
        assert_eq!(chosen, page.collect());
        let permissions = manifest["default_permissions"].as_object().unwrap();
        assert!(permissions.values().all(|access| access == "read"));
        for event in chosen {
            let of = app::PERMISSIONS.iter().find(|permission| permission.events.contains(&event)).unwrap();
            assert!(permissions.contains_key(of.key), "{event}");
        }
        assert_eq!(permissions.len(), app::PERMISSIONS.len());
    }

    #[test]
    fn the_app_is_ones_own_and_is_told_at_the_hook() {
        let manifest = of_demo();
        assert_eq!(manifest["public"], false);
        assert_eq!(manifest["hook_attributes"]["url"], "https://t.example.com/hooks/github");
        assert_eq!(manifest["redirect_url"], "http://127.0.0.1:1/made");
    }

    #[test]
    fn a_name_is_no_longer_than_github_takes() {
        assert_eq!(proposed_name(Some("acme"), "x"), "Throughline acme");
        assert_eq!(proposed_name(None, "throughline.example.com").len(), LONGEST_NAME);
    }
}
