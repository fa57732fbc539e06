//! Clients that nobody here wrote read our topics, with nothing but Kafka and the address of a running Throughline.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "tests")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use apache_avro::types::Value;
use local_stack::SharedStack;
use model::codec::{self, Record};
use model::event::{
    Actor, ActorKind, ChangeReview, CiBody, CiEvent, Event, Outcome, Phase, ReviewState, TaskKind, TaskRun,
};
use model::fact::{ReleaseFact, ReleaseKind};
use model::{CommitId, Millis, TaskId, Timestamp};
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use schema_registry_converter::async_impl::avro::AvroDecoder;
use schema_registry_converter::async_impl::schema_registry::SrSettings;
use stream::KafkaConfig;
use stream::config::PartitionCounts;

const PATIENCE: Duration = Duration::from_secs(60);
const AT: Timestamp = Timestamp(1_714_555_800_123);

/// A running Throughline with topics of its own. It ends with the test.
struct Throughline {
    process: Child,
    /// Where it serves schemas.
    registry: String,
    kafka: KafkaConfig,
    clickhouse: String,
    /// A word that nobody else uses, for names.
    own: String,
}

impl Drop for Throughline {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Throughline {
    async fn start() -> Self {
        let ensure = || SharedStack::ensure(&|line| eprintln!("{line}")).unwrap();
        let stack = tokio::task::spawn_blocking(ensure).await.unwrap();
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let own = format!("t_{}_{nanos:x}", std::process::id());
        let kafka = KafkaConfig {
            brokers: stack.addresses().kafka.clone(),
            topic_prefix: format!("{own}."),
            partitions: PartitionCounts { inbox: 1, events: 1 },
            ..KafkaConfig::default()
        };
        stream::admin::ensure_topics(&kafka).await.unwrap();
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // Any role serves schemas; this one wants nothing but Kafka.
        let process = Command::new(binary())
            .arg("correlate")
            .env_clear()
            .env("THROUGHLINE_KAFKA__BROKERS", &kafka.brokers)
            .env("THROUGHLINE_KAFKA__TOPIC_PREFIX", &kafka.topic_prefix)
            .env("THROUGHLINE_KAFKA__PARTITIONS__INBOX", "1")
            .env("THROUGHLINE_KAFKA__PARTITIONS__EVENTS", "1")
            .env("THROUGHLINE_ADMIN__LISTEN", listen.to_string())
            .env("THROUGHLINE_LOG__LEVEL", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let registry = format!("http://{listen}");
        let clickhouse = stack.addresses().clickhouse.clone();
        let mut started = Self { process, registry, kafka, clickhouse, own };
        started.wait().await;
        started
    }

    async fn wait(&mut self) {
        let begun = Instant::now();
        while reqwest::get(format!("{}/livez", self.registry)).await.is_err() {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("throughline ended with {status}; what it said is above");
            }
            assert!(begun.elapsed() < PATIENCE, "throughline does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The name of a record's topic in Kafka.
    fn topic<R: Record>(&self) -> String {
        self.kafka.topic_name(stream::topics::find(R::SUBJECT.topic()).unwrap())
    }

    async fn produce<R: Record>(&self, records: &[R]) {
        let producer: FutureProducer =
            ClientConfig::new().set("bootstrap.servers", &self.kafka.brokers).create().unwrap();
        let topic = self.topic::<R>();
        for record in records {
            let payload = codec::encode(record).unwrap();
            producer.send(FutureRecord::to(&topic).key("default").payload(&payload), PATIENCE).await.unwrap();
        }
    }

    /// The first records of a topic, as Kafka has them.
    async fn consume<R: Record>(&self, count: usize) -> Vec<Vec<u8>> {
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.kafka.brokers)
            .set("group.id", format!("{}-reader", self.own))
            .set("auto.offset.reset", "earliest")
            .create()
            .unwrap();
        consumer.subscribe(&[&self.topic::<R>()]).unwrap();
        let mut payloads = Vec::new();
        while payloads.len() < count {
            let message = tokio::time::timeout(PATIENCE, consumer.recv()).await.expect("no record came").unwrap();
            payloads.push(message.payload().unwrap().to_vec());
        }
        payloads
    }

    /// Runs SQL; an answer is lines of tab-separated columns.
    async fn sql(&self, sql: String) -> String {
        let answer = reqwest::Client::new().post(&self.clickhouse).body(sql.clone()).send().await.unwrap();
        let (ok, text) = (answer.status().is_success(), answer.text().await.unwrap());
        assert!(ok, "{sql}: {text}");
        text
    }
}

/// The program, built beside this test.
fn binary() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args(["build", "--quiet", "--package", "throughline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(build.unwrap().success(), "throughline cannot be built");
    let binary = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("throughline");
    assert!(binary.exists(), "{} is missing", binary.display());
    binary
}

fn event(index: i32, body: CiBody) -> CiEvent {
    Event {
        realm: "default".into(),
        source: "github".into(),
        provider: "github".to_owned(),
        delivery: "72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned(),
        index,
        adapter: 1,
        occurred_at: AT,
        received_at: Timestamp(AT.0 + 700),
        link: None,
        body,
    }
}

fn review() -> ChangeReview {
    let mut review =
        ChangeReview::new("github.com/acme/shop".into(), "12".into(), "80".to_owned(), ReviewState::ChangesRequested);
    review.reviewer = Actor { key: Some("5f2d".to_owned()), kind: ActorKind::Human };
    review
}

fn task() -> TaskRun {
    let task = TaskId::new("github.com/acme/shop/checks/9");
    let mut task = TaskRun::new(task, 2, "Prüfung 🚀".to_owned(), TaskKind::Job, Phase::Finished);
    task.outcome = Some(Outcome::Failure);
    task.runner_labels = vec!["linux".to_owned(), "x64".to_owned()];
    task.finished_at = Some(AT);
    task
}

/// One in production, with everything told, and one that is not and of which little is known.
fn releases() -> [ReleaseFact; 2] {
    let shipped = ReleaseFact {
        realm: "default".into(),
        component: "shop".into(),
        version: "v1.2.0".into(),
        at: AT,
        team: Some("payments".to_owned()),
        commit: Some(CommitId::new("6dcb09b5b57875f334f61aebed695e2e4193db5e")),
        kind: ReleaseKind::Regular,
        production_at: Some(AT),
        commits: 3,
        commits_complete: true,
        lead_time: Some(Millis(86_400_123)),
        clock_correction: Some(Millis(-5)),
        revision: (1 << 40) | 7,
        ..ReleaseFact::default()
    };
    let withdrawn = ReleaseFact {
        realm: "default".into(),
        component: "shop".into(),
        version: "v1.3.0".into(),
        at: Timestamp(AT.0 + 1),
        revision: (1 << 40) | 8,
        deleted: true,
        ..ReleaseFact::default()
    };
    [shipped, withdrawn]
}

fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let Value::Record(fields) = value else { panic!("{value:?} is no record") };
    let (_, field) = fields.iter().find(|(field, _)| field == name).unwrap_or_else(|| panic!("no field `{name}`"));
    if let Value::Union(_, value) = field { value } else { field }
}

#[tokio::test]
async fn a_confluent_client_reads_events_and_facts() {
    let throughline = Throughline::start().await;
    throughline.produce(&[event(0, CiBody::ChangeReview(review())), event(1, CiBody::TaskRun(task()))]).await;
    throughline.produce(&releases()).await;
    let settings = SrSettings::new_builder(throughline.registry.clone()).no_proxy().build().unwrap();
    let decoder = AvroDecoder::new(settings);

    let mut events = Vec::new();
    for payload in throughline.consume::<CiEvent>(2).await {
        let decoded = decoder.decode(Some(&payload)).await.unwrap();
        assert_eq!(decoded.name.map(|name| name.fullname(None)).as_deref(), Some("throughline.CiEvent"));
        events.push(decoded.value);
    }
    let (first, second) = (field(&events[0], "body"), field(&events[1], "body"));
    assert_eq!(field(&events[0], "occurred_at"), &Value::TimestampMillis(AT.0));
    assert_eq!(field(first, "change"), &Value::String("12".to_owned()));
    assert_eq!(field(first, "state"), &Value::Enum(1, "changes_requested".to_owned()));
    assert_eq!(field(field(first, "reviewer"), "kind"), &Value::Enum(1, "human".to_owned()));
    assert_eq!(field(first, "commit"), &Value::Null);
    assert_eq!(field(second, "name"), &Value::String("Prüfung 🚀".to_owned()));
    assert_eq!(field(second, "attempt"), &Value::Int(2));
    assert_eq!(field(second, "outcome"), &Value::Enum(1, "failure".to_owned()));
    assert_eq!(field(second, "finished_at"), &Value::TimestampMillis(AT.0));
    let labels = ["linux", "x64"].map(|label| Value::String(label.to_owned()));
    assert_eq!(field(second, "runner_labels"), &Value::Array(labels.into()));

    let mut facts = Vec::new();
    for payload in throughline.consume::<ReleaseFact>(2).await {
        let decoded = decoder.decode(Some(&payload)).await.unwrap();
        facts.push(apache_avro::from_value::<ReleaseFact>(&decoded.value).unwrap());
    }
    assert_eq!(facts, releases());
}

#[tokio::test]
async fn clickhouse_reads_facts_through_its_kafka_engine() {
    let throughline = Throughline::start().await;
    throughline.produce(&releases()).await;
    let (own, brokers, registry) = (&throughline.own, &throughline.kafka.brokers, &throughline.registry);
    let topic = throughline.topic::<ReleaseFact>();
    let columns = "version String, at DateTime64(3, 'UTC'), team Nullable(String), kind LowCardinality(String), commits Int32, \
                   commits_complete Bool, lead_time Nullable(Int64), clock_correction Nullable(Int64), revision Int64, deleted Bool";
    throughline.sql(format!("CREATE DATABASE {own}")).await;
    throughline
        .sql(format!(
            "CREATE TABLE {own}.queue ({columns}) ENGINE = Kafka SETTINGS kafka_broker_list = '{brokers}', \
             kafka_topic_list = '{topic}', kafka_group_name = '{own}-clickhouse', kafka_format = 'AvroConfluent', \
             format_avro_schema_registry_url = '{registry}'"
        ))
        .await;
    throughline
        .sql(format!(
            "CREATE MATERIALIZED VIEW {own}.releases ({columns}) ENGINE = MergeTree ORDER BY version \
             AS SELECT * FROM {own}.queue"
        ))
        .await;
    let begun = Instant::now();
    let mut rows = String::new();
    while rows.lines().count() < 2 && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(200)).await;
        rows = throughline
            .sql(format!("SELECT * REPLACE (toUnixTimestamp64Milli(at) AS at) FROM {own}.releases ORDER BY version"))
            .await;
    }
    throughline.sql(format!("DROP DATABASE {own} SYNC")).await;
    let revision = releases().map(|release| release.revision);
    assert_eq!(
        rows,
        format!(
            "v1.2.0\t{}\tpayments\tregular\t3\ttrue\t86400123\t-5\t{}\tfalse\n\
             v1.3.0\t{}\t\\N\tunfinished\t0\tfalse\t\\N\t\\N\t{}\ttrue\n",
            AT.0,
            revision[0],
            AT.0 + 1,
            revision[1],
        )
    );
}
