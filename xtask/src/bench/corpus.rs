//! The records that a benchmark of the codec runs over: what the adapters make of real deliveries, and the real deployments and
//! commits of GOV.UK, from `$THROUGHLINE_TEST_DATA`; without it, made-up ones.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use ingestor::normalise::{Outcome, adapters, normalise};
use ingestor::people::People;
use model::event::{
    ActorKind, Body, CommitInfo, Commits, Deployment, DeploymentAction, Event, Outcome as Ending, Phase,
};
use model::inbox::InboxRecord;
use model::{CommitId, DeploymentId, Environment, Repository, Timestamp};
use serde_json::json;

use crate::report::Report;

/// So many of a group are enough to be more than the caches hold, and quick to go over.
const MOST: usize = 20_000;

/// Records of one kind of source; the envelope is that of `ci.events`.
struct Group {
    name: &'static str,
    events: Vec<Event<Body>>,
}

/// Writes one line of JSON for each record, `{"group": …, "event": …}`, and returns how many there are.
///
/// # Errors
/// Where the data cannot be read or the file cannot be written.
pub fn write(file: &Path, report: &Report) -> anyhow::Result<usize> {
    let groups = match std::env::var_os("THROUGHLINE_TEST_DATA").filter(|root| !root.is_empty()) {
        Some(root) => real(Path::new(&root), report)?,
        None => {
            report.loud(
                "THROUGHLINE_TEST_DATA is not set: the records are MADE UP, the figures say little about real ones",
            );
            vec![Group { name: "made up", events: (0..MOST).map(made_up).collect() }]
        }
    };
    let mut out = BufWriter::new(File::create(file).with_context(|| format!("cannot write {}", file.display()))?);
    let mut count = 0;
    for group in groups {
        let step = group.events.len().div_ceil(MOST).max(1);
        for event in group.events.iter().step_by(step) {
            writeln!(out, "{}", json!({"group": group.name, "event": event}))?;
            count += 1;
        }
    }
    out.flush()?;
    Ok(count)
}

fn real(root: &Path, report: &Report) -> anyhow::Result<Vec<Group>> {
    let history = root.join("histories/govuk");
    let groups = [
        Group { name: "GitHub deliveries", events: github(&root.join("github"))? },
        Group { name: "GOV.UK deployments", events: deployments(&history.join("deploy-events.csv.gz"))? },
        Group { name: "GOV.UK commits", events: commits(&history.join("whitehall/commit-lead-times.csv.gz"))? },
    ];
    for group in &groups {
        report.progress(format!("      {}: {} records", group.name, group.events.len()));
        if group.events.is_empty() {
            bail!("no record of `{}` under {}", group.name, root.display());
        }
    }
    Ok(groups.into())
}

/// What the adapter makes of every delivery in a folder that is named after its kind; those of `ci.events`.
fn github(folder: &Path) -> anyhow::Result<Vec<Event<Body>>> {
    let (adapters, people) = (adapters(), People::new(b"benchmark"));
    let mut events = Vec::new();
    for (number, path) in bodies(folder)?.into_iter().enumerate() {
        let kind = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let delivery = InboxRecord {
            source: "github".into(),
            realm: "default".into(),
            provider: "github".to_owned(),
            delivery: format!("00000000-0000-4000-8000-{number:012}"),
            event: kind,
            content_type: Some("application/json".to_owned()),
            headers: Default::default(),
            received_at: Timestamp(1_700_000_000_000),
            body: std::fs::read(&path)?.into(),
        };
        if let Outcome::Events(read) = normalise(&delivery, &adapters, &people) {
            events.extend(read.into_iter().filter(|event| matches!(event.body, Body::Ci(_))));
        }
    }
    Ok(events)
}

fn bodies(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            found.extend(bodies(&path)?);
        } else if name.ends_with(".json") && !name.ends_with(".headers.json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Columns: seq, effective_time, effective_unix, env, app, change, old_tag, new_tag, old_auto, new_auto, old_promote, new_promote,
/// requested_time, requested_unix, actor, main_commit, branch_commit, pr.
fn deployments(file: &Path) -> anyhow::Result<Vec<Event<Body>>> {
    rows(file)?
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let [number, _, at, environment, app, _, _, tag, _, _, _, _, _, requested, actor, ..] = row.as_slice()
            else {
                bail!("{}: line {} has too few columns", file.display(), index + 2);
            };
            let at = Timestamp::from_seconds(at.parse()?);
            let mut deployment = Deployment::new(
                DeploymentId::new(format!("github.com/alphagov/{app}/deployments/{number}")),
                Environment::from(environment.as_str()),
                DeploymentAction::Deploy,
                Phase::Finished,
            );
            deployment.repository = Some(Repository::new(format!("github.com/alphagov/{app}")));
            deployment.service = Some(app.clone());
            deployment.production = Some(environment == "production");
            deployment.outcome = Some(Ending::Success);
            deployment.version = Some(tag.clone());
            deployment.commit = CommitId::given(tag.strip_prefix("release-").unwrap_or(tag)).filter(CommitId::is_full);
            deployment.triggered_by.kind = if actor == "ci" { ActorKind::Machine } else { ActorKind::Human };
            deployment.created_at = requested.parse().ok().map(Timestamp::from_seconds);
            deployment.finished_at = Some(at);
            Ok(event(index, at, deployment))
        })
        .collect()
}

/// Columns: commit_sha, parents, author_time, author_unix, commit_time, commit_unix, author_hash, …; one record for ten commits, as
/// a push has them.
fn commits(file: &Path) -> anyhow::Result<Vec<Event<Body>>> {
    let mut known = Vec::new();
    for row in rows(file)? {
        let [id, parents, _, authored, _, committed, author, ..] = row.as_slice() else {
            bail!("{}: `{}` has too few columns", file.display(), row.join(","));
        };
        let mut commit = CommitInfo::new(CommitId::new(id.as_str()));
        commit.parents = Some(parents.split_whitespace().map(CommitId::from).collect());
        commit.authored_at = Some(Timestamp::from_seconds(authored.parse()?));
        commit.committed_at = Some(Timestamp::from_seconds(committed.parse()?));
        commit.author.key = Some(author.clone());
        commit.author.kind = ActorKind::Human;
        known.push(commit);
    }
    let batches = known.chunks(10).enumerate().map(|(index, commits)| {
        let at = commits.iter().filter_map(|commit| commit.committed_at).max().unwrap_or_default();
        event(index, at, Commits { repository: "github.com/alphagov/whitehall".into(), commits: commits.to_vec() })
    });
    Ok(batches.collect())
}

/// The rows of a compressed table without its head line; no field of these tables holds a comma.
fn rows(file: &Path) -> anyhow::Result<Vec<Vec<String>>> {
    let output = Command::new("gzip").arg("-dc").arg(file).output().context("cannot run gzip")?;
    if !output.status.success() {
        bail!("cannot read {}: {}", file.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout).with_context(|| format!("{} is no text", file.display()))?;
    Ok(text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect())
}

fn made_up(index: usize) -> Event<Body> {
    let at = Timestamp(1_700_000_000_000 + index as i64 * 61_000);
    let id =
        CommitId::new(format!("{:040x}", (index as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834)));
    if index.is_multiple_of(2) {
        let mut commit = CommitInfo::new(id.clone());
        commit.parents = Some(vec![id]);
        commit.authored_at = Some(at);
        return event(index, at, Commits { repository: "github.com/acme/shop".into(), commits: vec![commit; 5] });
    }
    let id_of = DeploymentId::new(format!("github.com/acme/shop/deployments/{index}"));
    let mut deployment = Deployment::new(id_of, "production".into(), DeploymentAction::Deploy, Phase::Finished);
    deployment.repository = Some("github.com/acme/shop".into());
    deployment.commit = Some(id);
    deployment.finished_at = Some(at);
    event(index, at, deployment)
}

fn event(index: usize, at: Timestamp, body: impl Into<Body>) -> Event<Body> {
    Event {
        realm: "default".into(),
        source: "history".into(),
        provider: "import".to_owned(),
        delivery: format!("{index:064x}"),
        index: 0,
        adapter: 1,
        occurred_at: at,
        received_at: at,
        link: None,
        body: body.into(),
    }
}
