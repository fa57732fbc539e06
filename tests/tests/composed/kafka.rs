//! The environment of Kafka's container, through what the image turns it into properties with, and into a real broker.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use end_to_end::compose::environment;
use local_stack::kafka_program;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::{Running, program, project};

const PATIENCE: Duration = Duration::from_secs(120);

/// As much of a configuration of logging as is read before anything is logged.
const LOGGING: &str = "Configuration:\n  Loggers:\n    Root:\n      level: INFO\n    Logger: []\n";

/// Does what the image does at its start: writes the properties and formats the log directory. What it says, where that fails.
fn set_up(folder: &Path, environment: &[(String, String)]) -> Result<(), String> {
    let [defaults, mounted, made] = ["defaults", "mounted", "made"].map(|name| {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    });
    std::fs::write(defaults.join("server.properties"), "").unwrap();
    for file in ["log4j2.yaml", "tools-log4j2.yaml"] {
        std::fs::write(defaults.join(file), LOGGING).unwrap();
    }
    let mut command = program(|progress| kafka_program("kafka.docker.KafkaDockerWrapper", progress));
    command.envs(environment.iter().map(|(name, value)| (name, value))).arg("setup");
    command.arg("-D").arg(defaults).arg("-M").arg(mounted).arg("-F").arg(made);
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// The environment with ports and a folder of this machine; the new port of the listener for clients of the machine.
fn on_this_machine(environment: Vec<(String, String)>, folder: &Path) -> (Vec<(String, String)>, u16) {
    // They are free once the listeners are dropped, all together.
    let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = free.map(|listener| listener.local_addr().unwrap().port());
    let data = folder.join("data").display().to_string();
    let moved = |(name, value): (String, String)| {
        let value = match name.as_str() {
            "KAFKA_LOG_DIRS" => data.clone(),
            _ if name.contains("LISTENERS") || name.contains("VOTERS") => value
                .replace(":19092", &format!(":{}", ports[0]))
                .replace(":9092", &format!(":{}", ports[1]))
                .replace(":9093", &format!(":{}", ports[2]))
                .replace("//kafka:", "//localhost:"),
            _ => value,
        };
        (name, value)
    };
    (environment.into_iter().map(moved).collect(), ports[0])
}

#[test]
fn a_broker_takes_its_environment() {
    let Some(project) = project() else { return };
    let folder = tempfile::tempdir().unwrap();
    let given = environment(&project, "kafka").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (environment, port) = on_this_machine(given, folder.path());
    set_up(folder.path(), &environment).unwrap();

    let properties = folder.path().join("made/server.properties");
    let text = std::fs::read_to_string(&properties).unwrap();
    for expected in [
        "auto.create.topics.enable=false",
        "message.max.bytes=34603008",
        "offsets.topic.replication.factor=1",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "process.roles=broker,controller",
    ] {
        assert!(text.lines().any(|line| line == expected), "{expected} is not among\n{text}");
    }
    let log = File::create(folder.path().join("log")).unwrap();
    let mut broker = program(|progress| kafka_program("kafka.Kafka", progress));
    let mut broker = Running(broker.arg(&properties).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    // A client of the machine comes in by its own listener, and is told to come back there.
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", format!("localhost:{port}")).create().unwrap();
    let started = Instant::now();
    let metadata = loop {
        if let Ok(metadata) = client.fetch_metadata(None, Duration::from_secs(1)) {
            break metadata;
        }
        assert_eq!(broker.0.try_wait().unwrap(), None, "the broker ended by itself");
        assert!(started.elapsed() < PATIENCE, "no broker answers on port {port}");
    };
    let brokers: Vec<_> = metadata.brokers().iter().map(|broker| (broker.id(), broker.host(), broker.port())).collect();
    assert_eq!(brokers, [(1, "localhost", i32::from(port))]);
}

/// Kafka sees what it is there to see.
#[test]
fn what_kafka_cannot_work_with_is_refused() {
    let Some(project) = project() else { return };
    for (name, value) in [
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLER"),
        ("KAFKA_PROCESS_ROLES", "broker,controler"),
        ("KAFKA_MESSAGE_MAX_BYTES", "33 MiB"),
        ("KAFKA_NODE_ID", "one"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let given = environment(&project, "kafka").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (mut environment, _) = on_this_machine(given, folder.path());
        environment.iter_mut().filter(|(of, _)| of == name).for_each(|(_, of)| *of = value.to_owned());
        assert!(set_up(folder.path(), &environment).is_err(), "{name}={value} is taken");
    }
}
