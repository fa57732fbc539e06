//! What is inferred, case by case, from events as providers tell them.

use std::collections::BTreeMap;

use model::event::{
    Body, CatalogComponent, CommitInfo, Deployment, DeploymentAction, GateKind, GateRequested, IncidentDetected,
    MarkerKind, Outcome, Phase, PipelineRun, Push, References, Tag, TagAction, TaskKind, TaskRun, Tier,
};
use model::{CommitId, Repository, Timestamp};

use super::Suggestion;
use crate::tests::event;
use crate::{Gap, Realm, Survey};

const MINUTE: i64 = 60_000;
/// A day of 2024.
const BEGIN: i64 = 1_714_521_600_000;

/// What a repository of that name tells.
struct Shop(Repository);

fn shop(name: &str) -> Shop {
    Shop(Repository::new(format!("github.com/acme/{name}")))
}

fn sha(n: i64) -> CommitId {
    CommitId::new(format!("{n:040x}"))
}

fn at(minute: i64) -> Timestamp {
    Timestamp(BEGIN + minute * MINUTE)
}

impl Shop {
    /// A commit comes to the default branch.
    fn push(&self, n: i64, paths: &[&str]) -> (i64, Body) {
        let paths = Some(paths.iter().map(|path| (*path).to_owned()).collect());
        let commit = CommitInfo { paths, committed_at: Some(at(n)), ..CommitInfo::new(sha(n)) };
        let push = Push {
            before: Some(sha(n - 1)),
            after: Some(sha(n)),
            commits: vec![commit],
            default_branch: Some("main".to_owned()),
            ..Push::new(self.0.clone(), "refs/heads/main".to_owned())
        };
        (n, push.into())
    }

    fn run(&self, n: i64, name: &str) -> (i64, Body) {
        let run = PipelineRun {
            repository: Some(self.0.clone()),
            commit: Some(sha(n)),
            outcome: Some(Outcome::Success),
            ..PipelineRun::new(format!("{}/{name}/{n}", self.0).as_str().into(), 1, name.to_owned(), Phase::Finished)
        };
        (n, run.into())
    }

    fn job(&self, n: i64, of: &str, name: &str) -> (i64, Body) {
        let id = format!("{}/{of}/{n}/{name}", self.0);
        let task = TaskRun {
            run: Some(format!("{}/{of}/{n}", self.0).as_str().into()),
            outcome: Some(Outcome::Success),
            ..TaskRun::new(id.as_str().into(), 1, name.to_owned(), TaskKind::Job, Phase::Finished)
        };
        (n, task.into())
    }

    fn tag(&self, n: i64, name: &str, action: TagAction) -> (i64, Body) {
        (n, Tag { commit: Some(sha(n)), ..Tag::new(self.0.clone(), name.to_owned(), action) }.into())
    }

    fn deployment(&self, n: i64, environment: &str, minute: i64) -> Deployment {
        let id = format!("{}/{environment}/{n}", self.0);
        Deployment {
            repository: Some(self.0.clone()),
            commit: Some(sha(n)),
            outcome: Some(Outcome::Success),
            finished_at: Some(at(minute)),
            ..Deployment::new(id.as_str().into(), environment.into(), DeploymentAction::Deploy, Phase::Finished)
        }
    }

    fn deploy(&self, n: i64, environment: &str, minute: i64) -> (i64, Body) {
        (minute, self.deployment(n, environment, minute).into())
    }
}

fn incident(n: i64, service: &str, kind: &str) -> (i64, Body) {
    let incident = model::event::Incident {
        services: vec![service.to_owned()],
        kinds: vec![kind.to_owned()],
        ..model::event::Incident::new(format!("incidents/{n}").as_str().into())
    };
    (n, IncidentDetected { incident, detected_at: None, detected_by: Default::default() }.into())
}

fn survey(history: Vec<(i64, Body)>) -> Survey {
    let mut realm = Realm::new("default".into());
    for (number, (minute, body)) in history.into_iter().enumerate() {
        realm.apply(event(at(minute).0, &number.to_string(), body));
    }
    realm.into()
}

fn suggest(history: Vec<(i64, Body)>) -> Suggestion {
    survey(history).suggest((at(0), at(10_000)), &BTreeMap::new())
}

fn only(suggestion: &Suggestion) -> &CatalogComponent {
    assert_eq!(suggestion.catalog.components.len(), 1, "{suggestion}");
    &suggestion.catalog.components[0]
}

/// Kind, name and environment of each marker of the only component.
fn markers(suggestion: &Suggestion) -> Vec<(MarkerKind, &str, Option<&str>)> {
    only(suggestion)
        .markers
        .iter()
        .map(|m| (m.kind, m.name.as_deref().unwrap_or("*"), m.environment.as_ref().map(|e| e.as_str())))
        .collect()
}

#[test]
fn a_workflow_that_deploys_the_default_branch_counts() {
    let shop = shop("shop");
    let mut history = vec![shop.push(1, &["a"]), shop.run(1, "ci"), shop.run(1, "Deploy [prod]"), shop.push(2, &["a"])];
    // Of a branch that never came to the default one.
    history.push(shop.run(77, "Deploy preview branch"));
    history.push(shop.run(2, "Deploy [prod]"));
    let suggestion = suggest(history);
    assert_eq!(markers(&suggestion), [(MarkerKind::Pipeline, "Deploy [[]prod[]]", Some("production"))]);
    let preview = suggestion.entries[0].preview.as_ref().unwrap();
    assert_eq!((preview.releases, preview.by_it, preview.newest[0].version.as_str()), (2, 2, sha(2).as_str()));
    let by_line =
        suggestion.entries[0].lines.iter().find(|line| line.key == "markers").unwrap().preview.as_ref().unwrap();
    assert_eq!(by_line.releases, 2);
}

#[test]
fn jobs_that_deploy_count_before_their_workflow_each_for_its_environment() {
    let shop = shop("shop");
    let jobs = ["build", "deploy to staging", "deploy to production (eu)", "deploy to production (us)"];
    let mut history = vec![shop.push(1, &["a"]), shop.run(1, "release")];
    history.extend(jobs.iter().map(|name| shop.job(1, "release", name)));
    let suggestion = suggest(history);
    assert_eq!(
        markers(&suggestion),
        [
            (MarkerKind::Task, "deploy to production (*", Some("production")),
            (MarkerKind::Task, "deploy to staging", Some("staging")),
        ]
    );
    assert_eq!(suggestion.entries[0].preview.as_ref().unwrap().releases, 1);
}

#[test]
fn published_releases_count_before_tags_and_tags_by_their_prefix() {
    let shop = shop("shop");
    let tags = |action| {
        let mut history: Vec<_> = (1..4).map(|n| shop.push(n, &["a"])).collect();
        history.extend((1..4).map(|n| shop.tag(n, &format!("v1.{n}"), action)));
        history.push(shop.tag(3, "latest", TagAction::Tagged));
        history
    };
    assert_eq!(markers(&suggest(tags(TagAction::Tagged))), [(MarkerKind::Tag, "v*", None)]);
    let published = [tags(TagAction::Tagged), tags(TagAction::Published)].concat();
    assert_eq!(markers(&suggest(published)), [(MarkerKind::Release, "v*", None)]);
}

#[test]
fn a_repository_that_deploys_nothing_is_left_over() {
    let suggestion = suggest(vec![shop("notes").push(1, &["a"])]);
    assert_eq!(suggestion.catalog.components, []);
    assert!(suggestion.left[0].starts_with("github.com/acme/notes: 1 commits"), "{:?}", suggestion.left);
    assert!(suggestion.to_string().contains("# - github.com/acme/notes"), "{suggestion}");
}

#[test]
fn parts_of_a_repository_are_told_by_their_tags_and_their_folders() {
    let mono = shop("mono");
    let history = vec![
        mono.push(1, &["services/ledger/a.rs", "README.md"]),
        mono.push(2, &["services/reports/b.rs", "libs/c.rs"]),
        mono.push(3, &["services/idle/d.rs"]),
        mono.tag(1, "ledger-v1.0", TagAction::Tagged),
        mono.tag(2, "reports/2.0", TagAction::Tagged),
    ];
    let suggestion = suggest(history);
    let found: Vec<_> =
        suggestion.catalog.components.iter().map(|of| (of.component.as_str(), of.paths.clone())).collect();
    let paths = |own: &str| vec![format!("services/{own}/**"), "libs/**".to_owned()];
    assert_eq!(found, [("ledger", paths("ledger")), ("reports", paths("reports"))]);
    let names: Vec<_> =
        suggestion.catalog.components.iter().flat_map(|of| &of.markers).map(|m| m.name.clone()).collect();
    assert_eq!(names, [Some("ledger-v*".to_owned()), Some("reports/*".to_owned())]);
}

#[test]
fn where_no_name_tells_production_is_what_commits_reach_last() {
    let shop = shop("shop");
    let mut history = Vec::new();
    for n in 1..6 {
        history.push(shop.push(n, &["a"]));
        history.extend([shop.deploy(n, "blue", n * 10), shop.deploy(n, "green", n * 10 + 5)]);
    }
    let suggestion = suggest(history.clone());
    let tiers: Vec<_> = suggestion.catalog.environments.iter().map(|e| (e.environment.as_str(), e.tier)).collect();
    assert_eq!(tiers, [("blue", Tier::Other), ("green", Tier::Production)]);
    assert!(
        suggestion.to_string().contains("tier = \"production\"  # commits reach it last, after blue"),
        "{suggestion}"
    );
    let made = suggestion.entries.iter().find(|entry| entry.name == "green").unwrap().preview.as_ref().unwrap();
    assert_eq!((made.releases, made.by_it), (5, 5));
    // The word of a provider counts before a name.
    let flagged = Deployment { production: Some(true), ..shop.deployment(1, "Blue", 60) };
    history.push((60, flagged.into()));
    history.push(shop.deploy(2, "PROD", 61));
    let environments = suggest(history).catalog.environments;
    let tiers: Vec<_> = environments.iter().map(|e| (e.environment.as_str(), e.aliases.join(","), e.tier)).collect();
    assert_eq!(
        tiers,
        [
            ("green", String::new(), Tier::Other),
            ("blue", String::new(), Tier::Production),
            ("production", "prod".to_owned(), Tier::Production),
        ]
    );
}

#[test]
fn environments_of_changes_are_one() {
    let shop = shop("shop");
    let mut history = vec![shop.push(1, &["a"]), shop.deploy(1, "production", 90)];
    history.extend((1..5).map(|n| shop.deploy(1, &format!("pr-{n}"), n + 1)));
    let suggestion = suggest(history);
    let previews = suggestion.catalog.environments.iter().find(|of| of.tier == Tier::Other).unwrap();
    assert_eq!((previews.environment.as_str(), previews.aliases.as_slice()), ("pr", &["pr-*".to_owned()][..]));
}

#[test]
fn incidents_and_gates_are_claimed_by_name() {
    let (shop, gate) = (shop("shop"), |n: i64, name: &str| {
        let gate = model::event::Gate::new(format!("gates/{n}").as_str().into(), name.to_owned());
        (n, Body::from(GateRequested::new(gate, References::default())))
    });
    let history = vec![
        shop.push(1, &["a"]),
        shop.deploy(1, "production", 5),
        incident(2, "Shop Service (prod)", "security hole"),
        incident(3, "warehouse", "latency"),
        gate(4, "security scan"),
        gate(5, "change board"),
    ];
    let mut survey = survey(history);
    let gaps =
        |survey: &Survey| survey.unmapped(at(0)).into_iter().map(|line| (line.gap, line.name)).collect::<Vec<_>>();
    assert!(gaps(&survey).contains(&(Gap::IncidentService, "warehouse".to_owned())));
    assert!(survey.unmapped(at(9_000)).is_empty());
    let suggestion = survey.suggest((at(0), at(10_000)), &BTreeMap::new());
    assert_eq!(only(&suggestion).services, ["Shop Service (prod)"]);
    assert!(suggestion.left[0].starts_with("service `warehouse`: 1 incidents name it"), "{:?}", suggestion.left);
    let gates: Vec<_> =
        suggestion.catalog.gates.iter().map(|gate| (gate.gate.as_str(), gate.kind, gate.purposes.clone())).collect();
    assert_eq!(
        gates,
        [
            ("change board", Some(GateKind::ChangeBoard), vec![]),
            ("security scan", Some(GateKind::Check), vec!["security hole".to_owned()]),
        ]
    );
    assert_eq!(gaps(&survey), [(Gap::IncidentService, "warehouse".to_owned())]);
}

/// What is named by a name of another system must not break out of the text that it stands in.
#[test]
fn a_name_stays_within_its_line() {
    let odd = Shop(Repository::new("github.com/acme/a\"\n[[teams]]"));
    let suggestion = suggest(vec![odd.push(1, &["a"]), odd.deploy(1, "prod\"\n]", 3), incident(2, "x\ny = 1", "k")]);
    let text = suggestion.to_string();
    for line in text.lines() {
        let known = [
            "#",
            "[[components]]",
            "[[environments]]",
            "component = ",
            "repository = ",
            "environment = ",
            "aliases = ",
            "tier = ",
        ];
        assert!(line.is_empty() || known.iter().any(|start| line.starts_with(start)), "{line}");
    }
}
