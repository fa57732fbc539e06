//! The demo's history: half a year of three teams and six components, as the webhooks that their providers would have sent.
//!
//! It is made from a seed and an end, without a clock and without I/O, so that the same call gives the same bytes. Beside the
//! webhooks stands what must come out of them ([`Expected`]), computed from the history itself, not from what was told of it.
//!
//! | component | team | way to production | what is hard about it |
//! |---|---|---|---|
//! | `storefront` | web | every change, three environments, no approvals | rollbacks, corrected and late statuses, direct pushes |
//! | `search` | web | releases by tag; Tekton tells CDEvents | the deployed commit is known by its image alone; a canary |
//! | `billing` | payments | a change board on Tuesdays and Thursdays | rejections, expired requests |
//! | `payouts` | payments | the same board | hotfixes from a branch, rollbacks, a bypass, merge commits |
//! | `ledger`, `reports` | platform | one monorepo, release trains | flaky tests, starved runners, commits that belong to both |
//!
//! What lies behind the end is cut off, so that some runs, changes and gates are still open.

#[cfg(test)]
mod api_history;
mod board;
mod cdevents;
mod check;
mod clock;
mod delivery;
mod expected;
mod facts;
mod git;
mod github;
#[cfg(test)]
mod oracle;
mod pipeline;
mod play;
mod project;
mod show;
#[cfg(test)]
mod suggested;
mod teams;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tried;

use fastrand::Rng;
use model::Timestamp;
use model::event::Catalog;

pub use check::{Checked, check};
pub use delivery::{Webhook, disturb, sign_github};
pub use expected::{
    Expected, ExpectedBuild, ExpectedCommit, ExpectedDeployment, ExpectedGate, ExpectedRelease, Peculiarity,
};

pub use facts::{NOW, delivery, facts, facts_of};
pub use play::{SOURCES, send, send_into};
pub use show::{QUERIES, show};

use clock::{DAY, Seconds, midnight};
use expected::Scope;
use project::Project;

/// Name of the source that tells what happens at GitHub; provider `github`.
pub const GITHUB: &str = "github";
/// Name of the source that tells what Tekton does for `search`; provider `cdevents`.
pub const TEKTON: &str = "tekton";
/// Name of the source by which the change board tells what GitHub has no event for; provider `import`.
pub const BOARD: &str = "board";
/// How long the history is.
pub const DAYS: i64 = 180;

/// A history and what must come out of it.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Deliveries in the order in which they arrive.
    pub webhooks: Vec<Webhook>,
    /// What must come out.
    pub expected: Expected,
    /// The catalog that belongs to it.
    pub catalog: Catalog,
}

/// The history of the [`DAYS`] days up to `now`. The same seed and the same end give the same history.
#[must_use]
pub fn generate(seed: u64, now: Timestamp) -> Demo {
    let now = now.0.div_euclid(1000);
    let mut expected = Expected::default();
    let mut arrivals = Vec::new();
    for (scopes, project) in projects(seed, now) {
        project.records.tell(scopes, &project.git, now, &mut expected);
        arrivals.extend(project.deliveries.0.into_iter().filter(|(_, webhook)| webhook.occurred_at.0 <= now * 1000));
    }
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    Demo { webhooks: arrivals.into_iter().map(|(_, webhook)| webhook).collect(), expected, catalog: catalog() }
}

/// The repositories with all that happened in them, also behind the end.
fn projects(seed: u64, now: Seconds) -> [(&'static [Scope], Project); 5] {
    let span = (midnight(now) - DAYS * DAY, now + 2 * DAY);
    let mut seeds = Rng::with_seed(seed);
    [
        (teams::web::STOREFRONT, teams::web::storefront(seeds.fork(), span)),
        (teams::web::SEARCH, teams::web::search(seeds.fork(), span)),
        (teams::payments::BILLING, teams::payments::billing(seeds.fork(), span)),
        (teams::payments::PAYOUTS, teams::payments::payouts(seeds.fork(), span)),
        (teams::platform::SCOPES, teams::platform::monorepo(seeds.fork(), span)),
    ]
}

/// The demo's catalog, `deploy/demo/catalog.toml`.
#[must_use]
pub fn catalog() -> Catalog {
    #[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
    toml::from_str(CATALOG).expect("deploy/demo/catalog.toml has the shape of a catalog")
}

/// Text of the demo's catalog.
pub const CATALOG: &str = include_str!("../../../deploy/demo/catalog.toml");
