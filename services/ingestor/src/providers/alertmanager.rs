//! Prometheus Alertmanager, by its webhook receiver
//! (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>, version 4 of the body).
//!
//! **What an incident is.** Each alert, not the group that it is sent in: a group is a way of notifying, and its alerts come and go.
//! The same labels fire again after they were resolved as another incident, so its id is
//! `<host of externalURL>/alerts/<fingerprint>/<startsAt>`. Every alert that is sent counts, of whatever severity: the routes of
//! Alertmanager decide what is worth an incident, and nothing here guesses at it a second time.
//!
//! **What it is about.** Labels belong to the alerting rule and to the target that was scraped. The service is the first of
//! `service`, `service_name`, `component`, `app`, `application`, `app_kubernetes_io_name`, and else `job`, which is the name of the
//! target. Where the target is `kube-state-metrics` (the job by which the rules of kubernetes-mixin select it), these name the
//! exporter, and the workload that it speaks of counts before them: `deployment`, `statefulset`, `daemonset`, `cronjob`, `job_name`.
//! The environment is `environment`, `env` or `deployment_environment`, the severity `severity`, the priority `priority`, the kind
//! `alertname`. References are taken from labels alone: they are the same as long as the alert lasts, while annotations may name
//! tomorrow's version.
//!
//! **Time.** `startsAt` and `endsAt` have nine fraction digits, and year 1 where they are not set. An alert is noticed when it
//! starts to fire; how long its condition held before that (`for` of the rule) is not told. There is no time of the notification
//! and no acknowledgement.

use std::collections::BTreeMap;

use model::event::{Actor, ActorKind, Incident, IncidentDetected, IncidentResolved};
use model::inbox::InboxRecord;
use model::{IncidentId, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::labels::Labels;
use super::lenient::{When, nullable, text};
use super::{Door, Expected, Observed, Page, Provider, Reading, Unreadable, address, batch};
use crate::people::People;
use crate::signature::Scheme;

/// A notification has no name of its own, so its body is it.
const DOOR: Door = Door { provider: "alertmanager", schemes: &[Scheme::Token], delivery: &[], event: None, kept: &[] };

const PAGE: Page = Page {
    title: "Prometheus Alertmanager",
    tells: "alerts that fire and that are resolved, each as an incident",
    steps: &[
        "In alertmanager.yml, under `receivers`, add one with the `name` throughline and a `webhook_configs` entry.",
        "In that entry: `url: {url}`, `send_resolved: true`, and under `http_config`, `authorization`: `credentials: {secret}` (or \
         `credentials_file` with a file that holds it).",
        "Under `route`, `routes`, add a route with `receiver: throughline`, `continue: true`, and `matchers` that choose what you would \
         call an incident, such as `severity=\"critical\"`.",
        "Reload Alertmanager: send it SIGHUP, or POST to /-/reload.",
    ],
    permissions: &["To edit the configuration of Alertmanager. It only sends."],
    events: &[
        Expected {
            event: "firing",
            setting: "a route to the receiver",
            tells: "that an incident was noticed",
            essential: true,
        },
        Expected { event: "resolved", setting: "send_resolved: true", tells: "that it is over", essential: true },
    ],
    notes: &[
        "Every alert that the route sends becomes an incident: choose by `matchers`, not here.",
        "The service is the label `service`, `component`, `app` or the like, else `job`; the catalog says which component it is.",
        "Labels that an alerting rule sets, such as `version`, `commit` or `environment`, tell what was running.",
        "Give all instances of a cluster the same `--web.external-url`: ids of incidents begin with its host.",
        "Leave `max_alerts` at 0: of a group that is cut, the rest is never told.",
        "It does not tell when somebody took an alert on.",
    ],
    documentation: "https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
};

/// Reads notifications of Alertmanager.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alertmanager;

impl Provider for Alertmanager {
    fn door(&self) -> &'static Door {
        &DOOR
    }

    fn page(&self) -> &'static Page {
        &PAGE
    }

    fn event(&self, delivery: &InboxRecord) -> Option<String> {
        #[derive(Deserialize)]
        struct Status {
            status: String,
        }
        serde_json::from_slice(delivery.body.as_ref()).ok().map(|Status { status }| status)
    }

    fn version(&self) -> i32 {
        1
    }

    fn read(&self, delivery: &InboxRecord, _people: &People) -> Result<Reading, Unreadable> {
        let notification: Notification = serde_json::from_slice(delivery.body.as_ref())
            .map_err(|source| Unreadable::Shape { what: "an Alertmanager notification".to_owned(), source })?;
        let Notification { external_url, alerts } = notification;
        batch::read(alerts.into_iter().map(|alert| {
            let alert = Alert::deserialize(alert)
                .map_err(|source| Unreadable::Shape { what: "an Alertmanager alert".to_owned(), source })?;
            alert.read(external_url.as_deref(), delivery.received_at)
        }))
    }
}

/// A group of alerts.
#[derive(Deserialize)]
struct Notification {
    /// The page of this Alertmanager.
    #[serde(rename = "externalURL", default, deserialize_with = "text")]
    external_url: Option<String>,
    alerts: Vec<Value>,
}

/// One of its alerts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    /// Its own; the group fires as long as one of them does.
    status: String,
    #[serde(default, deserialize_with = "nullable")]
    labels: BTreeMap<String, Value>,
    #[serde(default)]
    starts_at: When,
    /// Of an alert that fires, a time until which it is believed at best.
    #[serde(default)]
    ends_at: When,
    /// The graph in Prometheus.
    #[serde(rename = "generatorURL", default, deserialize_with = "text")]
    generator_url: Option<String>,
    /// Hash of the labels; not sent before 0.21.
    #[serde(default, deserialize_with = "text")]
    fingerprint: Option<String>,
}

impl Alert {
    fn read(&self, external_url: Option<&str>, received_at: Timestamp) -> Result<Reading, Unreadable> {
        let resolved = match self.status.as_str() {
            "firing" => false,
            "resolved" => true,
            other => {
                return Err(Unreadable::Value(format!("`status` is `{other}`: an alert is `firing` or `resolved`")));
            }
        };
        let incident = self.incident(external_url);
        let link = incident.url.clone();
        let by = Actor { key: None, kind: ActorKind::Machine };
        let began = self.starts_at.0.unwrap_or(received_at);
        let mut told = Vec::new();
        // The end tells the beginning, too: the notification of the beginning may have been lost.
        if !resolved || self.starts_at.0.is_some() {
            let detected_at = Some(began);
            let body = IncidentDetected { incident: incident.clone(), detected_at, detected_by: by.clone() }.into();
            told.push(Observed { occurred_at: began, link: link.clone(), body });
        }
        if resolved {
            let ended = self.ends_at.0.unwrap_or(received_at);
            let body = IncidentResolved { incident, resolved_at: Some(ended), resolved_by: by }.into();
            told.push(Observed { occurred_at: ended, link, body });
        }
        Ok(Reading::Events(told))
    }

    fn incident(&self, external_url: Option<&str>) -> Incident {
        let mut labels = Labels::default();
        self.labels.iter().for_each(|(name, value)| labels.add(name, value));
        let mut incident = Incident::new(self.id(external_url));
        incident.severity = labels.first(&["severity"]).map(str::to_owned);
        incident.priority = labels.first(&["priority"]).map(str::to_owned);
        incident.services = service(&labels).map(str::to_owned).into_iter().collect();
        incident.environment = labels.environment();
        incident.kinds = labels.first(&["alertname"]).map(str::to_owned).into_iter().collect();
        incident.about = labels.references().into_iter().collect();
        let pages = [self.generator_url.as_deref(), external_url];
        incident.url = pages.into_iter().flatten().find_map(address::page);
        incident
    }

    /// Of one set of labels, no two beginnings are within a millisecond.
    fn id(&self, external_url: Option<&str>) -> IncidentId {
        let host = external_url.and_then(address::host).unwrap_or_else(|| "alertmanager".to_owned());
        let fingerprint = self.fingerprint.clone().unwrap_or_else(|| hash(&self.labels));
        IncidentId::new(match self.starts_at.0 {
            Some(began) => format!("{host}/alerts/{fingerprint}/{began}"),
            None => format!("{host}/alerts/{fingerprint}"),
        })
    }
}

fn service(labels: &Labels) -> Option<&str> {
    const WORKLOAD: &[&str] = &["deployment", "statefulset", "daemonset", "cronjob", "job_name"];
    let job = labels.first(&["job"]);
    let workload = (job == Some("kube-state-metrics")).then(|| labels.first(WORKLOAD)).flatten();
    workload.or_else(|| labels.service()).or(job)
}

/// What tells one set of labels from another.
fn hash(labels: &BTreeMap<String, Value>) -> String {
    let mut hash = Sha256::new();
    for (name, value) in labels {
        hash.update(format!("{name}={value}\n"));
    }
    hex::encode(&hash.finalize()[..8])
}
