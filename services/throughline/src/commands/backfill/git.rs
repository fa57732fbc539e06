//! `throughline backfill git`: the commits and tags of a repository.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use backfill::Sink;
use backfill::git::{Options, Summary, TOKEN, read};
use ingestor::receive::Inbox;
use model::{Realm, Repository, Source};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::mpsc;

use super::progress::Progress;
use crate::cli::BackfillGit;
use crate::commands::inbox::Sending;
use crate::commands::{block_on, inbox, say};
use crate::config::{Config, sections};

/// Deliveries read ahead of the inbox.
const READ_AHEAD: usize = 64;
/// Source of a repository that no configured one tells of.
const SOURCE: &str = "git";

/// What a backfill came to.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    read: Summary,
    /// Deliveries that Kafka has, each with some commits or one tag.
    deliveries: u64,
    milliseconds: u64,
    /// Lines of a catalog by which the tags count as deployments.
    catalog: String,
}

pub fn run(file: Option<&Path>, arguments: BackfillGit) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let name = arguments.into.source.as_deref().unwrap_or(SOURCE);
    let place = super::named(&config.receive.sources, name, &arguments.into);
    let pattern = arguments.tags.as_ref().map(|glob| glob.glob().to_owned());
    let (json, options) = (arguments.json, options(arguments));
    let started = Instant::now();
    let (read, deliveries) = block_on(async {
        let inbox = inbox::open(&config.kafka).await?;
        backfill(options, inbox, &place).await
    })?;
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let done = Done { catalog: catalog(&read, pattern), read, deliveries, milliseconds };
    say(&if json { serde_json::to_string(&done)? } else { done.to_string() })?;
    Ok(ExitCode::SUCCESS)
}

fn options(arguments: BackfillGit) -> Options {
    Options {
        from: arguments.from,
        repository: arguments.repository.as_deref().map(Repository::from_url),
        branch: arguments.branch,
        tags: arguments.tags.map(|glob| glob.compile_matcher()),
        since: arguments.since,
        token: std::env::var(TOKEN).ok().filter(|token| !token.trim().is_empty()).map(SecretString::from),
    }
}

async fn backfill(options: Options, inbox: Inbox, place: &(Source, Realm)) -> anyhow::Result<(Summary, u64)> {
    let (sender, mut deliveries) = mpsc::channel(READ_AHEAD);
    let progress = Arc::new(Mutex::new(Progress::new()));
    let shown = Arc::clone(&progress);
    let show = move |step| shown.lock().unwrap_or_else(PoisonError::into_inner).show(&step, None);
    let sink = Sink { deliveries: sender, progress: Arc::new(show) };
    let reading = tokio::task::spawn_blocking(move || read(&options, &sink));
    let sent = send(&mut deliveries, inbox, place).await;
    // A reader that nobody takes anything from ends.
    drop(deliveries);
    let read = reading.await?;
    progress.lock().unwrap_or_else(PoisonError::into_inner).finish();
    // Where Kafka failed, the reader only knows that nobody takes anything any more.
    let sent = sent?;
    Ok((read?, sent))
}

async fn send(
    deliveries: &mut mpsc::Receiver<backfill::Delivery>,
    inbox: Inbox,
    (source, realm): &(Source, Realm),
) -> anyhow::Result<u64> {
    let mut sending = Sending::new(inbox);
    let mut sent = 0;
    while let Some(delivery) = deliveries.recv().await {
        sent += sending.send(inbox::delivery(source, realm, delivery)).await?;
    }
    Ok(sent + sending.settle().await?)
}

/// Lines of a catalog by which the tags count as deployments; those that were read by a pattern, only those.
fn catalog(read: &Summary, pattern: Option<String>) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let repository = read.repository.as_str();
    let component = text(repository.split_once('/').map_or(repository, |(_, path)| path));
    let mut lines = format!("[[components]]\ncomponent = {component}\nrepository = {}\n", text(repository));
    if read.whole {
        lines.push_str("baseline_none = true\n");
    }
    match pattern {
        Some(pattern) => lines.push_str(&format!("markers = [{{ kind = \"tag\", name = {} }}]\n", text(&pattern))),
        None => lines.push_str("markers = [{ kind = \"tag\" }]\n"),
    }
    lines
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.read.commits.saturating_mul(1000) / self.milliseconds.max(1);
        write!(f, "{}\n{} deliveries in {} ms ({rate} commits/s)", self.read, self.deliveries, self.milliseconds)?;
        if self.read.tags > 0 {
            write!(f, "\n\nTags count as deployments where the catalog says so:\n\n{}", self.catalog.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use model::event::{Catalog, Marker, MarkerKind};
    use serde::Deserialize;

    use super::*;

    #[test]
    fn the_lines_of_the_catalog_make_deployments_of_the_tags_that_were_read() {
        let repository = Repository::new("github.com/acme/shop");
        let read = Summary { repository: repository.clone(), whole: true, ..Summary::default() };
        let component = |read: &Summary, pattern: Option<&str>| {
            let lines = format!("revision = 1\n{}", catalog(read, pattern.map(str::to_owned)));
            let catalog = Catalog::deserialize(toml::from_str::<toml::Table>(&lines).unwrap()).unwrap();
            catalog.components[0].clone()
        };
        let shop = component(&read, Some("shop-\"*"));
        let name = Some("shop-\"*".to_owned());
        assert_eq!(shop.markers, [Marker { kind: MarkerKind::Tag, name, environment: None }]);
        assert_eq!((shop.component.as_str(), shop.repository), ("acme/shop", Some(repository)));
        assert!(shop.baseline_none);
        let shallow = component(&Summary { whole: false, ..read }, None);
        assert!(!shallow.baseline_none);
        assert_eq!(shallow.markers[0].name, None);
    }
}
