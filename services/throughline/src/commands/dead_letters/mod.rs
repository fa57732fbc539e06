//! `throughline dead-letters`: deliveries that could not be read, and the way back for them.

pub mod letters;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use ingestor::normalise::{Adapters, Outcome, adapters, normalise};
use ingestor::people::People;
use ingestor::receive::Inbox;
use model::inbox::{DeadLetter, InboxRecord, Stage};
use model::{Millis, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use self::letters::{Letter, visit};
use super::table::columns;
use super::{block_on, inbox, now, say};
use crate::cli::{DeadLetters, LetterFilter};
use crate::config::{Config, sections};

/// Key of the hash where none is configured: whether a body can be read does not depend on it.
const KEY: &[u8] = b"dead letters";
/// Letters with their bodies on the way from Kafka and back to it.
const AHEAD: usize = 4;
/// Of a reason in a line.
const LONGEST_REASON: usize = 120;

pub fn run(file: Option<&Path>, command: DeadLetters) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA_AND_PEOPLE)?;
    config.log.start()?;
    let reader = Reader::new(&config)?;
    match command {
        DeadLetters::List { filter, json } => list(&config, &reader, &filter, json),
        DeadLetters::Show { id, body } => show(&config, &reader, &id, body),
        DeadLetters::Replay { ids, all, filter, json } => {
            ensure!(
                all || !ids.is_empty() || filter.is_narrow(),
                "name the letters (`dead-letters list` shows them), a --source, or --all"
            );
            replay(&config, reader, ids, filter, json)
        }
    }
}

/// Tries the adapters of this version on a letter.
struct Reader {
    adapters: Adapters,
    people: People,
}

impl Reader {
    fn new(config: &Config) -> anyhow::Result<Self> {
        let key = config.people.key.as_ref().map_or(KEY, |key| key.expose_secret().as_bytes());
        Ok(Self { adapters: adapters().with(config.receive.generic()?), people: People::new(key) })
    }

    /// Why the letter is still one; none where it would be read now, or ignored.
    fn obstacle(&self, letter: &DeadLetter) -> Option<String> {
        if letter.stage == Stage::Correlate {
            return Some(
                "it was read, and the correlator could not use what was read: `throughline replay --from inbox`"
                    .to_owned(),
            );
        }
        match normalise(&delivery(letter.clone()), &self.adapters, &self.people) {
            Outcome::Dead { reason, .. } => Some(reason),
            Outcome::Events(_) | Outcome::Ignored(_) => None,
        }
    }
}

/// The delivery as it came.
fn delivery(letter: DeadLetter) -> InboxRecord {
    let DeadLetter { source, realm, provider, delivery, event, content_type, headers, received_at, body, .. } = letter;
    InboxRecord { source, realm, provider, delivery, event, content_type, headers, received_at, body }
}

fn list(config: &Config, reader: &Reader, filter: &LetterFilter, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut found = Vec::new();
    visit(&config.kafka, |letter: Letter| {
        if filter.takes(&letter, now()) {
            let obstacle = reader.obstacle(&letter.letter);
            found.push((letter.without_body(), obstacle));
        }
        Ok(())
    })?;
    found.sort_by_key(|(letter, _)| letter.died_at);
    if as_json {
        for (letter, obstacle) in &found {
            say(&json_of(letter, obstacle.as_deref()).to_string())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        say("No dead letters.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["died", "id", "event", "would be read now", "reason"].map(str::to_owned).to_vec()];
    rows.extend(found.iter().map(|(letter, obstacle)| {
        let DeadLetter { event, reason, .. } = &letter.letter;
        let ready = if obstacle.is_none() { "yes" } else { "no" };
        let event = event.clone().unwrap_or_else(|| "–".to_owned());
        vec![seconds(letter.died_at), letter.id(), event, ready.to_owned(), cut(reason)]
    }));
    say(&columns(&rows, |_| false))?;
    let ready = found.iter().filter(|(_, obstacle)| obstacle.is_none()).count();
    if ready > 0 {
        say(&format!("\n{ready} of {} would be read now: `throughline dead-letters replay --all`", found.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(config: &Config, reader: &Reader, id: &str, body: bool) -> anyhow::Result<ExitCode> {
    let mut found = None;
    visit(&config.kafka, |letter: Letter| {
        if letter.id() == id {
            found = Some(letter);
        }
        Ok(())
    })?;
    let Some(found) = found else { bail!("no dead letter `{id}`; `throughline dead-letters list` shows their ids") };
    let text = String::from_utf8_lossy(found.letter.body.as_ref());
    if body {
        say(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let obstacle = reader.obstacle(&found.letter);
    let mut shown = json_of(&found, obstacle.as_deref());
    // JSON is easier to look at as what it is; anything else is a text.
    shown["body"] = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
    say(&serde_json::to_string_pretty(&shown)?)?;
    Ok(ExitCode::SUCCESS)
}

fn replay(
    config: &Config,
    reader: Reader,
    ids: Vec<String>,
    filter: LetterFilter,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let asked = ids.clone();
    let (sender, mut letters) = mpsc::channel(AHEAD);
    let kafka = config.kafka.clone();
    let (replayed, left) = block_on(async {
        let inbox = inbox::open(&config.kafka).await?;
        let reading = tokio::task::spawn_blocking(move || {
            visit(&kafka, |letter: Letter| {
                let named = ids.is_empty() || ids.contains(&letter.id());
                if named && filter.takes(&letter, now()) {
                    let obstacle = reader.obstacle(&letter.letter);
                    sender.blocking_send((letter, obstacle))?;
                }
                Ok(())
            })
        });
        let (mut replayed, mut left) = (Vec::new(), Vec::new());
        while let Some((letter, obstacle)) = letters.recv().await {
            match obstacle {
                Some(reason) => left.push((letter.id(), reason)),
                None => replayed.push(put_back(&inbox, letter).await?),
            }
        }
        reading.await??;
        anyhow::Ok((replayed, left))
    })?;
    let unknown: Vec<&String> =
        asked.iter().filter(|id| !replayed.contains(id) && !left.iter().any(|(of, _)| of == *id)).collect();
    if as_json {
        say(&json!({"replayed": replayed, "still_dead": left, "unknown": unknown}).to_string())?;
    } else {
        say(&format!("{} put back into the inbox, {} still dead", replayed.len(), left.len()))?;
        left.iter().try_for_each(|(id, reason)| say(&format!("  {id}: {}", cut(reason))))?;
        unknown.iter().try_for_each(|id| say(&format!("  {id}: no such dead letter")))?;
    }
    Ok(if left.is_empty() && unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The delivery goes in where it came in, and its letter is done with. A crash in between leaves a letter of a delivery that was
/// read: to replay it once more changes nothing.
async fn put_back(inbox: &Inbox, letter: Letter) -> anyhow::Result<String> {
    let id = letter.id();
    inbox::put(inbox, delivery(letter.letter)).await?;
    inbox.done(&id).await?;
    Ok(id)
}

fn json_of(letter: &Letter, obstacle: Option<&str>) -> Value {
    let DeadLetter { stage, reason, adapter, source, realm, provider, event, received_at, topic, .. } = &letter.letter;
    json!({
        "id": letter.id(), "source": source, "realm": realm, "provider": provider, "event": event, "stage": stage,
        "reason": reason, "adapter": adapter, "topic": topic, "received_at": received_at.to_string(),
        "died_at": letter.died_at.to_string(), "readable_now": obstacle.is_none(), "obstacle": obstacle,
    })
}

fn seconds(at: Timestamp) -> String {
    let text = at.to_string();
    text.split('.').next().unwrap_or(&text).replace('T', " ")
}

fn cut(reason: &str) -> String {
    let line = reason.replace('\n', " ");
    match line.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

impl LetterFilter {
    fn is_narrow(&self) -> bool {
        self.source.is_some()
    }

    fn takes(&self, letter: &Letter, now: Timestamp) -> bool {
        let young = self.since.is_none_or(|since: Millis| now - letter.died_at <= since);
        young && self.source.as_deref().is_none_or(|source| source == letter.letter.source.as_str())
    }
}
