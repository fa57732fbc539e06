//! A whole Throughline on real servers: its roles as processes of their own, with topics and a database to themselves.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use local_stack::Addresses;
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What signs and proves every source of an installation.
pub const SECRET: &str = "a secret of the tests";
/// What people are hashed with in an installation.
pub const PEOPLE_KEY: &str = "a key of the tests";
/// How long a role may take until it is ready: it makes topics and tables and joins its group.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a role may take to drain.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// A role, and so a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Every role in one process.
    All,
    /// Receive and normalise.
    Ingest,
    /// Correlate.
    Correlate,
    /// One more correlator, by the number that names its instance; [`Role::Correlate`] is instance 0.
    CorrelateToo(u8),
    /// Load.
    Load,
}

impl Role {
    const fn command(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ingest => "ingest",
            Self::Correlate | Self::CorrelateToo(_) => "correlate",
            Self::Load => "load",
        }
    }

    /// What tells its process from the others.
    pub(crate) fn name(self) -> String {
        match self {
            Self::CorrelateToo(instance) => format!("correlate-{instance}"),
            _ => self.command().to_owned(),
        }
    }
}

struct Process {
    child: Child,
    admin: SocketAddr,
}

/// A whole Throughline. Dropped, it kills its processes; topics and database stay with the servers.
pub struct Installation {
    binary: PathBuf,
    folder: TempDir,
    addresses: Addresses,
    name: String,
    receive: SocketAddr,
    environment: Vec<(String, String)>,
    processes: BTreeMap<Role, Process>,
    http: Client,
}

impl Installation {
    /// Writes the configuration of an installation called `name` (letters, digits, `_`), unique on these servers.
    ///
    /// `sources` are names and providers; each has [`SECRET`].
    ///
    /// # Errors
    /// Where the file cannot be written or no port is free.
    pub fn new(binary: &Path, addresses: &Addresses, name: &str, sources: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("throughline-").tempdir().context("no temporary folder")?;
        let receive = free_address()?;
        let mut config = format!(
            "[kafka]\nbrokers = {:?}\ntopic_prefix = \"{name}.\"\n[kafka.partitions]\ninbox = 2\nevents = 2\n\
             [receive]\nlisten = \"{receive}\"\n[people]\nkey = {PEOPLE_KEY:?}\n\
             [clickhouse]\nurl = {:?}\ndatabase = \"{name}\"\n[log]\nformat = \"compact\"\n",
            addresses.kafka, addresses.clickhouse,
        );
        for (source, provider) in sources {
            config.push_str(&format!("[sources.{source}]\nprovider = \"{provider}\"\nsecrets = [{SECRET:?}]\n"));
        }
        fs::write(folder.path().join("throughline.toml"), config).context("the configuration cannot be written")?;
        Ok(Self {
            binary: binary.to_owned(),
            folder,
            addresses: addresses.clone(),
            name: name.to_owned(),
            receive,
            environment: Vec::new(),
            processes: BTreeMap::new(),
            http: Client::new(),
        })
    }

    /// Sets a key of the configuration for every process started from now on, such as `THROUGHLINE_CORRELATE__MAX_BATCH_RECORDS`.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.environment.push((key.to_owned(), value.into()));
    }

    /// Name of the installation: its database, and the prefix of its topics without the dot.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a source sends to.
    pub fn hook(&self, source: &str) -> String {
        format!("http://{}/hooks/{source}", self.receive)
    }

    /// Where the admin port of a running role is.
    pub fn admin(&self, role: Role) -> Option<String> {
        self.processes.get(&role).map(|process| format!("http://{}", process.admin))
    }

    /// Process id of a running role.
    pub fn pid(&self, role: Role) -> Option<u32> {
        self.processes.get(&role).map(|process| process.child.id())
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("throughline.toml")
    }

    /// The log of a role.
    pub fn log(&self, role: Role) -> PathBuf {
        self.folder.path().join(format!("{}.log", role.name()))
    }

    /// Keeps the folder with the logs, and says where it is.
    pub fn keep_logs(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.config()).args(arguments).envs(self.environment.iter().cloned());
        command.env_remove("RUST_LOG");
        command
    }

    /// Runs a command to its end, such as `["migrate"]`; its output.
    ///
    /// # Errors
    /// Where it fails, with what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output =
            self.command(arguments).output().with_context(|| format!("{} cannot be run", self.binary.display()))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "throughline {arguments:?} failed: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said)
    }

    /// Starts a role and waits until it is ready.
    ///
    /// # Errors
    /// Where it ends or does not become ready, with the end of its log.
    pub async fn start(&mut self, role: Role) -> Result<()> {
        self.spawn(role)?;
        self.wait_ready(role).await
    }

    /// Starts a role without waiting.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn spawn(&mut self, role: Role) -> Result<()> {
        let admin = free_address()?;
        let log = File::options().create(true).append(true).open(self.log(role))?;
        let mut command = self.command(&[role.command()]);
        if let Role::CorrelateToo(instance) = role {
            command.env("THROUGHLINE_CORRELATE__INSTANCE", instance.to_string());
        }
        let child = command
            .env("THROUGHLINE_ADMIN__LISTEN", admin.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.binary.display()))?;
        self.processes.insert(role, Process { child, admin });
        Ok(())
    }

    /// Waits until a role is ready.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn wait_ready(&mut self, role: Role) -> Result<()> {
        let started = Instant::now();
        loop {
            let log = self.log(role);
            let Some(process) = self.processes.get_mut(&role) else { bail!("{role:?} does not run") };
            if let Some(status) = process.child.try_wait()? {
                bail!("`throughline {}` ended with {status}:\n{}", role.command(), tail(&log));
            }
            let ready = self.http.get(format!("http://{}/readyz", process.admin)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if started.elapsed() > READY_WITHIN {
                bail!("`throughline {}` is not ready after {READY_WITHIN:?}:\n{}", role.command(), tail(&log));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether a role runs and says that it is ready.
    pub async fn is_ready(&self, role: Role) -> bool {
        let Some(admin) = self.admin(role) else { return false };
        let answer = self.http.get(format!("{admin}/readyz")).timeout(Duration::from_secs(1)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Ends a role with SIGKILL: it gets no chance to finish anything.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn kill(&mut self, role: Role) -> Result<()> {
        let Some(mut process) = self.processes.remove(&role) else { bail!("{role:?} does not run") };
        process.child.kill()?;
        process.child.wait()?;
        Ok(())
    }

    /// Stops a role in its tracks with SIGSTOP: it keeps its connections and does nothing.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn pause(&self, role: Role) -> Result<()> {
        self.signal(role, Signal::STOP)
    }

    /// Lets a role go on after [`Self::pause`].
    ///
    /// # Errors
    /// Where it does not run.
    pub fn resume(&self, role: Role) -> Result<()> {
        self.signal(role, Signal::CONT)
    }

    /// Asks a role with SIGTERM to drain and end, and does not wait; [`Self::ended`] tells when it has.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn ask_to_stop(&self, role: Role) -> Result<()> {
        self.signal(role, Signal::TERM)
    }

    fn signal(&self, role: Role, signal: Signal) -> Result<()> {
        let Some(process) = self.processes.get(&role) else { bail!("{role:?} does not run") };
        let pid = Pid::from_child(&process.child);
        kill_process(pid, signal).with_context(|| format!("{role:?} takes no signal"))
    }

    /// How a role that was started has ended by itself, if it has; it can then be started again.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn ended(&mut self, role: Role) -> Result<Option<ExitStatus>> {
        let Some(process) = self.processes.get_mut(&role) else { return Ok(None) };
        let status = process.child.try_wait()?;
        if status.is_some() {
            self.processes.remove(&role);
        }
        Ok(status)
    }

    /// Ends a role with SIGTERM and waits until it has drained.
    ///
    /// # Errors
    /// Where it does not end in time or with a failure.
    pub async fn stop(&mut self, role: Role) -> Result<()> {
        let Some(mut process) = self.processes.remove(&role) else { return Ok(()) };
        kill_process(Pid::from_child(&process.child), Signal::TERM).context("SIGTERM cannot be sent")?;
        let started = Instant::now();
        loop {
            if let Some(status) = process.child.try_wait()? {
                ensure!(
                    status.success(),
                    "`throughline {}` ended with {status}:\n{}",
                    role.command(),
                    tail(&self.log(role))
                );
                return Ok(());
            }
            if started.elapsed() > STOP_WITHIN {
                process.child.kill()?;
                process.child.wait()?;
                bail!(
                    "`throughline {}` did not drain within {STOP_WITHIN:?}:\n{}",
                    role.command(),
                    tail(&self.log(role))
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends every role, the last in the flow last.
    ///
    /// # Errors
    /// As [`Self::stop`].
    pub async fn stop_all(&mut self) -> Result<()> {
        // As they stand in the enumeration, that is the order of the flow.
        for role in self.processes.keys().copied().collect::<Vec<_>>() {
            self.stop(role).await?;
        }
        Ok(())
    }

    /// How its topics are reached.
    pub fn kafka(&self) -> stream::KafkaConfig {
        stream::KafkaConfig {
            brokers: self.addresses.kafka.clone(),
            topic_prefix: format!("{}.", self.name),
            ..stream::KafkaConfig::default()
        }
    }

    /// Removes the topics and the database; every role must have ended.
    ///
    /// # Errors
    /// Where a server refuses.
    pub async fn remove(&self) -> Result<()> {
        stream::admin::delete_topics(&self.kafka()).await?;
        query(&self.http, &self.addresses, "default", &format!("DROP DATABASE IF EXISTS {}", self.name)).await?;
        Ok(())
    }

    /// Asks ClickHouse, in the database of the installation; the answer as tab-separated lines.
    ///
    /// # Errors
    /// Where ClickHouse is away or refuses, with what it said.
    pub async fn query(&self, sql: &str) -> Result<String> {
        query(&self.http, &self.addresses, &self.name, sql).await
    }

    /// Asks ClickHouse for one number.
    ///
    /// # Errors
    /// As [`Self::query`], or where the answer is something else.
    pub async fn number(&self, sql: &str) -> Result<u64> {
        let answer = self.query(sql).await?;
        answer.trim().parse().with_context(|| format!("`{sql}` answered {answer:?}, not a number"))
    }

    /// Waits until nothing is left to do: every group has consumed what was written for it.
    ///
    /// # Errors
    /// Where that takes longer than `within`, with what is left.
    pub async fn wait_drained(&self, within: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            let left = crate::lag::left(&self.addresses.kafka, &self.name)?;
            // The load is visible once it is stored, which is before its offsets are committed.
            if left.values().all(|records| *records == 0) {
                return Ok(());
            }
            ensure!(started.elapsed() < within, "records are still waiting after {within:?}: {left:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Rows that are in one table of this installation and not in the same table of the other, in both directions, by table.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn differences(&self, other: &Self) -> Result<BTreeMap<&'static str, u64>> {
        let mut differences = BTreeMap::new();
        for table in TABLES {
            let (a, b) = (format!("{}.{table}", self.name), format!("{}.{table}", other.name));
            let sql = format!(
                "SELECT (SELECT count() FROM (SELECT * FROM {a} EXCEPT ALL SELECT * FROM {b})) \
                      + (SELECT count() FROM (SELECT * FROM {b} EXCEPT ALL SELECT * FROM {a}))"
            );
            differences.insert(table, self.number(&sql).await?);
        }
        Ok(differences)
    }
}

/// The tables that an analyst reads.
pub const TABLES: [&str; 12] = [
    "releases",
    "deployments",
    "release_commits",
    "gate_waits",
    "builds",
    "components",
    "build_failures",
    "manual_steps",
    "incidents",
    "incident_attributions",
    "rollup_hourly",
    "rollup_daily",
];

impl Drop for Installation {
    fn drop(&mut self) {
        for process in self.processes.values_mut() {
            // It may have ended by itself.
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

async fn query(http: &Client, addresses: &Addresses, database: &str, sql: &str) -> Result<String> {
    let request = http.post(&addresses.clickhouse).query(&[("database", database)]).body(sql.to_owned());
    let answer = request.send().await.context("ClickHouse does not answer")?;
    let ok = answer.status().is_success();
    let text = answer.text().await?;
    ensure!(ok, "ClickHouse refused `{sql}`: {text}");
    Ok(text)
}

/// An address that was free a moment ago. Below the range that clients take theirs from, another would have to ask for it by number.
fn free_address() -> Result<SocketAddr> {
    for _ in 0..100 {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(10_000..20_000)));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no free port between 10000 and 20000 on 127.0.0.1")
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// How the binary is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Soon built.
    #[default]
    Debug,
    /// As it is shipped: what is measured means something.
    Release,
}

/// Builds the binary, or finds it built; its path.
///
/// # Errors
/// Where it does not compile.
pub fn build() -> Result<PathBuf> {
    build_as(Profile::Debug)
}

/// As [`build`], in a profile.
///
/// # Errors
/// Where it does not compile.
pub fn build_as(profile: Profile) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in the workspace")?;
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "throughline", "--message-format", "json-render-diagnostics"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    let output = command.current_dir(root).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "`cargo build --package throughline` failed");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(executable)
        .context("cargo did not say where the binary `throughline` is")
}

/// Path of the binary in a line that cargo says, where it is about that.
fn executable(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let path = message["executable"].as_str()?;
    (message["target"]["name"] == "throughline").then(|| PathBuf::from(path))
}
