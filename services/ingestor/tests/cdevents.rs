//! The CDEvents adapter: every kind, every mode of CloudEvents over HTTP, and what senders add or leave out.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops, in its helpers too")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ingestor::people::People;
use ingestor::providers::cdevents::CdEvents;
use ingestor::providers::{Observed, Provider, Reading};
use model::event::{Body, CiBody};
use model::inbox::InboxRecord;
use model::{Realm, Source, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const SHA: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const IMAGE: &str = "pkg:oci/shop@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427?tag=v1.4.0";

fn delivery(content_type: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> InboxRecord {
    InboxRecord {
        source: Source::from("deliveries"),
        realm: Realm::from("default"),
        provider: "cdevents".to_owned(),
        delivery: "1".to_owned(),
        event: None,
        content_type: Some(content_type.to_owned()),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        received_at: Timestamp(0),
        body: body.into().into(),
    }
}

fn people() -> People {
    People::new(b"a key for tests")
}

fn read(delivery: &InboxRecord) -> Result<Reading, String> {
    CdEvents.read(delivery, &people()).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    })
}

fn read_bare(event: &Value) -> Result<Reading, String> {
    read(&delivery("application/json", &[], event.to_string()))
}

fn only(reading: Result<Reading, String>) -> Observed {
    match reading {
        Ok(Reading::Events(mut events)) if events.len() == 1 => events.remove(0),
        other => panic!("one event expected, not {other:?}"),
    }
}

/// A CDEvent as the specification 0.5 shapes it.
fn event(kind: &str, subject: &str, content: Value) -> Value {
    json!({
        "context": {
            "specversion": "0.5.1",
            "id": "e-1",
            "source": "https://ci.example.org/shop",
            "type": format!("dev.cdevents.{kind}.0.3.0"),
            "timestamp": "2024-05-01T09:30:00.123456Z",
        },
        "subject": {"id": subject, "content": content},
    })
}

fn structured(event: &Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": event["context"]["id"],
        "source": event["context"]["source"],
        "type": event["context"]["type"],
        "datacontenttype": "application/json",
        "data": event,
    })
}

/// An event in every mode that it can be sent in, batch apart.
fn modes(event: &Value) -> Vec<(&'static str, InboxRecord)> {
    let mut encoded = structured(event);
    encoded["data_base64"] = STANDARD.encode(event.to_string()).into();
    encoded.as_object_mut().unwrap().remove("data");
    let kind = event["context"]["type"].as_str().unwrap();
    let headers = [("ce-specversion", "1.0"), ("ce-id", "e-1"), ("ce-source", "/elsewhere"), ("ce-type", kind)];
    let structured = structured(event).to_string();
    vec![
        ("bare", delivery("application/json", &[], event.to_string())),
        ("structured", delivery("application/cloudevents+json; charset=utf-8", &[], structured.clone())),
        ("structured as plain JSON", delivery("application/json", &[], structured)),
        ("base64", delivery("application/cloudevents+json", &[], encoded.to_string())),
        ("binary", delivery("application/json", &headers, event.to_string())),
    ]
}

/// One example of each kind that becomes an event.
fn examples() -> Vec<(&'static str, &'static str, Value)> {
    let environment = json!({"id": "production", "source": "https://cloud.example.org"});
    let repository = json!({"id": "acme/shop", "source": "https://github.com"});
    let run = json!({"id": "run-7"});
    let case = json!({"id": "login", "name": "Login", "type": "integration"});
    let suite = json!({"id": "auth", "name": "Authentication"});
    let suite_run = json!({"id": "suite-1", "source": "/tests"});
    let change = json!({"id": "12", "source": "https://github.com/acme/shop.git"});
    let service = json!({"id": "shop", "source": "/cluster"});
    let target = "https://github.com/acme/shop/actions/runs/99?pr=12";
    vec![
        ("change.created", "12", json!({"description": "Taxes", "repository": repository})),
        ("change.updated", "12", json!({"repository": repository})),
        ("change.reviewed", "12", json!({"repository": repository})),
        ("change.merged", "12", json!({"repository": repository})),
        ("change.abandoned", "12", json!({"repository": repository})),
        ("pipelinerun.queued", "run-7", json!({"pipelineName": "release", "uri": "https://ci.example.org/runs/7"})),
        ("pipelinerun.started", "run-7", json!({"pipelineName": "release", "url": "https://ci.example.org/runs/7"})),
        ("pipelinerun.finished", "run-7", json!({"pipelineName": "release", "outcome": "failure", "errors": "exit 1"})),
        ("taskrun.started", "task-1", json!({"taskName": "build", "pipelineRun": run})),
        ("taskrun.finished", "task-1", json!({"taskName": "build", "pipelineRun": run, "outcome": "cancel"})),
        ("build.queued", "build-1", json!({})),
        ("build.started", "build-1", json!({})),
        ("build.finished", "build-1", json!({"artifactId": IMAGE})),
        (
            "testcaserun.queued",
            "case-1",
            json!({"environment": environment, "testCase": case, "testSuiteRun": suite_run, "trigger": {"type": "schedule"}}),
        ),
        ("testcaserun.started", "case-1", json!({"environment": environment, "testCase": case})),
        ("testcaserun.finished", "case-1", json!({"environment": environment, "testCase": case, "outcome": "error"})),
        ("testcaserun.skipped", "case-1", json!({"environment": environment, "testCase": case, "reason": "not here"})),
        (
            "testsuiterun.queued",
            "suite-1",
            json!({"environment": environment, "testSuite": suite, "trigger": {"type": "pipeline"}}),
        ),
        ("testsuiterun.started", "suite-1", json!({"environment": environment, "testSuite": suite})),
        (
            "testsuiterun.finished",
            "suite-1",
            json!({"environment": environment, "testSuite": suite, "outcome": "failure", "severity": "critical", "reason": "host not found"}),
        ),
        ("artifact.packaged", IMAGE, json!({"change": change, "sbom": {"uri": "https://example.org/sbom"}})),
        ("artifact.signed", IMAGE, json!({"signature": "MEYCIQ"})),
        ("artifact.published", IMAGE, json!({"user": "release-bot"})),
        ("artifact.downloaded", IMAGE, json!({"user": "release-bot"})),
        ("artifact.deleted", IMAGE, json!({"user": "mailto:ops@example.org"})),
        ("service.deployed", "shop", json!({"environment": environment, "artifactId": IMAGE})),
        ("service.upgraded", "shop", json!({"environment": environment, "artifactId": IMAGE})),
        ("service.rolledback", "shop", json!({"environment": environment, "artifactId": IMAGE})),
        ("service.removed", "shop", json!({"environment": environment})),
        ("service.published", "shop", json!({"environment": environment})),
        (
            "incident.detected",
            "inc-1",
            json!({"description": "slow", "environment": environment, "service": service, "artifactId": IMAGE}),
        ),
        (
            "incident.reported",
            "inc-1",
            json!({"environment": environment, "service": service, "ticketURI": "https://issues.example.org/345"}),
        ),
        ("incident.resolved", "inc-1", json!({"environment": environment, "service": service})),
        (
            "approval.created",
            "approval-1",
            json!({"approvalDetailsUrl": "https://approvals.example.org/1", "resourceTargetUrl": target, "requestor": "urn:user:a"}),
        ),
        (
            "approval.updated",
            "approval-1",
            json!({"approvalDetailsUrl": "https://approvals.example.org/1", "resourceTargetUrl": target,
                   "responder": "urn:user:b", "decision": "requestChanges"}),
        ),
        (
            "approval.closed",
            "approval-1",
            json!({"approvalDetailsUrl": "https://approvals.example.org/1", "resourceTargetUrl": target,
                   "responder": "urn:user:b", "decision": "approved", "status": "rejected"}),
        ),
    ]
}

/// The JSON form without what was not told.
fn told(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, field)| (name, told(field)))
                .filter(|(_, field)| !field.is_null() && *field != json!([]) && *field != json!({"kind": "unknown"}))
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(told).collect(),
        other => other,
    }
}

#[test]
fn every_kind_becomes_an_event() {
    let mut all = BTreeMap::new();
    for (kind, subject, content) in examples() {
        let observed = only(read_bare(&event(kind, subject, content)));
        assert_eq!(observed.occurred_at, Timestamp(1_714_555_800_123), "{kind}");
        all.insert(kind, json!({"link": observed.link, "body": told(serde_json::to_value(&observed.body).unwrap())}));
    }
    insta::assert_json_snapshot!(all);
}

#[test]
fn every_mode_tells_the_same() {
    for (kind, subject, content) in examples() {
        let event = event(kind, subject, content);
        let bare = only(read_bare(&event));
        for (mode, delivery) in modes(&event) {
            assert_eq!(only(read(&delivery)), bare, "{kind}, {mode}");
        }
    }
}

#[test]
fn a_batch_is_read_element_by_element() {
    let good: Vec<Value> = examples().into_iter().map(|(k, s, c)| event(k, s, c)).collect();
    let batch = |elements: &[Value]| {
        let body = Value::Array(elements.iter().map(structured).collect()).to_string();
        read(&delivery("application/cloudevents-batch+json", &[], body))
    };
    let expected: Vec<Observed> = good.iter().map(|event| only(read_bare(event))).collect();
    assert_eq!(batch(&good), Ok(Reading::Events(expected.clone())));

    let bad = json!({"context": {"id": "e", "source": "/s", "type": "dev.cdevents.build.queued.0.1.0"}, "subject": {}});
    let ticket = event("ticket.created", "T-1", json!({"summary": "x"}));
    let Ok(Reading::Mixed { events, unreadable }) =
        batch(&[good[0].clone(), bad.clone(), ticket.clone(), good[1].clone()])
    else {
        panic!("good and bad elements must be told apart")
    };
    assert_eq!(events, expected[..2]);
    assert_eq!(
        unreadable,
        "1 of 4 elements of the batch cannot be read: element 1: the body does not have the shape of `a CDEvent, at \
         subject`: missing field `id`"
    );
    let error = batch(&[ticket.clone(), bad]).unwrap_err();
    assert!(error.contains("1 of 2 elements of the batch cannot be read: element 1"), "{error}");
    assert_eq!(batch(&[ticket]), Ok(Reading::Ignored("ticket.created: bears on no delivery".to_owned())));
    assert_eq!(batch(&[]), Ok(Reading::Ignored("empty batch".to_owned())));
}

#[test]
fn other_events_are_ignored_by_name() {
    let ignored = |kind: &str| {
        let mut event = event("x.y", "1", json!({"anything": [1]}));
        event["context"]["type"] = kind.into();
        let readings: Vec<_> = modes(&event).into_iter().map(|(_, delivery)| read(&delivery)).collect();
        assert!(readings.windows(2).all(|pair| pair[0] == pair[1]), "{readings:?}");
        match readings.into_iter().next() {
            Some(Ok(Reading::Ignored(reason))) => reason,
            other => panic!("{kind}: {other:?}"),
        }
    };
    for kind in
        ["branch.created", "environment.modified", "repository.deleted", "testoutput.published", "ticket.closed"]
    {
        assert_eq!(ignored(&format!("dev.cdevents.{kind}.0.3.0")), format!("{kind}: bears on no delivery"));
    }
    assert_eq!(ignored("dev.cdevents.service.paused.0.1.0"), "service.paused: unknown kind");
    assert_eq!(ignored("dev.cdevents.moon.landed.0.1.0-draft"), "moon.landed: unknown kind");
    assert_eq!(
        ignored("dev.cdeventsx.tool-resource.created.0.1.0"),
        "dev.cdeventsx.tool-resource.created: custom event"
    );
    assert_eq!(ignored("com.example.thing"), "com.example.thing: no CDEvent");

    // The body of an event of another vocabulary may be anything.
    let image = delivery("image/png", &[("ce-type", "com.example.picture")], b"\x89PNG".as_slice());
    assert_eq!(read(&image), Ok(Reading::Ignored("com.example.picture: no CDEvent".to_owned())));
    let published = event("service.published", "shop", json!({}));
    assert_eq!(read_bare(&published), Ok(Reading::Ignored("service.published: names no environment".to_owned())));
    let mut homeless = event("change.merged", "12", json!({}));
    homeless["context"]["source"] = "/ci".into();
    assert_eq!(read_bare(&homeless), Ok(Reading::Ignored("change.merged: names no repository".to_owned())));
}

#[test]
fn older_and_newer_versions_are_read() {
    let mut old = event("pipelinerun.finished", "run-7", json!({"pipelineName": "release", "outcome": "success"}));
    let expected = only(read_bare(&old));
    let context = old["context"].as_object_mut().unwrap();
    context.remove("specversion");
    context.insert("version".to_owned(), "0.3.0".into());
    context.insert("type".to_owned(), "dev.cdevents.pipelinerun.finished.0.1.1".into());
    old["subject"]["type"] = "pipelineRun".into();
    assert_eq!(only(read_bare(&old)), expected);
    old["context"]["type"] = "dev.cdevents.pipelinerun.finished.2.0.0-draft".into();
    old["subject"]["content"]["runner"] = json!({"id": "unheard of"});
    assert_eq!(only(read_bare(&old)), expected);
}

#[test]
fn a_reference_meets_its_subject() {
    let mut run = event("pipelinerun.started", "run-7", json!({"pipelineName": "p", "uri": "https://x.org/7"}));
    let task = |run: Value| event("taskrun.started", "t", json!({"taskName": "t", "pipelineRun": run}));
    let run_of = |observed: Observed| match observed.body {
        Body::Ci(CiBody::PipelineRun(run)) => Some(run.run),
        Body::Ci(CiBody::TaskRun(task)) => task.run,
        other => panic!("{other:?}"),
    };
    assert_eq!(run_of(only(read_bare(&run))), run_of(only(read_bare(&task(json!({"id": "run-7"}))))));
    run["subject"]["source"] = "/other/".into();
    let reference = json!({"id": "run-7", "source": "/other"});
    assert_eq!(run_of(only(read_bare(&run))), run_of(only(read_bare(&task(reference)))));
}

fn deployment(event: &Value) -> model::event::Deployment {
    match only(read_bare(event)).body {
        Body::Ci(CiBody::Deployment(deployment)) => deployment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn custom_data_fills_the_gaps() {
    let mut deployed = event("service.deployed", "shop", json!({"environment": {"id": "prod"}, "artifactId": IMAGE}));
    let custom = json!({
        "commit": SHA.to_uppercase(),
        "repository": "git@github.com:Acme/Shop.git",
        "version": 14,
        "url": "https://ci.example.org/deployments/1",
        "pipelineRun": {"id": "run-7"},
        "environment": "overruled by the content",
    });
    deployed["customData"] = custom.clone();
    let object = deployment(&deployed);
    assert_eq!(object.commit.as_ref().unwrap().as_str(), SHA);
    assert_eq!(object.repository.as_ref().unwrap().as_str(), "github.com/acme/shop");
    assert_eq!(object.version.as_deref(), Some("14"));
    assert_eq!(object.url.as_deref(), Some("https://ci.example.org/deployments/1"));
    assert_eq!(object.run.as_ref().unwrap().as_str(), "https://ci.example.org/shop/run-7");
    assert_eq!(object.environment.as_str(), "prod");

    deployed["customData"] = STANDARD.encode(custom.to_string()).into();
    assert_eq!(deployment(&deployed), object);

    // What the sender keeps there for itself does no harm.
    for other in
        [json!("no base64!"), json!([1, 2]), json!({"commit": "main", "repository": {}, "url": "javascript:alert(1)"})]
    {
        deployed["customData"] = other;
        let plain = deployment(&deployed);
        assert_eq!((plain.commit, plain.repository, plain.url), (None, None, None));
        assert_eq!(plain.version.as_deref(), Some("v1.4.0"));
    }
}

#[test]
fn a_change_that_is_a_commit_is_taken_for_one() {
    let packaged = |id: &str| {
        let change = json!({"id": id, "source": "https://github.com/acme/shop"});
        match only(read_bare(&event("artifact.packaged", IMAGE, json!({"change": change})))).body {
            Body::Ci(CiBody::Artifact(artifact)) => artifact,
            other => panic!("{other:?}"),
        }
    };
    for full in [SHA.to_owned(), SHA.to_uppercase(), "0b".repeat(32)] {
        let artifact = packaged(&full);
        assert_eq!((artifact.commit.unwrap().as_str(), artifact.change), (&*full.to_lowercase(), None));
        assert_eq!(artifact.repository.unwrap().as_str(), "github.com/acme/shop");
    }
    for id in ["myChange123", "12", &SHA[..12]] {
        let artifact = packaged(id);
        assert_eq!((artifact.commit, artifact.change.unwrap().as_str()), (None, id));
    }
}

#[test]
fn package_urls_links_and_addresses_name_the_origin() {
    let deployed = |artifact: &str| {
        deployment(&event("service.deployed", "s", json!({"environment": {"id": "prod"}, "artifactId": artifact})))
    };
    let origin = |deployment: &model::event::Deployment| {
        (deployment.repository.as_ref().map(ToString::to_string), deployment.commit.as_ref().map(ToString::to_string))
    };
    let known = (Some("github.com/acme/shop".to_owned()), Some(SHA.to_owned()));
    let vcs = format!("pkg:oci/shop@sha256%3A00?vcs_url=git%2Bhttps%3A%2F%2Fgithub.com%2FAcme%2FShop.git%40{SHA}");
    assert_eq!(origin(&deployed(&vcs)), known);
    assert_eq!(origin(&deployed(&format!("pkg:github/Acme/Shop@{SHA}"))), known);
    assert_eq!(origin(&deployed("pkg:golang/example.org/shop@234fd47e07d1004f0aed9c")), (None, None));
    assert_eq!(origin(&deployed("registry.example.org/shop:v1")), (None, None));

    let mut linked = event("service.deployed", "s", json!({"environment": {"id": "prod"}, "artifactId": IMAGE}));
    linked["context"]["links"] = json!([
        {"linkType": "PATH", "from": {"contextId": "unknown here"}},
        {"linkType": "RELATION", "linkKind": "SOURCE", "target": {"domainId": format!("cdevents:v0:github::acme:shop:commit:{SHA}")}},
        {"linkType": "RELATION", "linkKind": "SOURCE", "target": {"domainId": "cdevents:v0:gitlab::other:repository:mr:99"}},
    ]);
    assert_eq!(origin(&deployment(&linked)), known);

    let about = |target: &str| {
        let content =
            json!({"approvalDetailsUrl": "https://a.org/1", "resourceTargetUrl": target, "requestor": "urn:x"});
        match only(read_bare(&event("approval.created", "1", content))).body {
            Body::Approval(model::event::ApprovalBody::GateRequested(gate)) => gate.about,
            other => panic!("{other:?}"),
        }
    };
    let merge_request = about("https://gitlab.example.org/acme/back/shop/-/merge_requests/5/diffs#note");
    assert_eq!(merge_request.repository.unwrap().as_str(), "gitlab.example.org/acme/back/shop");
    assert_eq!(merge_request.change.unwrap().as_str(), "5");
    let run = about("https://github.com/Acme/Shop/actions/runs/99/attempts/2").run.unwrap();
    assert_eq!(run.as_str(), "github.com/acme/shop/actions/runs/99");
    assert_eq!(about(IMAGE).artifact.unwrap().as_str(), IMAGE);
    assert_eq!(about("https://deployments.example.org/shop/prod"), model::event::References::default());
}

#[test]
fn people_leave_as_hashes() {
    for (kind, subject, content) in examples() {
        let text = serde_json::to_string(&only(read_bare(&event(kind, subject, content))).body).unwrap();
        for name in ["urn:user", "release-bot", "ops@example.org"] {
            assert!(!text.contains(name), "{kind}: {text}");
        }
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let error = |change: fn(&mut Value)| {
        let mut event = event("approval.closed", "a", json!({"status": "approved"}));
        change(&mut event);
        read_bare(&event).unwrap_err()
    };
    for (wrong, why) in [
        (error(|e| e["context"]["timestamp"] = json!("yesterday")), "`yesterday` is not a time like"),
        (error(|e| e["context"]["timestamp"] = json!("0001-01-01T00:00:00Z")), "has no `context.timestamp`"),
        (error(|e| e["context"]["id"] = json!(" ")), "`context.id` is empty"),
        (error(|e| e["context"]["type"] = Value::Null), "has no `context.type`"),
        (error(|e| e["subject"]["content"]["environment"] = json!([])), "a CDEvent, at subject.content.environment`"),
        (
            error(|e| e["subject"]["content"]["status"] = json!("maybe")),
            "`subject.content.status` is `maybe`, which is none of",
        ),
        (error(|e| *e = json!({"hello": 1})), "neither a CDEvent"),
        (read(&delivery("application/json", &[], "{")).unwrap_err(), "EOF while parsing"),
    ] {
        assert!(wrong.contains(why), "{wrong}");
    }
    let deployed = event("service.deployed", "shop", json!({"artifactId": IMAGE}));
    assert!(read_bare(&deployed).unwrap_err().contains("where it was deployed is not known"));

    // The time of the envelope stands in for one that was never set.
    let mut unset = event("build.queued", "b", json!({}));
    unset["context"]["timestamp"] = "0001-01-01T00:00:00Z".into();
    let headers = [("ce-type", "dev.cdevents.build.queued.0.3.0"), ("ce-time", "2024-05-01T09:30:00Z")];
    let observed = only(read(&delivery("application/json", &headers, unset.to_string())));
    assert_eq!(observed.occurred_at, Timestamp(1_714_555_800_000));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop_oneof![
            Just(SHA),
            Just(IMAGE),
            Just("pkg:github/@"),
            Just("https://a/b/c/pull/"),
            Just("cdevents:v0:github::::")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("id|source|repository|domainId|target|[a-z]{1,4}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Every place of a value, itself included.
fn places(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(k, v)| places(v, format!("{at}/{k}"), all)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| places(v, format!("{at}/{i}"), all)),
        _ => {}
    }
    all.push(at);
}

proptest! {
    #[test]
    fn no_bytes_stop_it(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&delivery("application/json", &[], body));
    }

    #[test]
    fn no_value_in_any_place_stops_it(
        example in prop::sample::select(examples()),
        place in any::<prop::sample::Index>(),
        value in any_json(),
        custom in any_json(),
        links in any_json(),
    ) {
        let (kind, subject, content) = example;
        let mut event = event(kind, subject, content);
        event["customData"] = custom;
        event["context"]["links"] = links;
        let mut all = Vec::new();
        places(&event, String::new(), &mut all);
        // The whole event comes last: a list in its place would be a batch of its own.
        all.pop();
        if let Some(target) = event.pointer_mut(&all[place.index(all.len())]) {
            *target = value;
        }
        let alone = read_bare(&event);
        let batch = read(&delivery("application/cloudevents-batch+json", &[], json!([event]).to_string()));
        prop_assert_eq!(alone.is_ok(), batch.is_ok());
    }
}

/// Examples that the specification comes with, read in place.
#[test]
fn conformance_examples_are_read_in_every_mode() {
    let Some(root) = std::env::var_os("THROUGHLINE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("SKIPPED: THROUGHLINE_TEST_DATA is not set, so no example of the specification was read");
        return;
    };
    let ignored = ["branch", "environment", "repository", "testoutput", "ticket"];
    let mut count = 0;
    for version in ["v0.5.1", "main-0.6.0-draft"] {
        let mut batch = Vec::new();
        for entry in std::fs::read_dir(root.join("cdevents").join(version).join("conformance")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let (subject, predicate) = path.file_stem().unwrap().to_str().unwrap().split_once('_').unwrap();
            let bare = read_bare(&event);
            for (mode, delivery) in modes(&event) {
                assert_eq!(read(&delivery), bare, "{}, {mode}", path.display());
            }
            if ignored.contains(&subject) {
                assert_eq!(bare, Ok(Reading::Ignored(format!("{subject}.{predicate}: bears on no delivery"))));
            } else {
                let observed = only(bare);
                assert_eq!(observed.body.kind(), expected_kind(subject, predicate), "{}", path.display());
                batch.push((event, observed));
            }
            count += 1;
        }
        let (elements, expected): (Vec<Value>, Vec<Observed>) = batch.into_iter().unzip();
        let body = Value::Array(elements.iter().map(structured).collect()).to_string();
        assert_eq!(read(&delivery("application/cloudevents-batch+json", &[], body)), Ok(Reading::Events(expected)));
    }
    assert_eq!(count, 45 + 48);
}

fn expected_kind(subject: &str, predicate: &str) -> &'static str {
    match (subject, predicate) {
        ("change", "reviewed") => "ChangeReview",
        ("change", _) => "Change",
        ("pipelinerun", _) => "PipelineRun",
        ("taskrun", _) => "TaskRun",
        ("build", _) => "Build",
        ("testcaserun" | "testsuiterun", _) => "TestRun",
        ("artifact", _) => "Artifact",
        ("service", _) => "Deployment",
        ("incident", "resolved") => "IncidentResolved",
        ("incident", _) => "IncidentDetected",
        ("approval", "created") => "GateRequested",
        ("approval", _) => "GateDecided",
        other => panic!("{other:?}"),
    }
}
