//! Argo CD, by its notifications: each shows an application with its last sync.
//!
//! A notification may come at any time, also weeks after the sync that it shows, and several times for one. So a sync is known by its
//! application and its start, and happened when it says that it did, whenever the notification came.
//!
//! **GitOps.** What Argo CD syncs is a repository of configuration: the commit is one of *that*, and is told as such. Which version of
//! the software it brings is told by images and charts, as far as they are certain.

mod images;
mod page;
mod shape;
mod sources;

use std::collections::BTreeSet;

use model::event::{Actor, ActorKind, Deployment, DeploymentAction, Outcome, Phase, Rollout};
use model::inbox::InboxRecord;
use model::{DeploymentId, Environment, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use self::shape::{Application, Notification, OperationState};
use self::sources::Synced;
use super::{Door, Observed, Page, Provider, Reading, Unreadable};
use crate::people::People;
use crate::signature::Scheme;

const DOOR: Door = Door { provider: "argocd", schemes: &[Scheme::Token], delivery: &[], event: None, kept: &[] };

/// The address of the cluster that Argo CD runs in, and the name that it has for it.
const OWN_CLUSTER: [&str; 2] = ["https://kubernetes.default.svc", "in-cluster"];

/// Reads notifications of Argo CD.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArgoCd;

impl Provider for ArgoCd {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &page::PAGE
    }

    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        read_shape(delivery).ok().map(|_| page::EVENT.to_owned())
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let Notification { app, context } = read_shape(delivery)?;
        let address = context.argocd_url.as_deref().map(|url| url.trim_end_matches('/'));
        let place = Place { delivery, people, address };
        let removed = app.metadata.deletion_timestamp.0.map(|at| place.removal(&app, at)).transpose()?;
        let synced = app.status.operation_state.as_ref().map(|state| place.sync(&app, state)).transpose()?.flatten();
        let events: Vec<Observed> = synced.into_iter().chain(removed).collect();
        Ok(match app.status.operation_state {
            _ if !events.is_empty() => Reading::Events(events),
            None => Reading::Ignored("application: never synced".to_owned()),
            Some(_) => Reading::Ignored("application: a dry run".to_owned()),
        })
    }
}

/// The application is the member `app`, as in the documented template, or the body itself.
fn read_shape(delivery: &InboxRecord) -> Result<Notification, Unreadable> {
    let what = || "a notification of Argo CD by the documented template".to_owned();
    let body: Value =
        serde_json::from_slice(delivery.body.as_ref()).map_err(|source| Unreadable::Shape { what: what(), source })?;
    let body = if body.get("app").is_none() && body["kind"] == "Application" {
        Value::Object([("app".to_owned(), body)].into_iter().collect())
    } else {
        body
    };
    let mut track = serde_path_to_error::Track::new();
    Notification::deserialize(serde_path_to_error::Deserializer::new(body, &mut track))
        .map_err(|source| Unreadable::Shape { what: format!("{}, at {}", what(), track.path()), source })
}

/// Where a notification comes from.
struct Place<'a> {
    delivery: &'a InboxRecord,
    people: &'a People,
    /// Of the pages of this Argo CD, where told.
    address: Option<&'a str>,
}

impl Place<'_> {
    /// Name of this Argo CD, which is the namespace of its applications and its accounts.
    fn name(&self) -> String {
        let address = self.address.map(|url| url.split_once("://").map_or(url, |(_, rest)| rest));
        address.map_or_else(|| self.delivery.source.to_string(), str::to_lowercase)
    }

    fn id(&self, app: &Application, of: &str) -> DeploymentId {
        let (namespace, name) = (app.metadata.namespace.as_deref().unwrap_or("argocd"), &app.metadata.name);
        DeploymentId::new(format!("{}/applications/{namespace}/{name}/{of}", self.name()))
    }

    fn page(&self, app: &Application) -> Option<String> {
        let address = self.address.filter(|url| url.starts_with("http://") || url.starts_with("https://"))?;
        let name = &app.metadata.name;
        Some(match app.metadata.namespace.as_deref() {
            Some(namespace) => format!("{address}/applications/{namespace}/{name}"),
            None => format!("{address}/applications/{name}"),
        })
    }

    /// The last sync; none where it only tried what it would do.
    fn sync(&self, app: &Application, state: &OperationState) -> Result<Option<Observed>, Unreadable> {
        let sync = state.operation.sync.as_ref();
        if sync.is_some_and(|sync| sync.dry_run) {
            return Ok(None);
        }
        let started_at = state.started_at.0.ok_or_else(|| not_told("startedAt"))?;
        let (phase, outcome) = progress(&state.phase)?;
        let finished_at = match phase {
            Phase::Finished => Some(state.finished_at.0.ok_or_else(|| not_told("finishedAt"))?),
            _ => None,
        };
        let Synced { repository, commit, version, artifacts } = sources::synced(app);
        let artifacts: BTreeSet<_> = artifacts.into_iter().chain(images::deployed(app, started_at)).collect();
        let partial = sync.is_some_and(|sync| !sync.resources.is_empty());
        let told = Deployment {
            repository,
            service: Some(service(app)),
            outcome,
            reason: Some(state.phase.clone()),
            rollout: if partial { Rollout::Partial } else { Rollout::Unknown },
            commit,
            version,
            artifacts: artifacts.into_iter().collect(),
            triggered_by: self.initiator(state),
            started_at: Some(started_at),
            finished_at,
            url: self.page(app),
            ..Deployment::new(self.id(app, &started_at.to_string()), environment(app)?, DeploymentAction::Deploy, phase)
        };
        Ok(Some(Observed { occurred_at: finished_at.unwrap_or(started_at), link: told.url.clone(), body: told.into() }))
    }

    /// The application is taken away.
    fn removal(&self, app: &Application, at: Timestamp) -> Result<Observed, Unreadable> {
        let told = Deployment {
            repository: sources::synced(app).repository,
            service: Some(service(app)),
            outcome: Some(Outcome::Success),
            finished_at: Some(at),
            url: self.page(app),
            ..Deployment::new(self.id(app, "removal"), environment(app)?, DeploymentAction::Remove, Phase::Finished)
        };
        Ok(Observed { occurred_at: at, link: told.url.clone(), body: told.into() })
    }

    fn initiator(&self, state: &OperationState) -> Actor {
        let by = &state.operation.initiated_by;
        match by.username.as_deref() {
            Some(account) => self.people.account(&self.name(), account, ActorKind::Human),
            None if by.automated => Actor { key: None, kind: ActorKind::Machine },
            None => Actor::default(),
        }
    }
}

fn not_told(member: &str) -> Unreadable {
    Unreadable::Value(format!("`status.operationState.{member}` is missing: when the sync was is not known"))
}

/// <https://github.com/argoproj/gitops-engine/blob/master/pkg/sync/common/types.go>: `Failed` is what was synced, `Error` is what synced it.
fn progress(phase: &str) -> Result<(Phase, Option<Outcome>), Unreadable> {
    Ok(match phase {
        "Running" | "Terminating" => (Phase::Running, None),
        "Succeeded" => (Phase::Finished, Some(Outcome::Success)),
        "Failed" => (Phase::Finished, Some(Outcome::Failure)),
        "Error" => (Phase::Finished, Some(Outcome::Error)),
        other => {
            let known = "none of Running, Terminating, Succeeded, Failed, Error";
            return Err(Unreadable::Value(format!("`status.operationState.phase` is `{other}`, which is {known}")));
        }
    })
}

/// What is deployed: the label `service`, else the name of the application.
fn service(app: &Application) -> String {
    app.metadata.labels.get("service").filter(|label| !label.is_empty()).unwrap_or(&app.metadata.name).clone()
}

/// Where it is deployed to: the label `environment`, else `<cluster>/<namespace>`, without the cluster where it is Argo CD's own. Only
/// both together tell environments apart; the catalog gives them their names.
fn environment(app: &Application) -> Result<Environment, Unreadable> {
    if let Some(label) = app.metadata.labels.get("environment").filter(|label| !label.is_empty()) {
        return Ok(Environment::new(label));
    }
    let to = &app.spec.destination;
    let cluster = to.name.as_deref().or(to.server.as_deref()).filter(|cluster| !OWN_CLUSTER.contains(cluster));
    let cluster = cluster.map(|name| name.split_once("://").map_or(name, |(_, rest)| rest).trim_end_matches('/'));
    let parts: Vec<&str> = [cluster, to.namespace.as_deref()].into_iter().flatten().collect();
    if parts.is_empty() {
        let missing = "`spec.destination` names neither a cluster nor a namespace";
        return Err(Unreadable::Value(format!("{missing}: give the application a label `environment`")));
    }
    Ok(Environment::new(parts.join("/")))
}
