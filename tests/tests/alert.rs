//! From a history that was told to an alert that somebody gets: a real Prometheus scrapes a running installation and evaluates the
//! shipped rules, and a real Alertmanager with the shipped routes hands over what it makes of them.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use end_to_end::installation::{self, Installation, Role};
use local_stack::{Alertmanager, Prometheus, PrometheusPrograms, SharedStack};
use model::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const PATIENCE: Duration = Duration::from_secs(90);
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
const RELEASES: i64 = 100;
/// From this release on the deployments of the shop take longer.
const SLOWER_FROM: i64 = 80;
/// Minutes that they take, and then.
const USUAL: i64 = 30;
const SLOW: i64 = 120;

const CATALOG: &str = "\
teams = [{ team = 'web' }]

[[components]]
component = 'shop'
team = 'web'
repository = 'github.com/acme/shop'

[[components]]
component = 'search'
team = 'web'
repository = 'github.com/acme/search'
";

/// From a merge to the begin of the deployment, and from there to its end. No two are alike, as in life.
fn way(n: i64, minutes: i64) -> (i64, i64) {
    (10 * MINUTE + n * 7919 % (3 * MINUTE), minutes * MINUTE + n * 5417 % MINUTE)
}

/// The lower median from merge to production of these releases.
fn median(releases: std::ops::Range<i64>, minutes: impl Fn(i64) -> i64) -> i64 {
    let mut times: Vec<i64> = releases.map(|n| way(n, minutes(n))).map(|(wait, deploy)| wait + deploy).collect();
    times.sort_unstable();
    times[(times.len() - 1) / 2]
}

/// As Prometheus says it.
fn humanized(time: i64) -> String {
    let seconds = time / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}h {minutes}m {seconds}s") } else { format!("{minutes}m {seconds}s") }
}

/// The figures of the last 30 days are those of the releases that came to production then.
fn check_figures(metrics: &str, begin: i64, component: &str, minutes: impl Fn(i64) -> i64) {
    let figure = |name: &str| {
        let series = format!("throughline_{name}{{component=\"{component}\",realm=\"default\",team=\"web\"}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap_or_else(|| panic!("{series}is not in\n{metrics}")).parse::<f64>().unwrap()
    };
    let finished = |n: i64| begin + n * 8 * HOUR + way(n, minutes(n)).0 + way(n, minutes(n)).1;
    let since = jiff::Timestamp::now().as_millisecond() / (24 * HOUR) * 24 * HOUR - 30 * 24 * HOUR;
    let first = (1..RELEASES).find(|n| finished(*n) >= since).unwrap();
    let median = median(first..RELEASES, &minutes) as f64 / 1000.0;
    assert_eq!(figure("releases"), (RELEASES - first) as f64);
    assert_eq!(figure("merge_to_production_seconds"), median);
    assert_eq!(figure("lead_time_seconds"), median + 7200.0);
    assert_eq!(figure("last_release_timestamp_seconds"), finished(RELEASES - 1) as f64 / 1000.0);
    assert_eq!((figure("change_failure_ratio"), figure("gates_open"), figure("incidents_open")), (0.0, 0.0, 0.0));
}

/// A component that is released every eight hours from then on; how many minutes its deployments take.
fn history(begin: i64, component: &str, minutes: impl Fn(i64) -> i64) -> Vec<Value> {
    let sha = |n: i64| {
        let letter = component.as_bytes()[1];
        format!("{letter:02x}{n:038x}")
    };
    let repository = format!("github.com/acme/{component}");
    let release = |n: i64| {
        let merged = begin + n * 8 * HOUR;
        let (wait, deploy) = way(n, minutes(n));
        let (started, finished) = (merged + wait, merged + wait + deploy);
        let commit = json!({"id": sha(n + 1), "parents": [sha(n)], "authored_at": merged - 2 * HOUR, "committed_at": merged,
                            "author": {"key": "author@example.org", "kind": "human"}, "paths": ["src/basket.rs"]});
        let push = json!({"repository": repository, "ref_name": "refs/heads/main", "before": sha(n), "after": sha(n + 1),
                          "commits": [commit], "default_branch": "main"});
        let deployment = json!({"deployment": format!("deploy.example.org/{component}/{n}"), "repository": repository,
                                "environment": "production", "action": "deploy", "phase": "finished", "outcome": "success",
                                "commit": sha(n + 1), "version": format!("v{n}"), "started_at": started, "finished_at": finished});
        [
            json!({"occurred_at": Timestamp(merged), "body": {"Push": push}}),
            json!({"occurred_at": Timestamp(finished), "body": {"Deployment": deployment}}),
        ]
    };
    (0..RELEASES).flat_map(release).collect()
}

/// What Alertmanager sends, as it comes.
async fn receiver() -> (String, UnboundedReceiver<Value>) {
    async fn take(State(told): State<UnboundedSender<Value>>, notification: Bytes) {
        let _ = told.send(serde_json::from_slice(&notification).unwrap());
    }
    let (told, heard) = unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(take)).with_state(told);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

/// A shipped file in which everything that takes its time takes a second; all else is left as it is.
fn hurried(path: &Path) -> String {
    const TIMES: [&str; 8] = [
        "scrape_interval:",
        "evaluation_interval:",
        "interval:",
        "for:",
        "keep_firing_for:",
        "group_wait:",
        "group_interval:",
        "repeat_interval:",
    ];
    let hurry = |line: &str| match TIMES.into_iter().find(|time| line.trim_start().starts_with(time)) {
        Some(time) => format!("{}{time} 1s\n", &line[..line.len() - line.trim_start().len()]),
        None => format!("{line}\n"),
    };
    fs::read_to_string(path).unwrap().lines().map(hurry).collect()
}

/// Replaces a text that must be there.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    text.replace(from, to)
}

/// The shipped configuration of Alertmanager with a receiver of delivery alerts.
fn alertmanager(folder: &Path, receiver: &str) -> PathBuf {
    let name = "  - name: delivery\n";
    let to = format!("{name}    webhook_configs: [{{ url: '{receiver}' }}]\n");
    let file = folder.join("alertmanager.yml");
    fs::write(&file, replaced(&hurried(&shipped("alertmanager/alertmanager.yml")), name, &to)).unwrap();
    file
}

/// The shipped configuration of Prometheus, with the addresses of here.
fn prometheus(folder: &Path, admin: &str, alertmanager: &str) -> PathBuf {
    fs::create_dir(folder.join("rules")).unwrap();
    for rules in fs::read_dir(shipped("prometheus/rules")).unwrap() {
        let rules = rules.unwrap().path();
        fs::write(folder.join("rules").join(rules.file_name().unwrap()), hurried(&rules)).unwrap();
    }
    let admin = admin.strip_prefix("http://").unwrap();
    let text = hurried(&shipped("prometheus/prometheus.yml"));
    let text = replaced(&text, "throughline:9464", admin);
    let text = replaced(&text, "alertmanager:9093", alertmanager);
    let text = replaced(&text, "throughline: http://localhost:9464", &format!("throughline: http://{admin}"));
    let file = folder.join("prometheus.yml");
    fs::write(&file, text).unwrap();
    file
}

/// The next notification about an alert of this status; others are let go.
async fn next(heard: &mut UnboundedReceiver<Value>, status: &str) -> Value {
    let alert = async {
        while let Some(notification) = heard.recv().await {
            let alerts = notification["alerts"].as_array().unwrap();
            if let Some(alert) = alerts.iter().find(|alert| alert["status"] == status) {
                return alert.clone();
            }
        }
        panic!("the receiver has ended")
    };
    tokio::time::timeout(PATIENCE, alert).await.unwrap_or_else(|_| panic!("no alert is {status} within {PATIENCE:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_time_that_regresses_reaches_somebody_until_it_is_acknowledged() {
    let say: fn(&str) = |line| eprintln!("{line}");
    let programs = match tokio::task::spawn_blocking(move || PrometheusPrograms::find(&say)).await.unwrap() {
        Ok(programs) => programs,
        Err(error) => return eprintln!("SKIPPED: no Prometheus, no Alertmanager: {error}"),
    };
    let binary = tokio::task::spawn_blocking(installation::build).await.unwrap().unwrap();
    let stack = tokio::task::spawn_blocking(move || SharedStack::ensure(&say)).await.unwrap().unwrap();
    let name = format!("t_alert_{:08x}", fastrand::u32(..));
    let mut installation = Installation::new(&binary, stack.addresses(), &name, &[]).unwrap();
    installation.set("THROUGHLINE_REVIEW__REFRESH_MS", "500");
    installation.run(&["migrate"]).unwrap();
    installation.start(Role::All).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let (catalog, lines) = (folder.path().join("catalog.toml"), folder.path().join("history.jsonl"));
    fs::write(&catalog, CATALOG).unwrap();
    installation.run(&["catalog", "put", catalog.to_str().unwrap()]).unwrap();
    let begin = jiff::Timestamp::now().as_millisecond() - HOUR - RELEASES * 8 * HOUR;
    let slower = |n| if n < SLOWER_FROM { USUAL } else { SLOW };
    let history: Vec<Value> =
        history(begin, "shop", slower).into_iter().chain(history(begin, "search", |_| USUAL)).collect();
    fs::write(&lines, history.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    installation.run(&["import", lines.to_str().unwrap()]).unwrap();
    installation.wait_drained(PATIENCE).await.unwrap();

    let (url, mut heard) = receiver().await;
    let alertmanager_config = alertmanager(folder.path(), &url);
    let admin = installation.admin(Role::All).unwrap();
    let (config_folder, of_programs, of_admin) = (folder.path().to_owned(), programs.clone(), admin.clone());
    let (_alertmanager, _prometheus) = tokio::task::spawn_blocking(move || {
        let alertmanager = Alertmanager::start(&of_programs, &alertmanager_config, &say).unwrap();
        let config = prometheus(&config_folder, &of_admin, alertmanager.address());
        (alertmanager, Prometheus::start(&of_programs, &config, &say).unwrap())
    })
    .await
    .unwrap();

    let alert = next(&mut heard, "firing").await;
    let labels = json!({"alertname": "LeadTimeRegressed", "severity": "ticket", "realm": "default", "team": "web",
                        "component": "shop", "segment": "deploy", "layer": "platform"});
    assert_eq!(alert["labels"], labels, "{alert:#}");
    let said = |name: &str| alert["annotations"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        said("summary"),
        "shop takes 3.2 times as long from merge to production as it used to, mostly in deploy"
    );
    // The first one has no lead time: what was there before it is not known.
    for time in [median(1..SLOWER_FROM, slower), median(SLOWER_FROM..RELEASES, slower)].map(humanized) {
        assert!(said("description").contains(&time), "{time} is not in {}", said("description"));
    }
    assert!(
        said("dashboard_url").contains("/d/throughline-delivery?var-realm=default&var-team=web&var-component=shop")
    );
    let runbook = reqwest::get(said("runbook_url")).await.unwrap();
    assert_eq!(runbook.status(), 200);
    assert!(runbook.text().await.unwrap().contains("<h1>Lead time regressed</h1>"));

    let metrics = reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap();
    check_figures(&metrics, begin, "shop", slower);
    check_figures(&metrics, begin, "search", |_| USUAL);

    installation.run(&["acknowledge", "shop", "--note", "deployments go in four steps now"]).unwrap();
    let over = next(&mut heard, "resolved").await;
    assert_eq!(over["labels"], labels, "{over:#}");
    let metrics = reqwest::get(format!("{admin}/metrics")).await.unwrap().text().await.unwrap();
    assert!(!metrics.contains("throughline_lead_time_shift_ratio"), "a series of a shift is left");
    assert!(metrics.contains(r#"throughline_lead_time_watched{component="search",realm="default",team="web"} 1"#));

    installation.stop_all().await.unwrap();
    installation.remove().await.unwrap();
}
