//! How Jenkins is connected.

use crate::providers::{Expected, Page};

pub(super) const PAGE: Page = Page {
    title: "Jenkins",
    tells: "runs of jobs and pipelines, their stages, tests, artifacts and deployments",
    steps: &[
        "One source for each controller, and one of these two ways for each job.",
        "Either install the Notification plugin and add an endpoint to the job: format JSON, protocol HTTP, event All, and as its URL {url} with `user:{secret}@` before the host (as a secret of the kind Secret text).",
        "Or install the HTTP Request plugin, keep {secret} as a credential of the kind Secret text with the id `throughline`, and end the Jenkinsfile with the step shown below.",
        STEP,
    ],
    permissions: &[
        "An administrator installs the plugin; whoever may configure a job adds the endpoint. Nothing of Jenkins is given away.",
    ],
    events: &[
        Expected {
            event: "pipeline",
            setting: "The step of the Jenkinsfile",
            tells: "a run when it ends, with its commit, and the deployment that it made",
            essential: false,
        },
        Expected {
            event: "notification",
            setting: "Notification plugin, event All",
            tells: "runs when they are queued, start and end; tests; archived artifacts",
            essential: false,
        },
        Expected {
            event: "cdevents",
            setting: "CDEvents plugin",
            tells: "runs when they start and end, and whatever else is sent as a CDEvent",
            essential: false,
        },
    ],
    notes: &[
        "Where the run deploys, add `environment: 'production'` to the body, and any of `version`, `service`, `artifact`.",
        "`stages` may be the list of `stages` of `<run>/wfapi/describe` (Pipeline: Stage View plugin) as it stands.",
        "UNSTABLE counts as a failure: tests failed. ABORTED is cancelled, NOT_BUILT skipped.",
        "The CDEvents plugin cannot send a secret: let a proxy add it. What it tells of single steps has no name of a stage and is ignored.",
    ],
    documentation: "https://plugins.jenkins.io/notification/",
};

/// The end of a Jenkinsfile.
const STEP: &str = r"post { always { script {
  def run = [job: env.JOB_NAME, number: currentBuild.number, url: env.BUILD_URL, status: currentBuild.currentResult,
             repository: env.GIT_URL, commit: env.GIT_COMMIT, branch: env.GIT_BRANCH,
             started_at: currentBuild.startTimeInMillis, duration: currentBuild.duration]
  withCredentials([string(credentialsId: 'throughline', variable: 'TOKEN')]) {
    httpRequest url: '{url}', httpMode: 'POST', contentType: 'APPLICATION_JSON', quiet: true,
                customHeaders: [[name: 'Authorization', value: 'Bearer ' + TOKEN, maskValue: true]],
                requestBody: groovy.json.JsonOutput.toJson(run)
  }
} } }";
