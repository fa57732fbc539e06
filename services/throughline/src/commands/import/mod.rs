//! `throughline import`: events from files of JSON lines into the inbox.
//!
//! One thread reads, as many as there are processors check, and thousands of records are on their way to Kafka at once.

mod lines;
mod progress;

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use ingestor::providers::import::check_line;
use ingestor::receive::Inbox;
use model::inbox::InboxRecord;
use model::{Realm, Source};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};

use self::lines::{Chunk, Line};
use self::progress::{Progress, Summary};
use super::{block_on, complain, inbox, say};
use crate::cli::Import;
use crate::config::{Config, sections};

/// Chunks read ahead of the checks.
const READ_AHEAD: usize = 4;
/// Records on their way at once.
const IN_FLIGHT: usize = 8192;
/// Bytes on their way at once: half of what the producer holds, so that it never refuses one.
const BYTES_IN_FLIGHT: usize = 64 * 1024 * 1024;

/// A chunk of lines after the check.
struct Checked {
    good: Vec<InboxRecord>,
    /// `file:line: why`.
    bad: Vec<String>,
    blank: u64,
}

pub fn run(file: Option<&Path>, arguments: Import) -> anyhow::Result<ExitCode> {
    let config = Config::load(file, sections::KAFKA)?;
    config.log.start()?;
    let configured = config.receive.sources.get(&arguments.source).map(|source| source.realm.clone());
    let realm = arguments.realm.clone().or(configured).unwrap_or_else(|| "default".to_owned());
    let (source, realm) = (Source::new(&*arguments.source), Realm::new(realm));
    let summary = block_on(async {
        let inbox = inbox::open(&config.kafka).await?;
        import(&arguments, source, realm, inbox).await
    })?;
    say(&if arguments.json { serde_json::to_string(&summary)? } else { summary.to_string() })?;
    Ok(if summary.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import(arguments: &Import, source: Source, realm: Realm, inbox: Inbox) -> anyhow::Result<Summary> {
    let (sender, mut chunks) = mpsc::channel(READ_AHEAD);
    let files = arguments.files.clone();
    let reader = tokio::task::spawn_blocking(move || lines::read(&files, &sender));
    let mut progress = Progress::new(!arguments.json);
    let mut sending = Sending::new(inbox);
    let mut checking: VecDeque<JoinHandle<Checked>> = VecDeque::new();
    let checkers = thread::available_parallelism().map_or(1, usize::from);
    // First in, first out: what is wrong is told in the order of the lines.
    while let Some(chunk) = chunks.recv().await {
        let (source, realm) = (source.clone(), realm.clone());
        checking.push_back(tokio::task::spawn_blocking(move || check(chunk, &source, &realm)));
        if checking.len() >= checkers
            && let Some(checked) = checking.pop_front()
        {
            sending.send(checked.await?, &mut progress).await?;
        }
    }
    for checked in checking {
        sending.send(checked.await?, &mut progress).await?;
    }
    sending.finish(&mut progress).await?;
    reader.await??;
    Ok(progress.finish(arguments.files.len()))
}

fn check(chunk: Chunk, source: &Source, realm: &Realm) -> Checked {
    let mut checked = Checked { good: Vec::with_capacity(chunk.lines.len()), bad: Vec::new(), blank: 0 };
    for (number, line) in (chunk.first..).zip(chunk.lines) {
        let why = match line {
            Line::Blank => {
                checked.blank += 1;
                continue;
            }
            Line::TooLong => format!("longer than {} bytes", lines::LONGEST),
            Line::Text(text) => match check_line(&text) {
                Ok(()) => {
                    checked.good.push(inbox::line(source, realm, text));
                    continue;
                }
                Err(error) => format!("{:#}", anyhow::Error::new(error)),
            },
        };
        checked.bad.push(format!("{}:{number}: {why}", chunk.file));
    }
    checked
}

/// Records on their way.
struct Sending {
    inbox: Inbox,
    slots: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Sending {
    fn new(inbox: Inbox) -> Self {
        let (slots, bytes) = (Semaphore::new(IN_FLIGHT), Semaphore::new(BYTES_IN_FLIGHT));
        Self { inbox, slots: Arc::new(slots), bytes: Arc::new(bytes), tasks: JoinSet::new() }
    }

    /// Tells what is wrong and sends what is right, as soon as there is room.
    async fn send(&mut self, checked: Checked, progress: &mut Progress) -> anyhow::Result<()> {
        progress.clear();
        checked.bad.iter().for_each(|bad| complain(bad));
        progress.read(checked.good.len(), checked.bad.len(), checked.blank);
        for record in checked.good {
            let size = u32::try_from(record.body.0.len().clamp(1, BYTES_IN_FLIGHT)).unwrap_or(u32::MAX);
            let slot = Arc::clone(&self.slots).acquire_owned().await.context("import was stopped")?;
            let room = Arc::clone(&self.bytes).acquire_many_owned(size).await.context("import was stopped")?;
            let inbox = self.inbox.clone();
            self.tasks.spawn(async move {
                let sent = inbox::put(&inbox, record).await;
                drop((slot, room));
                sent
            });
            while let Some(sent) = self.tasks.try_join_next() {
                sent??;
                progress.sent();
            }
        }
        progress.show();
        Ok(())
    }

    async fn finish(&mut self, progress: &mut Progress) -> anyhow::Result<()> {
        while let Some(sent) = self.tasks.join_next().await {
            sent??;
            progress.sent();
        }
        Ok(())
    }
}
