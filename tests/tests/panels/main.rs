//! Every query of every dashboard that is shipped, on a real ClickHouse with the demo's history: it runs as Grafana would send
//! it, gives what its panel can show, and says what really happened.
//!
//! The truth is worked out in Rust from the rows that follow from the history ([`truth`]); no SQL has a part in it.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod answer;
mod bands;
mod choice;
mod database;
mod shape;
mod truth;
mod world;

use std::collections::BTreeSet;

use end_to_end::dashboards::{self, CLICKHOUSE, Dashboard, Place, Query};

use answer::Answer;
use choice::Choice;
use database::Database;
use truth::{CASES, Case};
use world::World;

#[tokio::test]
async fn every_query_runs_and_every_panel_says_what_happened() {
    let dashboards = dashboards::all().unwrap();
    let world = World::new();
    let database = Database::with(&world).await;
    let mut faults = every_panel_has_a_case(&dashboards);
    let mut empty = BTreeSet::new();
    let mut shown = BTreeSet::new();
    for dashboard in &dashboards {
        for choice in Choice::all(&world) {
            let run = Run { world: &world, database: &database, dashboard, choice: &choice };
            let outcome = run.every_query().await;
            faults.extend(outcome.faults);
            shown.extend(outcome.shown);
            empty.extend(outcome.empty);
        }
    }
    faults.extend(empty.difference(&shown).map(|place| format!("{place}: no rows, whatever is chosen")));
    faults.extend(bands::faults(&dashboards, &database).await);
    database.remove().await;
    assert!(faults.is_empty(), "{} faults\n\n{}", faults.len(), faults.join("\n\n"));
}

/// Each panel of ClickHouse has a case, and each case a panel.
fn every_panel_has_a_case(dashboards: &[Dashboard]) -> Vec<String> {
    let named = |uid: &str, panel: &str| format!("{uid}, panel \"{panel}\"");
    let panels: BTreeSet<String> = dashboards
        .iter()
        .flat_map(|dashboard| dashboard.queries().into_iter().map(move |query| (dashboard, query)))
        .filter(|(_, query)| query.source == CLICKHOUSE)
        .filter_map(|(dashboard, query)| match query.place {
            Place::Panel(title) => Some(named(dashboard.uid(), &title)),
            _ => None,
        })
        .collect();
    let cases: BTreeSet<String> = CASES.iter().map(|case| named(case.dashboard, case.panel)).collect();
    let without = panels.difference(&cases).map(|panel| format!("{panel}: no case says what it must show"));
    let dead = cases.difference(&panels).map(|case| format!("{case}: there is a case, and no such panel"));
    without.chain(dead).collect()
}

/// A dashboard under a choice.
struct Run<'a> {
    world: &'a World,
    database: &'a Database,
    dashboard: &'a Dashboard,
    choice: &'a Choice,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    faults: Vec<String>,
    /// What had rows.
    shown: BTreeSet<String>,
    /// What had none.
    empty: BTreeSet<String>,
}

impl Run<'_> {
    async fn every_query(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let filling = match choice::filling(self).await {
            Ok(filling) => filling,
            Err(fault) => {
                outcome.faults.push(format!("{}: {fault}", self.dashboard.uid()));
                return outcome;
            }
        };
        for query in self.dashboard.queries().iter().filter(|query| query.source == CLICKHOUSE) {
            let name = self.name(query);
            let interval = dashboards::interval((self.world.to - self.world.from).0 / 1000, query.interval).unwrap();
            let filling = dashboards::Filling { interval, ..filling.clone() };
            let answer = match dashboards::fill(query.text, &filling) {
                Ok(sql) => self.database.ask(&sql).await,
                Err(fault) => Err(format!("{fault:#}")),
            };
            match answer {
                Ok(answer) => {
                    let faults = self.faults(query, &answer);
                    outcome.faults.extend(faults.into_iter().map(|f| format!("{name}, {}: {f}", self.choice.name)));
                    if answer.rows.is_empty() {
                        outcome.empty.insert(name)
                    } else {
                        outcome.shown.insert(name)
                    };
                }
                Err(fault) => outcome.faults.push(format!("{name}, {}: {fault}", self.choice.name)),
            }
        }
        outcome
    }

    fn name(&self, query: &Query<'_>) -> String {
        let uid = self.dashboard.uid();
        match &query.place {
            Place::Variable(name) => format!("{uid}, variable `{name}`"),
            Place::Annotation(name) => format!("{uid}, annotation \"{name}\""),
            Place::Panel(title) => format!("{uid}, panel \"{title}\""),
        }
    }

    /// What is wrong with an answer: its columns, then what it says.
    fn faults(&self, query: &Query<'_>, answer: &Answer) -> Vec<String> {
        let mut faults = match &query.place {
            Place::Variable(_) => shape::variable(answer),
            Place::Annotation(_) => shape::annotation(answer),
            Place::Panel(title) => {
                let panel = self.dashboard.panel(title).unwrap();
                let mut faults = shape::panel(query.panel, query.target, answer);
                faults.extend(shape::names(panel, answer));
                faults
            }
        };
        let uid = self.dashboard.uid();
        let is = |case: &&Case| matches!(&query.place, Place::Panel(title) if case.is(uid, title));
        if faults.is_empty()
            && let Some(case) = CASES.iter().find(is)
        {
            faults.extend(case.faults(&self.world.told(self.choice), answer));
        }
        faults
    }
}
