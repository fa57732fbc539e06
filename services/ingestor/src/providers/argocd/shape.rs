//! The shape of an application: only the members that are read.
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml>, and
//! <https://github.com/argoproj/argo-cd/blob/master/pkg/apis/application/v1alpha1/types.go> for its status.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::providers::lenient::{When, nullable, text};

/// What the documented template makes.
#[derive(Deserialize)]
pub(super) struct Notification {
    pub(super) app: Application,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) context: Context,
}

#[derive(Default, Deserialize)]
pub(super) struct Context {
    #[serde(default, rename = "argocdUrl", deserialize_with = "text")]
    pub(super) argocd_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Application {
    pub(super) metadata: Metadata,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) spec: Spec,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) namespace: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) deletion_timestamp: When,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Spec {
    #[serde(deserialize_with = "nullable")]
    pub(super) destination: Destination,
    #[serde(deserialize_with = "nullable")]
    pub(super) source: Source,
    #[serde(deserialize_with = "nullable")]
    pub(super) sources: Vec<Source>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Destination {
    #[serde(deserialize_with = "text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) server: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) namespace: Option<String>,
}

/// One source of an application: a folder of a repository, or a chart. There may be several, or an empty one beside them.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Source {
    #[serde(rename = "repoURL", deserialize_with = "text")]
    pub(super) repo_url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) chart: Option<String>,
    /// Set where other sources take files from it, such as values of a chart.
    #[serde(rename = "ref", deserialize_with = "text")]
    pub(super) reference: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) kustomize: Kustomize,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Kustomize {
    /// `[<name of the base>=]<image>[:<tag>][@<digest>]`.
    #[serde(deserialize_with = "nullable")]
    pub(super) images: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    #[serde(deserialize_with = "nullable")]
    pub(super) health: Health,
    #[serde(deserialize_with = "nullable")]
    pub(super) summary: Summary,
    pub(super) operation_state: Option<OperationState>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Health {
    #[serde(deserialize_with = "text")]
    pub(super) status: Option<String>,
    pub(super) last_transition_time: When,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    /// Of everything that runs, in no order: also of what is being replaced.
    #[serde(deserialize_with = "nullable")]
    pub(super) images: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationState {
    pub(super) phase: String,
    #[serde(default)]
    pub(super) started_at: When,
    #[serde(default)]
    pub(super) finished_at: When,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) operation: Operation,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) sync_result: Revisions,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Operation {
    #[serde(deserialize_with = "nullable")]
    pub(super) initiated_by: Initiator,
    pub(super) sync: Option<Sync>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Initiator {
    #[serde(deserialize_with = "text")]
    pub(super) username: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) automated: bool,
}

/// What was asked for.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Sync {
    #[serde(deserialize_with = "nullable")]
    pub(super) dry_run: bool,
    /// The resources that were chosen; none of them means all.
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Vec<Value>,
    #[serde(flatten)]
    pub(super) revisions: Revisions,
}

/// Revisions, and the sources that they are of, in the same order. An application with several sources has an empty `revision` and an
/// empty `source` beside its lists.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Revisions {
    #[serde(deserialize_with = "text")]
    pub(super) revision: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) revisions: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) source: Source,
    #[serde(deserialize_with = "nullable")]
    pub(super) sources: Vec<Source>,
}
