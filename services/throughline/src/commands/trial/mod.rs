//! `throughline try`: the releases of a repository and where their time went, without any server.
//!
//! A git repository is read, with a token its project at the provider as well, and what the services would do with it is done in
//! memory. Tags stand for releases to production unless something better is told.

mod memory;
mod project;
mod report;
mod show;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use backfill::{Delivery, Progress, Sink, git};
use globset::Glob;
use model::event::{Catalog, CatalogComponent, Marker, MarkerKind};
use model::fact::Fact;
use model::{Component, Environment, Repository};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::mpsc;

use self::memory::Memory;
use self::project::{Asked, Project};
use self::report::Report;
use super::progress::{Line, Visible};
use super::{block_on, complain, now, say};
use crate::cli::Try;

/// Deliveries read ahead of the correlation.
const AHEAD: usize = 256;
/// What a tag is taken for a release to.
const PRODUCTION: &str = "production";

pub fn run(arguments: Try) -> anyhow::Result<ExitCode> {
    let named = Project::named(&arguments)?;
    let token = project::token(&arguments, named.as_ref())?;
    let options = options(&arguments, named.as_ref())?;
    let mut memory = Memory::new(now());
    let line = Arc::new(Mutex::new(Line::new(if arguments.json { Visible::Never } else { Visible::OnTerminal })));
    let (summary, asked) = block_on(async {
        let summary = read(options, &mut memory, &line).await?;
        let project = named.or_else(|| Project::of(&summary.repository));
        let asked = project::read(project, token, &arguments, &mut memory, &line).await;
        Ok((summary, asked))
    })?;
    let tags_count = arguments.tags.is_some() || !reaches_production(&mut memory)?;
    if tags_count {
        memory.tell(releases_by_tag(&summary, arguments.tags.clone()).into());
    }
    let report = Report::new(&memory.facts()?, &memory.kinds);
    if arguments.json {
        say(&json!({"read": summary, "project": asked, "releases_are": marker(tags_count), "unreadable": memory.unreadable, "report": report}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&heading(&summary, &asked))?;
    for (reason, count) in &memory.unreadable {
        complain(&format!("{count} deliveries could not be read: {reason}"));
    }
    if report.releases.is_empty() {
        say(&nothing_released(&summary, arguments.tags.as_deref()))?;
    }
    say(&show::text(&report, arguments.releases))?;
    say(&next(&summary.repository, tags_count))?;
    Ok(ExitCode::SUCCESS)
}

/// What was read, and an empty line.
fn heading(summary: &git::Summary, asked: &Asked) -> String {
    match asked {
        Asked::Nowhere => format!("{summary}\n"),
        _ => format!("{summary}\n{asked}\n"),
    }
}

/// Whether something better than tags tells of releases to production.
fn reaches_production(memory: &mut Memory) -> anyhow::Result<bool> {
    let reached = |fact: &Fact| matches!(fact, Fact::Release(release) if release.production_at.is_some());
    Ok(memory.kinds.contains_key("Deployment") && memory.facts()?.iter().any(reached))
}

fn options(arguments: &Try, named: Option<&Project>) -> anyhow::Result<git::Options> {
    let tags = arguments.tags.as_deref().map(|pattern| {
        Glob::new(pattern)
            .map(|glob| glob.compile_matcher())
            .with_context(|| format!("--tags `{pattern}` is no pattern"))
    });
    Ok(git::Options {
        from: arguments.from.clone(),
        // Both must speak of one repository.
        repository: arguments.repository.as_deref().map(Repository::from_url).or(named.map(Project::repository)),
        branch: arguments.branch.clone(),
        tags: tags.transpose()?,
        since: None,
        token: std::env::var(git::TOKEN).ok().map(SecretString::from),
    })
}

/// Reads the repository into memory.
async fn read(options: git::Options, memory: &mut Memory, line: &Arc<Mutex<Line>>) -> anyhow::Result<git::Summary> {
    let (deliveries, mut read) = mpsc::channel::<Delivery>(AHEAD);
    let told = Arc::clone(line);
    let show = move |progress: Progress| {
        let mut line = told.lock().unwrap_or_else(PoisonError::into_inner);
        if line.is_due() {
            line.show(&words(&progress));
        }
    };
    let sink = Sink { deliveries, progress: Arc::new(show) };
    let reading = tokio::task::spawn_blocking(move || git::read(&options, &sink));
    while let Some(delivery) = read.recv().await {
        memory.take(delivery);
    }
    let summary = reading.await??;
    line.lock().unwrap_or_else(PoisonError::into_inner).clear();
    Ok(summary)
}

/// `commits: 1200 of 4640`.
fn words(progress: &Progress) -> String {
    let Progress { stage, done, total } = progress;
    total.map_or_else(|| format!("{stage}: {done}"), |total| format!("{stage}: {done} of {total}"))
}

/// The catalog under which every tag is a release to production.
fn releases_by_tag(summary: &git::Summary, pattern: Option<String>) -> Catalog {
    let marker = Marker { kind: MarkerKind::Tag, name: pattern, environment: Some(Environment::new(PRODUCTION)) };
    let name = summary.repository.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let component = CatalogComponent {
        component: Component::new(name),
        team: None,
        repository: Some(summary.repository.clone()),
        paths: Vec::new(),
        excluded_paths: Vec::new(),
        services: Vec::new(),
        markers: vec![marker],
        partial_counts: false,
        attribution_window: None,
        // Nothing came before the first tag of a history that is whole.
        baseline_none: summary.whole,
        calendar: None,
    };
    Catalog { revision: 1, components: vec![component], ..Catalog::default() }
}

fn marker(tags_count: bool) -> &'static str {
    if tags_count { "tags" } else { "deployments" }
}

fn nothing_released(summary: &git::Summary, pattern: Option<&str>) -> String {
    match pattern {
        Some(pattern) => format!("None of the tags is like `{pattern}`, so nothing is known to be released."),
        None if summary.tags > 0 => {
            "None of the tags leads to a commit, so nothing is known to be released.".to_owned()
        }
        None => "There are no tags, so nothing is known to be released. What deploys it can tell: connect it as below."
            .to_owned(),
    }
}

/// What to do next.
fn next(repository: &Repository, tags_count: bool) -> String {
    let taken = if tags_count {
        "Each tag was taken for a release to production (`--tags 'v*'` takes some of them). What was not told\n\
         is `unaccounted`.\n\n"
    } else {
        ""
    };
    let host = repository.as_str().split('/').next().unwrap_or_default();
    let provider = ["github", "gitlab"].into_iter().find(|provider| host.contains(provider)).unwrap_or("generic");
    format!(
        "{taken}To see more: `throughline sources` lists who can tell it, `throughline sources {provider}` how to connect it."
    )
}
