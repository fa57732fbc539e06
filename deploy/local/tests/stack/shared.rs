//! One stack for all processes of a cache. Each test has a cache of its own, so that the one of the developer is left alone.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use crate::common::{assert_all_end, hear, processes, query, spawn_test};
use local_stack::{ADMIN, Addresses, SharedStack, Stack, Status};

#[test]
fn one_stack_for_all_until_it_is_taken_down() {
    let cache = cache_with_installed_servers();
    let cache = cache.path();
    let shared = cache.join("run").join("shared");
    let text = shared.display().to_string();
    assert_eq!(say("shared::status", cache), "Down");

    let mut both = [spawn_test("shared::ensure", Some(cache)), spawn_test("shared::ensure", Some(cache))];
    let [one, other] = both.each_mut().map(hear_addresses);
    assert_eq!(one, other);
    assert!(both.iter_mut().all(|process| process.wait().unwrap().success()));
    assert_eq!(processes(&text).len(), 5, "an owner, two servers, two supervisors: {:#?}", processes(&text));
    assert_eq!(say("shared::status", cache), "Up");
    query(&one, ADMIN, "CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n").unwrap();

    // The owner crashes: the next one finds the data.
    let (owner, _) = processes(&text).into_iter().find(|(_, line)| line.contains("serve")).unwrap();
    assert!(Command::new("kill").args(["-KILL", &owner.to_string()]).status().unwrap().success());
    assert_all_end(&format!("serve {text}"), Duration::from_secs(10));
    let again = hear_addresses(&mut spawn_test("shared::ensure", Some(cache)));
    assert_eq!(query(&again, ADMIN, "EXISTS TABLE kept").unwrap(), "1");

    assert_eq!(say("shared::down", cache), "true");
    assert_all_end(&text, Duration::ZERO);
    assert_eq!(say("shared::status", cache), "Down");
    assert_eq!(say("shared::down", cache), "false");
    assert!(shared.join("clickhouse").exists());
    assert_eq!(say("shared::reset", cache), "false");
    assert!(!shared.exists());
}

#[test]
fn a_missing_tool_is_named_with_what_to_install() {
    let cache = tempfile::tempdir().unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "shared::start_error", "--ignored", "--nocapture"]);
    process.env("THROUGHLINE_CACHE", cache.path()).env("PATH", cache.path()).env_remove("JAVA_HOME");
    let mut process = process.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let error = hear(&mut process);
    process.wait().unwrap();
    assert!(error.contains("`java`") && error.contains("Apache Kafka") && error.contains("apt-get install"), "{error}");
}

/// A cache that is empty but for what the real one has installed.
fn cache_with_installed_servers() -> tempfile::TempDir {
    let stack = Stack::start(&|line| println!("{line}")).unwrap();
    let real = stack.data_dir().ancestors().nth(2).unwrap();
    let cache = tempfile::tempdir().unwrap();
    for entry in real.read_dir().unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if ["kafka-", "clickhouse-"].iter().any(|prefix| name.starts_with(prefix)) {
            std::os::unix::fs::symlink(entry.path(), cache.path().join(name)).unwrap();
        }
    }
    cache
}

fn say(test: &str, cache: &Path) -> String {
    let mut process = spawn_test(test, Some(cache));
    let said = hear(&mut process);
    process.wait().unwrap();
    said
}

fn hear_addresses(process: &mut Child) -> Addresses {
    serde_json::from_str(&hear(process)).unwrap()
}

#[test]
#[ignore = "a process that another test starts"]
fn ensure() {
    let stack = SharedStack::ensure(&|line| eprintln!("{line}")).unwrap();
    println!("says: {}", serde_json::to_string(stack.addresses()).unwrap());
}

#[test]
#[ignore = "a process that another test starts"]
fn status() {
    let status = match SharedStack::status().unwrap() {
        Status::Up(_) => "Up",
        Status::Unready => "Unready",
        Status::Down => "Down",
    };
    println!("says: {status}");
}

#[test]
#[ignore = "a process that another test starts"]
fn down() {
    println!("says: {}", SharedStack::down().unwrap());
}

#[test]
#[ignore = "a process that another test starts"]
fn reset() {
    println!("says: {}", SharedStack::reset().unwrap());
}

#[test]
#[ignore = "a process that another test starts"]
fn start_error() {
    let error = Stack::start(&|_| ()).err().map(|error| error.to_string());
    println!("says: {}", error.unwrap_or_default().replace('\n', " "));
}
