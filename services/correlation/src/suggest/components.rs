//! Components: the repositories that deploy, and the parts of those that deploy several things.

use std::collections::{BTreeMap, BTreeSet};

use model::event::{CatalogComponent, Marker, MarkerKind};
use model::{Component, Repository};

use super::arrived::{Activity, Arrived, Deployed};
use super::environments::Proposed;
use super::marks::{self, Found};
use super::parts::{Folders, Part, parts};
use super::words::service_key;
use super::{Entry, Kind, Line, Owners, day};
use crate::catalog::default_component;
use crate::survey::{Tally, list, quoted};

/// A component that is proposed, with what tells so by key.
#[derive(Clone, Debug)]
pub struct Draft {
    pub component: CatalogComponent,
    pub evidence: BTreeMap<&'static str, String>,
    pub notes: Vec<String>,
}

/// What components are proposed from.
pub struct Components<'a> {
    pub arrived: &'a Arrived<'a>,
    pub environments: &'a [Proposed],
    pub owners: &'a BTreeMap<Repository, Owners>,
    /// Services of incidents.
    pub incidents: &'a BTreeMap<&'a str, Tally>,
}

impl Components<'_> {
    /// The components, and what is left over.
    pub fn propose(&self) -> (Vec<Draft>, Vec<String>) {
        let (mut drafts, mut left) = (Vec::new(), Vec::new());
        for (repository, activity) in &self.arrived.repositories {
            let found = self.of_repository(repository, activity);
            if found.is_empty() && activity.commits.count > 0 {
                let Tally { count, last } = activity.commits;
                left.push(format!(
                    "{repository}: {count} commits, the last on {}, and nothing that marks a deployment",
                    day(last)
                ));
            }
            drafts.extend(found);
        }
        for (service, deployments) in &self.arrived.elsewhere {
            self.without_repository(service, deployments, &mut drafts, &mut left);
        }
        for (service, seen) in self.incidents {
            claim_incidents(service, *seen, &mut drafts, &mut left);
        }
        tell_apart(&mut drafts);
        (drafts, left)
    }

    fn of_repository(&self, repository: &Repository, activity: &Activity<'_>) -> Vec<Draft> {
        let folders = Folders::of(activity);
        let parts = parts(activity, &folders);
        if parts.len() > 1 {
            let shared = folders.shared(&parts);
            let draft = |part: &Part| self.of_part(repository, activity, part, &shared);
            return parts.iter().filter_map(draft).collect();
        }
        let deployments: Vec<&Deployed<'_>> = activity.deployments.iter().collect();
        let Some(found) = marks::find(activity, &deployments, None, self.environments) else { return Vec::new() };
        let mut draft = Draft::new(repository.name(), repository, activity, found);
        let services: BTreeSet<&str> = deployments.iter().filter_map(|deployed| deployed.service).collect();
        draft.call(services.into_iter(), "the name by which its deployments speak of it");
        self.owned(&mut draft, repository, activity, |_| true);
        vec![draft]
    }

    fn of_part(
        &self,
        repository: &Repository,
        activity: &Activity<'_>,
        part: &Part,
        shared: &[(&String, usize)],
    ) -> Option<Draft> {
        let named = |deployed: &&Deployed<'_>| deployed.service == Some(part.name.as_str());
        let deployments: Vec<&Deployed<'_>> = activity.deployments.iter().filter(named).collect();
        let found = marks::find(activity, &deployments, Some(&part.name), self.environments)?;
        let mut draft = Draft::new(&part.name, repository, activity, found);
        draft.tell("component", part.why.clone());
        if let Some(folder) = &part.folder {
            let with_shared = shared.iter().map(|(folder, _)| format!("{folder}/**"));
            draft.component.paths = std::iter::once(format!("{folder}/**")).chain(with_shared).collect();
            let mut why = format!("touched {} times in {folder}", part.touched);
            for (folder, count) in shared {
                why.push_str(&format!(", {count} in {folder}, which by its name is shared"));
            }
            draft.tell("paths", why);
        } else {
            draft.notes.push("No folder has its name: every commit of the repository counts as its own.".to_owned());
        }
        let own = part.folder.as_ref().map(|folder| format!("{folder}/"));
        self.owned(&mut draft, repository, activity, |path| own.as_ref().is_none_or(|own| path.starts_with(own)));
        Some(draft)
    }

    fn owned(
        &self,
        draft: &mut Draft,
        repository: &Repository,
        activity: &Activity<'_>,
        is_own: impl Fn(&str) -> bool,
    ) {
        let touched =
            activity.paths.iter().map(|(path, count)| (path.as_str(), *count)).filter(|(path, _)| is_own(path));
        let Some(owners) = self.owners.get(repository) else { return };
        if let Some((team, count, all)) = owners.of(touched) {
            draft.component.team = Some(team.to_owned());
            draft.tell(
                "team",
                match all {
                    0 => "CODEOWNERS".to_owned(),
                    _ => format!("CODEOWNERS: {count} of {all} touches of its paths"),
                },
            );
        }
    }

    /// Deployments that name a service and no repository belong to a component of that name, or of one like it.
    fn without_repository(
        &self,
        service: &str,
        deployments: &[Deployed<'_>],
        drafts: &mut [Draft],
        left: &mut Vec<String>,
    ) {
        let mut seen = Tally::default();
        deployments.iter().for_each(|deployed| seen.add(deployed.last));
        let why = format!("{} deployments name it, the last on {}", seen.count, day(seen.last));
        match like(service, drafts) {
            Some(draft) => draft.call(std::iter::once(service), &why),
            None => left.push(format!("service `{service}`: {why}, and no repository or commit is known of it")),
        }
    }
}

/// The only component whose name is like a service's.
fn like<'a>(service: &str, drafts: &'a mut [Draft]) -> Option<&'a mut Draft> {
    let key = service_key(service);
    let mut of = drafts.iter_mut().filter(|draft| {
        let component = &draft.component;
        let services = component.services.iter().map(String::as_str);
        !key.is_empty() && services.chain([component.component.as_str()]).any(|name| service_key(name) == key)
    });
    of.next().filter(|_| of.next().is_none())
}

fn claim_incidents(service: &str, seen: Tally, drafts: &mut [Draft], left: &mut Vec<String>) {
    let why = format!("{} incidents name it, the last on {}", seen.count, day(seen.last));
    match like(service, drafts) {
        Some(draft) => draft.call(std::iter::once(service), &why),
        None => left.push(format!("service `{service}`: {why}, and no component has a name like it")),
    }
}

/// Two repositories of one name get their owner's name in front.
fn tell_apart(drafts: &mut [Draft]) {
    let mut names: BTreeMap<Component, usize> = BTreeMap::new();
    for draft in drafts.iter() {
        *names.entry(draft.component.component.clone()).or_default() += 1;
    }
    for draft in drafts {
        let component = &mut draft.component;
        if names.get(&component.component).is_some_and(|count| *count > 1)
            && let Some(repository) = &component.repository
        {
            let whole = default_component(repository);
            component.component = match repository.name() == component.component.as_str() {
                true => whole,
                false => Component::new(format!("{whole}/{}", component.component)),
            };
        }
    }
}

impl Draft {
    fn new(name: &str, repository: &Repository, activity: &Activity<'_>, found: Found) -> Self {
        let component = CatalogComponent {
            component: Component::new(name),
            team: None,
            repository: Some(repository.clone()),
            paths: Vec::new(),
            excluded_paths: Vec::new(),
            services: Vec::new(),
            markers: found.markers,
            partial_counts: false,
            attribution_window: None,
            baseline_none: false,
            calendar: None,
        };
        let Tally { count, last } = activity.commits;
        let commits = match count {
            0 => "no commits of late".to_owned(),
            _ => format!("{count} commits, the last on {}", day(last)),
        };
        let mut draft = Self { component, evidence: BTreeMap::new(), notes: Vec::new() };
        draft.tell("component", "the repository's name".to_owned());
        draft.tell("repository", commits);
        match draft.component.markers.is_empty() {
            true => draft.notes.push(format!("{}.", capital(&found.why))),
            false => draft.tell("markers", found.why),
        }
        draft
    }

    fn tell(&mut self, key: &'static str, why: String) {
        self.evidence.insert(key, why);
    }

    /// It is called so, too.
    fn call<'a>(&mut self, services: impl Iterator<Item = &'a str>, why: &str) {
        for service in services {
            let known = &mut self.component.services;
            if self.component.component.as_str() == service || known.iter().any(|known| known == service) {
                continue;
            }
            known.push(service.to_owned());
            let before = self.evidence.entry("services").or_default();
            *before = if before.is_empty() { why.to_owned() } else { format!("{before}; {why}") };
        }
    }

    /// As lines with their evidence.
    pub fn entry(&self) -> Entry {
        let of = &self.component;
        let mut lines = Vec::new();
        let mut line = |key: &'static str, value: Option<String>| {
            let why = self.evidence.get(key).cloned().unwrap_or_default();
            lines.extend(value.map(|value| Line::new(key, value, why)));
        };
        let texts = |texts: &Vec<String>| (!texts.is_empty()).then(|| list(texts));
        line("component", Some(quoted(of.component.as_str())));
        line("team", of.team.as_deref().map(quoted));
        line("repository", of.repository.as_ref().map(|repository| quoted(repository.as_str())));
        line("paths", texts(&of.paths));
        line("services", texts(&of.services));
        line("markers", (!of.markers.is_empty()).then(|| markers(&of.markers)));
        let mut entry = Entry::new(Kind::Component, of.component.as_str(), lines);
        entry.notes.clone_from(&self.notes);
        entry
    }
}

fn markers(markers: &[Marker]) -> String {
    let markers = markers.iter().map(|marker| {
        let kind = match marker.kind {
            MarkerKind::Deployment => "deployment",
            MarkerKind::Pipeline => "pipeline",
            MarkerKind::Task => "task",
            MarkerKind::Tag => "tag",
            MarkerKind::Release => "release",
        };
        let name = marker.name.as_ref().map(|name| format!(", name = {}", quoted(name))).unwrap_or_default();
        let to = marker.environment.as_ref();
        let to = to.map(|to| format!(", environment = {}", quoted(to.as_str()))).unwrap_or_default();
        format!("{{ kind = \"{kind}\"{name}{to} }}")
    });
    format!("[{}]", markers.collect::<Vec<_>>().join(", "))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
