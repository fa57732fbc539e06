//! How Argo CD is connected.

use crate::providers::{Expected, Page};

/// The one event: an application with its last sync.
pub(super) const EVENT: &str = "application";

pub(super) const PAGE: Page = Page {
    title: "Argo CD",
    tells: "syncs of applications: what was deployed where, when, by whom and with which outcome",
    steps: &[
        "Add the secret to argocd-notifications-secret: kubectl -n argocd patch secret argocd-notifications-secret -p '{\"stringData\": {\"throughline\": \"{secret}\"}}'",
        "Add to the data of the ConfigMap argocd-notifications-cm what is shown below.",
        CONFIG,
        "Give each application a label `environment`, such as production; and a label `service` where it is not named after what it deploys.",
    ],
    permissions: &["Whoever may change the two objects in the namespace of Argo CD; nothing of Argo CD is given away."],
    events: &[Expected {
        event: EVENT,
        setting: "The triggers of argocd-notifications-cm",
        tells: "deployments: their start, end, outcome, commit, chart and images",
        essential: true,
    }],
    notes: &[
        "Without the label `environment`, an environment is `<cluster>/<namespace>`, or `<namespace>` in Argo CD's own cluster; the catalog gives it a name.",
        "In the catalog, list the names of the applications among the `services` of their component; else what is deployed counts as the repository of configuration.",
        "The commit is that of the repository of configuration. The version of the software is found by its images, of which the build has to tell.",
        "Images count once the application turned healthy after the sync began: before, Argo CD lists those of the version before as well.",
        "An application that turns unhealthy later is no deployment that failed, but perhaps an incident.",
    ],
    documentation: "https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/",
};

const CONFIG: &str = r#"service.webhook.throughline: |
  url: {url}
  headers:
  - name: Authorization
    value: Bearer $throughline
  - name: Content-Type
    value: application/json
template.throughline: |
  webhook:
    throughline:
      method: POST
      body: |
        {"context": {{toJson .context}}, "app": {{toJson .app}}}
trigger.throughline: |
  - when: app.status?.operationState?.phase in ['Running']
    oncePer: app.status?.operationState?.startedAt
    send: [throughline]
  - when: app.status?.operationState?.phase in ['Succeeded', 'Failed', 'Error']
    oncePer: app.status?.operationState?.finishedAt
    send: [throughline]
  - when: app.status?.operationState?.phase in ['Succeeded'] and app.status?.health?.status == 'Healthy'
    oncePer: app.status?.operationState?.finishedAt
    send: [throughline]
  - when: app.metadata?.deletionTimestamp != nil
    oncePer: app.metadata?.deletionTimestamp
    send: [throughline]
subscriptions: |
  - recipients: [throughline]
    triggers: [throughline]"#;
