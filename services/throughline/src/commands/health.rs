//! `throughline health`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;

use super::{block_on, complain, say};
use crate::cli::Health;
use crate::config::Config;

/// Whoever checks asks again in some seconds.
const WITHIN: Duration = Duration::from_secs(5);

/// What `/readyz` answers.
#[derive(Debug, Deserialize)]
struct Answer {
    ready: bool,
    parts: BTreeMap<String, Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    ready: bool,
    reason: Option<String>,
}

pub fn run(file: Option<&Path>, arguments: &Health) -> anyhow::Result<ExitCode> {
    let url = match &arguments.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", reachable(Config::load(file, &[])?.admin.listen)),
    };
    let answer = block_on(ask(&format!("{url}/readyz")))?;
    if answer.ready {
        say("ready")?;
        return Ok(ExitCode::SUCCESS);
    }
    complain(&format!("not ready: {}", answer.why_not()));
    Ok(ExitCode::FAILURE)
}

async fn ask(url: &str) -> anyhow::Result<Answer> {
    // It is asked for itself, whatever proxy the environment has for the world outside.
    let http = reqwest::Client::builder().no_proxy().timeout(WITHIN).build().context("no client for HTTP")?;
    let response = http.get(url).send().await;
    let response =
        response.with_context(|| format!("{url} does not answer: is it the admin port (admin.listen) of a role?"))?;
    response.json().await.with_context(|| format!("{url} does not answer as the admin port of a role does"))
}

/// Where a listener on this machine is reached from this machine.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

impl Answer {
    /// Each part that is not ready, with what it waits for.
    fn why_not(&self) -> String {
        let waiting: Vec<String> = self
            .parts
            .iter()
            .filter(|(_, part)| !part.ready)
            .map(|(name, part)| format!("{name}: {}", part.reason.as_deref().unwrap_or("not ready")))
            .collect();
        if waiting.is_empty() { "it is ending".to_owned() } else { waiting.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::admin::{self, Admin};
    use crate::readiness::Readiness;

    #[tokio::test]
    async fn what_a_role_waits_for_is_told() {
        let (readiness, draining) = (Readiness::default(), CancellationToken::new());
        let admin = Admin {
            readiness: readiness.clone(),
            metrics: Registry::new(),
            topic_prefix: String::new(),
            draining: draining.clone(),
        };
        let listener = admin::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}/readyz", listener.local_addr().unwrap());
        tokio::spawn(admin::serve(listener, admin));
        let (topics, inbox) = (readiness.part("topics"), readiness.part("inbox"));
        inbox.ready();
        topics.waiting("no broker answers");
        let answer = ask(&url).await.unwrap();
        assert!(!answer.ready);
        assert_eq!(answer.why_not(), "topics: no broker answers");
        topics.ready();
        assert!(ask(&url).await.unwrap().ready);
        draining.cancel();
        let answer = ask(&url).await.unwrap();
        assert_eq!((answer.ready, answer.why_not().as_str()), (false, "it is ending"));
    }

    #[tokio::test]
    async fn what_is_no_admin_port_is_said_to_be_none() {
        let nobody = ask("http://127.0.0.1:1/readyz").await.unwrap_err();
        assert!(nobody.to_string().starts_with("http://127.0.0.1:1/readyz does not answer"), "{nobody}");
    }

    #[test]
    fn a_listener_on_every_address_is_reached_on_this_machine() {
        for (listen, reached) in
            [("0.0.0.0:9464", "127.0.0.1:9464"), ("[::]:9464", "[::1]:9464"), ("192.0.2.7:80", "192.0.2.7:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), reached);
        }
    }
}
