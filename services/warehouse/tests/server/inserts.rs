use std::io::Read as _;
use std::net::{Shutdown, TcpListener, TcpStream};

use model::event::{ActorKind, GateKind, MarkerKind, Outcome, Phase, Tier, Trigger};
use model::fact::*;
use model::schema::Subject;
use model::{Millis, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde::Serialize;
use serde_json::Value;
use warehouse::{Table, Warehouse, WarehouseConfig, Watermark};

use crate::common::{Database, config, rows, url};

const DAY: i64 = 86_400_000;

fn build(run: &str, at: i64, revision: i64, pipeline: &str) -> Fact {
    Fact::Build(BuildFact {
        realm: "default".into(),
        component: "shop".into(),
        run: run.into(),
        attempt: 1,
        at: Timestamp(at),
        pipeline: pipeline.to_owned(),
        revision,
        ..Default::default()
    })
}

async fn pipelines(database: &Database) -> Vec<String> {
    let found: Vec<Value> = database.read("SELECT run || '=' || pipeline AS p FROM builds ORDER BY run").await;
    found.iter().map(|row| row["p"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn of_one_identity_the_highest_revision_counts_in_any_order() {
    let database = Database::migrated().await;
    database.insert(&[build("1", DAY, 5, "new"), build("2", DAY, 1, "only")], "a").await;
    database.insert(&[build("1", DAY, 3, "old")], "b").await;
    assert_eq!(pipelines(&database).await, ["1=new", "2=only"]);

    let tombstone = build("1", DAY, 0, "").identity().tombstone("default".into(), 7);
    database.insert(&[tombstone], "c").await;
    assert_eq!(pipelines(&database).await, ["2=only"]);
    // Replayed below the deletion: it stays deleted, also after a merge.
    database.insert(&[build("1", DAY, 6, "late")], "d").await;
    assert_eq!(pipelines(&database).await, ["2=only"]);
    database.warehouse.execute("OPTIMIZE TABLE builds_rows FINAL").await.unwrap();
    database.insert(&[build("1", DAY, 6, "late again")], "e").await;
    assert_eq!(pipelines(&database).await, ["2=only"]);
    // A higher one brings it back.
    database.insert(&[build("1", DAY, 8, "back")], "f").await;
    assert_eq!(pipelines(&database).await, ["1=back", "2=only"]);
    database.drop().await;
}

#[tokio::test]
async fn a_replayed_batch_changes_nothing() {
    let database = Database::migrated().await;
    // Across ten years: more partitions than one.
    let batch: Vec<Fact> = (0..100).map(|n| build(&n.to_string(), n * 40 * DAY, n, "p")).collect();
    database.insert(&batch, "facts.builds/0:1-100").await;
    database.insert(&batch, "facts.builds/0:1-100").await;
    assert_eq!(database.number("SELECT count() AS n FROM builds_rows").await, 100, "the token saves the work");
    database.insert(&batch, "facts.builds/0:2-101").await;
    assert_eq!(database.number("SELECT count() AS n FROM builds").await, 100, "the revision makes it right");
    // The same origin with one row more is not the same batch.
    let longer: Vec<Fact> = (0..101).map(|n| build(&n.to_string(), n * 40 * DAY, n, "p")).collect();
    database.insert(&longer, "facts.builds/0:1-100").await;
    assert_eq!(database.number("SELECT count() AS n FROM builds").await, 101);
    database.drop().await;
}

#[tokio::test]
async fn nonsensical_times_do_not_stop_the_others() {
    let database = Database::migrated().await;
    let mut batch: Vec<Fact> = (0..400).map(|year| build(&year.to_string(), (year - 70) * 366 * DAY, 1, "p")).collect();
    batch.extend([build("min", i64::MIN, 1, "p"), build("max", i64::MAX, 1, "p")]);
    database.insert(&batch, "a").await;
    let ends: Vec<Value> = database.read("SELECT min(at) AS a, max(at) AS b, count() AS n FROM builds").await;
    assert_eq!(ends[0].to_string(), r#"{"a":"1900-01-01T00:00:00.000Z","b":"2299-12-31T23:59:59.999Z","n":402}"#);
    database.drop().await;
}

#[tokio::test]
async fn a_condition_on_time_reads_the_months_it_names() {
    let database = Database::migrated().await;
    let batch: Vec<Fact> = (0..100_000).map(|n| build(&n.to_string(), n * 300_000, 1, "p")).collect();
    database.insert(&batch, "a").await;
    database.warehouse.execute("OPTIMIZE TABLE builds_rows FINAL").await.unwrap();
    let plan = "EXPLAIN indexes = 1 SELECT count() FROM builds WHERE at >= '1970-05-03' AND at < '1970-05-20'";
    let lines: Vec<Value> = database.read(plan).await;
    let granules: Vec<&str> =
        lines.iter().filter_map(|l| l["explain"].as_str()?.trim().strip_prefix("Granules: ")).collect();
    // What the partition and then the key leave over, of all that there is.
    let (read, _) = granules.last().unwrap().split_once('/').unwrap();
    let (_, all) = granules.first().unwrap().split_once('/').unwrap();
    assert!(read.parse::<u32>().unwrap() * 4 < all.parse::<u32>().unwrap(), "{granules:?}");
    database.drop().await;
}

/// A body that ends early must not count as a shorter batch, nor use up the token of the whole one.
#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_is_cut_off_is_as_if_it_had_not_been() {
    let database = Database::migrated().await;
    let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let batch: Vec<Fact> = (0..4000).map(|n| build(&format!("{n}-{:x}", hash(n)), DAY, 1, "p")).collect();
    let rows = rows(&batch);
    // In the head of the request, after it, in the middle and near the end of the body.
    for bytes in [300, 2_000, 40_000, 80_000] {
        let cut = WarehouseConfig { url: cutting_proxy(bytes), ..config(&database.name) };
        Warehouse::new(&cut).unwrap().insert(&rows, "a").await.unwrap_err();
    }
    assert_eq!(database.number("SELECT count() AS n FROM builds_rows").await, 0);
    database.warehouse.insert(&rows, "a").await.unwrap();
    assert_eq!(database.number("SELECT count() AS n FROM builds_rows").await, 4000);
    database.drop().await;
}

/// The address of a proxy that lets one connection send that many bytes to ClickHouse, and then closes it.
fn cutting_proxy(bytes: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(url().strip_prefix("http://").unwrap()).unwrap();
        std::io::copy(&mut (&client).take(bytes), &mut server).unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        // Until ClickHouse is done with it, whatever it says.
        let _ = server.read_to_end(&mut Vec::new());
    });
    address
}

#[tokio::test]
async fn the_last_watermark_counts() {
    let database = Database::migrated().await;
    let mark =
        |next_offset| Watermark { topic: "facts.builds", partition: 3, next_offset, written_at: 1_700_000_000_123 };
    database.warehouse.publish(&[mark(5)]).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    database.warehouse.publish(&[mark(9)]).await.unwrap();
    let found: Vec<Value> =
        database.read("SELECT topic, partition, next_offset, written_at FROM load_watermarks").await;
    assert_eq!(
        found[0].to_string(),
        r#"{"next_offset":9,"partition":3,"topic":"facts.builds","written_at":"2023-11-14T22:13:20.123Z"}"#
    );
    assert_eq!(found.len(), 1);
    database.drop().await;
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        -2_208_988_800_000..=10_413_791_999_999_i64,
        Just(-2_208_988_800_000),
        Just(10_413_791_999_999),
        Just(0),
        Just(-1)
    ]
    .prop_map(Timestamp)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,40}", Just(String::new()), Just("'\"\\\0\n\t`ä€🎉".to_owned()), "x{300}"]
}

fn long() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0)]
}

fn int() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), Just(i32::MIN), Just(i32::MAX)]
}

/// Any value of each column of the table, as JSON: what an Avro reader of the topic could see.
fn fact_json(table: &'static Table) -> impl Strategy<Value = Value> {
    use warehouse::table::Kind;
    let enums = words(table.subject);
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| {
            let words = || enums.iter().find(|(name, _)| *name == column.name).unwrap().1.clone();
            let value: BoxedStrategy<Value> = match column.kind {
                _ if column.name == "deleted" => Just(Value::from(false)).boxed(),
                Kind::Text => text().prop_map(Value::from).boxed(),
                Kind::Enum => prop::sample::select(words()).boxed(),
                Kind::Int => int().prop_map(Value::from).boxed(),
                Kind::Long => long().prop_map(Value::from).boxed(),
                Kind::Time => time().prop_map(|time| Value::from(time.0)).boxed(),
                Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
                Kind::TextList => prop::collection::vec(text(), 0..4).prop_map(Value::from).boxed(),
                Kind::LongList => prop::collection::vec(long(), 0..4).prop_map(Value::from).boxed(),
                Kind::TimeList => {
                    prop::collection::vec(time().prop_map(|time| time.0), 0..4).prop_map(Value::from).boxed()
                }
                Kind::EnumList => {
                    prop::collection::vec(prop::sample::select(words()), 0..4).prop_map(Value::from).boxed()
                }
            };
            let name = column.name.clone();
            let value = if column.nullable { prop_oneof![Just(Value::Null), value].boxed() } else { value };
            value.prop_map(move |value| (name.clone(), value))
        })
        .collect();
    columns.prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

/// The words of each enum column.
fn words(subject: Subject) -> Vec<(&'static str, Vec<Value>)> {
    fn of<T: Serialize>(words: &[T]) -> Vec<Value> {
        words.iter().map(|word| serde_json::to_value(word).unwrap()).collect()
    }
    let phase =
        of(&[Phase::Created, Phase::Waiting, Phase::Queued, Phase::Running, Phase::Finished, Phase::Superseded]);
    let outcome =
        of(&[Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::ActionRequired, Outcome::Unknown]);
    let actor = of(&[ActorKind::Unknown, ActorKind::Human, ActorKind::Machine]);
    let tier = of(&[Tier::Production, Tier::Staging, Tier::Integration, Tier::Other]);
    let class = of(&[FailureClass::Failure, FailureClass::Error, FailureClass::Flaky, FailureClass::Cancelled]);
    let grade = of(&[Grade::Said, Grade::Explicit, Grade::Commit, Grade::Window, Grade::Unattributed]);
    match subject {
        Subject::Releases => {
            vec![(
                "kind",
                of(&[ReleaseKind::Baseline, ReleaseKind::Hotfix, ReleaseKind::Configuration, ReleaseKind::Unfinished]),
            )]
        }
        Subject::Deployments => vec![
            ("phase", phase),
            ("outcome", outcome),
            ("tier", tier),
            ("triggered_by", actor),
            ("marker", of(&[MarkerKind::Deployment, MarkerKind::Task, MarkerKind::Release])),
            ("kind", of(&[DeploymentKind::Forward, DeploymentKind::Unresolved, DeploymentKind::None])),
        ],
        Subject::ReleaseCommits => vec![
            ("tier", tier),
            ("author_kind", actor),
            ("lineage", of(&[Lineage::Deployed, Lineage::Push])),
            ("origin", of(&[Origin::Unknown, Origin::Authored, Origin::Squashed, Origin::Picked])),
        ],
        Subject::GateWaits => vec![
            ("kind", of(&[GateKind::Unknown, GateKind::DeploymentProtection, GateKind::MergeQueue])),
            ("outcome", of(&[GateOutcome::Open, GateOutcome::Bypassed])),
            ("decided_by", actor),
            ("hollow", of(&[Hollow::NoTests, Hollow::BeforeChecks, Hollow::WithinSeconds])),
        ],
        Subject::Builds => vec![
            ("phase", phase),
            ("outcome", outcome),
            ("triggered_by", actor),
            ("trigger", of(&[Trigger::Unknown, Trigger::MergeQueue, Trigger::Other])),
            ("class", class),
        ],
        Subject::BuildFailures => vec![("class", class)],
        Subject::ManualSteps => {
            vec![("kind", of(&[ManualStepKind::ManualJob, ManualStepKind::DispatchedRun, ManualStepKind::Named]))]
        }
        Subject::Incidents => vec![
            ("state", of(&[IncidentState::Detected, IncidentState::Merged, IncidentState::Retracted])),
            ("detected_by", actor),
            ("grade", grade),
        ],
        Subject::IncidentAttributions => vec![("grade", grade)],
        _ => vec![],
    }
}

fn fact(subject: Subject, json: &Value) -> Fact {
    Fact::from_columns(subject, json).unwrap().unwrap()
}

/// Reads a row of a table as a fact.
fn read_back(subject: Subject, mut row: Value) -> Fact {
    // The one column that is a number in the table and a truth value in the fact.
    row["deleted"] = Value::from(row["deleted"] == 1);
    fact(subject, &row)
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    const FACTS: usize = 150;
    let database = Database::migrated().await;
    let mut runner = TestRunner::new(Config { source_file: Some(file!()), ..Config::default() });
    for table in Table::all() {
        let strategy = fact_json(table);
        let name = if table.subject == Subject::Incidents { "incident" } else { "component" };
        let written: Vec<Fact> = (0..FACTS)
            .map(|n| {
                let mut json = strategy.new_tree(&mut runner).unwrap().current();
                // Unique, and tells which one it was.
                json[name] = Value::from(format!("{n:04}"));
                fact(table.subject, &json)
            })
            .collect();
        database.insert(&written, "a").await;
        let all: Vec<Value> = database.read(&format!("SELECT * FROM {}_rows ORDER BY {name}", table.name)).await;
        assert_eq!(all.len(), FACTS);
        for (row, wanted) in all.into_iter().zip(&written) {
            assert_eq!(read_back(table.subject, row), *wanted, "{}", table.name);
        }
        assert_eq!(database.number(&format!("SELECT count() AS n FROM {}", table.name)).await, FACTS as i64);
    }
    database.drop().await;
}

#[test]
fn a_duration_is_a_number_of_milliseconds() {
    // What the test above rests on: a fact read from JSON is the fact that was written.
    let json = serde_json::to_value(ReleaseFact { lead_time: Some(Millis(5)), ..Default::default() }).unwrap();
    assert_eq!(json["lead_time"], 5);
}
