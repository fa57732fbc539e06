//! ClickHouse lost: it comes back from a backup with what was loaded since, and from the events without one.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use end_to_end::installation::{Installation, Role, TABLES};
use local_stack::Stack;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use stream::topics;

use support::github::{GitHub, History};

const HISTORY: History = History { repositories: 4 };
const DELIVERIES: u64 = 200;
const PATIENCE: Duration = Duration::from_secs(60);

async fn send(installation: &Installation, deliveries: std::ops::Range<u64>) {
    let github = GitHub::of(installation);
    for n in deliveries {
        github.deliver(&HISTORY.delivery(n)).await;
    }
    installation.wait_drained(PATIENCE).await.unwrap();
}

/// Every row of every table, as a reader sees it.
async fn rows(installation: &Installation) -> BTreeMap<&'static str, String> {
    let mut rows = BTreeMap::new();
    for table in TABLES {
        rows.insert(table, installation.query(&format!("SELECT * FROM {table} ORDER BY ALL")).await.unwrap());
    }
    rows
}

fn assert_same(found: &BTreeMap<&str, String>, expected: &BTreeMap<&str, String>) {
    for (table, rows) in expected {
        assert!(found[table] == *rows, "{table}:\n{}\ninstead of\n{rows}", found[table]);
    }
}

/// As `kafka-consumer-groups.sh --reset-offsets --to-earliest` does.
fn load_from_the_earliest(installation: &Installation) {
    let kafka = installation.kafka();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("group.id", kafka.group_name("loader"))
        .create()
        .unwrap();
    let mut earliest = TopicPartitionList::new();
    for topic in &topics::FACTS {
        let name = kafka.topic_name(topic);
        let metadata = consumer.fetch_metadata(Some(&name), PATIENCE).unwrap();
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            let (low, _) = consumer.fetch_watermarks(&name, partition.id(), PATIENCE).unwrap();
            earliest.add_partition_offset(&name, partition.id(), Offset::Offset(low)).unwrap();
        }
    }
    consumer.commit(&earliest, CommitMode::Sync).unwrap();
}

/// In the system database, since its own is lost.
async fn admin(stack: &Stack, sql: &str) {
    let answer = reqwest::Client::new().post(&stack.addresses().clickhouse).body(sql.to_owned()).send().await.unwrap();
    let (status, said) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{sql}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_comes_back() {
    let binary = support::binary().await;
    let stack = Stack::start(&|line| eprintln!("{line}")).unwrap();
    let mut installation = support::installation(&binary, stack.addresses(), "lost");
    installation.run(&["migrate"]).unwrap();
    installation.start(Role::All).await.unwrap();
    send(&installation, 0..DELIVERIES).await;
    let (name, backed_up) = (installation.name().to_owned(), rows(&installation).await);
    admin(&stack, &format!("BACKUP DATABASE {name} TO File('throughline-backup')")).await;
    // What follows also corrects rows of before.
    send(&installation, DELIVERIES..2 * DELIVERIES).await;
    let before = rows(&installation).await;
    assert_ne!(before["releases"], backed_up["releases"]);

    // With a backup: what is in it, and then the facts since.
    installation.stop_all().await.unwrap();
    admin(&stack, &format!("DROP DATABASE {name}")).await;
    admin(&stack, &format!("RESTORE DATABASE {name} FROM File('throughline-backup')")).await;
    assert_same(&rows(&installation).await, &backed_up);
    load_from_the_earliest(&installation);
    installation.start(Role::All).await.unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();
    assert_same(&rows(&installation).await, &before);
    send(&installation, 2 * DELIVERIES..3 * DELIVERIES).await;
    let before = rows(&installation).await;
    assert_eq!(
        installation.number("SELECT count() FROM deployments").await.unwrap(),
        HISTORY.deployments(3 * DELIVERIES)
    );

    // Without one: everything from the events, whatever is left of the facts. A replay alone writes what differs, and nothing does.
    installation.stop_all().await.unwrap();
    admin(&stack, &format!("DROP DATABASE {name}")).await;
    installation.run(&["migrate"]).unwrap();
    installation.run(&["replay"]).unwrap();
    installation.start(Role::All).await.unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();
    assert_eq!(installation.number("SELECT count() FROM releases").await.unwrap(), 0);
    installation.stop_all().await.unwrap();
    let said = installation.run(&["replay", "--resend"]).unwrap();
    assert!(said.contains("for 1 realms") && said.contains("every row is written again"), "{said}");
    installation.start(Role::All).await.unwrap();
    // What follows from the last event may come with a transaction of its own, behind its offset.
    let started = Instant::now();
    while rows(&installation).await != before && started.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_same(&rows(&installation).await, &before);
    send(&installation, 3 * DELIVERIES..4 * DELIVERIES).await;
    assert_eq!(
        installation.number("SELECT count() FROM deployments").await.unwrap(),
        HISTORY.deployments(4 * DELIVERIES)
    );
    installation.stop_all().await.unwrap();
}
