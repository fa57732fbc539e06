//! Prometheus and Alertmanager with their tools: installed ones, else those of Debian's packages. They run with the configuration
//! that they are given.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::cache::{self, Cache};
use crate::error::Error;
use crate::probe;
use crate::programs::{ALERTMANAGER, ALERTMANAGER_OF_DEBIAN, AMTOOL, Helpers, PROMETHEUS, PROMTOOL};
use crate::server::{Launch, NotReady, Server, StopBy};
use crate::stack::{self, ALIVE};

/// The packages of Debian that have the four programs.
pub(crate) const PACKAGES: [&str; 2] = ["prometheus", "prometheus-alertmanager"];

/// Debian's Alertmanager reads its templates here, where without root nothing can be unpacked.
const TEMPLATES: &str = "/usr/share/prometheus/alertmanager";
/// The same from the folder into which the package was unpacked. It has to be as long, since it takes its place in the program.
pub(crate) const UNPACKED_TEMPLATES: &str = "usr/share/prometheus/alertmanager/";

/// Makes an unpacked Alertmanager of Debian find its templates when it runs in that folder.
pub(crate) fn relocate(folder: &Path) -> Result<(), Error> {
    let program = folder.join("usr/bin/prometheus-alertmanager");
    let mut bytes = std::fs::read(&program).map_err(Error::file("read", &program))?;
    let mut from = 0;
    while let Some(found) = bytes.get(from..).and_then(|rest| find(rest, TEMPLATES.as_bytes())) {
        from += found;
        bytes.splice(from..from + TEMPLATES.len(), UNPACKED_TEMPLATES.bytes());
    }
    std::fs::write(&program, bytes).map_err(Error::file("write", &program))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Where Prometheus, Alertmanager and their tools are.
#[derive(Clone, Debug)]
pub struct PrometheusPrograms {
    prometheus: PathBuf,
    alertmanager: PathBuf,
    /// Into which Debian's packages were unpacked, if they were.
    unpacked: Option<PathBuf>,
    /// Checks configurations of Prometheus, and tests rules.
    pub promtool: PathBuf,
    /// Checks configurations of Alertmanager, and says where an alert goes.
    pub amtool: PathBuf,
}

impl PrometheusPrograms {
    /// Those on the `PATH`, if all four are; else those of Debian's packages, which are fetched once into the cache and need no root.
    ///
    /// # Errors
    /// One is missing and there is no `apt-get`, or the packages cannot be fetched.
    pub fn find(progress: &dyn Fn(&str)) -> Result<PrometheusPrograms, Error> {
        let installed = || {
            Ok(PrometheusPrograms {
                prometheus: PROMETHEUS.find()?,
                alertmanager: ALERTMANAGER_OF_DEBIAN.find().or_else(|_| ALERTMANAGER.find())?,
                promtool: PROMTOOL.find()?,
                amtool: AMTOOL.find()?,
                unpacked: None,
            })
        };
        installed().or_else(|missing| {
            let unpacked = Cache::open()?.prometheus(missing, progress)?;
            let folder = unpacked.join("usr/bin");
            Ok(PrometheusPrograms {
                prometheus: folder.join("prometheus"),
                alertmanager: folder.join("prometheus-alertmanager"),
                promtool: folder.join("promtool"),
                amtool: folder.join("amtool"),
                unpacked: Some(unpacked),
            })
        })
    }
}

/// A Prometheus of one's own. It ends with this process; dropping it kills it and deletes what it has scraped.
pub struct Prometheus(Running);

impl Prometheus {
    /// Starts it on a free port with the configuration `config`, and waits until it takes queries.
    ///
    /// # Errors
    /// It did not get ready; the error tells what the log says, such as what is wrong with the configuration.
    pub fn start(programs: &PrometheusPrograms, config: &Path, progress: &dyn Fn(&str)) -> Result<Prometheus, Error> {
        let arguments = |folder: &Path| vec![option("--storage.tsdb.path=", &folder.join("data"))];
        let program = (programs.prometheus.as_path(), programs.unpacked.as_deref());
        Running::start("Prometheus", program, config, arguments, progress).map(Prometheus)
    }

    /// `127.0.0.1:PORT`, for HTTP.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }
}

/// An Alertmanager of one's own, without a cluster. It ends with this process; dropping it kills it and deletes its data.
pub struct Alertmanager(Running);

impl Alertmanager {
    /// Starts it on a free port with the configuration `config`, and waits until it takes alerts.
    ///
    /// # Errors
    /// It did not get ready; the error tells what the log says, such as what is wrong with the configuration.
    pub fn start(programs: &PrometheusPrograms, config: &Path, progress: &dyn Fn(&str)) -> Result<Alertmanager, Error> {
        let arguments = |folder: &Path| {
            let data = option("--storage.path=", &folder.join("data"));
            // Longer than any `repeat_interval` of deploy/alertmanager, which says so.
            vec![data, "--data.retention=2200h".into(), "--cluster.listen-address=".into()]
        };
        let program = (programs.alertmanager.as_path(), programs.unpacked.as_deref());
        Running::start("Alertmanager", program, config, arguments, progress).map(Alertmanager)
    }

    /// `127.0.0.1:PORT`, for HTTP.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }
}

/// `--name=path`, whatever characters the path has.
fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

/// A server in a folder of its own.
struct Running {
    folder: PathBuf,
    server: Option<Server>,
    address: String,
    /// Says that the folder is in use; see the documentation of the crate.
    _alive: File,
}

impl Running {
    fn start(
        name: &'static str,
        (program, runs_in): (&Path, Option<&Path>),
        config: &Path,
        arguments: impl Fn(&Path) -> Vec<OsString>,
        progress: &dyn Fn(&str),
    ) -> Result<Running, Error> {
        let config = std::path::absolute(config).map_err(Error::file("find", config))?;
        let (folder, alive) = stack::temporary(&Cache::open()?)?;
        let helpers = Helpers::find_or_build()?;
        let start = |[port]: [u16; 1]| -> Result<Server, NotReady> {
            let mut all = arguments(&folder);
            all.push(option("--config.file=", &config));
            all.push(format!("--web.listen-address=127.0.0.1:{port}").into());
            let launch = Launch {
                server: name,
                program: program.into(),
                arguments: all,
                folder: runs_in.map(Path::to_owned),
                stop_by: StopBy::Signal,
                log: folder.join("log"),
            };
            Server::start(&helpers.keeper, &folder.join(ALIVE), &launch, || probe::answers(port, "/-/ready"))
        };
        let ([port], server) = stack::on_free_ports(name, progress, start)?;
        Ok(Running { folder, server: Some(server), address: format!("127.0.0.1:{port}"), _alive: alive })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.take().into_iter().for_each(Server::kill);
        // What cannot be deleted now, the next start deletes.
        let _ = cache::remove(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpacked_program_reads_from_where_it_was_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("usr/bin/prometheus-alertmanager");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&program, b"\0/usr/share/prometheus/alertmanager\0/usr/share/prometheus/alertmanager/ui/\xff")
            .unwrap();
        relocate(folder.path()).unwrap();
        let expected = b"\0usr/share/prometheus/alertmanager/\0usr/share/prometheus/alertmanager//ui/\xff";
        assert_eq!(std::fs::read(&program).unwrap(), expected);
    }
}
