//! Moves, and how they are drawn. What comes first in a list is what shrinking ends at.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What a team did, and how its providers tell of it.
#[derive(Clone, Debug)]
pub struct History {
    pub telling: Telling,
    pub steps: Vec<Step>,
}

/// What providers tell of commits, and when.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// Parents: a clone does, a webhook does not.
    pub parents: bool,
    /// Author times beside commit times.
    pub author_times: bool,
    /// Paths that were touched.
    pub paths: bool,
    /// Long lists of paths are cut.
    pub paths_cut: bool,
    /// When all of it happens.
    pub season: Season,
}

/// A move, and when.
#[derive(Clone, Debug)]
pub struct Step {
    /// 0 at once, 1 within the hour, 2 in some hours, 3 in some days.
    pub after: u8,
    /// The next move begins before this one has ended.
    pub overlaps: bool,
    /// 0 clocks agree, 1 the provider's is ahead, 2 it is behind, 3 the author's is a day ahead.
    pub skew: u8,
    pub what: Move,
}

/// Something that a team does. `repository` is one of two; `back` counts from what is newest.
#[derive(Clone, Debug)]
pub enum Move {
    /// Commits go to the default branch.
    Push { repository: u8, commits: u8, cut: bool },
    /// Commits go to a branch and come in by a change.
    Change { repository: u8, commits: u8, merge: Merge, branch: Branch, listed: bool, reviewed: bool },
    /// The branch of a change is rewritten before it is merged.
    ForcePush { repository: u8, commits: u8, merge: Merge },
    /// Some changes, one after the other, that are to be released as one.
    Train { repository: u8, changes: u8 },
    /// A branch from an older commit of the default branch, with commits of its own.
    Hotfix { repository: u8, back: u8, commits: u8, deployed: bool },
    /// A commit is taken to where it was not.
    Pick { repository: u8, back: u8, how: Pick },
    /// A clone tells of commits again, with their parents; a shallow one of the last few, the oldest without.
    Backfill { repository: u8, shallow: bool },
    /// A pipeline runs on a commit.
    Pipeline { repository: u8, back: u8, tries: Tries, jobs: u8, artifact: bool, then: Then },
    /// Checks, statuses, builds and tests that belong to no run.
    Check { repository: u8, back: u8, kind: Check, passes: bool },
    /// A tag is made, moved or removed.
    Tag { repository: u8, back: u8, name: u8, how: Tagging },
    /// Something is deployed.
    Deploy { repository: u8, back: u8, to: Target, by: Reference, stages: Stages, service: u8 },
    /// What was deployed to an environment before the last time is deployed again, or the last once more.
    Again { to: Target, older: bool },
    /// Something is deployed to staging, and some hours later to production.
    Promote { repository: u8, back: u8 },
    /// The provider says something else of a deployment later.
    Correct { back: u8, how: Correction },
    /// The same deployment or run, told by another source.
    Restate { back: u8, run: bool },
    /// An artifact is built in one repository and deployed from another, by a commit that bumps its version.
    Bump { back: u8, to: Target, late: bool },
    /// A gate is met.
    Gate { about: About, meeting: Meeting, environment: u8 },
    /// The catalog says something else.
    Catalog { layout: Layout, calendars: Calendars, grows: bool },
    /// The history of a component is whole.
    BaselineNone { component: u8 },
    /// An incident.
    Incident { course: Course, about: u8 },
    /// People say something on the page.
    Say { what: u8 },
    /// Old rows are frozen.
    Freeze,
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($choice:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($choice),* }

        impl $name {
            const ALL: &[Self] = &[$(Self::$choice),*];
        }
    )*};
}

choices! {
    /// How a change comes in, or does not.
    Merge { Squash, TwoParents, Rebase, FastForward, Queue, Open, Abandoned }
    /// A branch for the change, one that lives on, or one of a fork.
    Branch { Own, LivesOn, Fork }
    /// What is done to a commit.
    Pick { Cherry, Revert, Backport }
    /// How the attempts of a run end.
    Tries { Passes, FailsThenPasses, FailsTwice, HasAnError, TimesOut, IsCancelled, StillRuns, Retold }
    /// What a run goes on to do.
    Then { Ends, Deploys, IsGated, IsGatedAndRejected, IsGatedAndExpires }
    /// What tells of a commit's health.
    Check { Status, Tool, Build, Test }
    /// What happens to a tag.
    Tagging { Tagged, ToldLate, Published, Moved, Deleted, NoCommit }
    /// An environment.
    Target { Production, Staging, Eu, Dev, Preview, ProductionUs }
    /// How a deployment says what it brings.
    Reference { Full, Abbreviated, Tag, Artifact, Run, ToldLater, Nothing, Image }
    /// How a deployment goes.
    Stages { Succeeds, Fails, FailsThenSucceeds, Canary, CanaryOnly, CanaryFailsFirst, Superseded, Waits, Removes, FinishOnly }
    /// What is said of a deployment later.
    Correction { ToFailure, ToSuccess, Superseded, EarlierFinish, OtherCommit, OtherEnvironment }
    /// What a gate is about.
    About { Deployment, Run, Commit, Service, Nothing, Task }
    /// What happens at a gate.
    Meeting {
        Approved, Rejected, Expired, ExpiredThenApproved, RejectedThenOpen, ApprovedTwice, Counted, Bypassed, Cancelled, Delegated,
        Deferred, OnlyDecided, Open, ByAuthor, NotFinal,
    }
    /// What the catalog holds.
    Layout { Empty, One, Monorepo, Services, Environments, Partial, NoBaseline, Markers }
    /// The calendars that it holds: none, one, another one, many of which components name some, one that is not the one named, or one
    /// in a zone that there is not.
    Calendars { None, Office, Default, Choice, Missing, Senseless }
    /// When a history begins: in a week of no note, or some days before clocks are set.
    Season { November, Autumn, EarlySpring, Spring }
    /// How an incident goes.
    Course { Resolved, Acknowledged, Reopened, Merged, Retracted }
}

impl Season {
    /// Milliseconds since 1970.
    pub const fn begins(self) -> i64 {
        match self {
            Self::November => 1_700_000_000_000,
            // 2023-10-27: on the 29th in Berlin, on 5 November in New York.
            Self::Autumn => 1_698_400_000_000,
            // 2024-03-08: on the 10th in New York.
            Self::EarlySpring => 1_709_900_000_000,
            // 2024-03-29: on the 31st in Berlin, on 7 April on Lord Howe and in Santiago.
            Self::Spring => 1_711_700_000_000,
        }
    }
}

macro_rules! pick {
    ($choices:ty) => {
        select(<$choices>::ALL)
    };
}

/// A history of up to 14 moves.
pub fn history() -> impl Strategy<Value = History> {
    let telling = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), pick!(Season)).prop_map(
        |(parents, author_times, paths, paths_cut, season)| Telling { parents, author_times, paths, paths_cut, season },
    );
    (telling, vec(step(), 1..15)).prop_map(|(telling, steps)| History { telling, steps })
}

fn step() -> impl Strategy<Value = Step> {
    // Mostly, clocks agree and one thing comes after another.
    let skew = prop_oneof![6 => Just(0u8), 1 => 1u8..4];
    let overlaps = proptest::bool::weighted(0.15);
    (0u8..4, overlaps, skew, action()).prop_map(|(after, overlaps, skew, what)| Step { after, overlaps, skew, what })
}

fn action() -> impl Strategy<Value = Move> {
    prop_oneof![8 => of_sources(), 5 => of_runs(), 8 => of_deployments(), 5 => of_the_rest()]
}

/// One of two repositories, mostly the first.
fn repository() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0u8), 1 => Just(1u8)]
}

fn of_sources() -> impl Strategy<Value = Move> {
    let push = (repository(), 1u8..4, proptest::bool::weighted(0.2))
        .prop_map(|(repository, commits, cut)| Move::Push { repository, commits, cut });
    let change = (repository(), 1u8..4, pick!(Merge), pick!(Branch), any::<bool>(), any::<bool>()).prop_map(
        |(repository, commits, merge, branch, listed, reviewed)| Move::Change {
            repository,
            commits,
            merge,
            branch,
            listed,
            reviewed,
        },
    );
    let force = (repository(), 1u8..4, pick!(Merge)).prop_map(|(repository, commits, merge)| Move::ForcePush {
        repository,
        commits,
        merge,
    });
    let train = (repository(), 2u8..4).prop_map(|(repository, changes)| Move::Train { repository, changes });
    let hotfix = (repository(), 0u8..5, 1u8..3, any::<bool>())
        .prop_map(|(repository, back, commits, deployed)| Move::Hotfix { repository, back, commits, deployed });
    let picks =
        (repository(), 0u8..5, pick!(Pick)).prop_map(|(repository, back, how)| Move::Pick { repository, back, how });
    let backfill =
        (repository(), any::<bool>()).prop_map(|(repository, shallow)| Move::Backfill { repository, shallow });
    let tag = (repository(), 0u8..4, 0u8..3, pick!(Tagging)).prop_map(|(repository, back, name, how)| Move::Tag {
        repository,
        back,
        name,
        how,
    });
    prop_oneof![4 => push, 4 => change, 1 => force, 1 => train, 2 => hotfix, 1 => picks, 1 => backfill, 2 => tag]
}

fn of_runs() -> impl Strategy<Value = Move> {
    let pipeline = (repository(), 0u8..3, pick!(Tries), 0u8..4, any::<bool>(), pick!(Then)).prop_map(
        |(repository, back, tries, jobs, artifact, then)| Move::Pipeline {
            repository,
            back,
            tries,
            jobs,
            artifact,
            then,
        },
    );
    let check = (repository(), 0u8..3, pick!(Check), any::<bool>())
        .prop_map(|(repository, back, kind, passes)| Move::Check { repository, back, kind, passes });
    let gate = (pick!(About), pick!(Meeting), 0u8..3).prop_map(|(about, meeting, environment)| Move::Gate {
        about,
        meeting,
        environment,
    });
    prop_oneof![3 => pipeline, 1 => check, 2 => gate]
}

fn of_deployments() -> impl Strategy<Value = Move> {
    let stages = prop_oneof![2 => Just(Stages::Succeeds), 1 => pick!(Stages)];
    let by = prop_oneof![1 => Just(Reference::Full), 1 => pick!(Reference)];
    let to = || prop_oneof![2 => Just(Target::Production), 1 => pick!(Target)];
    let deploy =
        (repository(), 0u8..4, to(), by, stages, 0u8..4).prop_map(|(repository, back, to, by, stages, service)| {
            Move::Deploy { repository, back, to, by, stages, service }
        });
    let again = (to(), any::<bool>()).prop_map(|(to, older)| Move::Again { to, older });
    let promote = (repository(), 0u8..3).prop_map(|(repository, back)| Move::Promote { repository, back });
    let correct = (0u8..4, pick!(Correction)).prop_map(|(back, how)| Move::Correct { back, how });
    let restate = (0u8..4, any::<bool>()).prop_map(|(back, run)| Move::Restate { back, run });
    let bump = (0u8..3, to(), any::<bool>()).prop_map(|(back, to, late)| Move::Bump { back, to, late });
    prop_oneof![8 => deploy, 2 => again, 2 => promote, 2 => correct, 1 => restate, 1 => bump]
}

fn of_the_rest() -> impl Strategy<Value = Move> {
    let layout = prop_oneof![3 => pick!(Layout), 1 => Just(Layout::Markers)];
    let calendars = prop_oneof![1 => pick!(Calendars), 1 => Just(Calendars::Choice)];
    let catalog = (layout, calendars, any::<bool>()).prop_map(|(layout, calendars, grows)| Move::Catalog {
        layout,
        calendars,
        grows,
    });
    let incident = (pick!(Course), 0u8..9).prop_map(|(course, about)| Move::Incident { course, about });
    prop_oneof![
        4 => catalog,
        1 => (0u8..3).prop_map(|component| Move::BaselineNone { component }),
        4 => incident,
        2 => (0u8..8).prop_map(|what| Move::Say { what }),
        1 => Just(Move::Freeze),
    ]
}
