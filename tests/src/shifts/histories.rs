//! Real durations on the way to production, release by release, with what they are made of.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Result;
use model::fact::{ReleaseKind, SEGMENTS};
use model::{Millis, Timestamp};
use reviewer::shift::Release;
use serde::Deserialize;

use super::Half;
use crate::history;

/// Fewer releases tell nothing of how often a rule is wrong.
const FEWEST: usize = 60;

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Median over the merges of a release to production.
    MergeToProduction,
    /// Tag of an image (or its commit, where there is no tag) to production.
    TagToProduction,
    /// Request to deploy to the first environment to production.
    RequestToProduction,
    /// Median over the commits of a tag to the tag: projects whose tag is the release.
    CommitToTag,
}

/// A part of the way: under which segment it stands, and what it really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Place in `SEGMENTS`.
    pub segment: usize,
    /// What it is.
    pub name: &'static str,
}

/// The releases of one component, measured in one way.
#[derive(Clone, Debug)]
pub struct Track {
    /// Component.
    pub component: String,
    /// How it is measured.
    pub measure: Measure,
    /// Whether the rules were chosen on it.
    pub half: Half,
    /// In the order of time.
    pub releases: Vec<Release>,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::MergeToProduction, Self::TagToProduction, Self::RequestToProduction, Self::CommitToTag];

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MergeToProduction => "merge → production",
            Self::TagToProduction => "tag → production",
            Self::RequestToProduction => "request → production",
            Self::CommitToTag => "commit → tag",
        }
    }

    /// What the way is made of.
    #[must_use]
    pub const fn parts(self) -> &'static [Part] {
        const BATCH: Part = Part { segment: 2, name: "merge → released commit" };
        const BUILD: Part = Part { segment: 3, name: "released commit → tag" };
        const FIRST: Part = Part { segment: 5, name: "tag → integration" };
        const ASKED: Part = Part { segment: 5, name: "request → integration" };
        const STAGING: Part = Part { segment: 7, name: "integration → staging" };
        const PRODUCTION: Part = Part { segment: 8, name: "staging → production" };
        match self {
            Self::MergeToProduction => &[BATCH, BUILD, FIRST, STAGING, PRODUCTION],
            Self::TagToProduction => &[FIRST, STAGING, PRODUCTION],
            Self::RequestToProduction => &[ASKED, STAGING, PRODUCTION],
            Self::CommitToTag => &[BATCH, BUILD],
        }
    }

    /// What a segment really is.
    #[must_use]
    pub fn part(self, segment: &str) -> Option<&'static str> {
        let part = self.parts().iter().find(|part| SEGMENTS.get(part.segment).is_some_and(|name| *name == segment));
        part.map(|part| part.name)
    }

    /// A release by the instants on its way, in seconds; none where one is before the other.
    fn release(self, instants: &[i64]) -> Option<Release> {
        let (first, last) = (*instants.first()?, *instants.last()?);
        let mut segments = [None; SEGMENTS.len()];
        for (part, pair) in self.parts().iter().zip(instants.windows(2)) {
            let time = pair[1] - pair[0];
            *segments.get_mut(part.segment)? = Some(Millis((time >= 0).then_some(time * 1000)?));
        }
        Some(Release {
            at: Timestamp::from_seconds(last),
            kind: ReleaseKind::Regular,
            merge_to_production: Some(Millis((last - first) * 1000)),
            segments,
        })
    }
}

#[derive(Debug, Deserialize)]
struct ImageRow {
    image_tag: String,
    tag_unix: Option<i64>,
    commit_unix: Option<i64>,
    integration_unix: Option<i64>,
    staging_unix: Option<i64>,
    production_unix: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct MergedRow {
    commit_unix: i64,
    is_merge: u8,
    production_tag: String,
}

#[derive(Debug, Deserialize)]
struct DeployRow {
    app: String,
    env: String,
    old_tag: String,
    new_tag: String,
    requested_unix: i64,
    effective_unix: i64,
}

#[derive(Debug, Deserialize)]
struct TagRow {
    tag_time_unix: i64,
    tag_commit_time_unix: i64,
    lead_commit_p50_s: Option<f64>,
}

impl Track {
    /// The histories of a folder: `govuk` with applications and `deploy-events.csv`, `git` with projects. Tracks of fewer than 60
    /// releases are left out.
    ///
    /// # Errors
    /// Where a file is missing or cannot be read.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let (govuk, git) = (folder.join("govuk"), folder.join("git"));
        let mut tracks = Vec::new();
        for app in history::folders_with(&govuk, "releases.csv")? {
            let images: Vec<ImageRow> = history::rows(&govuk.join(&app).join("releases.csv"))?;
            let merged: Vec<MergedRow> = history::rows(&govuk.join(&app).join("commit-lead-times.csv"))?;
            tracks.push((Measure::MergeToProduction, app.clone(), from_merges(&images, &merged)));
            tracks.push((Measure::TagToProduction, app, from_tags(&images)));
        }
        for (app, releases) in from_requests(&history::rows(&govuk.join("deploy-events.csv"))?) {
            tracks.push((Measure::RequestToProduction, app, releases));
        }
        for project in history::folders_with(&git, "tags.csv")? {
            let tags: Vec<TagRow> = history::rows(&git.join(&project).join("tags.csv"))?;
            tracks.push((Measure::CommitToTag, project, tags.iter().filter_map(TagRow::release).collect()));
        }
        tracks.retain(|(_, _, releases)| releases.len() >= FEWEST);
        tracks.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(halved(tracks))
    }

    /// Name of the track.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}, {}", self.component, self.measure.name())
    }

    /// From the first release to the last.
    #[must_use]
    pub fn years(&self) -> f64 {
        const YEAR: f64 = 365.25 * 86_400_000.0;
        let at = |release: Option<&Release>| release.map(|release| release.at).unwrap_or_default();
        (at(self.releases.last()) - at(self.releases.first())).0 as f64 / YEAR
    }
}

/// Every other track of a measure, by name, is held out.
fn halved(tracks: Vec<(Measure, String, Vec<Release>)>) -> Vec<Track> {
    let mut seen: BTreeMap<Measure, usize> = BTreeMap::new();
    let track = |(measure, component, mut releases): (Measure, String, Vec<Release>)| {
        let count = seen.entry(measure).or_default();
        *count += 1;
        let half = if count.is_multiple_of(2) { Half::HeldOut } else { Half::Chosen };
        releases.sort_by_key(|release| release.at);
        Track { component, measure, half, releases }
    };
    tracks.into_iter().map(track).collect()
}

impl ImageRow {
    /// Tag, integration, staging, production.
    fn instants(&self) -> Option<[i64; 4]> {
        Some([self.tag_unix.or(self.commit_unix)?, self.integration_unix?, self.staging_unix?, self.production_unix?])
    }
}

impl TagRow {
    fn release(&self) -> Option<Release> {
        let merged = self.tag_time_unix - self.lead_commit_p50_s? as i64;
        Measure::CommitToTag.release(&[merged, self.tag_commit_time_unix, self.tag_time_unix])
    }
}

fn from_tags(images: &[ImageRow]) -> Vec<Release> {
    images.iter().filter_map(|image| Measure::TagToProduction.release(&image.instants()?)).collect()
}

/// Each image from the lower median of the merges that it brought to production first.
fn from_merges(images: &[ImageRow], commits: &[MergedRow]) -> Vec<Release> {
    let mut merges: HashMap<&str, Vec<i64>> = HashMap::new();
    for commit in commits.iter().filter(|commit| commit.is_merge == 1) {
        merges.entry(&commit.production_tag).or_default().push(commit.commit_unix);
    }
    let release = |image: &ImageRow| {
        let mut merged = merges.get(image.image_tag.as_str())?.clone();
        merged.sort_unstable();
        // The time since then is the lower median, so that the instant is the upper one.
        let merged = *merged.get(merged.len() / 2)?;
        let [tag, integration, staging, production] = image.instants()?;
        Measure::MergeToProduction.release(&[merged, image.commit_unix?, tag, integration, staging, production])
    };
    images.iter().filter_map(release).collect()
}

/// Each image of each application by its first deployment to each environment.
fn from_requests(rows: &[DeployRow]) -> BTreeMap<String, Vec<Release>> {
    let mut images: BTreeMap<(&str, &str), BTreeMap<&str, &DeployRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.new_tag != row.old_tag && !row.new_tag.is_empty()) {
        images.entry((&row.app, &row.new_tag)).or_default().entry(&row.env).or_insert(row);
    }
    let mut found: BTreeMap<String, Vec<Release>> = BTreeMap::new();
    for ((app, _), first) in &images {
        let at = |environment: &str| first.get(environment).map(|row| row.effective_unix);
        let instants = || {
            let requested = first.get("integration")?.requested_unix;
            Some([requested, at("integration")?, at("staging")?, at("production")?])
        };
        let release = instants().and_then(|instants| Measure::RequestToProduction.release(&instants));
        found.entry((*app).to_owned()).or_default().extend(release);
    }
    found
}
