//! One server under its supervisor, as the owner sees it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, tail};

/// How long a server may take to end in good order before it is killed.
pub const STOP_GRACE: Duration = Duration::from_secs(10);

/// How long a server may take to get ready; it takes seconds, but machines of CI are slow.
const START_DEADLINE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(50);

/// How a server is asked to end.
#[derive(Clone, Copy)]
pub(crate) enum StopBy {
    /// `SIGTERM`
    Signal,
    /// Its standard input ends.
    EndOfInput,
}

impl StopBy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            StopBy::Signal => "signal",
            StopBy::EndOfInput => "end-of-input",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<StopBy> {
        [StopBy::Signal, StopBy::EndOfInput].into_iter().find(|way| way.as_str() == text)
    }
}

/// What to start.
pub(crate) struct Launch {
    pub(crate) server: &'static str,
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    /// Where it runs; where the owner does, unless given.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) stop_by: StopBy,
    /// Takes the standard output and error; appended to.
    pub(crate) log: PathBuf,
}

/// Why a server did not get ready.
pub(crate) enum NotReady {
    /// Another program has one of its ports.
    PortTaken(Error),
    Failed(Error),
}

impl From<Error> for NotReady {
    fn from(error: Error) -> NotReady {
        NotReady::Failed(error)
    }
}

impl From<NotReady> for Error {
    fn from(reason: NotReady) -> Error {
        match reason {
            NotReady::PortTaken(error) | NotReady::Failed(error) => error,
        }
    }
}

/// A server that runs. Dropping it kills the server.
pub(crate) struct Server {
    supervisor: Child,
}

impl Server {
    /// Starts a server and waits until `is_ready`.
    pub(crate) fn start(
        keeper: &Path,
        alive: &Path,
        launch: &Launch,
        is_ready: impl Fn() -> bool,
    ) -> Result<Server, NotReady> {
        let log_start = launch.log.metadata().map_or(0, |metadata| metadata.len());
        let failed = |problem: String| {
            let text = read_from(&launch.log, log_start);
            let taken = ["ddress already in use", "BindException", "EADDRINUSE"].iter().any(|sign| text.contains(sign));
            let error =
                Error::Server { server: launch.server, problem, log: launch.log.clone(), tail: tail(&text, 15) };
            if taken { NotReady::PortTaken(error) } else { NotReady::Failed(error) }
        };

        let mut server = Server::spawn(keeper, alive, launch)?;
        let started = Instant::now();
        while !is_ready() {
            if !server.is_running() {
                return Err(failed("ended while it started".to_owned()));
            }
            if started.elapsed() > START_DEADLINE {
                return Err(failed(format!("was not ready after {} s", START_DEADLINE.as_secs())));
            }
            std::thread::sleep(POLL);
        }
        Ok(server)
    }

    fn spawn(keeper: &Path, alive: &Path, launch: &Launch) -> Result<Server, Error> {
        let log = open_log(&launch.log)?;
        let mut supervisor = Command::new(keeper);
        if let Some(folder) = &launch.folder {
            supervisor.current_dir(folder);
        }
        let supervisor = supervisor
            .args(["supervise", launch.stop_by.as_str()])
            .arg(alive)
            .arg(&launch.program)
            .args(&launch.arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(Error::file("open", &launch.log))?)
            .stderr(log)
            .spawn()
            .map_err(Error::file("run", keeper))?;
        Ok(Server { supervisor })
    }

    /// Whether the server has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.supervisor.try_wait(), Ok(None))
    }

    /// Ends the server in good order; it is killed if that takes longer than [`STOP_GRACE`].
    pub(crate) fn stop(mut self) {
        self.end("stop\n");
    }

    /// Ends the server at once, by `SIGKILL`.
    pub(crate) fn kill(mut self) {
        self.end("kill\n");
    }

    /// Stops it in its tracks, by `SIGSTOP`: its connections stay open and nobody answers on them.
    pub(crate) fn pause(&mut self) {
        self.order("pause\n");
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self) {
        self.order("resume\n");
    }

    /// An error says that the server is gone already.
    fn order(&mut self, order: &str) {
        if let Some(orders) = self.supervisor.stdin.as_mut() {
            let _ = orders.write_all(order.as_bytes());
        }
    }

    /// Gives the supervisor an order and waits until the server and it are gone. Errors say that they are gone already.
    fn end(&mut self, order: &str) {
        if let Some(mut orders) = self.supervisor.stdin.take() {
            let _ = orders.write_all(order.as_bytes());
        }
        let _ = self.supervisor.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("kill\n");
    }
}

/// Opens a log for appending.
pub(crate) fn open_log(path: &Path) -> Result<File, Error> {
    File::options().create(true).append(true).open(path).map_err(Error::file("open", path))
}

/// What a log holds from an offset on; what cannot be read is left out, since it only illustrates another error.
fn read_from(path: &Path, offset: u64) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path)
        && file.seek(SeekFrom::Start(offset)).is_ok()
    {
        let _ = file.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
