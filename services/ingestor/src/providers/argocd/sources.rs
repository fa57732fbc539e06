//! What a sync brought, by its sources: commits, versions of charts, artifacts.

use model::{ArtifactId, CommitId, Repository};

use super::shape::{Application, Revisions, Source};

/// What a sync brought.
#[derive(Default)]
pub(super) struct Synced {
    pub(super) repository: Option<Repository>,
    pub(super) commit: Option<CommitId>,
    /// Of the chart, where there is one.
    pub(super) version: Option<String>,
    /// Charts and images that the sources name, as far as they are in a registry.
    pub(super) artifacts: Vec<ArtifactId>,
}

/// By what was synced, and until that is known by what was asked for.
pub(super) fn synced(app: &Application) -> Synced {
    let state = app.status.operation_state.as_ref();
    let asked = state.and_then(|state| state.operation.sync.as_ref()).map(|sync| &sync.revisions);
    let told: Vec<&Revisions> = [state.map(|state| &state.sync_result), asked].into_iter().flatten().collect();
    let revisions = told.iter().map(|told| told.revisions()).find(|list| !list.is_empty()).unwrap_or_default();
    let of_app = sources(&app.spec.source, &app.spec.sources);
    let sources = told.iter().map(|told| sources(&told.source, &told.sources));
    let sources = sources.chain([of_app]).find(|list| !list.is_empty()).unwrap_or_default();
    // Without as many of one as of the other it is not known which belong together.
    let revision = |at: usize| revisions.get(at).copied().filter(|_| revisions.len() == sources.len());
    let each = || sources.iter().enumerate().map(|(at, source)| (*source, revision(at)));
    let mut synced = Synced::default();
    // Of several repositories, the one with the manifests; one that only gives values to a chart where there is no other.
    let git = || each().filter(|(source, _)| source.chart.is_none() && !is_registry(source));
    if let Some((source, revision)) = git().find(|(source, _)| source.reference.is_none()).or_else(|| git().next()) {
        synced.repository = source.repo_url.as_deref().map(Repository::from_url);
        synced.commit = revision.and_then(CommitId::given).filter(CommitId::is_full);
    }
    let charts: Vec<_> = each().filter(|(source, _)| source.chart.is_some()).collect();
    if let [(_, Some(version))] = charts[..] {
        synced.version = Some(version.to_owned());
    }
    synced.artifacts = each().filter_map(|(source, revision)| artifact(source, revision?)).collect();
    synced
        .artifacts
        .extend(each().flat_map(|(source, _)| &source.kustomize.images).filter_map(|image| overridden(image)));
    synced
}

impl Revisions {
    fn revisions(&self) -> Vec<&str> {
        if self.revisions.is_empty() { self.revision.as_deref().into_iter().collect() } else { texts(&self.revisions) }
    }
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

fn sources<'a>(one: &'a Source, several: &'a [Source]) -> Vec<&'a Source> {
    if several.is_empty() {
        Some(one).filter(|source| source.repo_url.is_some()).into_iter().collect()
    } else {
        several.iter().collect()
    }
}

/// A registry of OCI artifacts has no scheme of the web, or that of its own.
fn is_registry(source: &Source) -> bool {
    source.repo_url.as_deref().is_some_and(|url| url.starts_with("oci://"))
}

/// The name in its registry of a chart or of manifests that are an artifact by themselves.
fn artifact(source: &Source, revision: &str) -> Option<ArtifactId> {
    let url = source.repo_url.as_deref()?;
    let registry = url.strip_prefix("oci://").unwrap_or(url).trim_end_matches('/');
    match &source.chart {
        Some(chart) if !registry.contains("://") => Some(ArtifactId::new(format!("{registry}/{chart}:{revision}"))),
        None if is_registry(source) && revision.starts_with("sha256:") => {
            Some(ArtifactId::new(format!("{registry}@{revision}")))
        }
        _ => None,
    }
}

/// The image that takes the place of one of the base, where it is given with a tag or a digest.
fn overridden(image: &str) -> Option<ArtifactId> {
    let image = image.split_once('=').map_or(image, |(_, image)| image);
    let (_, name) = image.rsplit_once('/').unwrap_or(("", image));
    name.contains([':', '@']).then(|| ArtifactId::new(image))
}
