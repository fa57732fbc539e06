//! A minute in which everything dies, hangs, comes and goes: the tables come out as if nothing had happened.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod support;

use end_to_end::chaos::{self, Chaos};
use local_stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_chaos_leaves_the_tables_of_an_undisturbed_run() {
    let binary = support::binary().await;
    let start = || Stack::start(&|line| eprintln!("{line}")).unwrap();
    let mut stack = tokio::task::spawn_blocking(start).await.unwrap();
    let how = Chaos { minutes: 1, seed: 1, rate: 150 };
    let outcome = chaos::run(&binary, &mut stack, how, &|line| eprintln!("{line}")).await.unwrap();
    eprintln!("{outcome:?}");
    assert_eq!(outcome.differences, 0, "{}", outcome.shown.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
    // Else nothing was disturbed, or nothing played.
    assert!(outcome.kills >= 2 && outcome.pauses >= 2, "{outcome:?}");
    assert!(outcome.events > 2_000 && outcome.rows > 500, "{outcome:?}");
}
