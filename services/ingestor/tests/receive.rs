//! The front door over real connections and a real Kafka.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use support::{Server, head, inbox, raw_head, topics, topics_at, until};

const CONFIG: &str = "
max_body_bytes = 1048576
budget_bytes = 1572864
body_timeout_ms = 1000
delivery_timeout_ms = 2000
shutdown_timeout_ms = 2000
[sources.shop]
provider = 'github'
realm = 'acme'
secrets = ['new', 'old']
[sources.ci]
provider = 'cdevents'
secrets = ['hunter2']
[sources.open]
provider = 'import'
insecure_no_secret = true
";

fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The headers of a delivery from GitHub.
fn github<'a>(delivery: &'a str, signature: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("X-GitHub-Delivery", delivery),
        ("X-GitHub-Event", "push"),
        ("X-Hub-Signature-256", signature),
        ("Content-Type", "application/json"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_is_signed_and_keeps_it_byte_for_byte() {
    let kafka = topics().await;
    let server = Server::start(&kafka, CONFIG).await;
    // Neither JSON nor UTF-8: that is for normalise to say.
    let body = b"{\"a\": \xff\x00 not JSON";
    for (delivery, secret) in [("d-new", "new"), ("d-old", "old")] {
        let reply = server.post("/hooks/shop", &github(delivery, &sign(secret, body)), body).await;
        assert_eq!((reply.status, reply.body), (202, format!("{{\"accepted\":\"{delivery}\"}}")));
    }
    let basic = [("Authorization", "Basic dTpodW50ZXIy"), ("Ce-Id", "7"), ("Ce-Source", "/ci"), ("Ce-Type", "t")];
    assert_eq!(server.post("/hooks/ci", &basic, b"{}").await.status, 202);
    assert_eq!(server.post("/hooks/open", &[], b"").await.status, 202, "an empty body is a body");
    // Sent once more, as providers do: the same record to everybody who reads the inbox.
    assert_eq!(server.post("/hooks/open", &[], b"").await.status, 202);

    let inbox = inbox(&kafka).await;
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(inbox.keys().collect::<Vec<_>>(), ["/ci/7", "d-new", "d-old", empty]);
    let push = &inbox["d-new"];
    assert_eq!(push.body.as_ref(), body);
    assert_eq!((push.source.as_str(), push.realm.as_str(), push.provider.as_str()), ("shop", "acme", "github"));
    assert_eq!((push.event.as_deref(), push.content_type.as_deref()), (Some("push"), Some("application/json")));
    assert_eq!(inbox["/ci/7"].headers.len(), 3);

    let accepted =
        |source| server.metric("throughline_receive_requests_total", &[("source", source), ("status", "202")]);
    assert_eq!((accepted("shop"), accepted("ci"), accepted("open")), (2.0, 1.0, 2.0));
    assert_eq!(server.metric("throughline_receive_body_bytes_total", &[("source", "shop")]), 2.0 * body.len() as f64);
    assert_eq!(server.metric("throughline_receive_budget_used_bytes", &[]), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_it_must_and_says_why() {
    let kafka = topics().await;
    let server = Server::start(&kafka, CONFIG).await;
    let body = b"{}";
    let wrong = sign("wrong", body);
    let right = sign("new", body);
    for (path, headers, status) in [
        ("/hooks/shop", &github("1", &wrong)[..], 401),
        ("/hooks/shop", &github("1", "sha1=00"), 401),
        ("/hooks/shop", &[], 401),
        ("/hooks/shop", &[("Authorization", "Bearer new")], 401),
        ("/hooks/ci", &[("Authorization", "Bearer hunter")], 401),
        ("/hooks/ci", &[], 401),
        ("/hooks/nobody", &github("1", &right), 404),
        ("/hooks/shop/", &github("1", &right), 404),
        ("/elsewhere", &[], 404),
    ] {
        let reply = server.post(path, headers, body).await;
        assert_eq!(reply.status, status, "{path} {headers:?}: {}", reply.body);
        assert!(!reply.body.contains("hunter2"), "{}", reply.body);
        assert_eq!(reply.headers.contains_key("www-authenticate"), status == 401, "{reply:?}");
    }
    let mut client = server.connect().await;
    client.send(&head("GET", "/hooks/shop", &[], 0)).await;
    let reply = client.reply().await.unwrap();
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "POST"));
    // The connection of a refused sender stays good.
    client.send(&head("POST", "/hooks/shop", &github("good", &right), 2)).await;
    client.send(body).await;
    assert_eq!(client.reply().await.unwrap().status, 202);

    assert_eq!(inbox(&kafka).await.keys().collect::<Vec<_>>(), ["good"]);
    let rejected = |reason| {
        server.metric("throughline_receive_rejected_signatures_total", &[("source", "shop"), ("reason", reason)])
    };
    assert_eq!((rejected("missing"), rejected("malformed"), rejected("mismatch")), (2.0, 1.0, 1.0));
    assert_eq!(server.metric("throughline_receive_requests_total", &[("source", "unknown"), ("status", "404")]), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_in_size_and_time() {
    let kafka = topics().await;
    let server = Server::start(&kafka, CONFIG).await;
    let mut client = server.connect().await;
    client.send(&head("POST", "/hooks/open", &[], 1_048_577)).await;
    assert_eq!(client.reply().await.unwrap().status, 413, "before a byte of the body");

    let mut client = server.connect().await;
    client.send(&head("POST", "/hooks/open", &[("Expect", "100-continue")], 1_048_577)).await;
    assert_eq!(client.reply().await.unwrap().status, 413, "and without asking for one");

    let chunked = raw_head("POST", "/hooks/open", &[("Transfer-Encoding", "chunked")]);
    let mut client = server.connect().await;
    client.send(&chunked).await;
    client.send(&[b"100001\r\n".as_slice(), &vec![7; 1_048_577], b"\r\n0\r\n\r\n"].concat()).await;
    assert_eq!(client.reply().await.unwrap().status, 413);

    let mut client = server.connect().await;
    client.send(&chunked).await;
    client.send(&[b"100000\r\n".as_slice(), &vec![7; 1_048_576], b"\r\n0\r\n\r\n"].concat()).await;
    assert_eq!(client.reply().await.unwrap().status, 202, "the limit itself is within it");

    let mut client = server.connect().await;
    client.send(&chunked).await;
    client.send(b"2\r\n{}\r\nthis is no chunk\r\n").await;
    assert_eq!(client.reply().await.unwrap().status, 400);

    let mut client = server.connect().await;
    client.send(&head("POST", "/hooks/open", &[], 100)).await;
    client.send(b"half").await;
    client.stop_sending().await;
    assert_eq!(client.reply().await.unwrap().status, 400);

    let started = Instant::now();
    let mut client = server.connect().await;
    client.send(&head("POST", "/hooks/open", &[], 100)).await;
    client.send(b"half").await;
    assert_eq!(client.reply().await.unwrap().status, 408);
    assert!(started.elapsed() >= Duration::from_secs(1));

    let inbox = inbox(&kafka).await;
    assert_eq!(inbox.values().map(|record| record.body.0.len()).collect::<Vec<_>>(), [1_048_576]);
    assert_eq!(server.metric("throughline_receive_budget_used_bytes", &[]), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_is_shared_and_comes_back() {
    let server = Server::start(&topics().await, CONFIG).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    let request = head("POST", "/hooks/open", &[], 1_000_000);
    first.send(&request).await;
    first.send(&vec![1; 900_000]).await;
    let used = || server.metric("throughline_receive_budget_used_bytes", &[]);
    until("the first body is held", Duration::from_secs(10), || used() >= 900_000.0).await;
    second.send(&request).await;
    let reply = second.reply().await.unwrap();
    assert_eq!((reply.status, reply.headers["retry-after"].as_str()), (503, "10"));
    assert!(used() <= 1_572_864.0);
    first.send(&vec![1; 100_000]).await;
    assert_eq!(first.reply().await.unwrap().status, 202);
    assert_eq!(server.post("/hooks/open", &[], &vec![2; 1_000_000]).await.status, 202);
    assert_eq!(used(), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_finishes_what_is_in_flight() {
    let kafka = topics().await;
    let server = Server::start(&kafka, CONFIG).await;
    let (mut idle, mut busy, mut stuck) = (server.connect().await, server.connect().await, server.connect().await);
    idle.send(&head("POST", "/hooks/open", &[], 2)).await;
    idle.send(b"01").await;
    assert_eq!(idle.reply().await.unwrap().status, 202);
    busy.send(&head("POST", "/hooks/open", &[], 4)).await;
    busy.send(b"23").await;
    stuck.send(b"POST /hooks/open HTTP/1.1\r\nHost:").await;
    let connections = || server.metric("throughline_receive_connections", &[]);
    let held = || server.metric("throughline_receive_budget_used_bytes", &[]);
    until("all are connected, and the busy one's request has begun", Duration::from_secs(10), || {
        connections() == 3.0 && held() > 0.0
    })
    .await;

    server.shutdown.cancel();
    assert!(idle.reply().await.is_none(), "an idle connection is closed");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "no new connection is taken");
    busy.send(b"45").await;
    assert_eq!(busy.reply().await.unwrap().status, 202);
    tokio::time::timeout(Duration::from_secs(4), server.served).await.expect("within the deadline").unwrap();
    let bodies: Vec<_> = inbox(&kafka).await.into_values().map(|record| record.body.0).collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies.contains(&b"2345".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_kafka_is_away_it_says_so_and_loses_nothing() {
    let start = || local_stack::Stack::start(&|line| eprintln!("{line}")).unwrap();
    let mut stack = tokio::task::spawn_blocking(start).await.unwrap();
    let kafka = topics_at(&stack.addresses().kafka).await;
    let server = Server::start(&kafka, CONFIG).await;
    let mut accepted = Vec::new();
    let body = |n: u32| format!("{n}:{}", "x".repeat(300_000)).into_bytes();
    for n in 0..5 {
        assert_eq!(server.post("/hooks/open", &[], &body(n)).await.status, 202);
        accepted.push(body(n));
    }

    stack = tokio::task::spawn_blocking(move || {
        stack.stop_kafka();
        stack
    })
    .await
    .unwrap();
    let started = Instant::now();
    let bodies: Vec<_> = (5..45).map(body).collect();
    let mut most: f64 = 0.0;
    let server = std::sync::Arc::new(server);
    let posts: Vec<_> = bodies
        .iter()
        .map(|body| {
            let (server, body) = (server.clone(), body.clone());
            tokio::spawn(async move { server.post("/hooks/open", &[], &body).await })
        })
        .collect();
    while !posts.iter().all(tokio::task::JoinHandle::is_finished) {
        most = most.max(server.metric("throughline_receive_budget_used_bytes", &[]));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for post in posts {
        let reply = post.await.unwrap();
        assert_eq!((reply.status, reply.headers["retry-after"].as_str()), (503, "10"), "{}", reply.body);
    }
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    assert!(most <= 1_572_864.0, "{most} bytes were held");
    until("unready", Duration::from_secs(5), || !server.receiver.is_ready()).await;

    stack = tokio::task::spawn_blocking(move || {
        stack.start_kafka().unwrap();
        stack
    })
    .await
    .unwrap();
    until("ready again", Duration::from_secs(15), || server.receiver.is_ready()).await;
    for n in 45..50 {
        assert_eq!(server.post("/hooks/open", &[], &body(n)).await.status, 202);
        accepted.push(body(n));
    }
    let kept: Vec<_> = inbox(&kafka).await.into_values().map(|record| record.body.0).collect();
    assert!(accepted.iter().all(|body| kept.contains(body)), "everything accepted is there");
    tokio::task::spawn_blocking(move || drop(stack)).await.unwrap();
}
