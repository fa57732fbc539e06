//! `verify signatures`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use clap::Args;
use ingestor::signature::{Rejected, Scheme, verify};
use model::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::report::{Report, columns};

#[derive(Debug, Args)]
#[command(after_help = "\
A vector that is signed with a time is looked at as if it were that time. Nothing is built and no server is started.

Examples:
  cargo xtask verify signatures --data ../data/signatures")]
pub struct Signatures {
    /// Folder with `vectors.json` and the bodies that it names.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
}

/// How each provider of the vectors proves itself. A name with more words behind it is the same provider.
const PROVIDERS: &[(&str, Scheme)] = &[
    ("Bitbucket Data Center", Scheme::HubSignature),
    ("Buildkite", Scheme::BuildkiteSignature),
    ("CircleCI", Scheme::CircleCi),
    ("GitHub", Scheme::HubSignature256),
    ("GitLab", Scheme::StandardWebhooks),
    ("Jira", Scheme::HubSignature),
    ("PagerDuty", Scheme::PagerDuty),
    ("Svix", Scheme::StandardWebhooks),
];

/// A published example of a signature.
#[derive(Debug, Deserialize)]
struct Vector {
    name: String,
    provider: String,
    headers: BTreeMap<String, String>,
    secret: String,
    body_file: PathBuf,
    published_expectation: Expectation,
}

/// What whoever published it says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expectation {
    Valid,
    Invalid,
}

/// A vector and what came out.
struct Checked {
    vector: Vector,
    scheme: Scheme,
    found: Result<(), Rejected>,
}

/// The whole result, for programs.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Summary {
    vectors: usize,
    agree: usize,
    schemes: BTreeMap<&'static str, usize>,
}

impl Signatures {
    pub fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        let checked = check(&self.data)?;
        report.show(table(&checked));
        let summary = Summary::of(&checked);
        report.finish(&summary)?;
        Ok(if summary.agree == summary.vectors { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn check(folder: &Path) -> Result<Vec<Checked>> {
    let file = folder.join("vectors.json");
    let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let vectors: Vec<Vector> =
        serde_json::from_slice(&text).with_context(|| format!("{} is no list of vectors", file.display()))?;
    ensure!(!vectors.is_empty(), "{} has no vectors", file.display());
    vectors.into_iter().map(|vector| Checked::of(vector, folder)).collect()
}

impl Checked {
    fn of(vector: Vector, folder: &Path) -> Result<Self> {
        let scheme = scheme(&vector.provider).with_context(|| {
            format!("{}: it is not known how `{}` proves itself: add it to PROVIDERS", vector.name, vector.provider)
        })?;
        let file = folder.join(&vector.body_file);
        let body = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let headers = headers(&vector.headers).with_context(|| format!("{}: headers", vector.name))?;
        let secrets = [SecretString::from(vector.secret.as_str())];
        let found = verify(scheme, &headers, &body, &secrets, signed_at(&vector.headers));
        Ok(Self { vector, scheme, found })
    }

    fn agrees(&self) -> bool {
        self.found.is_ok() == (self.vector.published_expectation == Expectation::Valid)
    }

    fn row(&self) -> Vec<String> {
        let expected = match self.vector.published_expectation {
            Expectation::Valid => "valid",
            Expectation::Invalid => "invalid",
        };
        let found = match self.found {
            Ok(()) => "valid".to_owned(),
            Err(rejected) => format!("invalid: {}", rejected.reason()),
        };
        let verdict = if self.agrees() { "" } else { "DISAGREES" };
        let Vector { name, provider, .. } = &self.vector;
        [name, provider, self.scheme.name(), expected, &found, verdict].map(str::to_owned).to_vec()
    }
}

impl Summary {
    fn of(checked: &[Checked]) -> Self {
        let mut summary = Self { vectors: checked.len(), ..Self::default() };
        for one in checked {
            summary.agree += usize::from(one.agrees());
            *summary.schemes.entry(one.scheme.name()).or_default() += 1;
        }
        summary
    }
}

fn scheme(provider: &str) -> Option<Scheme> {
    let same = |name: &str| provider.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    PROVIDERS.iter().find(|(name, _)| same(name)).map(|(_, scheme)| *scheme)
}

fn headers(pairs: &BTreeMap<String, String>) -> Result<HeaderMap> {
    let pair = |(name, value): (&String, &String)| Ok((name.parse::<HeaderName>()?, HeaderValue::from_str(value)?));
    pairs.iter().map(pair).collect()
}

/// When a vector was signed, where its headers say so: alone as in Standard Webhooks, or beside the signature as Buildkite has it.
fn signed_at(headers: &BTreeMap<String, String>) -> Timestamp {
    let alone = headers.iter().find(|(name, _)| name.to_ascii_lowercase().ends_with("-timestamp"));
    let beside =
        || headers.values().flat_map(|value| value.split(',')).find_map(|pair| pair.strip_prefix("timestamp="));
    let seconds = alone.map(|(_, value)| value.as_str()).or_else(beside);
    Timestamp::from_seconds(seconds.and_then(|text| text.parse().ok()).unwrap_or_default())
}

fn table(checked: &[Checked]) -> String {
    let head = ["vector", "provider", "scheme", "expected", "found", ""].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(head).chain(checked.iter().map(Checked::row)).collect();
    format!("Published signatures, and what the front door says to them:\n{}", columns(&rows, |_| false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// One body, signed with `secret` by GitHub's scheme, with the given headers and expectation.
    fn folder(provider: &str, headers: serde_json::Value, expectation: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let vector = json!([{
            "name": "hello", "provider": provider, "headers": headers, "secret": "It's a Secret to Everybody",
            "body_file": "body.bin", "published_expectation": expectation,
        }]);
        fs::write(folder.path().join("vectors.json"), vector.to_string()).unwrap();
        fs::write(folder.path().join("body.bin"), "Hello, World!").unwrap();
        folder
    }

    fn summary(provider: &str, headers: serde_json::Value, expectation: &str) -> Summary {
        Summary::of(&check(folder(provider, headers, expectation).path()).unwrap())
    }

    const DIGITS: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn a_vector_is_held_against_what_was_published() {
        let header = |start: &str| json!({"X-Hub-Signature-256": format!("{start}{DIGITS}")});
        let one = |agree, scheme| Summary { vectors: 1, agree, schemes: BTreeMap::from([(scheme, 1)]) };
        assert_eq!(summary("GitHub", header("sha256="), "valid"), one(1, "hub-signature-256"));
        assert_eq!(summary("GitHub (an example)", header("sha256="), "invalid"), one(0, "hub-signature-256"));
        assert_eq!(summary("GitHub", header(""), "invalid"), one(1, "hub-signature-256"));
        // Not by whatever header is there, but by the one that the provider sends.
        assert_eq!(summary("PagerDuty", header("sha256="), "valid"), one(0, "pagerduty"));
    }

    #[test]
    fn a_disagreement_is_seen_in_the_table() {
        let headers = json!({"X-Hub-Signature-256": format!("sha256={DIGITS}")});
        let checked = check(folder("GitHub", headers, "invalid").path()).unwrap();
        assert!(table(&checked).ends_with("hello   GitHub    hub-signature-256  invalid   valid  DISAGREES"));
    }

    #[test]
    fn a_provider_that_nobody_knows_is_an_error() {
        let error = check(folder("GitHubby", json!({}), "valid").path()).err().unwrap().to_string();
        assert!(error.contains("`GitHubby`"), "{error}");
    }

    #[test]
    fn the_time_of_a_vector_is_that_of_its_headers() {
        let at = |name: &str, value: &str| signed_at(&BTreeMap::from([(name.to_owned(), value.to_owned())]));
        assert_eq!(at("Webhook-Timestamp", "7"), Timestamp(7000));
        assert_eq!(at("X-Buildkite-Signature", "timestamp=7,signature=00"), Timestamp(7000));
        assert_eq!(at("X-Hub-Signature", "sha256=00"), Timestamp(0));
    }
}
