//! What marks a deployment of a component.

use std::collections::BTreeMap;

use model::Environment;
use model::event::{Marker, MarkerKind, Tier};

use super::arrived::{Activity, Deployed};
use super::day;
use super::environments::Proposed;
use super::parts::{is_tag_of, speaks_of};
use super::words::{Says, environment_in, says, version_at};
use crate::survey::Tally;

/// What marks the deployments of a component, and what tells so. No markers: deployment events.
#[derive(Debug)]
pub struct Found {
    pub markers: Vec<Marker>,
    pub why: String,
}

/// What marks a deployment: deployment events to production; a job or a workflow that deploys; published releases; a workflow that
/// releases; tags; deployment events to anywhere.
pub fn find(
    activity: &Activity<'_>,
    deployments: &[&Deployed<'_>],
    part: Option<&str>,
    environments: &[Proposed],
) -> Option<Found> {
    let concerns = |name: &str| part.is_none_or(|part| speaks_of(name, part));
    let is_of = |tag: &str| part.is_none_or(|part| is_tag_of(tag, part));
    by_events(deployments, environments, true)
        .or_else(|| by_jobs(activity, concerns))
        .or_else(|| by_pipelines(activity, Says::Deploy, concerns))
        .or_else(|| by_tags(MarkerKind::Release, &activity.releases, is_of))
        .or_else(|| by_pipelines(activity, Says::Release, concerns))
        .or_else(|| by_tags(MarkerKind::Tag, &activity.tags, is_of))
        .or_else(|| by_events(deployments, environments, false))
}

fn by_events(deployments: &[&Deployed<'_>], environments: &[Proposed], to_production: bool) -> Option<Found> {
    let production = |deployed: &Deployed<'_>| {
        environments.iter().any(|entry| entry.environment.tier == Tier::Production && entry.is_of(deployed))
    };
    let (mut all, mut there) = (Tally::default(), 0);
    for deployed in deployments {
        all.add(deployed.last);
        there += usize::from(deployed.succeeded_at.is_some() && production(deployed));
    }
    if all.count == 0 || (to_production && there == 0) {
        return None;
    }
    let without = deployments.iter().filter(|deployed| deployed.head.is_none()).count();
    let commits = if without > 0 { format!("; the commit of {without} is not known") } else { String::new() };
    let why = format!(
        "deployment events mark its deployments: {} events, {there} successes in production, the last on {}{commits}",
        all.count,
        day(all.last)
    );
    Some(Found { markers: Vec::new(), why })
}

/// Of a matrix the part before the parentheses tells.
fn base(name: &str) -> &str {
    name.split(" (").next().unwrap_or(name)
}

fn by_jobs(activity: &Activity<'_>, concerns: impl Fn(&str) -> bool) -> Option<Found> {
    let mut jobs: BTreeMap<&str, (Tally, bool, Option<&Environment>)> = BTreeMap::new();
    for (name, job) in &activity.tasks {
        if says(name) == Some(Says::Deploy) && concerns(name) {
            let (seen, matrix, environment) = jobs.entry(base(name)).or_default();
            seen.count += job.seen.count;
            seen.last = seen.last.max(job.seen.last);
            *matrix |= base(name) != *name;
            *environment = environment.or(job.environment);
        }
    }
    let marker = |(name, (_, matrix, environment)): (&&str, &(Tally, bool, Option<&Environment>))| {
        let pattern = globset::escape(name);
        let said = environment.is_none().then(|| environment_in(name)).flatten();
        Marker {
            kind: MarkerKind::Task,
            name: Some(if *matrix { format!("{pattern} (*") } else { pattern }),
            environment: said.map(Environment::new),
        }
    };
    found(jobs.iter().map(marker).collect(), jobs.iter().map(|(name, (seen, ..))| (*name, *seen)), "job")
}

fn by_pipelines(activity: &Activity<'_>, wanted: Says, concerns: impl Fn(&str) -> bool) -> Option<Found> {
    let pipelines = activity.pipelines.0.iter().filter(|(name, _)| says(name) == Some(wanted) && concerns(name));
    let pipelines: Vec<(&str, Tally)> = pipelines.map(|(name, seen)| (*name, *seen)).collect();
    let marker = |(name, _): &(&str, Tally)| Marker {
        kind: MarkerKind::Pipeline,
        name: Some(globset::escape(name)),
        environment: environment_in(name).map(Environment::new),
    };
    found(pipelines.iter().map(marker).collect(), pipelines.into_iter(), "workflow")
}

/// The most frequent prefix of versions counts.
fn by_tags(kind: MarkerKind, tags: &[(&str, model::Timestamp)], is_of: impl Fn(&str) -> bool) -> Option<Found> {
    let mut prefixes: BTreeMap<&str, Tally> = BTreeMap::new();
    for (tag, at) in tags.iter().filter(|(tag, _)| is_of(tag)) {
        if let Some(version) = version_at(tag) {
            prefixes.entry(&tag[..version]).or_default().add(*at);
        }
    }
    let (prefix, seen) = prefixes.into_iter().max_by_key(|(_, seen)| seen.count)?;
    let pattern = if prefix.is_empty() { "[0-9]*".to_owned() } else { format!("{}*", globset::escape(prefix)) };
    let marker = Marker { kind, name: Some(pattern), environment: None };
    let what = if kind == MarkerKind::Release { "published releases" } else { "tags" };
    let why = format!("{} {what} that begin with `{prefix}` and a number, the last on {}", seen.count, day(seen.last));
    Some(Found { markers: vec![marker], why })
}

fn found<'a>(markers: Vec<Marker>, seen: impl Iterator<Item = (&'a str, Tally)>, what: &str) -> Option<Found> {
    if markers.is_empty() {
        return None;
    }
    let told =
        seen.map(|(name, seen)| format!("{what} `{name}` passed {} times, last on {}", seen.count, day(seen.last)));
    Some(Found { markers, why: told.collect::<Vec<_>>().join("; ") })
}
