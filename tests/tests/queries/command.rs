//! The commands themselves: what they print, what they refuse, and that they end.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use local_stack::ADMIN;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use warehouse::description::Description;

use crate::world::World;

#[tokio::test]
async fn questions_are_listed_and_explained_without_a_server() {
    let world = World::without_history().await;
    let without = |arguments: &[&str]| {
        let mut command = world.throughline(arguments);
        let output = command.env("THROUGHLINE_CLICKHOUSE__URL", "http://127.0.0.1:9").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let list = without(&["query"]);
    for part in ["gate-waits", "Which team waits longest on Fridays, and for what?", "throughline query NAME --show"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    let page = without(&["query", "waits-on-weekday", "--show"]);
    for part in ["working hours", "weekday", "= 5", "Day of the week, 1 Monday to 7 Sunday", "FROM gate_waits"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let question: Value = serde_json::from_str(&without(&["query", "release-path", "--show", "--json"])).unwrap();
    assert_eq!(
        question["parameters"][2],
        json!({
            "name": "version", "type": "String", "default": null, "meaning": "Version of the release, or how it begins",
        })
    );
    world.remove().await;
}

#[tokio::test]
async fn an_answer_is_a_table_csv_or_json() {
    let world = World::without_history().await;
    let until = format!("--param=until={}", crate::world::UNTIL);
    let asked = ["query", "gate-effectiveness", "--param", "realm=acme", &until, "--param", "since=2026-01-01"];
    let table = "\
component  gate         decisions  caught  caught_percent  at_most_percent  missed  hollow_passes  conclusion
shop       board                2       0               0              100       0              1  cannot conclude
shop       smoke tests          2       0               0              100       1              1  cannot conclude
";
    assert_eq!(world.said(&asked), table);

    let sql = "SELECT toNullable(toInt64(7980000)) AS median_lead_time, toInt64(9007199254740993) AS n, NULL AS nothing, \
               toDateTime64('2026-05-20 12:00:00.123', 3, 'UTC') AS at, {x:String} AS x";
    let told =
        |more: &[&str]| world.said(&[&["query", "--sql", sql, "--param", "x=it's \"x\"\t{y}; DROP"], more].concat());
    assert_eq!(
        told(&[]),
        "median_lead_time                 n  nothing  at                   x\n      \
         2 h 13 min  9007199254740993  -        2026-05-20 12:00:00  it's \"x\" {y}; DROP\n"
    );
    assert_eq!(
        told(&["--csv"]),
        "\"median_lead_time\",\"n\",\"nothing\",\"at\",\"x\"\n\
         7980000,9007199254740993,\\N,\"2026-05-20T12:00:00.123Z\",\"it's \"\"x\"\"\t{y}; DROP\"\n"
    );
    let line = told(&["--json"]);
    assert!(line.contains("\"n\":9007199254740993,"), "{line}");
    let wanted = json!({
        "median_lead_time": 7_980_000, "n": 9_007_199_254_740_993_i64, "nothing": null, "at": "2026-05-20T12:00:00.123Z",
        "x": "it's \"x\"\t{y}; DROP",
    });
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), wanted);
    world.remove().await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_said() {
    let world = World::without_history().await;
    for (arguments, said) in [
        (
            vec!["query", "gate-wait"],
            "there is no question `gate-wait`: did you mean `gate-waits`? `throughline query` lists them",
        ),
        (vec!["query", "zzz"], "there is no question `zzz`: `throughline query` lists them"),
        (
            vec!["query", "release-path", "--param", "version=v1"],
            "the parameter `component` is missing: Component, as a pattern",
        ),
        (
            vec!["query", "gate-waits", "--param", "since=soon"],
            "the parameter `since` is `soon`: expected is a time like",
        ),
        (vec!["query", "gate-waits", "--param", "sinc=1d"], "there is no parameter `sinc`; did you mean `since`?"),
        (vec!["query", "--sql", "SELECT {n:UInt8}"], "the parameter `n` is missing"),
        (
            vec!["query", "--sql", "SELECT {n:UInt8}", "--param", "n=300"],
            "the parameter `n` is `300`: expected is a whole number from 0 to 255",
        ),
        (
            vec!["query", "--sql", "SELECT lead_tim FROM releases"],
            "Maybe you meant: ['lead_time'] (UNKNOWN_IDENTIFIER)\n`throughline schema` shows",
        ),
        (vec!["query", "--sql", "SELECT * FROM releses"], "(UNKNOWN_TABLE)\n`throughline schema` shows every table"),
        (vec!["query", "--sql", "SELECT 1 FRM x"], "Syntax error: failed at position"),
        (
            vec!["query", "--sql", "SELECT * FROM system.users"],
            "(ACCESS_DENIED)\nthe user needs no more than: GRANT SELECT",
        ),
        (vec!["query", "--sql", "DROP VIEW releases"], "a query only reads, and this one begins with `drop`"),
        (vec!["query", "--sql", "SELECT 1 FORMAT JSON"], "leave out FORMAT JSON"),
        (vec!["query", "--sql", "SELECT 1 SETTINGS readonly = 0"], "(READONLY)"),
        (vec!["schema", "release"], "there is no table `release`; did you mean `releases`?"),
        (vec!["schema", "people"], "there is no table `people`; there are releases, deployments,"),
    ] {
        let complaint = world.complaint(&arguments);
        assert!(complaint.starts_with("error: ") && complaint.contains(said), "{arguments:?}: {complaint}");
    }
    let with = |key: &str, value: &str, arguments: &[&str]| {
        let output =
            world.throughline(arguments).env(format!("THROUGHLINE_CLICKHOUSE__{key}"), value).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    };
    let one = ["query", "--sql", "SELECT 1"];
    let refused = with("PASSWORD", "hunter2", &one);
    assert!(refused.contains("clickhouse.password") && !refused.contains("hunter2"), "{refused}");
    let away = with("URL", "http://127.0.0.1:9", &one);
    assert!(away.contains("ClickHouse at http://127.0.0.1:9, the address in clickhouse.url"), "{away}");
    assert!(away.contains("cannot be reached"), "{away}");
    let none = with("DATABASE", "t_that_is_not_there", &["schema"]);
    assert!(none.contains("`throughline migrate` makes it"), "{none}");
    world.remove().await;
}

#[tokio::test]
async fn a_question_has_limits_and_ends() {
    let world = World::without_history().await;
    let long = "SELECT number FROM numbers(1500)";
    let output = world.run(&["query", "--sql", long]);
    let (table, note) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((table.lines().count(), table.lines().last()), (1001, Some("   999")));
    assert_eq!(note, "these are the first 1000 rows; --csv and --json give all\n");
    assert_eq!(world.said(&["query", "--sql", long, "--csv"]).lines().count(), 1501);
    let million = world.complaint(&["query", "--sql", "SELECT number FROM numbers(1000001)", "--csv"]);
    assert!(million.contains("SETTINGS max_result_rows"), "{million}");
    let most = "SELECT number FROM numbers(1000000)";
    assert_eq!(world.said(&["query", "--sql", most, "--csv"]).lines().count(), 1_000_001);
    let beyond = world.complaint(&["query", "--sql", &format!("{most} SETTINGS max_execution_time = 60")]);
    assert!(beyond.contains("the profile of the user `throughline_read` sets that limit"), "{beyond}");

    let slow = "SELECT sleepEachRow(0.5) FROM numbers(100) SETTINGS max_block_size = 1";
    let mut hasty = world.throughline(&["query", "--sql", slow]);
    let output = hasty.env("THROUGHLINE_CLICKHOUSE__QUERY_TIMEOUT_MS", "1000").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("clickhouse.query_timeout_ms is 1000"), "{said}");

    // Nobody reads any more, as with `| head`.
    let mut child = world.throughline(&["query", "--sql", most, "--csv"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!((line.as_str(), child.wait().unwrap().code()), ("\"number\"\n", Some(0)));
    world.remove().await;
}

#[tokio::test]
async fn an_interrupted_question_ends_in_clickhouse_too() {
    let world = World::without_history().await;
    let mark = format!("mark_{:016x}", fastrand::u64(..));
    let slow = format!("SELECT sleepEachRow(0.5) AS {mark} FROM numbers(100) SETTINGS max_block_size = 1");
    let mut child = world.throughline(&["query", "--sql", &slow]).stderr(Stdio::piped()).spawn().unwrap();
    let admin = world.warehouse(ADMIN);
    let running = async || {
        let sql = "SELECT query FROM system.processes WHERE position(query, {mark:String}) > 0 AND position(query, 'system') = 0";
        admin.query(sql).param("mark", &mark).rows::<Value>().await.unwrap().len()
    };
    let becomes = async |wanted: usize| {
        for _ in 0..200 {
            if running().await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} queries are running, and not {wanted}", running().await);
    };
    becomes(1).await;
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!status.success(), "{said}");
    becomes(0).await;
    world.remove().await;
}

#[tokio::test]
async fn the_tables_are_shown_to_who_may_only_read() {
    let world = World::without_history().await;
    let page = world.said(&["schema"]);
    let said = world.said(&["schema", "--json"]);
    let tables: Vec<Value> = serde_json::from_str(&said).unwrap();
    let names: Vec<&str> = tables.iter().map(|table| table["name"].as_str().unwrap()).collect();
    assert_eq!(names[..2], ["releases", "deployments"]);
    assert!(names.contains(&"load_watermarks") && names.iter().all(|name| !name.ends_with("_rows")), "{names:?}");
    for table in &tables {
        let name = table["name"].as_str().unwrap();
        assert!(page.lines().any(|line| line == name), "{name} is not on the page");
        assert!(!table["comment"].as_str().unwrap().is_empty(), "{name}");
        assert!(!table["identity"].as_array().unwrap().is_empty(), "{name} has no identity");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let builds = world.said(&["schema", "builds"]);
    for part in [
        "One row for each: realm, component, at, run, attempt",
        "time_to_green",
        "Nullable(Int64)",
        "finished_at to green_at, ms",
    ] {
        assert!(builds.contains(part), "{part}: {builds}");
    }
    assert!(!builds.contains("LowCardinality"), "{builds}");
    let all = world.said(&["schema", "--all"]);
    assert!(all.contains("\nschema_migrations\n") && all.contains("\nreleases_rows\n"), "{all}");
    let described: Vec<Description> = world.warehouse(local_stack::READ).describe().await.unwrap();
    assert_eq!(described.iter().filter(|table| !table.internal).count(), tables.len());
    world.remove().await;
}
