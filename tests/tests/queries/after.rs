//! After the release.

use model::event::{Outcome, Tier};
use model::fact::{DeploymentFact, ReleaseFact, ReleaseKind, SEGMENTS};
use serde_json::{Value, json};

use crate::figures::{count, groups, median, midnight, month, percent, time};
use crate::world::{SINCE, World};

/// Of every kind that ships something.
pub fn better(world: &World) -> Vec<Value> {
    let shipped = world.releases().filter(|r| r.lead_time.is_some() && !r.excluded);
    let alike = groups(shipped, |r| (r.component.clone(), r.kind));
    let mut found: Vec<(f64, &ReleaseFact, Value)> = Vec::new();
    for releases in alike.values().filter(|releases| releases.len() >= 10) {
        let usual = median(releases.iter().map(|r| r.lead_time)).unwrap();
        let segment = |place: usize| median(releases.iter().map(|r| r.segments()[place])).unwrap();
        for r in releases.iter().filter(|r| r.lead_time.unwrap().0 * 2 <= usual) {
            let mut saved = ("", i64::MIN);
            for (place, name) in SEGMENTS.iter().enumerate() {
                let less = segment(place) - r.segments()[place].unwrap().0;
                if less > saved.1 {
                    saved = (name, less);
                }
            }
            let row = json!({
                "component": r.component, "version": r.version, "production_at": time(r.production_at.unwrap()),
                "lead_time": r.lead_time, "usual_lead_time": usual, "saved_in": saved.0, "saved_duration": saved.1,
                "commits": r.commits, "link": r.link,
            });
            found.push((r.lead_time.unwrap().0 as f64 / usual as f64, r, row));
        }
    }
    found.sort_by(|(a, one, _), (b, other, _)| {
        a.total_cmp(b).then_with(|| (&one.component, &one.version).cmp(&(&other.component, &other.version)))
    });
    found.into_iter().take(10).map(|(_, _, row)| row).collect()
}

/// Of the days that begin within the time.
fn months(world: &World, of: impl Fn(&str) -> bool) -> Vec<Value> {
    let teams = world.teams();
    let ours = |component: &str| of(teams[component].as_deref().unwrap_or_default());
    let counts = |r: &&ReleaseFact| {
        let counts = !matches!(r.kind, ReleaseKind::Baseline | ReleaseKind::Unfinished) && !r.excluded;
        counts && ours(r.component.as_str()) && midnight(r.at) >= SINCE
    };
    let deployed = |of_month: &str| {
        let counts = |d: &&DeploymentFact| {
            d.tier == Tier::Production && d.outcome == Some(Outcome::Success) && midnight(d.at) >= SINCE
        };
        world.deployments().filter(counts).filter(|d| ours(d.component.as_str()) && month(d.at) == of_month).count()
    };
    let mut rows = Vec::new();
    for (month, releases) in groups(world.releases().filter(counts), |r| month(r.at)) {
        let (all, failed) = (releases.len() as i64, count(&releases, |r| r.failed));
        rows.push(json!({
            "month": month, "production_deployments": deployed(&month), "shipped_releases": all,
            "median_lead_time": median(releases.iter().map(|r| r.lead_time)), "failed_releases": failed,
            "failed_percent": percent(failed, all), "median_recovery": median(releases.iter().map(|r| r.recovery)),
            "rework_percent": percent(count(&releases, |r| r.rework), all),
        }));
    }
    rows
}

pub fn by_month(world: &World) -> Vec<Value> {
    months(world, |_| true)
}

pub fn by_month_of_payments(world: &World) -> Vec<Value> {
    months(world, |team| team == "payments")
}
