//! One Kafka node, broker and controller at once (KRaft).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{self, Cache, Kafka};
use crate::error::Error;
use crate::programs::{self, JAVA};
use crate::server::{Launch, StopBy};
use crate::{ports, probe};

/// Holds a formatted, empty log directory, in the folder of an installation.
pub(crate) const FORMATTED: &str = "formatted";

/// Enough to format a log directory; the ports matter only to a running node.
pub(crate) const FORMAT_PROPERTIES: &str = "\
node.id=1
process.roles=broker,controller
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.dirs=formatted
";

/// The file of a log directory that names its cluster.
const META: &str = "meta.properties";

/// 16 bytes in base64url; each log directory gets its own when it is copied.
const TEMPLATE_CLUSTER_ID: &str = "0000000000000000000000";

const LOG4J: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="log"><PatternLayout pattern="%d{ISO8601} %p %m (%c)%n"/></Console>
  </Appenders>
  <Loggers>
    <Root level="INFO"><AppenderRef ref="log"/></Root>
    <!-- Prints every setting at every start, 1000 lines. -->
    <Logger name="org.apache.kafka.common.config.AbstractConfig" level="WARN"/>
    <Logger name="kafka.server.KafkaConfig" level="WARN"/>
  </Loggers>
</Configuration>
"#;

/// Formats a log directory in the installation `home`, to be copied for each new stack.
pub(crate) fn format(home: &Path, class_path: &Path) -> Result<(), Error> {
    cache::write(&home.join("format.properties"), FORMAT_PROPERTIES)?;
    programs::run(Command::new(JAVA.find()?).current_dir(home).arg("-cp").arg(class_path).args([
        "kafka.tools.StorageTool",
        "format",
        "-t",
        TEMPLATE_CLUSTER_ID,
        "-c",
        "format.properties",
    ]))
}

/// A node in the folder `kafka` of a stack.
pub(crate) struct Node {
    java: PathBuf,
    installed: Kafka,
    folder: PathBuf,
    pub(crate) log: PathBuf,
}

impl Node {
    /// Installs Kafka if need be, and prepares the folder.
    pub(crate) fn prepare(cache: &Cache, stack: &Path, progress: &dyn Fn(&str)) -> Result<Node, Error> {
        let java = JAVA.find()?;
        let installed = cache.kafka(progress)?;
        let folder = stack.join("kafka");
        if cluster_id(stack).is_none() {
            create_data(&installed.formatted, &folder.join("data"))?;
        }
        cache::write(&folder.join("log4j2.xml"), LOG4J)?;
        Ok(Node { java, installed, folder, log: stack.join("kafka.log") })
    }

    /// How to start the node on two ports.
    pub(crate) fn launch(&self, port: u16, controller_port: u16) -> Result<Launch, Error> {
        let properties = self.folder.join("server.properties");
        cache::write(&properties, &self.properties(port, controller_port))?;
        let mut log4j = OsString::from("-Dlog4j2.configurationFile=");
        log4j.push(self.folder.join("log4j2.xml"));
        Ok(Launch {
            server: "Kafka",
            program: self.java.clone().into(),
            arguments: vec![
                "-Xmx512m".into(),
                log4j,
                "-cp".into(),
                self.installed.class_path.clone().into(),
                "kafka.Kafka".into(),
                properties.into(),
            ],
            folder: None,
            stop_by: StopBy::Signal,
            log: self.log.clone(),
        })
    }

    fn properties(&self, port: u16, controller_port: u16) -> String {
        let data = self.folder.join("data");
        let data = data.display();
        // The inbox takes messages of 32 MiB; 33 MiB leaves room for the overhead of a batch.
        // The log cleaner would take 128 MiB of the heap; few partitions of the internal topics start faster.
        format!(
            "\
node.id=1
process.roles=broker,controller
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=34603008
replica.fetch.max.bytes=34603008
socket.request.max.bytes=104857600
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
log.cleaner.dedupe.buffer.size=16777216
"
        )
    }
}

/// Whether the node of the stack in the folder `stack` takes clients on `port`.
pub(crate) fn is_ready(stack: &Path, port: u16) -> bool {
    cluster_id(stack).is_some_and(|id| probe::kafka(port, &id).unwrap_or(false))
}

/// The cluster id of the data of a stack; `None` if there are no data.
fn cluster_id(stack: &Path) -> Option<String> {
    let text = std::fs::read_to_string(stack.join("kafka").join("data").join(META)).ok()?;
    text.lines().find_map(|line| line.strip_prefix("cluster.id=")).map(str::to_owned)
}

/// Copies the formatted log directory to `data`, with a cluster id of its own.
fn create_data(formatted: &Path, data: &Path) -> Result<(), Error> {
    cache::remove(data)?;
    std::fs::create_dir_all(data).map_err(Error::file("create", data))?;
    for entry in std::fs::read_dir(formatted).map_err(Error::file("list", formatted))? {
        let entry = entry.map_err(Error::file("list", formatted))?;
        if entry.file_name() != META {
            let from = entry.path();
            std::fs::copy(&from, data.join(entry.file_name())).map_err(Error::file("copy", &from))?;
        }
    }
    let meta = formatted.join(META);
    let text = std::fs::read_to_string(&meta).map_err(Error::file("read", &meta))?;
    // 22 characters of base64url are 16 bytes and 4 bits that must be zero: the last character is an `A`.
    let id = format!("{:016x}{:05x}A", ports::random(0), ports::random(1) >> 44);
    // Last, since a folder with this file counts as complete.
    cache::write(&data.join(META), &text.replace(TEMPLATE_CLUSTER_ID, &id))
}
