//! What the provider of a repository tells by its API: changes, builds, deployments and approvals, which git knows nothing of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use backfill::http::Client;
use backfill::{Delivery, Progress, Sink, github, gitlab};
use ingestor::secret::Secret;
use model::{Millis, Repository, Timestamp};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::interval;

use super::memory::Memory;
use super::{AHEAD, words};
use crate::cli::Try;
use crate::commands::now;
use crate::commands::progress::Line;

/// What is read without being asked for: so long before the newest tag.
const PERIOD: Millis = Millis(90 * 86_400_000);
/// Nobody who tries something waits longer than this for a limit or an outage.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A project at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Project {
    GitHub(github::Address),
    GitLab(gitlab::Address),
}

/// What came of asking the provider.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Asked {
    /// The repository is at no provider whose history is read here.
    Nowhere,
    /// There is nothing to ask with.
    NoToken {
        project: String,
        /// Where a token is looked for.
        variable: &'static str,
    },
    Read(Read),
    /// It went no further; what was read till then counts.
    Failed {
        #[serde(flatten)]
        read: Read,
        error: String,
    },
}

/// What was read of a project.
#[derive(Debug, Serialize)]
pub struct Read {
    pub project: String,
    pub since: Timestamp,
    /// How many objects there are of each kind of the API: `workflow_run`, `merge_request`.
    pub objects: BTreeMap<String, u64>,
    pub requests: u64,
}

impl Project {
    /// The project that is named, if one is.
    pub fn named(arguments: &Try) -> anyhow::Result<Option<Self>> {
        Ok(match (&arguments.github, &arguments.gitlab) {
            (Some(github), _) => Some(Self::GitHub(github::Address::parse(github)?)),
            (None, Some(gitlab)) => Some(Self::GitLab(gitlab::Address::parse(gitlab)?)),
            (None, None) => None,
        })
    }

    /// The project of a repository, by where it is. A token goes nowhere else unasked: whoever wrote the repository may have named
    /// any host.
    pub fn of(repository: &Repository) -> Option<Self> {
        let at = format!("https://{}", repository.as_str());
        match repository.as_str().split('/').next() {
            Some("github.com") => github::Address::parse(&at).ok().map(Self::GitHub),
            Some("gitlab.com") => gitlab::Address::parse(&at).ok().map(Self::GitLab),
            _ => None,
        }
    }

    /// Its repository, as other sources name it.
    pub fn repository(&self) -> Repository {
        match self {
            Self::GitHub(github::Address { host, owner, name, .. }) => {
                Repository::from_url(&format!("https://{host}/{owner}/{name}"))
            }
            Self::GitLab(gitlab::Address { host, project, .. }) => {
                Repository::from_url(&format!("https://{host}/{project}"))
            }
        }
    }

    /// Where its token is looked for unless another place is named.
    const fn variable(&self) -> &'static str {
        match self {
            Self::GitHub(_) => "GITHUB_TOKEN",
            Self::GitLab(_) => "GITLAB_TOKEN",
        }
    }

    /// The token in its usual place, if there is one.
    fn usual_token(&self) -> Option<SecretString> {
        Secret::Env(self.variable().to_owned()).resolve().ok()
    }

    fn client(&self, api: Option<&str>, token: SecretString) -> anyhow::Result<Client> {
        Ok(match self {
            Self::GitHub(address) => Client::new(github::api(api.unwrap_or(&address.api), Some(token)))?,
            Self::GitLab(address) => Client::new(gitlab::api(api.unwrap_or(&address.api), Some(token)))?,
        })
    }

    /// Gives everything but tags, which git tells with less asking.
    async fn read(&self, client: &Client, since: Timestamp, sink: Sink) -> anyhow::Result<()> {
        match self {
            Self::GitHub(github::Address { owner, name, .. }) => {
                let parts: BTreeSet<_> = github::Part::ALL.into_iter().filter(|p| *p != github::Part::Tags).collect();
                let query = github::Query { owner: owner.clone(), name: name.clone(), since, parts, paths: false };
                Ok(github::read(client, &query, &sink).await?)
            }
            Self::GitLab(gitlab::Address { project, .. }) => {
                let parts: BTreeSet<_> = gitlab::Part::ALL.into_iter().filter(|p| *p != gitlab::Part::Tags).collect();
                let query = gitlab::Query { project: project.clone(), since, parts, paths: false };
                Ok(gitlab::read(client, &query, &sink).await?)
            }
        }
    }
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GitHub(github::Address { owner, name, .. }) => write!(f, "{owner}/{name} of GitHub"),
            Self::GitLab(gitlab::Address { project, .. }) => write!(f, "{project} of GitLab"),
        }
    }
}

/// What the provider is asked with: what is named must be there, and a project that is named needs one. None where whatever project
/// turns up may have one in its usual place.
pub fn token(arguments: &Try, project: Option<&Project>) -> anyhow::Result<Option<SecretString>> {
    let named = match (&arguments.token_file, &arguments.token_env) {
        (Some(file), _) => Some(Secret::File(file.clone())),
        (None, Some(name)) => Some(Secret::Env(name.clone())),
        (None, None) => None,
    };
    match (named, project) {
        (Some(secret), _) => Ok(Some(secret.resolve()?)),
        (None, None) => Ok(None),
        (None, Some(project)) => match project.usual_token() {
            None => bail!(
                "{project} is asked with a token: set {}, or name one with --token-env or --token-file",
                project.variable()
            ),
            usual => Ok(usual),
        },
    }
}

/// Reads a project into memory, beside what git has told. Whatever goes wrong, that stays.
pub async fn read(
    project: Option<Project>,
    token: Option<SecretString>,
    arguments: &Try,
    memory: &mut Memory,
    line: &Arc<Mutex<Line>>,
) -> Asked {
    let Some(project) = project else { return Asked::Nowhere };
    let Some(token) = token.or_else(|| project.usual_token()) else {
        return Asked::NoToken { project: project.to_string(), variable: project.variable() };
    };
    let since =
        arguments.since.unwrap_or_else(|| Timestamp(memory.newest_tag.unwrap_or_else(now).min(now()).0 - PERIOD.0));
    let mut read = Read { project: project.to_string(), since, objects: BTreeMap::new(), requests: 0 };
    let ended = match project.client(arguments.api.as_deref(), token) {
        Ok(client) => {
            let ended = take(&project, &client, memory, &mut read, line).await;
            read.requests = client.usage().requests;
            ended
        }
        Err(error) => Err(error),
    };
    line.lock().unwrap_or_else(PoisonError::into_inner).clear();
    match ended {
        Ok(()) => Asked::Read(read),
        Err(error) => Asked::Failed { read, error: format!("{error:#}") },
    }
}

async fn take(
    project: &Project,
    client: &Client,
    memory: &mut Memory,
    read: &mut Read,
    line: &Arc<Mutex<Line>>,
) -> anyhow::Result<()> {
    let (sender, mut deliveries) = mpsc::channel::<Delivery>(AHEAD);
    let stage = Arc::new(Mutex::new(String::new()));
    let (line, told) = (Arc::clone(line), Arc::clone(&stage));
    let progress = move |progress: Progress| {
        progress.stage.clone_into(&mut told.lock().unwrap_or_else(PoisonError::into_inner));
        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.is_due() {
            line.show(&words(&progress));
        }
    };
    let mut seen = BTreeSet::new();
    let mut take = |delivery: Delivery| {
        if let Some((kind, object)) = object(&delivery.id)
            && seen.insert(object.to_owned())
        {
            *read.objects.entry(kind.to_owned()).or_default() += 1;
        }
        memory.take(delivery);
    };
    let sink = Sink { deliveries: sender, progress: Arc::new(progress) };
    let mut reading = pin!(project.read(client, read.since, sink));
    let mut stop = pin!(tokio::signal::ctrl_c());
    let mut look = interval(LOOK_EVERY);
    let ended = loop {
        tokio::select! {
            biased;
            stopped = &mut stop => {
                stopped.context("Ctrl-C cannot be waited for")?;
                bail!("interrupted");
            }
            Some(delivery) = deliveries.recv() => take(delivery),
            _ = look.tick() => if client.usage().waited > LONGEST_WAIT {
                bail!("{}; no longer waited for here", stage.lock().unwrap_or_else(PoisonError::into_inner));
            },
            ended = &mut reading => break ended,
        }
    };
    while let Ok(delivery) = deliveries.try_recv() {
        take(delivery);
    }
    ended
}

/// Kind of the object of a delivery, and what is the same in all deliveries of it: it comes once for each of its states, in
/// `history/<kind>/<id>/<state>`. Of commits, tags and releases the repository stands before the id.
fn object(delivery: &str) -> Option<(&str, &str)> {
    let mut parts = delivery.match_indices('/').map(|(at, _)| at);
    let kind = delivery.get(parts.next()? + 1..parts.next()?)?;
    let end = match kind {
        "commit" | "tag" | "release" => None,
        _ => parts.next(),
    };
    Some((kind, &delivery[..end.unwrap_or(delivery.len())]))
}

/// In a line or two; nothing where there was nobody to ask.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => Ok(()),
            Self::NoToken { project, variable } => write!(
                f,
                "not asked: {project}; with a token in {variable} or by --token-file it tells reviews, builds, deployments and approvals"
            ),
            Self::Read(read) => read.fmt(f),
            Self::Failed { read, error } if read.objects.is_empty() => {
                write!(f, "nothing is known from {}: {error}", read.project)
            }
            Self::Failed { read, error } => write!(f, "{read}, and then no more: {error}"),
        }
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: [(&str, &str); 7] = [
            ("pull_request", "pull requests"),
            ("merge_request", "merge requests"),
            ("pull_request_review", "reviews"),
            ("approval", "approvals"),
            ("workflow_run", "workflow runs"),
            ("pipeline", "pipelines"),
            ("deployment", "deployments"),
        ];
        let day: String = self.since.to_string().chars().take(10).collect();
        let of = |(kind, name): (&str, &str)| self.objects.get(kind).map(|count| format!("{count} {name}"));
        let counts: Vec<String> = SHOWN.into_iter().filter_map(of).collect();
        let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
        write!(f, "{}: {counts} since {day} read by {} requests", self.project, self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_one_however_often_it_is_told() {
        assert_eq!(object("history/deployment/15/running"), Some(("deployment", "history/deployment/15")));
        assert_eq!(object("history/approvals/51"), Some(("approvals", "history/approvals/51")));
        assert_eq!(object("history/commit/1/abc/parents"), Some(("commit", "history/commit/1/abc/parents")));
        assert_eq!(object("something"), None);
    }

    #[test]
    fn a_project_is_known_by_where_its_repository_is() {
        let of = |name: &str| Project::of(&Repository::new(name)).map(|project| project.to_string());
        assert_eq!(of("github.com/acme/shop").as_deref(), Some("acme/shop of GitHub"));
        assert_eq!(of("gitlab.com/acme/backend/shop").as_deref(), Some("acme/backend/shop of GitLab"));
        for elsewhere in
            ["gitlab.example.com/acme/shop", "localhost/shop", "github.com/acme", "github.example.com/acme/shop"]
        {
            assert_eq!(of(elsewhere), None, "{elsewhere}");
        }
    }
}
