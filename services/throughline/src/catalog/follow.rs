//! A catalog's file that is followed: what changes in it is put into the inbox, as `throughline catalog put` does.
//!
//! Several instances may follow copies of the same file, and each may start again at any time. So what is put depends on nothing but
//! the file and the catalog in force: the same record from each, of the next revision. What is in force already is not put again.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use ingestor::receive::Inbox;
use model::Realm;
use prometheus::Registry;
use stream::KafkaConfig;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use super::newest::{Known, newest};
use super::text::CatalogText;
use crate::commands::inbox;
use crate::config::CatalogConfig;
use crate::lifecycle::Tasks;
use crate::prepare::Gate;

/// Follows the files of the configuration.
///
/// # Errors
/// Where the registry has these metrics already.
pub fn follow(
    config: &CatalogConfig,
    kafka: &KafkaConfig,
    inbox: &Inbox,
    registry: &Registry,
    topics: &Gate,
    shutdown: &CancellationToken,
    tasks: &mut Tasks,
) -> anyhow::Result<()> {
    let files = config.files();
    if files.is_empty() {
        return Ok(());
    }
    let metrics = Metrics::register(registry)?;
    let poll = config.poll();
    let followers = files.into_iter().map(|(realm, file)| Follower {
        realm,
        file,
        kafka: kafka.clone(),
        inbox: inbox.clone(),
        metrics: metrics.clone(),
        seen: None,
        done: None,
    });
    let (followers, topics, shutdown): (Vec<_>, _, _) = (followers.collect(), topics.clone(), shutdown.clone());
    tasks.spawn("catalog", async move {
        if !topics.passed().await {
            return Ok(());
        }
        // Each runs until the shutdown.
        let mut running: JoinSet<()> =
            followers.into_iter().map(|follower| follower.run(poll, shutdown.clone())).collect();
        while let Some(ended) = running.join_next().await {
            ended.context("a catalog's file is followed no more")?;
        }
        Ok(())
    });
    Ok(())
}

/// What a look at the file found: its bytes, or why it cannot be read.
type Look = Result<Vec<u8>, String>;

struct Follower {
    realm: Realm,
    file: PathBuf,
    kafka: KafkaConfig,
    inbox: Inbox,
    metrics: Metrics,
    /// The look before.
    seen: Option<Look>,
    /// What was dealt with last.
    done: Option<Look>,
}

impl Follower {
    async fn run(mut self, poll: Duration, shutdown: CancellationToken) {
        self.metrics.followed(&self.realm, &self.file);
        while shutdown.run_until_cancelled(self.step()).await.is_some() {
            shutdown.run_until_cancelled(tokio::time::sleep(poll)).await;
        }
    }

    /// Looks once. A change counts once two looks in a row have found the same: a file may be looked at while it is written.
    async fn step(&mut self) {
        let look: Look = tokio::fs::read(&self.file).await.map_err(|error| error.to_string());
        let settled = self.seen.as_ref().is_none_or(|seen| *seen == look);
        self.seen = Some(look.clone());
        if !settled || self.done.as_ref() == Some(&look) {
            return;
        }
        match self.deal_with(look.clone()).await {
            Ok(()) => self.done = Some(look),
            Err(away) => self.metrics.away(&self.realm, &away),
        }
    }

    /// Puts it in force, where it can be used and is not in force. The error is what may pass.
    async fn deal_with(&self, look: Look) -> anyhow::Result<()> {
        let name = self.file.display();
        let bytes = look.map_err(|why| anyhow::anyhow!("the catalog {name} cannot be read: {why}"));
        let text = match bytes.and_then(|bytes| CatalogText::read(bytes, &self.file)) {
            Ok(text) => text,
            Err(why) => {
                self.metrics.wrong(&self.realm, &why);
                return Ok(());
            }
        };
        let (kafka, realm) = (self.kafka.clone(), self.realm.clone());
        let known = tokio::task::spawn_blocking(move || newest(&kafka, &realm)).await??;
        match next(&text, known.as_ref()) {
            Ok(Next::InForce(revision)) => self.metrics.unchanged(&self.realm, revision),
            Ok(Next::Put(revision)) => {
                inbox::put(&self.inbox, text.record(&self.realm, revision)).await?;
                self.metrics.put(&self.realm, revision);
            }
            Err(why) => {
                self.metrics.wrong(&self.realm, &why.context(format!("the catalog {name} cannot be put in force")));
            }
        }
        Ok(())
    }
}

/// What is to be done with a catalog.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Nothing: it is in force as that revision.
    InForce(i64),
    /// It is put as that revision.
    Put(i64),
}

/// It gets the next revision, where it names none; one that it names must be higher than that in force.
fn next(text: &CatalogText, known: Option<&Known>) -> anyhow::Result<Next> {
    let Some(known) = known else { return Ok(Next::Put(text.revision.unwrap_or(1))) };
    let in_force = known.catalog.revision;
    if text.is_like(&known.catalog) {
        return Ok(Next::InForce(in_force));
    }
    match text.revision {
        None => in_force.checked_add(1).map(Next::Put).context("there is no higher revision than that in force"),
        Some(revision) if revision > in_force => Ok(Next::Put(revision)),
        Some(revision) => {
            bail!(
                "its revision {revision} is not above {in_force}, which is in force: raise it, or leave `revision` out"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use model::Timestamp;

    use super::*;

    fn text(text: &str) -> CatalogText {
        CatalogText::read(text.as_bytes().to_vec(), Path::new("catalog.toml")).unwrap()
    }

    fn known(given: &str, revision: i64) -> Known {
        let catalog = model::event::Catalog { revision, ..text(given).catalog };
        Known { catalog, received_at: Timestamp(0) }
    }

    #[test]
    fn what_is_in_force_is_not_put_again_and_what_is_new_gets_the_next_revision() {
        let (shop, tills) = ("teams = [{ team = 'shop' }]", "teams = [{ team = 'tills' }]");
        for (given, in_force, expected) in [
            (shop, None, Next::Put(1)),
            (shop, Some(known(shop, 7)), Next::InForce(7)),
            (tills, Some(known(shop, 7)), Next::Put(8)),
            ("revision = 4", None, Next::Put(4)),
            ("revision = 9", Some(known(shop, 7)), Next::Put(9)),
            // Said again, however it is numbered.
            ("revision = 3", Some(known("", 7)), Next::InForce(7)),
        ] {
            assert_eq!(next(&text(given), in_force.as_ref()).unwrap(), expected, "{given}");
        }
        let error = next(&text("revision = 7"), Some(&known(shop, 7))).unwrap_err().to_string();
        assert!(error.contains("revision 7 is not above 7"), "{error}");
    }
}
