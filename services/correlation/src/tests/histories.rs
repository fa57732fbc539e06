//! Random histories over a small world, where everything may refer to everything.
//!
//! They are wilder than real ones: a deployment may change its run, a commit be named before it exists, a gate be decided before it
//! was asked for. What holds here holds for anything that a provider can send.

use model::event::*;
use model::{
    ArtifactId, ChangeId, CommitId, Component, DeploymentId, Environment, GateId, IncidentId, Millis, Repository,
    RunId, TaskId, Timestamp, Version,
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

fn run_id(n: u8) -> RunId {
    RunId::new(format!("run/{n}"))
}

fn task_id(n: u8) -> TaskId {
    TaskId::new(format!("task/{n}"))
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
    (0u8..8, actor(), maybe(time()), maybe(time()), maybe(path()), origins()).prop_flat_map(
        move |(n, author, authored_at, committed_at, path, (picked, reverted, patch))| {
            parents(n).prop_map(move |parents| CommitInfo {
                cherry_picked_from: picked.iter().cloned().collect(),
                reverts: reverted.iter().cloned().collect(),
                patch_id: patch.map(str::to_owned),
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

fn path() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["x/a", "y/b", "x/Cargo.lock", "x/Cargo.toml", "x/config/a.yaml"])
}

/// What a commit was picked from, what it reverts, and its patch.
fn origins() -> impl Strategy<Value = (Option<CommitId>, Option<CommitId>, Option<&'static str>)> {
    let rarely = |of| proptest::option::weighted(0.2, of);
    (rarely(given()), rarely(given()), proptest::option::weighted(0.3, proptest::sample::select(vec!["p", "q"])))
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
        (maybe(0u8..4), maybe(time()), maybe(time()), actor(), maybe(0u8..5), proptest::bool::weighted(0.1)),
        (image(), any::<bool>()),
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
                (run, created_at, started_at, triggered_by, job, transient),
                (image, partial),
            )| {
                Body::from(Deployment {
                    artifacts: image.into_iter().collect(),
                    rollout: if partial { Rollout::Partial } else { Rollout::Unknown },
                    repository,
                    service: service.map(str::to_owned),
                    outcome,
                    commit,
                    ref_name: ref_name.map(str::to_owned),
                    run: run.map(run_id),
                    created_at,
                    started_at,
                    production: (environment == "eu").then_some(true),
                    triggered_by,
                    job: job.map(task_id),
                    transient,
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

/// How a run or a task stands; more often than not it has ended.
fn verdict() -> impl Strategy<Value = (Phase, Option<Outcome>)> {
    let ended = proptest::sample::select(vec![
        Outcome::Success,
        Outcome::Success,
        Outcome::Failure,
        Outcome::Failure,
        Outcome::Error,
        Outcome::Timeout,
        Outcome::Cancelled,
        Outcome::Skipped,
    ]);
    prop_oneof![1 => phase(), 3 => ended.prop_map(|outcome| (Phase::Finished, Some(outcome)))]
}

/// Names of an image: by its tag, which may be named after a commit, or by its digest.
fn image() -> impl Strategy<Value = Option<ArtifactId>> {
    let names = ["img:v1", "img:1", "img@sha256:aa", "sha256:aa"].map(str::to_owned);
    let of_commit = given().prop_map(|commit| format!("img:release-{commit}"));
    proptest::option::weighted(0.3, prop_oneof![proptest::sample::select(names.to_vec()), of_commit])
        .prop_map(|name| name.map(ArtifactId::new))
}

fn artifact() -> impl Strategy<Value = Body> {
    let name = proptest::sample::select(vec!["img", "img:v1", "img@sha256:bb", "image"]);
    (name, any::<bool>(), maybe(given()), maybe(0u8..2), any::<bool>()).prop_map(
        |(name, tagged, commit, run, digest)| {
            Body::from(Artifact {
                tags: tagged.then(|| "1".to_owned()).into_iter().collect(),
                digest: digest.then(|| "sha256:aa".to_owned()),
                commit,
                run: run.map(run_id),
                ..Artifact::new(ArtifactId::new(name), ArtifactAction::Published)
            })
        },
    )
}

fn run() -> impl Strategy<Value = Body> {
    let told = (
        proptest::sample::select(vec!["ci", "deliver"]),
        maybe(proptest::sample::select(vec!["ci.yml", "deliver.yml"])),
        maybe(proptest::sample::select(vec!["main", "topic"])),
        proptest::sample::select(vec![
            Trigger::Unknown,
            Trigger::Push,
            Trigger::Change,
            Trigger::Manual,
            Trigger::Manual,
        ]),
        actor(),
    );
    let times = (maybe(time()), maybe(time()), maybe(time()));
    (0u8..4, 1i32..3, maybe(repository()), maybe(given()), verdict(), times, told).prop_map(
        |(id, attempt, repository, commit, (phase, outcome), (created_at, started_at, finished_at), told)| {
            let (pipeline, definition, ref_name, trigger, triggered_by) = told;
            Body::from(PipelineRun {
                repository,
                definition: definition.map(str::to_owned),
                commit,
                ref_name: ref_name.map(str::to_owned),
                trigger,
                triggered_by,
                outcome,
                created_at,
                started_at,
                finished_at: finished_at.filter(|_| phase == Phase::Finished),
                ..PipelineRun::new(run_id(id), attempt, pipeline.into(), phase)
            })
        },
    )
}

fn task() -> impl Strategy<Value = Body> {
    let told = (
        proptest::sample::select(vec!["test", "deploy"]),
        any::<bool>(),
        actor(),
        proptest::bool::weighted(0.2),
        maybe(proptest::sample::select(vec!["linux", "windows"])),
        maybe(proptest::sample::select(vec!["production", "staging"])),
        proptest::bool::weighted(0.3),
    );
    let times = (maybe(time()), maybe(time()), maybe(time()));
    let given = (maybe(given()), maybe(repository()));
    (0u8..5, 1i32..3, maybe(0u8..4), given, verdict(), times, told).prop_map(
        |(id, attempt, run, (commit, repository), (phase, outcome), (queued_at, started_at, finished_at), told)| {
            let (name, manual, started_by, allowed_to_fail, runner_group, environment, needs) = told;
            Body::from(TaskRun {
                run: run.map(run_id),
                repository,
                commit,
                outcome,
                environment: environment.map(Environment::new),
                manual,
                started_by,
                allowed_to_fail,
                runner_group: runner_group.map(str::to_owned),
                needs: needs.then(|| "test".to_owned()).into_iter().collect(),
                queued_at,
                started_at,
                finished_at: finished_at.filter(|_| phase == Phase::Finished),
                ..TaskRun::new(task_id(id), attempt, name.into(), TaskKind::Job, phase)
            })
        },
    )
}

fn named_step() -> impl Strategy<Value = Body> {
    let release = (proptest::sample::select(vec!["acme/one", "x"]), proptest::sample::select(vec!["v1", "v2"]))
        .prop_map(|(component, version)| ReleaseRef {
            component: Component::new(component),
            version: model::Version::new(version),
        });
    (release, proptest::sample::select(vec!["freeze", "sign-off"]), time(), time()).prop_map(
        |(release, name, started_at, finished_at)| {
            let named_by = Actor::default();
            Body::from(ManualStepNamed { release, name: name.to_owned(), started_at, finished_at, named_by })
        },
    )
}

fn gate() -> impl Strategy<Value = Body> {
    let about = (maybe(repository()), maybe(given()), maybe(0u8..4), maybe(0u8..6), maybe(0u8..5)).prop_map(
        |(repository, commit, run, deployment, task)| References {
            repository,
            commit,
            run: run.map(run_id),
            task: task.map(task_id),
            deployment: deployment.map(|n| DeploymentId::new(n.to_string())),
            ..References::default()
        },
    );
    let kind = proptest::sample::select(vec![
        GateKind::Unknown,
        GateKind::Check,
        GateKind::DeploymentProtection,
        GateKind::ManualJob,
        GateKind::ManualJob,
    ]);
    let environment = maybe(proptest::sample::select(vec!["production", "staging"]));
    let name = proptest::sample::select(vec!["board", "smoke test"]);
    let gate = (0u8..4, name, kind, environment, 1i32..3).prop_map(|(id, name, kind, environment, attempt)| {
        let name = if kind == GateKind::ManualJob { "deploy" } else { name };
        Gate {
            kind,
            attempt,
            environment: environment.map(Environment::new),
            ..Gate::new(GateId::new(format!("gate/{id}")), name.into())
        }
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

/// Of components that a catalog names, that are none without one, and that are none with one.
fn acknowledged() -> impl Strategy<Value = Body> {
    (proptest::sample::select(vec!["x", "y", "acme/one"]), maybe(time())).prop_map(|(component, acknowledged_at)| {
        Body::from(ShiftAcknowledged {
            component: Component::new(component),
            acknowledged_at,
            acknowledged_by: Actor::default(),
            note: None,
        })
    })
}

fn tag() -> impl Strategy<Value = Body> {
    let actions = vec![TagAction::Tagged, TagAction::Published, TagAction::Unpublished, TagAction::Deleted];
    let names = proptest::sample::select(vec!["v1", "v2"]);
    (repository(), names, maybe(given()), proptest::sample::select(actions), maybe(time()), maybe(any::<bool>()))
        .prop_map(|(repository, name, commit, action, created_at, prerelease)| {
            Body::from(Tag {
                commit,
                created_at,
                published_at: created_at,
                prerelease,
                ..Tag::new(repository, name.to_owned(), action)
            })
        })
}

fn release() -> impl Strategy<Value = ReleaseRef> {
    let component = proptest::sample::select(vec!["x", "acme/one", "acme/two"]);
    let version = prop_oneof![
        2 => proptest::sample::select(vec!["v1", "v2"]).prop_map(Version::new),
        1 => (0u8..8).prop_map(|n| Version::new(sha(n).as_str())),
    ];
    (component, version).prop_map(|(component, version)| ReleaseRef { component: Component::new(component), version })
}

/// What an incident is about: one thing, so that every grade is met.
fn about() -> impl Strategy<Value = References> {
    (0u8..7, maybe(repository()), given(), 0u8..6, proptest::sample::select(vec!["v1", "v2"])).prop_map(
        |(what, repository, commit, n, version)| {
            let mut about = References { repository, ..References::default() };
            match what {
                0 => about.deployment = Some(DeploymentId::new(n.to_string())),
                1 => about.run = Some(run_id(n % 4)),
                2 => about.change = Some(ChangeId::new((n % 3).to_string())),
                3 => about.version = Some(version.to_owned()),
                4 => about.artifact = Some(ArtifactId::new("image")),
                5 => about.service = Some("x".to_owned()),
                _ => about.commit = Some(commit),
            }
            about
        },
    )
}

fn incident() -> impl Strategy<Value = Body> {
    let services = proptest::collection::btree_set(proptest::sample::select(vec!["x", "y", "acme/one"]), 0..3);
    let environment = maybe(proptest::sample::select(vec!["production", "production", "live", "staging"]));
    let told = (0u8..4, services, environment, maybe(about()), maybe(time()), maybe(time()));
    let kind = maybe(proptest::sample::select(vec!["outage", "leak"]));
    (told, 0u8..10, 0u8..4, actor(), kind).prop_map(|(told, act, into, by, kind)| {
        let (id, services, environment, about, started_at, at) = told;
        let name = |n: u8| IncidentId::new(n.to_string());
        let incident = Incident {
            services: services.into_iter().map(str::to_owned).collect(),
            environment: environment.map(Environment::new),
            about: about.into_iter().collect(),
            started_at,
            kinds: kind.into_iter().map(str::to_owned).collect(),
            ..Incident::new(name(id))
        };
        match act {
            0..4 => IncidentDetected { incident, detected_at: at, detected_by: by }.into(),
            4 => IncidentAcknowledged { incident, acknowledged_at: at, acknowledged_by: by }.into(),
            5 | 6 => IncidentResolved { incident, resolved_at: at, resolved_by: by }.into(),
            7 => IncidentReopened { incident, reopened_at: at }.into(),
            8 => IncidentMerged { incident, into: name(into), merged_at: at }.into(),
            _ if into == 0 => IncidentRetracted { incident, retracted_at: at }.into(),
            _ => IncidentUpdated { incident, updated_at: at }.into(),
        }
    })
}

fn said() -> impl Strategy<Value = Body> {
    let corrected = (0u8..4, maybe(release()), maybe(release())).prop_map(|(id, release, previous)| {
        let incident = IncidentId::new(id.to_string());
        Body::from(AttributionCorrected { incident, release, previous, corrected_by: Actor::default(), note: None })
    });
    let excluded = (release(), any::<bool>()).prop_map(|(release, excluded)| {
        Body::from(ReleaseExcluded { release, excluded, excluded_by: Actor::default(), note: None })
    });
    prop_oneof![2 => corrected, 1 => excluded]
}

fn control() -> impl Strategy<Value = Body> {
    type Told = (i64, bool, bool, Option<MarkerKind>, bool, Option<&'static str>);
    let catalog = |(revision, paths, staged, marker, environment, calendar): Told| {
        let environment = environment.then(|| Environment::new("staging"));
        let marker =
            marker.map(|kind| Marker { kind, name: environment.is_none().then(|| "*".to_owned()), environment });
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
            // The other one has the default.
            markers: marker.iter().filter(|_| name == "x").cloned().collect(),
            partial_counts: false,
            attribution_window: (revision > 0).then_some(Millis(10 * TICK * revision)),
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
    let markers =
        vec![MarkerKind::Deployment, MarkerKind::Pipeline, MarkerKind::Task, MarkerKind::Tag, MarkerKind::Release];
    let marker = maybe(proptest::sample::select(markers));
    let calendar = maybe(proptest::sample::select(vec!["far", "gone"]));
    let catalogs = (0i64..3, any::<bool>(), any::<bool>(), marker, any::<bool>(), calendar).prop_map(catalog);
    prop_oneof![3 => catalogs, 1 => none]
}

fn body() -> impl Strategy<Value = Body> {
    let commits = (repository(), proptest::collection::vec(commit(), 1..3))
        .prop_map(|(repository, commits)| Body::from(Commits { repository, commits }));
    prop_oneof![
        3 => commits,
        3 => push(),
        2 => change(),
        6 => deployment(),
        4 => run(),
        4 => task(),
        4 => gate(),
        1 => review(),
        1 => purpose(),
        1 => acknowledged(),
        2 => tag(),
        1 => named_step(),
        2 => control(),
        1 => artifact(),
        6 => incident(),
        1 => said(),
    ]
}

/// A history: events in some order.
pub fn history() -> impl Strategy<Value = Vec<Event<Body>>> {
    proptest::collection::vec((0i64..60, body()), 1..40).prop_map(|list| {
        list.into_iter().enumerate().map(|(n, (at, body))| event(at * TICK, &format!("d{n}"), body)).collect()
    })
}
