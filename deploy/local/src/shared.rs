use std::fs::{File, TryLockError};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::cache::{self, Cache};
use crate::error::{Error, tail};
use crate::programs::Helpers;
use crate::server::open_log;
use crate::stack::{ALIVE, Addresses, Stack, is_held};
use crate::{clickhouse, kafka};

const POLL: Duration = Duration::from_millis(100);

/// How long another process may take to start or stop the stack: both servers stop one after the other.
const PATIENCE: Duration = Duration::from_secs(90);

/// In the folder of the shared stack: what is known of it once it is ready. Its owner holds an exclusive lock on it, which
/// ends with the owner: servers that still answer for a moment after a crash of theirs are told from those that stay.
const STATE: &str = "state.json";
/// The same: its existence asks the owner to stop.
const STOP: &str = "stop";

/// One stack for all processes of this user and cache, which goes on after the process that started it. Its data outlive
/// [`SharedStack::down`] and go with [`SharedStack::reset`].
#[derive(Clone, Debug)]
pub struct SharedStack {
    addresses: Addresses,
    folder: PathBuf,
}

/// What [`SharedStack::status`] found.
#[derive(Clone, Debug)]
pub enum Status {
    /// Both servers answer.
    Up(SharedStack),
    /// Its processes are there, but a server does not answer, or not yet.
    Unready,
    /// No process.
    Down,
}

/// The content of [`STATE`].
#[derive(Serialize, Deserialize)]
struct State {
    /// [`cache::version`] of the owner.
    version: String,
    addresses: Addresses,
}

/// What the owner tells the process that started it, each in a line of JSON on its standard output.
#[derive(Serialize, Deserialize)]
pub(crate) enum Report {
    Progress(String),
    Ready,
    Failed(String),
}

impl SharedStack {
    /// The shared stack: the one that runs, if it is healthy and of these versions, else a new one on the data that are there.
    /// Processes that call this at the same time get the same one.
    ///
    /// # Errors
    /// As [`Stack::start`], or an unhealthy one does not stop.
    pub fn ensure(progress: &dyn Fn(&str)) -> Result<SharedStack, Error> {
        let place = Place::open()?;
        let _guard = place.lock(progress)?;
        place.wait_for_starter();
        if let Some(stack) = place.healthy(Some(&cache::version())) {
            return Ok(stack);
        }
        place.stop()?;
        place.start(progress)
    }

    /// Stops the shared stack in good order and keeps its data. `false`: there was none.
    ///
    /// # Errors
    /// It does not stop, or the cache cannot be used.
    pub fn down() -> Result<bool, Error> {
        let place = Place::open()?;
        let _guard = place.lock(&|_| ())?;
        place.stop()
    }

    /// As [`SharedStack::down`], and deletes the data.
    ///
    /// # Errors
    /// As [`SharedStack::down`].
    pub fn reset() -> Result<bool, Error> {
        let place = Place::open()?;
        let _guard = place.lock(&|_| ())?;
        let was_up = place.stop()?;
        cache::remove(&place.folder)?;
        Ok(was_up)
    }

    /// How the shared stack is; starts and stops nothing and waits for nobody.
    ///
    /// # Errors
    /// The cache cannot be used.
    pub fn status() -> Result<Status, Error> {
        let place = Place::open()?;
        Ok(match place.healthy(None) {
            Some(stack) => Status::Up(stack),
            None if is_held(&place.folder) => Status::Unready,
            None => Status::Down,
        })
    }

    /// Where the servers listen.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The folder of the stack: the data of both servers and the logs `kafka.log`, `clickhouse.log` and `keeper.log`.
    pub fn data_dir(&self) -> &Path {
        &self.folder
    }
}

/// Where the shared stack lives.
struct Place {
    folder: PathBuf,
    lock: PathBuf,
}

impl Place {
    fn open() -> Result<Place, Error> {
        let run = Cache::open()?.run();
        Ok(Place { folder: run.join("shared"), lock: run.join("shared.lock") })
    }

    /// One process at a time starts or stops the stack.
    fn lock(&self, progress: &dyn Fn(&str)) -> Result<File, Error> {
        let file = File::create(&self.lock).map_err(Error::file("create", &self.lock))?;
        if file.try_lock().is_err() {
            progress("waiting for another process that starts or stops the shared stack ...");
            file.lock().map_err(Error::file("lock", &self.lock))?;
        }
        Ok(file)
    }

    /// Where the process that started the owner was killed, the owner goes on: what it starts is as good as any.
    fn wait_for_starter(&self) {
        let started = Instant::now();
        while is_held(&self.folder) && !self.folder.join(STATE).exists() && started.elapsed() < PATIENCE {
            std::thread::sleep(POLL);
        }
    }

    /// The stack that runs, if its servers answer and are of this version.
    fn healthy(&self, version: Option<&str>) -> Option<SharedStack> {
        let file = File::open(self.folder.join(STATE)).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None; // its owner is dead
        }
        let state: State = serde_json::from_reader(BufReader::new(file)).ok()?;
        let stack = SharedStack { addresses: state.addresses, folder: self.folder.clone() };
        let is_wanted = version.is_none_or(|version| version == state.version);
        (is_wanted && stack.answers()).then_some(stack)
    }

    /// Stops the owner and waits until it and its servers are gone. `false`: nobody was there.
    fn stop(&self) -> Result<bool, Error> {
        let was_up = is_held(&self.folder);
        if was_up {
            cache::write(&self.folder.join(STOP), "")?;
            let started = Instant::now();
            while is_held(&self.folder) {
                if started.elapsed() > PATIENCE {
                    let alive = self.folder.join(ALIVE);
                    return Err(Error::SharedStop { seconds: PATIENCE.as_secs(), alive });
                }
                std::thread::sleep(POLL);
            }
        }
        for name in [STATE, STOP] {
            let path = self.folder.join(name);
            if path.exists() {
                std::fs::remove_file(&path).map_err(Error::file("delete", &path))?;
            }
        }
        Ok(was_up)
    }

    /// Starts the owner and waits until the servers are ready. The caller has made sure that there is none.
    fn start(&self, progress: &dyn Fn(&str)) -> Result<SharedStack, Error> {
        std::fs::create_dir_all(&self.folder).map_err(Error::file("create", &self.folder))?;
        let log = self.folder.join("keeper.log");
        let keeper = Helpers::find_or_build()?.keeper;
        let mut owner = Command::new(&keeper)
            .arg("serve")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(open_log(&log)?)
            .spawn()
            .map_err(Error::file("run", &keeper))?;
        let lines = owner.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines());
        for line in lines.map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(Report::Progress(text)) => progress(&text),
                Ok(Report::Ready) => break,
                Ok(Report::Failed(text)) => return Err(Error::SharedStart(text)),
                // Not from us; what the owner says about it is in its log.
                Err(_) => {}
            }
        }
        self.healthy(None).ok_or_else(|| Error::Server {
            server: "stack-keeper",
            problem: "ended without a word".to_owned(),
            tail: tail(&std::fs::read_to_string(&log).unwrap_or_default(), 15),
            log,
        })
    }
}

impl SharedStack {
    fn answers(&self) -> bool {
        let port = |address: &str| address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port(&self.addresses.kafka).is_some_and(|port| kafka::is_ready(&self.folder, port))
            && port(&self.addresses.clickhouse).is_some_and(|port| clickhouse::is_ready(&self.folder, port))
    }
}

/// Owns the shared stack until the file [`STOP`] appears or a server ends.
pub(crate) fn own(folder: &Path, progress: &dyn Fn(&str), ready: &dyn Fn()) -> Result<(), Error> {
    let mut stack = Stack::start_in(folder, progress)?;
    let state = State { version: cache::version(), addresses: stack.addresses().clone() };
    let text = serde_json::to_string_pretty(&state).unwrap_or_default();
    // By renaming: whoever reads it finds it whole and locked.
    let (partial, whole) = (folder.join("state.partial"), folder.join(STATE));
    cache::write(&partial, &text)?;
    let locked = File::open(&partial).map_err(Error::file("open", &partial))?;
    locked.lock().map_err(Error::file("lock", &partial))?;
    std::fs::rename(&partial, &whole).map_err(Error::file("rename", &partial))?;
    ready();
    while !folder.join(STOP).exists() && stack.is_running() {
        std::thread::sleep(POLL);
    }
    stack.stop();
    Ok(())
}
