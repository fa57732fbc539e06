//! Whole histories through a whole installation: the demo's, whose every figure is known because it was made, and a real one, whose
//! every commit is known from git.
#![allow(clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

use std::path::PathBuf;
use std::time::Duration;

use end_to_end::demo::{self, Demo};
use end_to_end::git::Project;
use end_to_end::govuk::App;
use end_to_end::installation::{Installation, Role, build};
use end_to_end::rollups;
use end_to_end::verify::{Disturbance, git, govuk, segments};
use local_stack::SharedStack;

const DRAINED_WITHIN: Duration = Duration::from_secs(180);

fn stack() -> SharedStack {
    SharedStack::ensure(&|text| eprintln!("{text}")).unwrap()
}

/// Every release, gate, deployment and build of the demo, sent late, doubled and out of order, is as the history was.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_right() {
    let (stack, binary) = (stack(), build().unwrap());
    let name = format!("t_demo_{:08x}", fastrand::u32(..));
    let mut installation = Installation::new(&binary, stack.addresses(), &name, &demo::SOURCES).unwrap();
    let catalog = installation.config().with_file_name("catalog.toml");
    std::fs::write(&catalog, demo::CATALOG).unwrap();
    installation.run(&["migrate"]).unwrap();
    installation.start(Role::All).await.unwrap();
    installation.run(&["catalog", "put", &catalog.display().to_string()]).unwrap();
    let demo = Demo::until_today();
    demo::send(&installation, demo::disturb(&demo.webhooks, 3), &|_| ()).await.unwrap();
    installation.wait_drained(DRAINED_WITHIN).await.unwrap();
    let checked = demo::check(&installation, &demo.expected).await.unwrap();
    assert!(checked.rows > 1000, "{} rows are no half year", checked.rows);
    assert!(checked.differences.is_empty(), "{}", checked.differences.join("\n"));
    let segments = segments(&installation).await.unwrap();
    assert!(segments.holds(), "releases whose segments do not add up to their lead time: {segments:?}");
    let rollups = rollups::compare(&installation).await.unwrap();
    assert!(rollups.rows > 5000 && rollups.differences.is_empty(), "{rollups:?}");
    installation.stop_all().await.unwrap();
    installation.remove().await.unwrap();
}

/// A folder of real histories, where there are any.
fn histories(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("THROUGHLINE_TEST_DATA").map(|data| PathBuf::from(data).join("histories").join(name));
    if data.is_none() {
        eprintln!("SKIPPED: THROUGHLINE_TEST_DATA is not set, so there is no real history to play");
    }
    data
}

/// Every commit of a real application comes to each environment when git says, and every deployment is what it is by the definitions;
/// and the tables are the same when its events come shuffled and doubled, with the correlator killed on the way.
#[tokio::test(flavor = "multi_thread")]
async fn every_commit_of_a_real_application_comes_to_production_when_git_says() {
    let Some(data) = histories("govuk") else { return };
    let (stack, binary) = (stack(), build().unwrap());
    let apps = [App::read(&data, "collections").unwrap()];
    let how = Disturbance { shuffle: true, double: true, kills: 1, seed: fastrand::u64(..) };
    let verified = govuk(&binary, stack.addresses(), &apps, None, how, &|text| eprintln!("{text}")).await.unwrap();
    assert!(verified.holds(), "seed {}: {verified:?}", how.seed);
}

/// Every commit of a real project is released first by the tag that git gives, tags of one instant and one that is older than its
/// commit included.
#[tokio::test(flavor = "multi_thread")]
async fn every_commit_of_a_real_project_is_released_first_by_the_tag_that_git_gives() {
    let Some(data) = histories("git") else { return };
    let (stack, binary) = (stack(), build().unwrap());
    let projects = [Project::read(&data, "ripgrep").unwrap()];
    let verified = git(&binary, stack.addresses(), &projects, &|text| eprintln!("{text}")).await.unwrap();
    assert!(verified.holds(), "{verified:?}");
}
