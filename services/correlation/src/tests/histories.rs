//! Random histories over a small world, where everything may refer to everything.
//!
//! They are wilder than real ones: a deployment may change its run, a commit be named before it exists, a gate be decided before it
//! was asked for. What holds here holds for anything that a provider can send.

use model::event::*;
use model::{
    ChangeId, CommitId, Component, DeploymentId, Environment, GateId, Millis, Repository, RunId, TaskId, Timestamp,
};
use proptest::prelude::*;

use super::event;

const REPOSITORIES: [&str; 2] = ["github.com/acme/one", "github.com/acme/two"];

fn sha(n: u8) -> CommitId {
    // Two ids share their first seven digits, so that an abbreviation can be ambiguous.
    let head = if n == 7 { 6 } else { n };
    CommitId::new(format!("{head:07x}{n:033x}"))
}

fn given() -> impl Strategy<Value = CommitId> {
    prop_oneof![4 => (0u8..8).prop_map(sha), 1 => (0u8..8).prop_map(|n| CommitId::new(&sha(n).as_str()[..7]))]
}

fn repository() -> impl Strategy<Value = Repository> {
    (0usize..2).prop_map(|n| Repository::new(REPOSITORIES[n]))
}

fn actor() -> impl Strategy<Value = Actor> {
    (0u8..3).prop_map(|n| match n {
        0 => Actor::default(),
        1 => Actor { key: Some("a".into()), kind: ActorKind::Human },
        _ => Actor { key: Some("b".into()), kind: ActorKind::Machine },
    })
}

/// A history lasts sixty of these: long enough to leave the hours of a calendar, and some are within the seconds that matter at a gate.
const TICK: i64 = 20 * 60_000;

fn time() -> impl Strategy<Value = Timestamp> {
    (0i64..60).prop_map(|tick| Timestamp(tick * TICK))
}

fn maybe<T: std::fmt::Debug + Clone>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(of)
}

fn commit() -> impl Strategy<Value = CommitInfo> {
    // Parents have smaller numbers: a history has no cycle.
    let parents = |n: u8| {
        maybe(
            proptest::collection::btree_set(0..n.max(1), 0..3)
                .prop_map(move |set| set.into_iter().filter(|p| *p < n).map(sha).collect()),
        )
    };
    (0u8..8, actor(), maybe(time()), maybe(time()), maybe(proptest::sample::select(vec!["x/a", "y/b"]))).prop_flat_map(
        move |(n, author, authored_at, committed_at, path)| {
            parents(n).prop_map(move |parents| CommitInfo {
                parents,
                authored_at,
                committed_at,
                author: author.clone(),
                paths: path.map(|path| vec![path.to_owned()]),
                ..CommitInfo::new(sha(n))
            })
        },
    )
}

fn push() -> impl Strategy<Value = Body> {
    let branch = proptest::sample::select(vec!["refs/heads/main", "refs/heads/topic"]);
    (repository(), branch, 1u8..8, any::<bool>(), any::<bool>(), maybe(commit())).prop_map(
        |(repository, ref_name, n, forced, whole, listed)| {
            let commits: Vec<CommitInfo> = listed.into_iter().filter(|c| c.id <= sha(n)).collect();
            Body::from(Push {
                before: whole.then(|| sha(n - 1)),
                after: Some(sha(n)),
                commits,
                forced,
                default_branch: Some("main".into()),
                ..Push::new(repository, ref_name.to_owned())
            })
        },
    )
}

fn change() -> impl Strategy<Value = Body> {
    (repository(), 0u8..3, 0u8..8, 0u8..8, maybe(time()), any::<bool>(), time(), actor()).prop_map(
        |(repository, number, head, merge, created_at, merged, at, author)| {
            let mut change =
                Change::new(repository, ChangeId::new(number.to_string()), ChangeAction::Updated, ChangeState::Open);
            change.source_branch = Some("topic".into());
            change.head = Some(sha(head));
            change.author = author;
            change.created_at = created_at;
            if merged {
                (change.state, change.merged_at, change.merge_commit) =
                    (ChangeState::Merged, Some(at), Some(sha(merge)));
            }
            change.into()
        },
    )
}

fn phase() -> impl Strategy<Value = (Phase, Option<Outcome>)> {
    proptest::sample::select(vec![
        (Phase::Created, None),
        (Phase::Waiting, None),
        (Phase::Running, None),
        (Phase::Finished, Some(Outcome::Success)),
        (Phase::Finished, Some(Outcome::Success)),
        (Phase::Finished, Some(Outcome::Failure)),
        (Phase::Superseded, None),
    ])
}

fn deployment() -> impl Strategy<Value = Body> {
    let environment = proptest::sample::select(vec!["production", "staging", "eu"]);
    let service = maybe(proptest::sample::select(vec!["x", "y"]));
    let version = maybe(proptest::sample::select(vec!["v1", "v2"]));
    (
        0u8..6,
        maybe(repository()),
        environment,
        phase(),
        maybe(given()),
        service,
        version,
        (maybe(0u8..2), maybe(time()), maybe(time())),
    )
        .prop_map(
            |(
                id,
                repository,
                environment,
                (phase, outcome),
                commit,
                service,
                ref_name,
                (run, created_at, started_at),
            )| {
                Body::from(Deployment {
                    repository,
                    service: service.map(str::to_owned),
                    outcome,
                    commit,
                    ref_name: ref_name.map(str::to_owned),
                    run: run.map(|n| RunId::new(n.to_string())),
                    created_at,
                    started_at,
                    production: (environment == "eu").then_some(true),
                    ..Deployment::new(
                        DeploymentId::new(id.to_string()),
                        Environment::new(environment),
                        DeploymentAction::Deploy,
                        phase,
                    )
                })
            },
        )
}

fn run() -> impl Strategy<Value = Body> {
    (0u8..2, 1i32..3, maybe(repository()), maybe(given()), phase(), maybe(time()), maybe(time())).prop_map(
        |(id, attempt, repository, commit, (phase, outcome), created_at, started_at)| {
            Body::from(PipelineRun {
                repository,
                commit,
                outcome,
                created_at,
                started_at,
                ..PipelineRun::new(RunId::new(id.to_string()), attempt, "ci".into(), phase)
            })
        },
    )
}

fn task() -> impl Strategy<Value = Body> {
    (0u8..3, maybe(0u8..2), maybe(given()), phase(), maybe(time()), maybe(time())).prop_map(
        |(id, run, commit, (phase, outcome), queued_at, started_at)| {
            let task = TaskRun::new(TaskId::new(id.to_string()), 1, "job".into(), TaskKind::Job, phase);
            Body::from(TaskRun {
                run: run.map(|n| RunId::new(n.to_string())),
                commit,
                outcome,
                queued_at,
                started_at,
                ..task
            })
        },
    )
}

fn gate() -> impl Strategy<Value = Body> {
    let about = (maybe(repository()), maybe(given()), maybe(0u8..2), maybe(0u8..6)).prop_map(
        |(repository, commit, run, deployment)| References {
            repository,
            commit,
            run: run.map(|n| RunId::new(n.to_string())),
            deployment: deployment.map(|n| DeploymentId::new(n.to_string())),
            ..References::default()
        },
    );
    let kind = proptest::sample::select(vec![GateKind::Unknown, GateKind::Check, GateKind::DeploymentProtection]);
    let environment = maybe(proptest::sample::select(vec!["production", "staging"]));
    let name = proptest::sample::select(vec!["board", "smoke test"]);
    let gate = (0u8..4, name, kind, environment).prop_map(|(id, name, kind, environment)| Gate {
        kind,
        environment: environment.map(Environment::new),
        ..Gate::new(GateId::new(id.to_string()), name.into())
    });
    (gate, about, 0u8..9, actor(), maybe(given())).prop_map(|(gate, about, act, by, commit)| match act {
        0 => GateRequested::new(gate, about).into(),
        1 => GateRequestedAgain { gate, about, requested_at: None, requested_by: by }.into(),
        2 | 3 => GateDecided { decided_by: by, commit, ..GateDecided::new(gate, about, Decision::Approved) }.into(),
        4 | 5 => GateDecided { decided_by: by, commit, ..GateDecided::new(gate, about, Decision::Rejected) }.into(),
        6 => GateBypassed { gate, about, bypassed_at: None, bypassed_by: by }.into(),
        7 => GateDelegated { delegated_to: by, ..GateDelegated::new(gate, about) }.into(),
        _ => GateQuorum { gate, about, required: 2, given: 2, met_at: None }.into(),
    })
}

fn review() -> impl Strategy<Value = Body> {
    let state = proptest::sample::select(vec![ReviewState::Approved, ReviewState::Commented, ReviewState::Dismissed]);
    (repository(), 0u8..3, 0u8..3, state, actor(), maybe(time())).prop_map(
        |(repository, change, review, state, reviewer, submitted_at)| {
            let change = ChangeId::new(change.to_string());
            let review = ChangeReview::new(repository, change, review.to_string(), state);
            Body::from(ChangeReview { reviewer, submitted_at, ..review })
        },
    )
}

fn purpose() -> impl Strategy<Value = Body> {
    let component = maybe(proptest::sample::select(vec!["x", "acme/one"]));
    (component, proptest::collection::vec(Just("outage".to_owned()), 0..2)).prop_map(|(component, purposes)| {
        Body::from(GatePurposeSaid {
            component: component.map(Component::new),
            gate: "board".into(),
            purposes,
            said_by: Actor::default(),
        })
    })
}

fn tag() -> impl Strategy<Value = Body> {
    let tag = |(repository, name, commit, deleted): (Repository, &str, Option<CommitId>, bool)| {
        let action = if deleted { TagAction::Deleted } else { TagAction::Tagged };
        Body::from(Tag { commit, ..Tag::new(repository, name.to_owned(), action) })
    };
    (repository(), proptest::sample::select(vec!["v1", "v2"]), maybe((0u8..8).prop_map(sha)), any::<bool>())
        .prop_map(tag)
}

fn control() -> impl Strategy<Value = Body> {
    let catalog = |(revision, paths, staged, calendar): (i64, bool, bool, Option<&str>)| {
        let office = |name: &str, zone: &str| CatalogCalendar {
            calendar: name.into(),
            zone: zone.into(),
            work_days: vec![4, 5],
            day_starts: 480,
            day_ends: 1020,
            holidays: Vec::new(),
        };
        let gate = CatalogGate { gate: "b*".into(), kind: Some(GateKind::ChangeBoard), purposes: vec!["leak".into()] };
        let component = |name: &str| CatalogComponent {
            component: Component::new(name),
            team: Some("t".into()),
            repository: Some(Repository::new(REPOSITORIES[0])),
            paths: if paths { vec![format!("{name}/**")] } else { Vec::new() },
            excluded_paths: Vec::new(),
            services: Vec::new(),
            markers: Vec::new(),
            partial_counts: false,
            attribution_window: None::<Millis>,
            baseline_none: false,
            calendar: calendar.map(str::to_owned),
        };
        let environments = vec![CatalogEnvironment {
            environment: "live".into(),
            aliases: vec!["prod*".into()],
            tier: Tier::Production,
        }];
        Body::from(Catalog {
            revision,
            components: vec![component("x"), component("y")],
            environments: if staged { environments } else { Vec::new() },
            gates: if staged { vec![gate] } else { Vec::new() },
            calendars: if paths { Vec::new() } else { vec![office("office", "UTC"), office("far", "Pacific/Apia")] },
            ..Catalog::default()
        })
    };
    let none = Just(Body::from(BaselineNone { component: Component::new("x") }));
    let calendar = maybe(proptest::sample::select(vec!["far", "gone"]));
    prop_oneof![3 => (0i64..3, any::<bool>(), any::<bool>(), calendar).prop_map(catalog), 1 => none]
}

fn body() -> impl Strategy<Value = Body> {
    let commits = (repository(), proptest::collection::vec(commit(), 1..3))
        .prop_map(|(repository, commits)| Body::from(Commits { repository, commits }));
    prop_oneof![
        3 => commits,
        3 => push(),
        2 => change(),
        6 => deployment(),
        2 => run(),
        2 => task(),
        4 => gate(),
        1 => review(),
        1 => purpose(),
        1 => tag(),
        1 => control(),
    ]
}

/// A history: events in some order.
pub fn history() -> impl Strategy<Value = Vec<Event<Body>>> {
    proptest::collection::vec((0i64..60, body()), 1..40).prop_map(|list| {
        list.into_iter().enumerate().map(|(n, (at, body))| event(at * TICK, &format!("d{n}"), body)).collect()
    })
}
