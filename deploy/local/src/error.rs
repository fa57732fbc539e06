use std::path::{Path, PathBuf};

/// Why the stack could not be installed, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be used.
    #[error("cannot {action} {}", path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error },

    /// A program that the stack needs is not installed.
    #[error("`{tool}` was not found on the PATH; it is needed {purpose}. Install it: {install}")]
    MissingTool { tool: &'static str, purpose: &'static str, install: &'static str },

    /// A program was started and did not do its work; `output` is the end of what it printed.
    #[error("`{command}` failed ({status}):\n{output}")]
    Tool { command: String, status: std::process::ExitStatus, output: String },

    /// Neither `HOME` nor a variable that names the cache is set.
    #[error("no place for the cache: set THROUGHLINE_CACHE to a folder, or HOME")]
    NoCache,

    /// There is no ClickHouse library for this operating system and processor.
    #[error(
        "ClickHouse is not published as a library for {0}; there is one for Linux with glibc and for macOS, on x86-64 and arm64"
    )]
    Platform(String),

    /// A server ended, or did not answer in time; `tail` is the end of its log.
    #[error("{server} {problem}; the end of its log {}:\n{tail}", log.display())]
    Server { server: &'static str, problem: String, log: PathBuf, tail: String },

    /// The owner of the shared stack could not start it. The text is its whole error.
    #[error("the shared stack did not start: {0}")]
    SharedStart(String),

    /// The shared stack was asked to stop and still runs.
    #[error("the shared stack still runs {seconds} s after it was asked to stop: end the processes that hold {} (`fuser` names them)", alive.display())]
    SharedStop { seconds: u64, alive: PathBuf },
}

impl Error {
    /// For `map_err` on an operation on a file: `.map_err(Error::file("read", path))`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::File { action, path: path.to_owned(), source }
    }

    /// This error and everything below it, in one text.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

/// The last `lines` lines of `text`.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    let mut tail = all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n");
    if tail.is_empty() {
        tail.push_str("(empty)");
    }
    tail
}
