//! A stack of one's own: restarts keep the data, and nothing outlives the owner.

use std::time::Duration;

use crate::common::{assert_all_end, create_topic, has_topic, hear, processes, query, spawn_test};
use local_stack::{ADMIN, MIGRATE, READ, STOP_GRACE, Stack, User, WRITE};

#[test]
fn servers_restart_with_their_data_and_end_with_the_stack() {
    let mut stack = Stack::start(&|line| println!("{line}")).unwrap();
    let addresses = stack.addresses().clone();
    let folder = stack.data_dir().to_owned();
    assert!(stack.is_healthy());

    create_topic(&addresses, "kept");
    stack.stop_kafka();
    assert!(std::net::TcpStream::connect(&addresses.kafka).is_err());
    stack.start_kafka().unwrap();
    assert!(has_topic(&addresses, "kept"));
    stack.kill_kafka();
    stack.start_kafka().unwrap();
    assert!(has_topic(&addresses, "kept"));
    assert!(!has_topic(&addresses, "never made"));

    query(&addresses, ADMIN, "CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n").unwrap();
    query(&addresses, ADMIN, "INSERT INTO kept VALUES (1), (2)").unwrap();
    query(&addresses, ADMIN, "SYSTEM FLUSH LOGS query_log").unwrap();
    stack.stop_clickhouse();
    stack.start_clickhouse().unwrap();
    query(&addresses, ADMIN, "INSERT INTO kept VALUES (4)").unwrap();
    stack.kill_clickhouse();
    stack.start_clickhouse().unwrap();
    assert_eq!(query(&addresses, ADMIN, "SELECT sum(n) FROM kept").unwrap(), "7");
    query(&addresses, ADMIN, "SYSTEM FLUSH LOGS query_log").unwrap();
    query(&addresses, ADMIN, "SELECT count() FROM system.query_log").expect("queries are logged anew");
    assert_eq!(stack.addresses(), &addresses);
    assert!(stack.is_healthy());

    stack.pause_clickhouse();
    let asked = std::thread::spawn(move || query(&addresses, ADMIN, "SELECT sum(n) FROM kept"));
    std::thread::sleep(Duration::from_millis(500));
    assert!(!asked.is_finished(), "a paused server answers");
    stack.resume_clickhouse();
    assert_eq!(asked.join().unwrap().unwrap(), "7");
    stack.pause_kafka();
    // What is paused can be stopped nevertheless, and in good order.
    let stopping = std::time::Instant::now();
    stack.stop_kafka();
    assert!(stopping.elapsed() < STOP_GRACE, "it had to be killed");

    drop(stack);
    assert!(!folder.exists());
    assert_all_end(&folder.display().to_string(), Duration::ZERO);
}

#[test]
fn users_may_do_their_work_and_no_more() {
    let stack = Stack::start(&|_| ()).unwrap();
    let run = |user, sql| query(stack.addresses(), user, sql);
    let is_denied = |user, sql| run(user, sql).unwrap_err().contains("ACCESS_DENIED");

    run(MIGRATE, "CREATE DATABASE t_users").unwrap();
    run(MIGRATE, "CREATE TABLE t_users.facts (n UInt8, r UInt64) ENGINE = ReplacingMergeTree(r) ORDER BY n").unwrap();
    run(MIGRATE, "ALTER TABLE t_users.facts ADD COLUMN d UInt8 COMMENT 'none'").unwrap();
    run(MIGRATE, "CREATE VIEW t_users.view AS SELECT n FROM t_users.facts FINAL").unwrap();
    assert!(is_denied(MIGRATE, "CREATE DATABASE others"));

    run(WRITE, "INSERT INTO t_users.facts VALUES (1, 1, 0), (1, 2, 0)").unwrap();
    assert!(is_denied(WRITE, "DROP TABLE t_users.facts"));
    assert_eq!(run(READ, "SELECT count() FROM t_users.view").unwrap(), "1");
    assert!(is_denied(READ, "INSERT INTO t_users.facts VALUES (2, 1, 0)"));

    let stranger = User { password: "wrong", ..READ };
    assert!(run(stranger, "SELECT 1").unwrap_err().contains("AUTHENTICATION_FAILED"));
}

#[test]
fn servers_end_when_their_owner_is_killed_and_the_next_start_cleans_up() {
    let mut owner = spawn_test("private::owner", None);
    let folder = hear(&mut owner);
    assert_eq!(processes(&folder).len(), 4, "two servers and their supervisors: {:#?}", processes(&folder));

    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_all_end(&folder, Duration::from_secs(8));

    assert!(std::path::Path::new(&folder).exists());
    drop(Stack::start(&|_| ()).unwrap());
    assert!(!std::path::Path::new(&folder).exists());
}

#[test]
#[ignore = "a process that another test starts and kills"]
fn owner() {
    let stack = Stack::start(&|_| ()).unwrap();
    println!("says: {}", stack.data_dir().display());
    std::thread::sleep(Duration::from_secs(60));
}
