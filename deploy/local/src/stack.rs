use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::cache::{self, Cache};
use crate::error::Error;
use crate::programs::Helpers;
use crate::server::{Launch, NotReady, Server};
use crate::{clickhouse, kafka, ports};

/// How often new ports are tried when another program took one in between.
const PORT_ATTEMPTS: usize = 5;

/// Where the servers listen, on 127.0.0.1 only. They stay the same while a [`Stack`] lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// Kafka's bootstrap server, `127.0.0.1:PORT`, without encryption or authentication.
    pub kafka: String,
    /// ClickHouse over HTTP, `http://127.0.0.1:PORT`, for the users [`crate::ADMIN`], [`crate::MIGRATE`], [`crate::WRITE`]
    /// and [`crate::READ`].
    pub clickhouse: String,
    /// The port of ClickHouse's native protocol.
    pub clickhouse_tcp: u16,
}

/// A Kafka and a ClickHouse that run for this process alone. They end with it, however it ends; dropping the stack kills
/// them and deletes their data.
pub struct Stack {
    folder: PathBuf,
    temporary: bool,
    helpers: Helpers,
    kafka: kafka::Node,
    kafka_ports: [u16; 2],
    kafka_server: Option<Server>,
    clickhouse: clickhouse::Node,
    clickhouse_ports: [u16; 2],
    clickhouse_server: Option<Server>,
    addresses: Addresses,
    /// Says that the folder is in use; see the documentation of the crate.
    _alive: File,
}

impl Stack {
    /// Installs what is missing and starts both servers, at the same time; returns when both are ready for clients: Kafka
    /// lists itself as a broker that is not fenced, ClickHouse answers a query. `progress` gets a line for each step.
    ///
    /// With everything installed this takes about three seconds; the first time the downloads are added.
    ///
    /// # Errors
    /// A tool is missing, a download failed, or a server did not get ready; the error tells what to do or what the log says.
    pub fn start(progress: &dyn Fn(&str)) -> Result<Stack, Error> {
        let cache = Cache::open()?;
        let (folder, alive) = temporary(&cache)?;
        Stack::start_in_held(&cache, folder, alive, true, progress)
    }

    /// As [`Stack::start`], but with the data in `folder` (made if need be), where they stay when the stack is dropped.
    /// A later start in the same folder finds them again, on other ports.
    ///
    /// # Errors
    /// As [`Stack::start`].
    pub fn start_in(folder: &Path, progress: &dyn Fn(&str)) -> Result<Stack, Error> {
        let folder = std::path::absolute(folder).map_err(Error::file("find", folder))?;
        std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let alive = hold(&folder)?;
        Stack::start_in_held(&Cache::open()?, folder, alive, false, progress)
    }

    fn start_in_held(
        cache: &Cache,
        folder: PathBuf,
        alive: File,
        temporary: bool,
        progress: &dyn Fn(&str),
    ) -> Result<Stack, Error> {
        let helpers = Helpers::find_or_build()?;
        let (lines, received) = channel::<String>();
        let (kafka, clickhouse) = std::thread::scope(|scope| {
            let (kafka_lines, clickhouse_lines) = (lines.clone(), lines);
            let kafka = scope.spawn(|| start_kafka(cache, &folder, &helpers, kafka_lines));
            let clickhouse = scope.spawn(|| start_clickhouse(cache, &folder, &helpers, clickhouse_lines));
            // Ends when both threads have dropped their senders.
            received.iter().for_each(|line| progress(&line));
            (join(kafka), join(clickhouse))
        });
        let ((kafka, kafka_ports, kafka_server), (clickhouse, clickhouse_ports, clickhouse_server)) =
            (kafka?, clickhouse?);
        let addresses = Addresses {
            kafka: format!("127.0.0.1:{}", kafka_ports[0]),
            clickhouse: format!("http://127.0.0.1:{}", clickhouse_ports[0]),
            clickhouse_tcp: clickhouse_ports[1],
        };
        Ok(Stack {
            folder,
            temporary,
            helpers,
            kafka,
            kafka_ports,
            kafka_server: Some(kafka_server),
            clickhouse,
            clickhouse_ports,
            clickhouse_server: Some(clickhouse_server),
            addresses,
            _alive: alive,
        })
    }

    /// Where the servers listen.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The folder of the stack: the data of both servers and their logs.
    pub fn data_dir(&self) -> &Path {
        &self.folder
    }

    /// The log of Kafka; a restart appends to it.
    pub fn kafka_log(&self) -> &Path {
        &self.kafka.log
    }

    /// The log of ClickHouse; a restart appends to it.
    pub fn clickhouse_log(&self) -> &Path {
        &self.clickhouse.log
    }

    /// Stops Kafka in good order, about a second; nothing happens if it does not run.
    pub fn stop_kafka(&mut self) {
        self.kafka_server.take().into_iter().for_each(Server::stop);
    }

    /// Kills Kafka by `SIGKILL`, as a crash would; nothing happens if it does not run.
    pub fn kill_kafka(&mut self) {
        self.kafka_server.take().into_iter().for_each(Server::kill);
    }

    /// Stops Kafka in its tracks by `SIGSTOP`, as a machine that hangs would; nothing happens if it does not run.
    pub fn pause_kafka(&mut self) {
        self.kafka_server.iter_mut().for_each(Server::pause);
    }

    /// Lets Kafka go on after a pause.
    pub fn resume_kafka(&mut self) {
        self.kafka_server.iter_mut().for_each(Server::resume);
    }

    /// Starts Kafka again, on the same ports and with the same data; nothing happens if it runs.
    ///
    /// # Errors
    /// Kafka did not get ready, or another program has taken a port.
    pub fn start_kafka(&mut self) -> Result<(), Error> {
        if !self.kafka_server.as_mut().is_some_and(Server::is_running) {
            let [port, controller_port] = self.kafka_ports;
            let launch = self.kafka.launch(port, controller_port)?;
            self.kafka_server = Some(self.restart(&launch, || kafka::is_ready(&self.folder, port))?);
        }
        Ok(())
    }

    /// Stops ClickHouse in good order, well below a second; nothing happens if it does not run.
    pub fn stop_clickhouse(&mut self) {
        self.clickhouse_server.take().into_iter().for_each(Server::stop);
    }

    /// Kills ClickHouse by `SIGKILL`, as a crash would; nothing happens if it does not run.
    pub fn kill_clickhouse(&mut self) {
        self.clickhouse_server.take().into_iter().for_each(Server::kill);
    }

    /// Stops ClickHouse in its tracks by `SIGSTOP`, as a machine that hangs would; nothing happens if it does not run.
    pub fn pause_clickhouse(&mut self) {
        self.clickhouse_server.iter_mut().for_each(Server::pause);
    }

    /// Lets ClickHouse go on after a pause.
    pub fn resume_clickhouse(&mut self) {
        self.clickhouse_server.iter_mut().for_each(Server::resume);
    }

    /// Starts ClickHouse again, on the same ports and with the same data; nothing happens if it runs.
    ///
    /// # Errors
    /// ClickHouse did not get ready, or another program has taken a port.
    pub fn start_clickhouse(&mut self) -> Result<(), Error> {
        if !self.clickhouse_server.as_mut().is_some_and(Server::is_running) {
            let [http_port, tcp_port] = self.clickhouse_ports;
            let launch = self.clickhouse.launch(&self.helpers.chdb_server, http_port, tcp_port)?;
            self.clickhouse_server = Some(self.restart(&launch, || clickhouse::is_ready(&self.folder, http_port))?);
        }
        Ok(())
    }

    /// Whether both servers run and answer.
    pub fn is_healthy(&self) -> bool {
        kafka::is_ready(&self.folder, self.kafka_ports[0])
            && clickhouse::is_ready(&self.folder, self.clickhouse_ports[0])
    }

    /// Whether both servers have been started and not ended by themselves; they may be too busy to answer.
    pub(crate) fn is_running(&mut self) -> bool {
        [&mut self.kafka_server, &mut self.clickhouse_server]
            .into_iter()
            .all(|server| server.as_mut().is_some_and(Server::is_running))
    }

    /// Stops both servers in good order. The data of [`Stack::start`] are deleted, those of [`Stack::start_in`] stay.
    pub fn stop(mut self) {
        self.stop_kafka();
        self.stop_clickhouse();
    }

    fn restart(&self, launch: &Launch, is_ready: impl Fn() -> bool) -> Result<Server, Error> {
        Server::start(&self.helpers.keeper, &self.folder.join(ALIVE), launch, is_ready).map_err(Error::from)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.kill_kafka();
        self.kill_clickhouse();
        if self.temporary {
            // What cannot be deleted now, the next start deletes.
            let _ = cache::remove(&self.folder);
        }
    }
}

/// Everybody who lives in a folder holds a shared lock on this file in it.
pub(crate) const ALIVE: &str = "alive";

/// A new folder to run in, declared in use until the file is dropped. Those of which nobody is alive are deleted first.
pub(crate) fn temporary(cache: &Cache) -> Result<(PathBuf, File), Error> {
    let run = cache.run();
    // Nobody creates a folder while another process looks for those left over.
    let _guard = cache::lock(&run.join("lock"))?;
    remove_left_over(&run)?;
    let folder = tempfile::Builder::new()
        .prefix("stack-")
        .tempdir_in(&run)
        .map_err(Error::file("create a folder in", &run))?
        // Kept on errors, for the logs that they name; the next start deletes it.
        .keep();
    let alive = hold(&folder)?;
    Ok((folder, alive))
}

/// Declares the folder in use until the result is dropped.
fn hold(folder: &Path) -> Result<File, Error> {
    let path = folder.join(ALIVE);
    let file = File::create(&path).map_err(Error::file("create", &path))?;
    file.lock_shared().map_err(Error::file("lock", &path))?;
    Ok(file)
}

/// Whether a process, the owner or a supervisor, holds the folder. Others may see it held while this function runs.
pub(crate) fn is_held(folder: &Path) -> bool {
    File::open(folder.join(ALIVE)).is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

/// Deletes the folders of stacks of which nobody is alive. The caller holds the lock of `run`.
fn remove_left_over(run: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(run).map_err(Error::file("list", run))? {
        let entry = entry.map_err(Error::file("list", run))?;
        if entry.file_name().to_string_lossy().starts_with("stack-") && !is_held(&entry.path()) {
            cache::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// A node, its two ports, and the server that runs.
type Started<Node> = (Node, [u16; 2], Server);

fn start_kafka(
    cache: &Cache,
    folder: &Path,
    helpers: &Helpers,
    lines: Sender<String>,
) -> Result<Started<kafka::Node>, Error> {
    let progress = |line: &str| drop(lines.send(line.to_owned()));
    let node = kafka::Node::prepare(cache, folder, &progress)?;
    let (ports, server) = on_free_ports("Kafka", &progress, |[port, controller_port]| {
        let launch = node.launch(port, controller_port)?;
        Server::start(&helpers.keeper, &folder.join(ALIVE), &launch, || kafka::is_ready(folder, port))
    })?;
    Ok((node, ports, server))
}

fn start_clickhouse(
    cache: &Cache,
    folder: &Path,
    helpers: &Helpers,
    lines: Sender<String>,
) -> Result<Started<clickhouse::Node>, Error> {
    let progress = |line: &str| drop(lines.send(line.to_owned()));
    let node = clickhouse::Node::prepare(cache, folder, &progress)?;
    let (ports, server) = on_free_ports("ClickHouse", &progress, |[http_port, tcp_port]| {
        let launch = node.launch(&helpers.chdb_server, http_port, tcp_port)?;
        Server::start(&helpers.keeper, &folder.join(ALIVE), &launch, || clickhouse::is_ready(folder, http_port))
    })?;
    Ok((node, ports, server))
}

/// Starts a server on free ports, and on others where one was taken in between.
pub(crate) fn on_free_ports<const N: usize>(
    server: &str,
    progress: &dyn Fn(&str),
    start: impl Fn([u16; N]) -> Result<Server, NotReady>,
) -> Result<([u16; N], Server), Error> {
    let mut attempt = 1;
    loop {
        let started = Instant::now();
        let ports = ports::free().map_err(Error::file("listen on", Path::new("127.0.0.1")))?;
        match start(ports) {
            Ok(running) => {
                let seconds = started.elapsed().as_secs_f32();
                let port = ports.first().copied().unwrap_or_default();
                progress(&format!("{server} ready on 127.0.0.1:{port} after {seconds:.1} s"));
                return Ok((ports, running));
            }
            Err(NotReady::PortTaken(_)) if attempt < PORT_ATTEMPTS => attempt += 1,
            Err(reason) => return Err(reason.into()),
        }
    }
}

/// The result of a thread; a panic in it goes on in this one.
fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
