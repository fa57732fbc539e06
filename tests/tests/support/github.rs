//! GitHub, as the front door sees it: signed deliveries, of a few repositories whose every commit is pushed and deployed.

use std::time::Duration;

use end_to_end::installation::{Installation, SECRET};
use hmac::{Hmac, KeyInit, Mac};
use model::Timestamp;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::SOURCE;

/// GitHub gives up on an answer after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// 2024-05-01T00:00:00Z, when the histories begin.
const BEGIN: Timestamp = Timestamp::from_seconds(1_714_521_600);

/// A delivery.
#[derive(Clone)]
pub struct Delivery {
    /// `X-GitHub-Delivery`.
    pub id: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A sender; each delivery comes by a connection of its own, as from many.
#[derive(Clone)]
pub struct GitHub {
    http: Client,
    hook: String,
}

impl GitHub {
    /// Sends to an installation.
    pub fn of(installation: &Installation) -> GitHub {
        let http = Client::builder().pool_max_idle_per_host(0).timeout(PATIENCE).build().unwrap();
        GitHub { http, hook: installation.hook(SOURCE) }
    }

    /// Sends a delivery with its signature.
    pub async fn send(&self, delivery: &Delivery) -> reqwest::Result<Response> {
        self.send_with(delivery, Some(&sign(&delivery.body))).await
    }

    /// Sends a delivery with this signature or none.
    pub async fn send_with(&self, delivery: &Delivery, signature: Option<&str>) -> reqwest::Result<Response> {
        let mut request = self.http.post(&self.hook).body(delivery.body.clone());
        for (name, value) in [
            ("X-GitHub-Delivery", delivery.id.as_str()),
            ("X-GitHub-Event", delivery.event.as_str()),
            ("Content-Type", "application/json"),
        ] {
            request = request.header(name, value);
        }
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        request.send().await
    }

    /// Sends a delivery and wants it accepted.
    pub async fn deliver(&self, delivery: &Delivery) {
        let answer = self.send(delivery).await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(status, 202, "{} {}: {}", delivery.event, delivery.id, answer.text().await.unwrap_or_default());
    }
}

/// The signature of a body.
pub fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

impl Delivery {
    /// A delivery of any kind.
    pub fn new(id: impl Into<String>, event: &str, body: impl Into<Vec<u8>>) -> Delivery {
        Delivery { id: id.into(), event: event.to_owned(), body: body.into() }
    }
}

/// A history of any length: in each of the repositories a commit is pushed, deployed to production, the next one pushed.
#[derive(Clone, Copy)]
pub struct History {
    /// How many repositories take turns.
    pub repositories: u64,
}

impl History {
    /// The n-th delivery, from 0.
    pub fn delivery(self, n: u64) -> Delivery {
        let (repository, step) = (n % self.repositories, n / self.repositories);
        let commit = step / 2;
        let (event, body) = match step % 2 {
            0 => ("push", push(repository, commit)),
            _ => ("deployment_status", deployment_status(repository, commit, n)),
        };
        Delivery::new(format!("00000000-0000-4000-8000-{n:012}"), event, body.to_string())
    }

    /// Deployments among the first `count` deliveries, each of a commit that was not deployed before.
    pub fn deployments(self, count: u64) -> u64 {
        (0..count).filter(|n| n / self.repositories % 2 == 1).count() as u64
    }
}

fn at(commit: u64, seconds: i64) -> Timestamp {
    Timestamp(BEGIN.0 + (commit as i64 * 600 + seconds) * 1000)
}

fn sha(repository: u64, commit: u64) -> String {
    hex::encode(&Sha256::digest(format!("{repository}/{commit}"))[..20])
}

fn repository_body(repository: u64, pushed_at: Timestamp) -> Value {
    json!({
        "id": 1000 + repository,
        "name": format!("shop-{repository}"),
        "full_name": format!("acme/shop-{repository}"),
        "html_url": format!("https://github.com/acme/shop-{repository}"),
        "default_branch": "main",
        "pushed_at": pushed_at.0 / 1000,
    })
}

fn commit_body(repository: u64, commit: u64, message: &str, added: &[String]) -> Value {
    let user = json!({"name": "Mona", "email": "mona@example.com", "username": "octocat"});
    json!({
        "id": sha(repository, commit),
        "message": message,
        "timestamp": at(commit, 0).to_string(),
        "author": user,
        "committer": user,
        "added": added,
        "removed": [],
        "modified": ["src/main.rs"],
    })
}

fn push_body(repository: u64, before: Option<u64>, commits: Vec<Value>, last: u64) -> Value {
    json!({
        "ref": "refs/heads/main",
        "before": before.map_or_else(|| "0".repeat(40), |before| sha(repository, before)),
        "after": sha(repository, last),
        "created": before.is_none(),
        "deleted": false,
        "forced": false,
        "head_commit": commits.last(),
        "commits": commits,
        "pusher": {"name": "octocat", "email": "mona@example.com"},
        "sender": {"login": "octocat", "type": "User"},
        "repository": repository_body(repository, at(last, 60)),
    })
}

fn push(repository: u64, commit: u64) -> Value {
    let commits = vec![commit_body(repository, commit, "Sell more", &[])];
    push_body(repository, commit.checked_sub(1), commits, commit)
}

fn deployment_status(repository: u64, commit: u64, id: u64) -> Value {
    let account = json!({"login": "github-actions[bot]", "type": "Bot"});
    json!({
        "action": "created",
        "deployment_status": {
            "state": "success",
            "environment": "production",
            "creator": account,
            "created_at": at(commit, 300).to_string(),
        },
        "deployment": {
            "id": 1 + id,
            "sha": sha(repository, commit),
            "ref": "main",
            "task": "deploy",
            "environment": "production",
            "payload": {},
            "creator": account,
            "created_at": at(commit, 120).to_string(),
            "updated_at": at(commit, 300).to_string(),
        },
        "repository": repository_body(repository, at(commit, 60)),
        "sender": account,
    })
}

/// What makes a push large.
#[derive(Clone, Copy)]
pub enum Bulk {
    /// The messages of its commits, which are not kept.
    Messages,
    /// The paths that its commits touch, which are.
    Paths,
}

/// A push of exactly so many bytes.
pub fn large_push(id: &str, size: usize, bulk: Bulk) -> Delivery {
    let repository = 900;
    let body = |first_message: &str| {
        let commits = (0..100).map(|commit| {
            let message = match (commit, bulk) {
                (0, _) => first_message.to_owned(),
                (_, Bulk::Messages) => "Lorem ipsum. ".repeat(size / 13 / 105),
                (_, Bulk::Paths) => "Vendor".to_owned(),
            };
            let paths = match bulk {
                Bulk::Messages => 0,
                Bulk::Paths => size / 105 / 80,
            };
            let paths: Vec<String> = (0..paths)
                .map(|n| format!("third_party/javascript/node_modules/some-package-{commit:03}/dist/esm/{n:07}.js"))
                .collect();
            commit_body(repository, commit, &message, &paths)
        });
        push_body(repository, None, commits.collect(), 99).to_string()
    };
    let rest = size.checked_sub(body("").len()).expect("room for all commits");
    let body = body(&"x".repeat(rest));
    assert_eq!(body.len(), size);
    Delivery::new(id, "push", body)
}
