//! `throughline connect github`: registers a GitHub App from a manifest, and keeps what it is told and proves itself by.
//!
//! A page on this machine sends the manifest by the browser, since only whoever is logged in there may make an App. GitHub sends the
//! browser back with a code that is good once, for which it gives the key and the secret.

mod flow;
mod keep;
mod manifest;
mod page;

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use backfill::github::{self, Converted, api_root};
use backfill::http::Client;
use openssl::rand::rand_bytes;

use self::flow::{Flow, Kept};
use self::keep::Place;
use super::super::{block_on, complain, say};
use crate::cli::ConnectGithub;
use crate::config::quoted;

/// Where the API of github.com is, which need not be written down.
const USUAL_API: &str = "https://api.github.com";
/// Ended by Ctrl-C, as shells say it.
const INTERRUPTED: u8 = 130;

/// What is asked for, checked.
struct Plan {
    /// GitHub, without a `/` at its end.
    github: String,
    api: String,
    /// This installation, without a `/` at its end.
    url: String,
    /// What the App is called.
    name: String,
}

pub fn run(arguments: &ConnectGithub) -> anyhow::Result<ExitCode> {
    let plan = Plan::of(arguments)?;
    let source = &arguments.source;
    let place = |name: &str| Place::take(&arguments.into, &format!("{source}.{name}"), arguments.force);
    let places = (place("private-key.pem")?, place("webhook-secret")?);
    let client = Client::new(github::api(&plan.api, None))?;
    let Some(kept) = block_on(async {
        let (listener, address) = flow::bind(arguments.listen).await?;
        let start = plan.start(arguments, address, &state()?);
        complain(&format!("open http://{address} in the browser where you are logged in to {}", plan.github));
        Flow::new(start, address, client, places).serve(listener).await
    })?
    else {
        complain("interrupted; an App that GitHub has made by now can be deleted in its settings");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    complain("\nto be put into the configuration:\n");
    say(&configuration(source, &plan.api, &kept))?;
    complain(&format!("\nnext: install the App on the repositories: {}", install(&kept.app)));
    Ok(ExitCode::SUCCESS)
}

impl Plan {
    fn of(arguments: &ConnectGithub) -> anyhow::Result<Self> {
        let github = arguments.github.trim_end_matches('/').to_owned();
        let Some(api) = api_root(&github) else {
            bail!("--github `{github}` is no address of a GitHub: write it like https://github.com");
        };
        let url = arguments.url.trim_end_matches('/').to_owned();
        let host = public_host(&url)?;
        let name = match &arguments.name {
            Some(name) => name.clone(),
            None => manifest::proposed_name(arguments.org.as_deref(), host),
        };
        Ok(Self { name, github, api: arguments.api.clone().unwrap_or(api), url })
    }

    /// The page to begin with.
    fn start(&self, arguments: &ConnectGithub, address: SocketAddr, state: &str) -> flow::Start {
        let owner = arguments.org.as_deref();
        let path = owner.map_or_else(String::new, |org| format!("/organizations/{org}"));
        let action = format!("{}{path}/settings/apps/new?state={state}", self.github);
        let hook = format!("{}/hooks/{}", self.url, arguments.source);
        let manifest = manifest::manifest(&self.name, &self.url, &hook, &format!("http://{address}{}", flow::BACK));
        flow::Start { page: page::start(&action, owner.unwrap_or("your account"), &manifest), state: state.to_owned() }
    }
}

/// The host of the installation, as GitHub can reach it.
fn public_host(url: &str) -> anyhow::Result<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '?' | '#' | '"' | '\\');
    if authority.is_empty() || rest.contains(odd) {
        bail!(
            "--url `{url}` is no address: write the one that this installation has from outside, like https://throughline.example.com"
        );
    }
    let host = authority.split(':').next().unwrap_or_default();
    if authority.starts_with('[') || host == "localhost" || host.starts_with("127.") {
        bail!("--url {url} is an address of this machine alone: GitHub must be able to reach it");
    }
    Ok(host)
}

/// What nobody can guess: it proves that the browser comes back from where it was sent.
fn state() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    rand_bytes(&mut bytes).context("there is no randomness")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The lines of the configuration. The secrets stand in their files.
fn configuration(source: &str, api: &str, Kept { app, key, secret }: &Kept) -> String {
    let section = quoted(source);
    let root = if api == USUAL_API { String::new() } else { format!("root = {}\n", text(api)) };
    format!(
        "# GitHub App {}: {}
[sources.{section}]
provider = \"github\"
secrets = [{{ file = {} }}]

[sources.{section}.api]
{root}app = {}
private_key = {{ file = {} }}",
        app.slug,
        app.html_url,
        path(secret),
        app.id,
        path(key),
    )
}

fn path(path: &Path) -> String {
    text(&path.to_string_lossy())
}

/// A text as TOML has it.
fn text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Where the App is installed.
fn install(app: &Converted) -> String {
    format!("{}/installations/new", app.html_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_github_can_reach() {
        assert_eq!(public_host("https://t.example.com/base").unwrap(), "t.example.com");
        assert_eq!(public_host("http://t.example.com:8080").unwrap(), "t.example.com");
        for wrong in
            ["t.example.com", "https://", "https://u:p@t.example.com", "https://t.example.com?a=b", "https://a b"]
        {
            assert!(public_host(wrong).unwrap_err().to_string().contains("is no address"), "{wrong}");
        }
        for near in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080"] {
            assert!(public_host(near).unwrap_err().to_string().contains("reach"), "{near}");
        }
    }

    #[test]
    fn the_configuration_names_the_files_and_no_secret() {
        let app = serde_json::from_str(
            r#"{"id": 7, "slug": "t", "name": "T", "html_url": "https://github.com/apps/t", "pem": "s1", "webhook_secret": "s2"}"#,
        );
        let kept = Kept { app: app.unwrap(), key: "/k \"q\"".into(), secret: "/s".into() };
        let written = configuration("git.hub", "https://ghes/api/v3", &kept);
        assert!(!written.contains("s1") && !written.contains("s2"), "{written}");
        let read: toml::Table = toml::from_str(&written).unwrap();
        let source = &read["sources"]["git.hub"];
        assert_eq!(source["secrets"][0]["file"].as_str(), Some("/s"));
        let api = &source["api"];
        assert_eq!(api["app"].as_integer(), Some(7));
        assert_eq!(api["root"].as_str(), Some("https://ghes/api/v3"));
        assert_eq!(api["private_key"]["file"].as_str(), Some("/k \"q\""));
        assert!(!configuration("github", USUAL_API, &kept).contains("root"));
    }
}
