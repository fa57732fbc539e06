//! What names say: those of environments, workflows, jobs, gates and services.

use model::event::{GateKind, Tier};

/// The words of a name in lower case: `deployToProd (eu-1)` is deploy, to, prod, eu, 1.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for character in name.chars() {
        let begins = character.is_uppercase() && after_lower;
        if (begins || !character.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn has(words: &[String], of: &[&str]) -> bool {
    words.iter().any(|word| of.contains(&word.as_str()))
}

/// What a name says that an environment is for, where it says so.
pub fn tier_of(name: &str) -> Option<Tier> {
    let words = words(name);
    const BESIDE: &[&str] =
        &["canary", "preview", "previews", "review", "pr", "sandbox", "demo", "branch", "ephemeral", "pages", "docs"];
    const LAST: &[&str] = &["staging", "stage", "preprod", "preproduction", "uat", "acceptance"];
    const FIRST: &[&str] = &["integration", "int", "development", "dev", "develop", "test", "testing", "qa"];
    if has(&words, BESIDE) {
        return Some(Tier::Other);
    }
    // Before production: `pre-production` has that word, too.
    if has(&words, LAST) || has(&words, &["pre"]) {
        return Some(Tier::Staging);
    }
    if has(&words, &["production", "prod", "prd", "live"]) {
        return Some(Tier::Production);
    }
    has(&words, FIRST).then_some(Tier::Integration)
}

/// How clearly the name of a workflow or a job says that it deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    /// It releases, which may be all that there is, and may be no deployment.
    Release,
    /// It deploys.
    Deploy,
}

/// Whether the name of a workflow or a job says that it deploys.
pub fn says(name: &str) -> Option<Says> {
    const NOT: &[&str] = &[
        "notes",
        "drafter",
        "draft",
        "changelog",
        "label",
        "preview",
        "dry",
        "test",
        "tests",
        "check",
        "lint",
        "docs",
        "plan",
    ];
    const DEPLOYS: &[&str] = &["deploy", "deploys", "deployment", "rollout", "promote", "ship", "deliver"];
    let words = words(name);
    if has(&words, NOT) {
        return None;
    }
    if has(&words, DEPLOYS) {
        return Some(Says::Deploy);
    }
    has(&words, &["release", "publish"]).then_some(Says::Release)
}

/// The environment that the name of a workflow or a job says that it deploys to.
pub fn environment_in(name: &str) -> Option<&'static str> {
    match tier_of(name)? {
        Tier::Production => Some("production"),
        Tier::Staging => Some("staging"),
        Tier::Integration => Some("integration"),
        Tier::Other => None,
    }
}

/// The kind that the name of a gate says.
pub fn gate_kind_of(name: &str) -> Option<GateKind> {
    let words = words(name);
    let kinds: [(&[&str], GateKind); 6] = [
        (&["board", "cab", "change"], GateKind::ChangeBoard),
        (&["review", "reviews"], GateKind::Review),
        (&["queue"], GateKind::MergeQueue),
        (&["timer", "wait", "soak", "bake"], GateKind::Timer),
        (&["check", "checks", "scan", "test", "tests", "lint", "quality"], GateKind::Check),
        (&["manual", "job", "approval", "approve", "click"], GateKind::ManualJob),
    ];
    kinds.into_iter().find(|(of, _)| has(&words, of)).map(|(_, kind)| kind)
}

/// What a name calls a service, without what says where it runs or that it is a service.
pub fn service_key(name: &str) -> String {
    const BESIDE: &[&str] = &["service", "svc", "prod", "production", "prd", "live", "app", "the"];
    let mut words = words(name);
    words.retain(|word| !BESIDE.contains(&word.as_str()));
    words.concat()
}

/// Where the version begins in the name of a tag: `v1.2` at 1, `shop-v1.2` at 6; none where it names none.
pub fn version_at(tag: &str) -> Option<usize> {
    let at = tag.char_indices().find(|(at, character)| {
        let before = tag[..*at].chars().next_back();
        character.is_ascii_digit()
            && before.is_none_or(|before| !before.is_alphanumeric() || matches!(before, 'v' | 'V'))
    })?;
    Some(at.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_words() {
        assert_eq!(words("deployToProd (eu-1)"), ["deploy", "to", "prod", "eu", "1"]);
        assert_eq!(words("--"), Vec::<String>::new());
        assert_eq!(service_key("Payments Service (prod)"), service_key("payments"));
    }

    #[test]
    fn a_name_says_what_an_environment_is_for() {
        for (name, tier) in [
            ("production", Some(Tier::Production)),
            ("prod-eu-west-1", Some(Tier::Production)),
            ("production-canary", Some(Tier::Other)),
            ("pre-production", Some(Tier::Staging)),
            ("UAT", Some(Tier::Staging)),
            ("dev2", None),
            ("qa", Some(Tier::Integration)),
            ("product-catalog", None),
        ] {
            assert_eq!(tier_of(name), tier, "{name}");
        }
    }

    #[test]
    fn a_name_says_whether_it_deploys() {
        assert_eq!(says("Deploy to production"), Some(Says::Deploy));
        assert_eq!(says("release train"), Some(Says::Release));
        for name in ["Release notes", "test deploy", "build", "undeployable"] {
            assert_eq!(says(name), None, "{name}");
        }
    }

    #[test]
    fn a_tag_has_a_version_behind_its_prefix() {
        assert_eq!(version_at("v1.2.3"), Some(1));
        assert_eq!(version_at("ledger-v1"), Some(8));
        assert_eq!(version_at("2024.1"), Some(0));
        assert_eq!((version_at("latest"), version_at("sha256")), (None, None));
    }
}
