//! `throughline sources`: which providers there are, how one is connected, and what arrives.

mod status;
mod text;

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use ingestor::providers::{self, Expected, Provider};
use serde::Serialize;

use super::say;
use crate::cli::{Sources, SourcesCommand};
use crate::config::{self, Config, Tree, quoted};
use crate::nearest::nearest;

/// The host is that of the address which the installation has from outside, and no configuration says it.
const HOST: &str = "https://<host>";

/// A provider in the list of all.
#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    title: &'static str,
    tells: &'static str,
    proofs: Vec<Proof>,
}

/// A way in which a provider proves that a delivery is its own.
#[derive(Debug, Serialize)]
struct Proof {
    scheme: &'static str,
    proof: &'static str,
}

/// An event to choose.
#[derive(Debug, Serialize)]
struct Choice {
    event: &'static str,
    /// What it is called where it is chosen; for a provider that is one's own script, the line that sends it.
    setting: String,
    tells: &'static str,
    essential: bool,
}

/// How one source is connected.
#[derive(Debug, Serialize)]
struct Connection {
    source: String,
    /// Whether the configuration has it already.
    configured: bool,
    #[serde(flatten)]
    provider: Listed,
    url: String,
    /// What stands in the configuration, or is to be put there.
    configuration: String,
    steps: Vec<String>,
    events: Vec<Choice>,
    permissions: Vec<String>,
    notes: Vec<String>,
    documentation: &'static str,
}

pub fn run(file: Option<&Path>, arguments: &Sources) -> anyhow::Result<ExitCode> {
    if let Some(SourcesCommand::Status(arguments)) = &arguments.command {
        return status::run(file, arguments);
    }
    let Some(name) = &arguments.name else {
        let all: Vec<Listed> = providers::PROVIDERS.iter().map(|provider| Listed::of(*provider)).collect();
        let shown = if arguments.json { serde_json::to_string(&all)? } else { text::table(&all, text::width()) };
        say(&shown)?;
        return Ok(ExitCode::SUCCESS);
    };
    let tree = config::load(file)?;
    let config = Config::from_tree(tree.clone(), &[])?;
    let connection = Connection::find(name, &config, &tree)?;
    let json = arguments.json;
    say(&if json { serde_json::to_string(&connection)? } else { text::page(&connection, text::width()) })?;
    Ok(ExitCode::SUCCESS)
}

impl Listed {
    fn of(provider: &dyn Provider) -> Self {
        let page = provider.page();
        let schemes = provider.door().schemes.iter();
        let proofs = schemes.map(|scheme| Proof { scheme: scheme.name(), proof: scheme.proof() }).collect();
        Self { name: provider.name(), title: page.title, tells: page.tells, proofs }
    }
}

impl Connection {
    /// A source of the configuration, or a source that has the name of its provider and is still to be set up.
    fn find(name: &str, config: &Config, tree: &Tree) -> anyhow::Result<Self> {
        if let Some(source) = config.receive.sources.get(name)
            && let Some(provider) = providers::find(&source.provider)
        {
            return Ok(Self::new(name, provider, Some(configured(name, tree)), &secret_of(name, tree)));
        }
        if let Some(provider) = providers::find(name) {
            return Ok(Self::new(name, provider, None, &format!("${}", variable(name))));
        }
        let providers: Vec<&str> = providers::names().collect();
        let sources: Vec<&str> = config.receive.sources.keys().map(String::as_str).collect();
        let advice = match nearest(name, [providers.as_slice(), &sources].concat()) {
            Some(right) => format!("; did you mean `{right}`?"),
            None => String::new(),
        };
        let configured = if sources.is_empty() { "none".to_owned() } else { sources.join(", ") };
        bail!(
            "`{name}` is neither a provider ({}) nor a configured source ({configured}){advice}",
            providers.join(", ")
        )
    }

    /// `secret` is a text that says where the secret is.
    fn new(name: &str, provider: &dyn Provider, configuration: Option<String>, secret: &str) -> Self {
        let page = provider.page();
        let url = format!("{HOST}/hooks/{name}");
        let filled = |texts: &[&str]| {
            texts.iter().map(|text| text.replace("{url}", &url).replace("{secret}", secret)).collect::<Vec<_>>()
        };
        let choice = |expected: &Expected| {
            let Expected { event, setting, tells, essential } = *expected;
            Choice { event, setting: setting.replace("{url}", &url).replace("{secret}", secret), tells, essential }
        };
        Self {
            source: name.to_owned(),
            configured: configuration.is_some(),
            provider: Listed::of(provider),
            steps: filled(page.steps),
            permissions: filled(page.permissions),
            notes: filled(page.notes),
            events: page.events.iter().map(choice).collect(),
            documentation: page.documentation,
            configuration: configuration.unwrap_or_else(|| proposed(name, provider.name())),
            url,
        }
    }
}

/// What to put into the configuration.
fn proposed(name: &str, provider: &str) -> String {
    let secret = variable(name);
    format!("[sources.{}]\nprovider = \"{provider}\"\nsecrets = [{{ env = \"{secret}\" }}]", quoted(name))
}

/// What the configuration says of a source, as it may be shown.
fn configured(name: &str, tree: &Tree) -> String {
    let section = format!("sources.{}", quoted(name));
    let start = format!("{section}.");
    tree.settings().iter().fold(format!("[{section}]"), |text, setting| match setting.key.strip_prefix(&start) {
        Some(key) => format!("{text}\n{key} = {}", setting.value),
        None => text,
    })
}

/// Where the secret of a configured source is, in words that can stand in its place. Of several the first is the one to give out.
fn secret_of(name: &str, tree: &Tree) -> String {
    let secrets = tree.get("sources").and_then(|sources| sources.get(name)).and_then(|source| source.get("secrets"));
    match secrets.and_then(Tree::first) {
        None => "<none: this source takes deliveries from anybody>".to_owned(),
        Some(secret) => match secret.reference() {
            Some(("env", variable)) => format!("${variable}"),
            Some((_, path)) => format!("<what stands in {path}>"),
            None => "<the secret of the configuration>".to_owned(),
        },
    }
}

/// The environment variable for the secret of a source, like GITHUB_WEBHOOK_SECRET: legal in every shell, and with no `__` in it, which
/// would make it a setting.
fn variable(name: &str) -> String {
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let start = if name.starts_with(|c: char| c.is_ascii_digit()) { "SOURCE_" } else { "" };
    format!("{start}{}_WEBHOOK_SECRET", words.join("_").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(provider: &str) -> Connection {
        Connection::new(provider, providers::find(provider).unwrap(), None, "$SECRET")
    }

    #[test]
    fn every_provider_has_a_page_without_a_hole_that_fits_the_width() {
        for (provider, width) in providers::names().flat_map(|provider| [(provider, 40), (provider, 100)]) {
            let connection = connection(provider);
            let page = text::page(&connection, width);
            for hole in ["{url}", "{secret}", " \n"] {
                assert!(!page.contains(hole), "{provider}: {hole:?}");
            }
            // A single word may be longer than the line, such as an address; the configuration is not wrapped.
            let is_mark = |c: char| " -*.0123456789".contains(c);
            let is_command = |line: &str| line.trim_start().starts_with("curl ");
            let too_long = |line: &&str| {
                !is_command(line) && line.chars().count() > width && line.trim_start_matches(is_mark).contains(' ')
            };
            let mut lines = page.lines().filter(|line| !connection.configuration.contains(line.trim_start()));
            assert_eq!(lines.find(too_long), None, "{provider}");
        }
    }

    #[test]
    fn no_provider_has_the_name_of_a_command() {
        let cli = <crate::cli::Cli as clap::CommandFactory>::command();
        let commands = cli.find_subcommand("sources").unwrap().get_subcommands();
        let commands: Vec<&str> = commands.map(clap::Command::get_name).collect();
        assert_eq!(commands, ["status"]);
        assert!(!providers::names().any(|name| commands.contains(&name)));
    }

    #[test]
    fn what_is_proposed_is_a_source_that_works() {
        for provider in providers::names() {
            let source: toml::Table = toml::from_str(&connection(provider).configuration).unwrap();
            let source = source["sources"][provider].clone();
            let source: ingestor::receive::SourceConfig = source.try_into().unwrap();
            assert_eq!((source.provider.as_str(), source.secrets.len()), (provider, 1));
        }
    }

    #[test]
    fn the_variable_of_a_secret_is_legal_and_sets_no_key() {
        assert_eq!(variable("github"), "GITHUB_WEBHOOK_SECRET");
        assert_eq!(variable("git-lab.2"), "GIT_LAB_2_WEBHOOK_SECRET");
        assert_eq!(variable("2nd"), "SOURCE_2ND_WEBHOOK_SECRET");
        assert_eq!(variable("throughline-a--b."), "THROUGHLINE_A_B_WEBHOOK_SECRET");
    }
}
