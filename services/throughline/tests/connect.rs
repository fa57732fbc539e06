//! `throughline connect github`: the way through a browser, with a GitHub on this machine.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path as InPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStderr, Command};

/// The only code that GitHub gave.
const CODE: &str = "a180b1a3d263c81bc6441d7b990bae27d4c10679";
const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nhidden1\n-----END RSA PRIVATE KEY-----\n";

/// A GitHub that knows one code, once.
async fn github() -> String {
    async fn convert(State(left): State<Arc<Mutex<Vec<&'static str>>>>, InPath(code): InPath<String>) -> Response {
        let known = left.lock().unwrap().pop_if(|left| *left == code).is_some();
        let (status, body) = if known {
            let app = json!({
                "id": 12345, "slug": "throughline-acme", "name": "Throughline acme", "html_url": "https://github.com/apps/throughline-acme",
                "client_id": "Iv1.0", "client_secret": "hidden3", "webhook_secret": "hidden2", "pem": PEM,
                "owner": { "login": "acme" }, "permissions": {}, "events": [],
            });
            (StatusCode::CREATED, app)
        } else {
            (StatusCode::NOT_FOUND, json!({ "message": "Not Found" }))
        };
        (status, [("content-type", "application/json")], body.to_string()).into_response()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/api/v3/app-manifests/{code}/conversions", post(convert))
        .with_state(Arc::new(Mutex::new(vec![CODE])));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// The command under way, and its page.
struct Connecting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    page: String,
}

impl Connecting {
    async fn begin(github: &str, into: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
        command.args([
            "connect",
            "github",
            "--org",
            "acme",
            "--url",
            "https://throughline.example.com/",
            "--github",
            github,
        ]);
        command.arg("--into").arg(into).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).await.unwrap();
        let page = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:"));
        let page = page.unwrap_or_else(|| unreachable!("{line}")).to_owned();
        Self { child, stderr, page }
    }

    async fn end(mut self) -> (Output, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).await.unwrap();
        (self.child.wait_with_output().await.unwrap(), said)
    }
}

/// What stands behind `name="` in a page.
fn attribute(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap().replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")
}

/// The form: where it goes with which state, and the manifest.
async fn form(page: &str) -> (String, String, Value) {
    let page = reqwest::get(page).await.unwrap().text().await.unwrap();
    let (action, state) =
        attribute(&page, "action").split_once("?state=").map(|(a, s)| (a.to_owned(), s.to_owned())).unwrap();
    let value = page.split_once("name=\"manifest\"").unwrap().1;
    (action, state, serde_json::from_str(&attribute(value, "value")).unwrap())
}

async fn back(page: &str, code: &str, state: &str) -> (u16, String) {
    let answer = reqwest::get(format!("{page}/made?code={code}&state={state}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn files(folder: &Path) -> BTreeMap<String, (String, u32)> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), (std::fs::read_to_string(entry.path()).unwrap(), mode))
        })
        .collect()
}

#[tokio::test]
async fn an_app_is_registered_and_its_secrets_are_kept_and_never_shown() {
    let (github, folder) = (github().await, tempfile::tempdir().unwrap());
    let into = folder.path().join("secrets");
    let connecting = Connecting::begin(&github, &into).await;
    let page = connecting.page.clone();
    let (action, state, manifest) = form(&page).await;
    assert_eq!(action, format!("{github}/organizations/acme/settings/apps/new"));
    assert_eq!(state.len(), 64);
    assert_eq!(manifest["hook_attributes"]["url"], "https://throughline.example.com/hooks/github");
    assert_eq!(manifest["redirect_url"], format!("{page}/made"));
    assert_eq!(manifest["name"], "Throughline acme");

    // What others lead the browser to changes nothing.
    for wrong in ["", "0", &state[1..], &format!("{state}0")] {
        assert_eq!(back(&page, CODE, wrong).await.0, 403, "{wrong}");
    }
    let elsewhere = reqwest::Client::new().get(&page).header("host", "evil.example").send().await.unwrap();
    assert_eq!((elsewhere.status().as_u16(), elsewhere.text().await.unwrap().as_str()), (421, ""));
    assert!(files(&into).values().all(|(content, _)| content.is_empty()));

    let (status, made) = back(&page, CODE, &state).await;
    assert!(status == 200 && made.contains("https://github.com/apps/throughline-acme/installations/new"), "{made}");
    let (output, said) = connecting.end().await;
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("https://github.com/apps/throughline-acme/installations/new"), "{said}");
    assert!(![&printed, &said, &made].iter().any(|text| text.contains("hidden")), "{printed}{said}");
    let kept = files(&into);
    assert_eq!(kept["github.private-key.pem"], (PEM.to_owned(), 0o600));
    assert_eq!(kept["github.webhook-secret"], ("hidden2".to_owned(), 0o600));
    assert_eq!(kept.len(), 2);
    let configuration: toml::Table = toml::from_str(&printed).unwrap();
    let source = &configuration["sources"]["github"];
    assert_eq!(source["api"]["app"].as_integer(), Some(12345));
    assert_eq!(source["api"]["root"].as_str(), Some(format!("{github}/api/v3").as_str()));
    for (file, content) in [(&source["api"]["private_key"], PEM), (&source["secrets"][0], "hidden2")] {
        assert_eq!(std::fs::read_to_string(file["file"].as_str().unwrap()).unwrap(), content);
    }

    // Another one does not take its place unasked, and no App is made first.
    let mut again = Command::new(env!("CARGO_BIN_EXE_throughline"));
    again
        .args(["connect", "github", "--url", "https://throughline.example.com", "--github", &github, "--into"])
        .arg(&into);
    let again = again.output().await.unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(!again.status.success() && said.contains("--force") && !said.contains("open http"), "{said}");
}

#[tokio::test]
async fn a_code_that_github_does_not_take_ends_it_with_a_reason() {
    let (github, folder) = (github().await, tempfile::tempdir().unwrap());
    let connecting = Connecting::begin(&github, folder.path()).await;
    let page = connecting.page.clone();
    let (_, state, _) = form(&page).await;
    let (status, shown) = back(&page, "0therc0de", &state).await;
    assert!(status == 502 && shown.contains("404"), "{shown}");
    let (output, said) = connecting.end().await;
    assert!(!output.status.success() && said.contains("404"), "{said}");
    assert!(!said.contains("0therc0de") && !shown.contains("0therc0de"), "{said}");
    assert_eq!(files(folder.path()).len(), 0);
}

#[tokio::test]
async fn the_page_is_for_this_machine_alone() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
    command.args(["connect", "github", "--url", "https://throughline.example.com", "--listen", "0.0.0.0:0", "--into"]);
    let output = command.arg(tempfile::tempdir().unwrap().path()).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("--listen 0.0.0.0:0"), "{said}");
}
