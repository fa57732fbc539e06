//! The questions of `schemas/QUERIES.md` by `throughline query`, as somebody who may only read: each answer is worked out here
//! once more, from the rows and without SQL.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod after;
mod builds;
mod command;
mod durations;
mod figures;
mod gates;
mod lead_time;
mod made;
mod world;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;

/// A question, the parameters that are given, and its answer.
struct Case {
    question: &'static str,
    given: fn(&World) -> Vec<(&'static str, String)>,
    answer: fn(&World) -> Vec<Value>,
}

const fn case(question: &'static str, answer: fn(&World) -> Vec<Value>) -> Case {
    Case { question, given: |_| Vec::new(), answer }
}

const CASES: [Case; 22] = [
    case("lead-time-by-segment", lead_time::by_segment),
    case("lead-time-trend", lead_time::trend),
    case("slowest-releases", lead_time::slowest),
    Case { question: "release-path", given: lead_time::of_the_slowest, answer: lead_time::path },
    case("review-time", lead_time::review),
    case("batch-size", lead_time::batches),
    Case { question: "waiting-for-production", given: |_| lead_time::before_the_board(), answer: lead_time::waiting },
    case("build-failures", builds::failures),
    case("flaky-tasks", builds::flaky),
    case("time-to-green", builds::time_to_green),
    Case { question: "queue-by-hour", given: |_| vec![("zone", "Europe/Berlin".to_owned())], answer: builds::queue },
    case("gate-waits", gates::waits),
    Case { question: "open-gates", given: |_| made::realm(), answer: |_| made::open() },
    Case {
        question: "waits-on-weekday",
        given: |_| vec![("zone", "Asia/Tokyo".to_owned())],
        answer: gates::on_fridays,
    },
    case("manual-steps", gates::manual_steps),
    Case { question: "gate-effectiveness", given: |_| vec![("least", "20".to_owned())], answer: gates::effectiveness },
    Case { question: "gate-effectiveness", given: |_| made::realm(), answer: |_| made::effectiveness() },
    Case { question: "hollow-passes", given: |_| made::realm(), answer: |_| made::hollow() },
    Case { question: "incidents-after-release", given: |_| made::realm(), answer: |_| made::incidents() },
    Case { question: "better-than-usual", given: |_| vec![("kind", "%".to_owned())], answer: after::better },
    case("delivery-by-month", after::by_month),
    Case {
        question: "delivery-by-month",
        given: |_| vec![("team", "pay%".to_owned())],
        answer: after::by_month_of_payments,
    },
];

#[tokio::test]
async fn every_question_has_its_answer() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for Case { question, given, answer } in CASES {
        let (told, wanted) = (world.ask(question, &given(&world)), answer(&world));
        if wanted.is_empty() {
            wrong.push(format!("{question}: the history has no answer to hold it against"));
        }
        wrong.extend(figures::difference(&told, &wanted).map(|difference| format!("{question}: {difference}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let asked: BTreeSet<String> = CASES.iter().map(|case| case.question.to_owned()).collect();
    assert_eq!(asked, world.questions(), "questions without an answer here");
    world.remove().await;
}
