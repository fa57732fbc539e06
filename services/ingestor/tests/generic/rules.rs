//! Bodies that nobody foresaw, by rules.

use ingestor::normalise::{Outcome, adapters, normalise};
use ingestor::providers::generic::{Generic, RuleConfig, Rules};
use ingestor::providers::{Provider, Reading};
use model::event::{Body, CiBody, IncidentBody};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{at, delivery, people};

const README: &str = include_str!("../../../../schemas/README.md");

#[derive(Deserialize)]
struct Source {
    version: Option<i32>,
    map: Vec<RuleConfig>,
}

fn compiled(text: &str) -> Result<Generic, String> {
    let source: Source = toml::from_str(text).unwrap();
    let rules = Rules::compile(&source.map, source.version).map_err(|error| error.to_string())?;
    Ok(Generic::with_rules(rules.map(|rules| ("scripts".into(), rules))))
}

fn read(text: &str, body: &Value) -> Result<Reading, String> {
    compiled(text).unwrap().read(&delivery(body.to_string()), &people()).map_err(|error| error.to_string())
}

/// A rule with a condition that holds, and these lines.
fn rule(lines: &str) -> String {
    format!("[[map]]\nwhen = 'true'\n{lines}")
}

/// The rules that the README shows, as those of the source of these tests.
fn documented() -> String {
    let toml = README.split("```toml\n[sources.deployer]").nth(1).unwrap().split("```").next().unwrap();
    let secrets = toml.lines().filter(|line| line.starts_with("secrets") || line.starts_with("provider"));
    let toml = secrets.fold(toml.to_owned(), |toml, line| toml.replace(line, ""));
    toml.replace("sources.deployer.map", "map")
}

#[test]
fn the_documented_rules_do_what_they_say() {
    let job = json!({"number": 142, "ok": true, "ended": "2026-05-01 09:30:00"});
    let body = json!({"event": "deploy.finished", "target": "prod", "app": "shop", "job": job});
    let Ok(Reading::Events(events)) = read(&documented(), &body) else { panic!("no events") };
    let Body::Ci(CiBody::Deployment(told)) = &events[0].body else { panic!("{events:?}") };
    assert_eq!(told.deployment.as_str(), "scripts/deployments/142");
    assert_eq!((told.environment.as_str(), told.finished_at), ("production", Some(at("2026-05-01T09:30:00Z"))));
    assert_eq!((told.repository.as_ref().unwrap().as_str(), &told.commit), ("github.com/acme/shop", &None));

    let alert = |fingerprint: &str, state: &str| json!({"fingerprint": fingerprint, "state": state, "labels": {"service": "shop"}});
    let body = json!({"event": "alerts", "alerts": [alert("a", "firing"), alert("b", "ok")]});
    let Ok(Reading::Events(events)) = read(&documented(), &body) else { panic!("no events") };
    assert!(matches!(&events[0].body, Body::Incident(IncidentBody::IncidentDetected(_))), "{events:?}");
    assert!(matches!(&events[1].body, Body::Incident(IncidentBody::IncidentResolved(_))), "{events:?}");

    let other = json!({"event": "deploy.started"});
    assert_eq!(read(&documented(), &other), Ok(Reading::Ignored("no rule of the source fits".to_owned())));
}

#[test]
fn the_first_rule_that_holds_counts() {
    let lines = "kind = 'build'\nid = '\"1\"'\nstatus = '\"success\"'\n";
    let rules = rule(&format!("{lines}pipeline = '\"first\"'\n")) + &rule(&format!("{lines}pipeline = '\"second\"'"));
    let Ok(Reading::Events(events)) = read(&rules, &json!({})) else { panic!("no events") };
    let Body::Ci(CiBody::PipelineRun(run)) = &events[0].body else { panic!("{events:?}") };
    assert_eq!((events.len(), run.pipeline.as_str()), (1, "first"));
}

#[test]
fn a_rule_may_ask_for_a_kept_header() {
    let rules = "[[map]]\nwhen = 'headers[\"x-event\"] == \"done\"'\nkind = 'release'\nrepository = 'body.repo'\ntag = 'body.tag'";
    let mut delivery = delivery(json!({"repo": "github.com/acme/shop", "tag": "v1"}).to_string());
    let generic = compiled(rules).unwrap();
    assert!(
        generic.read(&delivery, &people()).unwrap_err().to_string().starts_with("rule 1, `when`: No such key: x-event")
    );
    delivery.headers = [("x-event".to_owned(), "done".to_owned())].into();
    assert!(matches!(generic.read(&delivery, &people()), Ok(Reading::Events(_))));
}

#[test]
fn rules_that_cannot_work_are_refused_at_the_start() {
    for (text, reason) in [
        (rule("kind = 'deploy'"), "rule 1: `kind` is `deploy`, which is none of commit, push"),
        (rule("kind = 'build'\nidd = 'body.id'"), "rule 1: `idd` is no member of `build` (did you mean `id`?)"),
        (rule("kind = 'build'\nid = 'body.id +'"), "rule 1: `id`: "),
        (rule("kind = 'build'\nid = 'item.id'"), "rule 1: `id`: `item` is not known here"),
        (rule("kind = 'build'\nid = 'now()'"), "rule 1: `id`: `now` is no function here"),
        (
            rule("kind = 'build'") + "\n[[map]]\nwhen = 'boddy.x'\nkind = 'build'",
            "rule 2: `when`: `boddy` is not known here",
        ),
        ("version = -1\n".to_owned() + &rule("kind = 'build'"), "`version` is -1"),
        ("version = 1\nmap = []".to_owned(), "`version` is set, and there are no rules"),
    ] {
        let error = compiled(&text).err().unwrap_or_else(|| panic!("{text} is taken"));
        assert!(error.starts_with(reason), "{text}: {error}");
    }
}

#[test]
fn what_fails_on_a_body_names_the_rule_and_the_member() {
    for (lines, reason) in [
        ("kind = 'build'\nid = 'body.number'", "rule 1, `id`: No such key: number"),
        ("kind = 'build'\nid = 'body.list'\nstatus = '\"success\"'", "rule 1: `id` is `[1]`: wanted is a text"),
        ("kind = 'build'\nid = '\"1\"'\nstatus = 'body.word'", "rule 1: `status` is `fine`: wanted is one of created"),
        (
            "kind = 'build'\neach = 'body.word'\nid = 'item.id'",
            "rule 1, `each`: it comes to `\"fine\"`, and wanted is a list",
        ),
    ] {
        let error = read(&rule(lines), &json!({"list": [1], "word": "fine"})).unwrap_err();
        assert!(error.starts_with(reason), "{lines}: {error}");
    }
    let error = read("[[map]]\nwhen = 'body.word'\nkind = 'build'", &json!({"word": "fine"})).unwrap_err();
    assert_eq!(error, "rule 1, `when`: it comes to `\"fine\"`, and wanted is true or false");
}

#[test]
fn of_many_items_the_good_ones_count() {
    let rules = rule("kind = 'job'\neach = 'body.jobs'\nname = 'item.name'\nstatus = 'item.result'\nbuild = 'body.id'");
    let body = json!({"id": 7, "jobs": [{"name": "a", "result": "passed"}, {"name": "b", "result": "?"}]});
    let Ok(Reading::Mixed { events, unreadable }) = read(&rules, &body) else { panic!("not mixed") };
    assert_eq!(events.len(), 1);
    assert!(unreadable.starts_with("1 of 2 elements of the batch cannot be read: element 1: rule 1: `status` is `?`"));
}

#[test]
fn a_raised_version_of_the_rules_raises_that_of_the_adapter_for_their_source() {
    let text =
        |version: i32| format!("version = {version}\n") + &rule("kind = 'build'\nid = '\"1\"'\nstatus = '\"success\"'");
    let version = |version: i32, source: &str| {
        let adapters = adapters().with(compiled(&text(version)).unwrap());
        let mut delivery = delivery(json!({"kind": "build", "id": 1, "status": "success"}).to_string());
        delivery.source = source.into();
        match normalise(&delivery, &adapters, &people()) {
            Outcome::Events(events) => events[0].adapter,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((version(0, "scripts"), version(3, "scripts"), version(3, "another")), (1, 4, 1));
}
