//! Rows of `rollup_hourly` and `rollup_daily`.

use serde::{Deserialize, Serialize};

use crate::{Component, Environment, Millis, Realm, Timestamp};

/// Writes both rows, which differ in the length of their time alone.
macro_rules! rollups {
    ($($(#[$doc:meta])* $row:ident,)*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $row {
            /// Unit inside which things may refer to each other.
            pub realm: Realm,
            /// Component.
            pub component: Component,
            /// Environment: of releases that of their first successful production deployment; empty for what is of none.
            pub environment: Environment,
            /// Kind of the releases that the row sums up; empty on the row of what is of no release.
            pub kind: String,
            /// Begin of the time: rows count by their own `at`.
            pub at: Timestamp,
            /// Releases that came to production, without those taken out of the figures and without the baseline.
            pub releases: i32,
            /// Commits that they were the first to ship to production.
            pub commits: i32,
            /// Those of the releases that degraded production.
            pub failed: i32,
            /// Those of the releases that were shipped in answer to trouble of an earlier one.
            pub rework: i32,
            /// Incidents attributed to the releases.
            pub incidents: i32,
            /// Column `lead_time` of the releases, sorted.
            pub lead_times: Vec<Millis>,
            /// Column `merge_to_production` of the releases, sorted.
            pub merge_to_production_times: Vec<Millis>,
            /// Segment `coding` of the releases: author time to the opening of the change, sorted.
            pub coding_times: Vec<Millis>,
            /// Segment `review` of the releases: opening of the change to its merge, sorted.
            pub review_times: Vec<Millis>,
            /// Segment `merge_to_build` of the releases: merge to the first build, sorted.
            pub merge_to_build_times: Vec<Millis>,
            /// Segment `queue` of the releases: a build waited for a runner, sorted.
            pub queue_times: Vec<Millis>,
            /// Segment `build_and_test` of the releases: a build or a test ran, sorted.
            pub build_and_test_times: Vec<Millis>,
            /// Segment `gate_wait` of the releases: a gate was closed, sorted.
            pub gate_wait_times: Vec<Millis>,
            /// Segment `batch_wait` of the releases: waiting for the commit that was released, or for the release, sorted.
            pub batch_wait_times: Vec<Millis>,
            /// Segment `hand_off` of the releases: between one environment and the next, sorted.
            pub hand_off_times: Vec<Millis>,
            /// Segment `deploy` of the releases: a deployment ran, sorted.
            pub deploy_times: Vec<Millis>,
            /// Segment `unaccounted` of the releases: what no event explains, sorted.
            pub unaccounted_times: Vec<Millis>,
            /// Column `lead_time_working` of the releases, sorted.
            pub lead_time_working_times: Vec<Millis>,
            /// Column `recovery` of the releases, sorted.
            pub recovery_times: Vec<Millis>,
            /// Deployments that ended.
            pub deployments: i32,
            /// Those of the deployments that succeeded.
            pub deployments_succeeded: i32,
            /// Those of the deployments that failed, by the fault of the change or the platform, or by time.
            pub deployments_failed: i32,
            /// Gates that were met.
            pub gates: i32,
            /// Those of the gates that are open: somebody has to decide.
            pub gates_open: i32,
            /// Those of the gates that rejected.
            pub gates_rejected: i32,
            /// Those of the gates where nobody decided in time.
            pub gates_expired: i32,
            /// Those of the gates that were passed without a decision.
            pub gates_bypassed: i32,
            /// Those of the gates that caught something.
            pub gates_caught: i32,
            /// Those of the gates of which there is a reason to doubt that passing meant anything.
            pub gates_hollow: i32,
            /// Column `wait` of the gates, sorted.
            pub gate_waits: Vec<Millis>,
            /// Attempts of pipeline runs that ended.
            pub builds: i32,
            /// Those of the builds that failed, by the fault of the change or the platform, or by time.
            pub builds_failed: i32,
            /// Those of the builds that failed and passed on the same commit with nothing changed.
            pub builds_flaky: i32,
            /// Column `queue` of the builds, sorted.
            pub build_queue_times: Vec<Millis>,
            /// Column `duration` of the builds, sorted.
            pub build_durations: Vec<Millis>,
            /// Steps that a person had to start.
            pub manual_steps: i32,
            /// Column `wait` of the manual steps, sorted.
            pub manual_waits: Vec<Millis>,
            /// Generation and sequence: of one identity the highest counts.
            pub revision: i64,
            /// The fact no longer holds.
            #[serde(default)]
            pub deleted: bool,
        })*
    };
}

rollups! {
    /// What happened to a component in an hour, so that it can be summed up further without a loss.
    RollupHourlyFact,
    /// What happened to a component in a day, so that it can be summed up further without a loss.
    RollupDailyFact,
}

impl RollupDailyFact {
    /// The lists of durations.
    pub fn durations(&mut self) -> [&mut Vec<Millis>; 18] {
        [
            &mut self.lead_times,
            &mut self.merge_to_production_times,
            &mut self.coding_times,
            &mut self.review_times,
            &mut self.merge_to_build_times,
            &mut self.queue_times,
            &mut self.build_and_test_times,
            &mut self.gate_wait_times,
            &mut self.batch_wait_times,
            &mut self.hand_off_times,
            &mut self.deploy_times,
            &mut self.unaccounted_times,
            &mut self.lead_time_working_times,
            &mut self.recovery_times,
            &mut self.gate_waits,
            &mut self.build_queue_times,
            &mut self.build_durations,
            &mut self.manual_waits,
        ]
    }

    /// The same as the row of an hour.
    #[must_use]
    pub fn into_hourly(self) -> RollupHourlyFact {
        RollupHourlyFact {
            realm: self.realm,
            component: self.component,
            environment: self.environment,
            kind: self.kind,
            at: self.at,
            releases: self.releases,
            commits: self.commits,
            failed: self.failed,
            rework: self.rework,
            incidents: self.incidents,
            lead_times: self.lead_times,
            merge_to_production_times: self.merge_to_production_times,
            coding_times: self.coding_times,
            review_times: self.review_times,
            merge_to_build_times: self.merge_to_build_times,
            queue_times: self.queue_times,
            build_and_test_times: self.build_and_test_times,
            gate_wait_times: self.gate_wait_times,
            batch_wait_times: self.batch_wait_times,
            hand_off_times: self.hand_off_times,
            deploy_times: self.deploy_times,
            unaccounted_times: self.unaccounted_times,
            lead_time_working_times: self.lead_time_working_times,
            recovery_times: self.recovery_times,
            deployments: self.deployments,
            deployments_succeeded: self.deployments_succeeded,
            deployments_failed: self.deployments_failed,
            gates: self.gates,
            gates_open: self.gates_open,
            gates_rejected: self.gates_rejected,
            gates_expired: self.gates_expired,
            gates_bypassed: self.gates_bypassed,
            gates_caught: self.gates_caught,
            gates_hollow: self.gates_hollow,
            gate_waits: self.gate_waits,
            builds: self.builds,
            builds_failed: self.builds_failed,
            builds_flaky: self.builds_flaky,
            build_queue_times: self.build_queue_times,
            build_durations: self.build_durations,
            manual_steps: self.manual_steps,
            manual_waits: self.manual_waits,
            revision: self.revision,
            deleted: self.deleted,
        }
    }
}
