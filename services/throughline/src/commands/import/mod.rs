//! `throughline import`: events from files of JSON lines into the inbox.
//!
//! One thread reads, as many as there are processors check, and thousands of records are on their way to Kafka at once.

mod lines;
mod progress;

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use ingestor::providers::import::check_line;
use ingestor::receive::Inbox;
use model::inbox::InboxRecord;
use model::{Realm, Source};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::lines::{Chunk, Line};
use self::progress::{Progress, Summary};
use super::sending::Sending;
use super::{block_on, complain, inbox, realm, say};
use crate::cli::Import;
use crate::config::{Config, sections};

/// Chunks read ahead of the checks.
const READ_AHEAD: usize = 4;

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
    let realm = realm(&config, &arguments.source, arguments.realm.as_deref());
    let source = Source::new(&*arguments.source);
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
            send(checked.await?, &mut sending, &mut progress).await?;
        }
    }
    for checked in checking {
        send(checked.await?, &mut sending, &mut progress).await?;
    }
    while let Some(landed) = sending.landed().await {
        landed?;
        progress.sent(1);
    }
    reader.await??;
    Ok(progress.finish(arguments.files.len()))
}

/// Tells what is wrong and sends what is right, as soon as there is room.
async fn send(checked: Checked, sending: &mut Sending, progress: &mut Progress) -> anyhow::Result<()> {
    progress.clear();
    checked.bad.iter().for_each(|bad| complain(bad));
    progress.read(checked.good.len(), checked.bad.len(), checked.blank);
    for record in checked.good {
        progress.sent(sending.send(record).await?);
    }
    progress.show();
    Ok(())
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
