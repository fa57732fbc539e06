//! *Release*: one release and what it met on its way.

use model::Millis;
use model::event::Outcome;
use model::fact::{DeploymentFact, GateOutcome, ReleaseCommitFact, ReleaseFact};

use super::delivery::way;
use super::{Case, DAY, Lines, Told};
use crate::answer::{NONE, line, word};

const BOARD: &str = "throughline-release";
const YEAR: i64 = 366 * DAY;

pub fn cases() -> Vec<Case> {
    let case = |panel, columns, truth| Case { dashboard: BOARD, panel, columns, truth };
    vec![
        case("Lead time", &["lead time", "merge to production", "longest commit", "in working time"], lead_time),
        case(
            "Release",
            &[
                "at",
                "component",
                "version",
                "team",
                "kind",
                "commits",
                "by machines",
                "complete",
                "failed",
                "rework",
                "incidents",
                "recovery",
            ],
            about,
        ),
        case("Where the time went", &["bar", "begins", "segment", "gate", "build", "deployment"], waterfall),
        case(
            "Commits",
            &[
                "commit",
                "change",
                "authored",
                "merged",
                "lead time",
                "coding",
                "review",
                "gate wait",
                "unaccounted",
                "author",
                "link",
            ],
            commits,
        ),
        case("Gates", &["asked for", "gate", "environment", "decided", "wait", "outcome", "hollow", "link"], gates),
        case("Builds", &["made", "pipeline", "try", "commit", "outcome", "class", "queue", "duration", "link"], builds),
        case(
            "Deployments",
            &["ended", "environment", "brought", "outcome", "commits", "duration", "link"],
            deployments,
        ),
        case(
            "Incidents",
            &["noticed", "number", "severity", "grade", "candidates", "after deployment", "time to restore", "link"],
            incidents,
        ),
        case("Steps started by hand", &["started", "step", "environment", "wait", "duration"], steps),
    ]
}

fn release<'a>(told: &'a Told) -> &'a ReleaseFact {
    let (component, version) = &told.choice.release;
    told.all_releases().find(|r| r.component.as_str() == component && r.version.as_str() == version).unwrap()
}

fn lead_time(told: &Told) -> Lines {
    let r = release(told);
    vec![line![r.lead_time, r.merge_to_production, r.lead_time_longest, r.lead_time_working]]
}

fn about(told: &Told) -> Lines {
    let r = release(told);
    vec![line![
        r.at,
        r.component,
        r.version,
        r.team,
        word(r.kind),
        r.commits,
        r.machine_commits,
        r.commits_complete,
        r.failed,
        r.rework,
        r.incidents,
        r.recovery
    ]]
}

/// The segments one after the other, then what happened meanwhile, from the author time of the median commit on.
fn waterfall(told: &Told) -> Lines {
    let r = release(told);
    let started = r.at + Millis(-r.lead_time.unwrap().0);
    let mut begins = Millis(0);
    let mut lines = Lines::new();
    for (name, length) in way(r).into_iter().filter_map(|(name, length)| Some((name, length?))) {
        if length.0 > 0 {
            lines.push(line![name, begins, length, NONE, NONE, NONE]);
        }
        begins = begins + length;
    }
    assert_eq!(begins + r.clock_correction.unwrap(), r.lead_time.unwrap(), "time closes");
    let meets = |g: &&model::fact::GateWaitFact| g.component == r.component && g.version.as_ref() == Some(&r.version);
    for g in told.all_gates().filter(meets).filter(|g| g.at <= r.at) {
        if let (Some(from), Some(wait)) = (g.blocking_from, g.wait) {
            let how =
                if g.outcome == GateOutcome::Approved { String::new() } else { format!(" ({})", word(g.outcome)) };
            lines.push(line![format!("gate {}{how}", g.name), from - started, NONE, wait, NONE, NONE]);
        }
    }
    let of_commit = |b: &&model::fact::BuildFact| b.component == r.component && b.commit == r.commit;
    for b in told.all_builds().filter(of_commit) {
        if let Some(end) = b.finished_at.filter(|end| *end <= r.at) {
            let from = b.queued_at.unwrap_or(b.at);
            let again = if b.attempt == 1 { String::new() } else { format!(" (try {})", b.attempt) };
            lines.push(line![format!("build {}{again}", b.pipeline), from - started, NONE, NONE, end - from, NONE]);
        }
    }
    for d in of_release(told, r) {
        if let (Some(from), Some(end)) = (d.created_at.or(d.started_at), d.finished_at.filter(|end| *end <= r.at)) {
            let well = d.outcome == Some(Outcome::Success);
            let how = if well { String::new() } else { format!(" ({})", word(d.outcome)) };
            lines.push(line![
                format!("deployment to {}{how}", d.environment),
                from - started,
                NONE,
                NONE,
                NONE,
                end - from
            ]);
        }
    }
    lines.retain(|line| !line[1].starts_with('-'));
    assert!(lines.len() <= 60, "the panel shows sixty");
    lines
}

fn of_release<'a>(told: &'a Told, r: &'a ReleaseFact) -> impl Iterator<Item = &'a DeploymentFact> {
    told.all_deployments().filter(|d| d.component == r.component && d.version.as_ref() == Some(&r.version))
}

fn shipped<'a>(told: &'a Told, r: &'a ReleaseFact) -> impl Iterator<Item = &'a ReleaseCommitFact> {
    let production = model::event::Tier::Production;
    told.all_commits().filter(move |c| c.component == r.component && c.version == r.version && c.tier == production)
}

fn commits(told: &Told) -> Lines {
    let r = release(told);
    let repository = r.repository.as_ref().unwrap();
    shipped(told, r)
        .map(|c| {
            let link = format!("https://{repository}/commit/{}", c.commit);
            line![
                c.commit,
                c.change,
                c.authored_at,
                c.merged_at,
                c.lead_time,
                c.coding,
                c.review,
                c.gate_wait,
                c.unaccounted,
                word(c.author_kind),
                link
            ]
        })
        .collect()
}

fn gates(told: &Told) -> Lines {
    let r = release(told);
    let met = told.all_gates().filter(|g| g.component == r.component && g.version.as_ref() == Some(&r.version));
    met.map(|g| {
        let hollow: Vec<String> = g.hollow.iter().map(word).collect();
        line![g.requested_at, g.name, g.environment, g.decided_at, g.wait, word(g.outcome), hollow.join(", "), g.link]
    })
    .collect()
}

fn builds(told: &Told) -> Lines {
    let r = release(told);
    let commits: Vec<_> = shipped(told, r).map(|c| &c.commit).collect();
    let of = |b: &&model::fact::BuildFact| {
        let commit = b.commit.as_ref().is_some_and(|commit| commits.contains(&commit));
        b.component == r.component && commit && b.at <= r.at + Millis(DAY) && b.at >= r.at + Millis(-YEAR)
    };
    told.all_builds()
        .filter(of)
        .map(|b| {
            line![b.at, b.pipeline, b.attempt, b.commit, word(b.outcome), word(b.class), b.queue, b.duration, b.link]
        })
        .collect()
}

fn deployments(told: &Told) -> Lines {
    of_release(told, release(told))
        .map(|d| {
            let duration = d.finished_at.zip(d.started_at.or(d.created_at)).map(|(end, start)| end - start);
            line![d.at, d.environment, word(d.kind), word(d.outcome), d.commits, duration, d.link]
        })
        .collect()
}

fn incidents(told: &Told) -> Lines {
    let r = release(told);
    let mine = told.all_attributions().filter(|a| a.component == r.component && a.version == r.version);
    mine.map(|a| {
        let i = told.all_incidents().find(|i| i.incident == a.incident).unwrap();
        line![a.at, i.number, i.severity, word(a.grade), a.candidates, a.after_deployment, i.time_to_restore, a.link]
    })
    .collect()
}

fn steps(told: &Told) -> Lines {
    let r = release(told);
    let mine = told.all_steps().filter(|s| s.component == r.component && s.version.as_ref() == Some(&r.version));
    mine.map(|s| line![s.at, s.name, s.environment, s.wait, s.duration]).collect()
}
