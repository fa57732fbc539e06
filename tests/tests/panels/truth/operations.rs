//! *Operations*, as far as ClickHouse knows it.

use model::fact::{ReleaseFact, ReleaseKind};
use model::{Component, Millis, Timestamp};

use super::{Case, Lines, Told, groups, share, sum};
use crate::answer::line;

const BOARD: &str = "throughline-operations";

pub fn cases() -> Vec<Case> {
    let case = |panel, columns, truth| Case { dashboard: BOARD, panel, columns, truth };
    vec![
        case("Tables", &["topic", "partitions", "records", "last record", "age"], tables),
        case("Last seen", &["component", "team", "deployment", "build", "gate", "in the catalog"], last_seen),
        case(
            "Gaps in what is known",
            &["component", "releases", "incomplete", "clocks disagree", "share unaccounted"],
            gaps,
        ),
    ]
}

fn tables(told: &Told) -> Lines {
    groups(&told.world.watermarks, |w| w.topic)
        .into_iter()
        .map(|(topic, parts)| {
            let last = Timestamp(parts.iter().map(|w| w.written_at).max().unwrap());
            let records: i64 = parts.iter().map(|w| w.next_offset).sum();
            line![topic, parts.len(), records, last, told.world.to - last]
        })
        .collect()
}

fn last_seen(told: &Told) -> Lines {
    let last = |of: &Component, rows: &mut dyn Iterator<Item = (&Component, Timestamp)>| {
        rows.filter(|(component, at)| *component == of && told.within(*at)).map(|(_, at)| at).max()
    };
    told.all_components()
        .filter(|c| told.chosen(&c.component))
        .map(|c| {
            let deployment = last(&c.component, &mut told.all_deployments().map(|d| (&d.component, d.at)));
            let build = last(&c.component, &mut told.all_builds().map(|b| (&b.component, b.at)));
            let gate = last(&c.component, &mut told.all_gates().map(|g| (&g.component, g.at)));
            line![c.component, c.team, deployment, build, gate, c.declared]
        })
        .collect()
}

fn gaps(told: &Told) -> Lines {
    let counted = |r: &&ReleaseFact| told.within(r.at) && told.chosen(&r.component) && r.kind != ReleaseKind::Baseline;
    groups(told.counted().filter(counted), |r| r.component.clone())
        .into_iter()
        .map(|(component, of)| {
            let incomplete = of.iter().filter(|r| !r.commits_complete).count();
            let clocks = of.iter().filter(|r| r.clock_correction.is_some_and(|ms| ms != Millis(0))).count();
            let total =
                |time: fn(&ReleaseFact) -> Option<Millis>| sum(of.iter().map(|r| time(r))).unwrap_or_default().0;
            let unaccounted = share(total(|r| r.unaccounted) as usize, total(|r| r.lead_time) as usize);
            line![component, of.len(), incomplete, clocks, unaccounted]
        })
        .collect()
}
