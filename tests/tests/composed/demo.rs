//! The demo as `docker compose --profile demo` plays it: through an instance that takes the demo's sources alone, beside one that does
//! everything else and knows nothing of them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use end_to_end::compose::{environment, list, root};
use end_to_end::demo::{Demo, check, disturb, send_into};
use end_to_end::installation::{self, Installation, PEOPLE_KEY, Role};
use local_stack::Stack;
use serde_json::Value;

use crate::{Running, project};

const PATIENCE: Duration = Duration::from_secs(180);

/// A port that was free a moment ago.
fn free() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The service `demo-door` as a process: its command and its environment, with servers, ports and files of this machine.
fn door(project: &Value, binary: &Path, stack: &Stack, to: &Installation) -> (Running, String, String) {
    let service = &project["services"]["demo-door"];
    let (receive, admin) = (free(), free());
    let mut command = Command::new(binary);
    command.args(list(&service["command"]).iter().map(|word| word.as_str().unwrap()));
    command.env_clear().envs(environment(project, "demo-door"));
    command
        .env("THROUGHLINE_CONFIG", root().join("deploy/demo/throughline.toml"))
        .env("THROUGHLINE_CATALOG__REALMS__DEMO", root().join("deploy/demo/catalog.toml"))
        .env("THROUGHLINE_KAFKA__BROKERS", &stack.addresses().kafka)
        .env("THROUGHLINE_KAFKA__TOPIC_PREFIX", format!("{}.", to.name()))
        .env("THROUGHLINE_KAFKA__PARTITIONS__INBOX", "2")
        .env("THROUGHLINE_KAFKA__PARTITIONS__EVENTS", "2")
        .env("THROUGHLINE_RECEIVE__LISTEN", &receive)
        .env("THROUGHLINE_ADMIN__LISTEN", &admin)
        .env("THROUGHLINE_PEOPLE_KEY", PEOPLE_KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    (Running(command.spawn().unwrap()), receive, admin)
}

/// Waits as the container's health check does.
fn wait_healthy(project: &Value, binary: &Path, admin: &str) {
    let test = list(&project["services"]["demo-door"]["healthcheck"]["test"]);
    let started = Instant::now();
    loop {
        let mut command = Command::new(binary);
        command.args(test.iter().skip(2).map(|word| word.as_str().unwrap()));
        let output = command.env_clear().env("THROUGHLINE_ADMIN__LISTEN", admin).output().unwrap();
        if output.status.success() {
            assert_eq!(output.stdout, b"ready\n");
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{}", String::from_utf8_lossy(&output.stderr));
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_comes_through_a_door_of_its_own() {
    let Some(project) = project() else { return };
    let binary = installation::build().unwrap();
    let stack = Stack::start(&|line| eprintln!("{line}")).unwrap();
    // It has sources of other names, and one of the same provider.
    let mut everything = Installation::new(&binary, stack.addresses(), "throughline", &[("github", "github")]).unwrap();
    everything.run(&["migrate"]).unwrap();
    everything.start(Role::All).await.unwrap();
    let (_door, receive, admin) = door(&project, &binary, &stack, &everything);
    wait_healthy(&project, &binary, &admin);

    let demo = Demo::until_today();
    let secret =
        environment(&project, "demo").find(|(name, _)| *name == "THROUGHLINE_DEMO_SECRET").unwrap().1.to_owned();
    let hooks = format!("http://{receive}/hooks/");
    send_into(&hooks, &secret, disturb(&demo.webhooks, 7), &|_| ()).await.unwrap();
    everything.wait_drained(PATIENCE).await.unwrap();
    let checked = check(&everything, &demo.expected).await.unwrap();
    assert!(checked.rows > 1000 && checked.differences.is_empty(), "{:?}", checked.differences);
    assert_eq!(everything.query("SELECT DISTINCT realm FROM releases").await.unwrap(), "demo\n");

    let refused = send_into(&hooks, "another secret", demo.webhooks[..1].to_vec(), &|_| ()).await.unwrap_err();
    assert!(refused.to_string().contains("401"), "{refused:#}");
    everything.stop_all().await.unwrap();
}
