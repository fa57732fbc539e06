-- Table `rollup_hourly_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS rollup_hourly_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `environment` LowCardinality(String) COMMENT 'Environment, by name: of releases that of their first successful production deployment; empty for what is of none, such as builds',
    `kind` LowCardinality(String) COMMENT 'Kind of the releases that the row sums up; empty on the row of what is of no release: deployments, gates, builds, manual steps',
    `at` DateTime64(3, 'UTC') COMMENT 'Begin of the hour in which the `at` of what it sums up falls. UTC, milliseconds',
    `releases` Int32 COMMENT 'Releases that came to production, without those taken out of the figures and without the baseline; count',
    `commits` Int32 COMMENT 'Commits that they were the first to ship to production; count',
    `failed` Int32 COMMENT 'Those of the releases that degraded production; count',
    `rework` Int32 COMMENT 'Those of the releases that were shipped in answer to trouble of an earlier one; count',
    `incidents` Int32 COMMENT 'Incidents attributed to the releases; count',
    `lead_times` Array(Int64) COMMENT 'Column `lead_time` of the releases, sorted, without nulls, ms',
    `merge_to_production_times` Array(Int64) COMMENT 'Column `merge_to_production` of the releases, sorted, without nulls, ms',
    `coding_times` Array(Int64) COMMENT 'Segment `coding` of the releases: author time to the opening of the change, sorted, without nulls, ms',
    `review_times` Array(Int64) COMMENT 'Segment `review` of the releases: opening of the change to its merge, sorted, without nulls, ms',
    `merge_to_build_times` Array(Int64) COMMENT 'Segment `merge_to_build` of the releases: merge to the first build, sorted, without nulls, ms',
    `queue_times` Array(Int64) COMMENT 'Segment `queue` of the releases: a build waited for a runner, sorted, without nulls, ms',
    `build_and_test_times` Array(Int64) COMMENT 'Segment `build_and_test` of the releases: a build or a test ran, sorted, without nulls, ms',
    `gate_wait_times` Array(Int64) COMMENT 'Segment `gate_wait` of the releases: a gate was closed, sorted, without nulls, ms',
    `batch_wait_times` Array(Int64) COMMENT 'Segment `batch_wait` of the releases: waiting for the commit that was released, or for the release, sorted, without nulls, ms',
    `hand_off_times` Array(Int64) COMMENT 'Segment `hand_off` of the releases: between one environment and the next, sorted, without nulls, ms',
    `deploy_times` Array(Int64) COMMENT 'Segment `deploy` of the releases: a deployment ran, sorted, without nulls, ms',
    `unaccounted_times` Array(Int64) COMMENT 'Segment `unaccounted` of the releases: what no event explains, sorted, without nulls, ms',
    `lead_time_working_times` Array(Int64) COMMENT 'Column `lead_time_working` of the releases, sorted, without nulls, ms',
    `recovery_times` Array(Int64) COMMENT 'Column `recovery` of the releases, sorted, without nulls, ms',
    `deployments` Int32 COMMENT 'Deployments that ended; count',
    `deployments_succeeded` Int32 COMMENT 'Those of the deployments that succeeded; count',
    `deployments_failed` Int32 COMMENT 'Those of the deployments that failed, by the fault of the change or the platform, or by time; count',
    `gates` Int32 COMMENT 'Gates that were met; count',
    `gates_open` Int32 COMMENT 'Those of the gates that are open: somebody has to decide; count',
    `gates_rejected` Int32 COMMENT 'Those of the gates that rejected; count',
    `gates_expired` Int32 COMMENT 'Those of the gates where nobody decided in time; count',
    `gates_bypassed` Int32 COMMENT 'Those of the gates that were passed without a decision; count',
    `gates_caught` Int32 COMMENT 'Those of the gates that caught something; count',
    `gates_hollow` Int32 COMMENT 'Those of the gates of which there is a reason to doubt that passing meant anything; count',
    `gate_waits` Array(Int64) COMMENT 'Column `wait` of the gates, sorted, without nulls, ms',
    `builds` Int32 COMMENT 'Attempts of pipeline runs that ended; count',
    `builds_failed` Int32 COMMENT 'Those of the builds that failed, by the fault of the change or the platform, or by time; count',
    `builds_flaky` Int32 COMMENT 'Those of the builds that failed and passed on the same commit with nothing changed; count',
    `build_queue_times` Array(Int64) COMMENT 'Column `queue` of the builds, sorted, without nulls, ms',
    `build_durations` Array(Int64) COMMENT 'Column `duration` of the builds, sorted, without nulls, ms',
    `manual_steps` Int32 COMMENT 'Steps that a person had to start; count',
    `manual_waits` Array(Int64) COMMENT 'Column `wait` of the manual steps, sorted, without nulls, ms',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), kind, component)
ORDER BY (realm, toYYYYMM(at), kind, component, at, environment)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `rollup_hourly`; read the view `rollup_hourly` instead';

-- View `rollup_hourly`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS rollup_hourly
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `environment` LowCardinality(String) COMMENT 'Environment, by name: of releases that of their first successful production deployment; empty for what is of none, such as builds',
    `kind` LowCardinality(String) COMMENT 'Kind of the releases that the row sums up; empty on the row of what is of no release: deployments, gates, builds, manual steps',
    `at` DateTime64(3, 'UTC') COMMENT 'Begin of the hour in which the `at` of what it sums up falls. UTC, milliseconds',
    `releases` Int32 COMMENT 'Releases that came to production, without those taken out of the figures and without the baseline; count',
    `commits` Int32 COMMENT 'Commits that they were the first to ship to production; count',
    `failed` Int32 COMMENT 'Those of the releases that degraded production; count',
    `rework` Int32 COMMENT 'Those of the releases that were shipped in answer to trouble of an earlier one; count',
    `incidents` Int32 COMMENT 'Incidents attributed to the releases; count',
    `lead_times` Array(Int64) COMMENT 'Column `lead_time` of the releases, sorted, without nulls, ms',
    `merge_to_production_times` Array(Int64) COMMENT 'Column `merge_to_production` of the releases, sorted, without nulls, ms',
    `coding_times` Array(Int64) COMMENT 'Segment `coding` of the releases: author time to the opening of the change, sorted, without nulls, ms',
    `review_times` Array(Int64) COMMENT 'Segment `review` of the releases: opening of the change to its merge, sorted, without nulls, ms',
    `merge_to_build_times` Array(Int64) COMMENT 'Segment `merge_to_build` of the releases: merge to the first build, sorted, without nulls, ms',
    `queue_times` Array(Int64) COMMENT 'Segment `queue` of the releases: a build waited for a runner, sorted, without nulls, ms',
    `build_and_test_times` Array(Int64) COMMENT 'Segment `build_and_test` of the releases: a build or a test ran, sorted, without nulls, ms',
    `gate_wait_times` Array(Int64) COMMENT 'Segment `gate_wait` of the releases: a gate was closed, sorted, without nulls, ms',
    `batch_wait_times` Array(Int64) COMMENT 'Segment `batch_wait` of the releases: waiting for the commit that was released, or for the release, sorted, without nulls, ms',
    `hand_off_times` Array(Int64) COMMENT 'Segment `hand_off` of the releases: between one environment and the next, sorted, without nulls, ms',
    `deploy_times` Array(Int64) COMMENT 'Segment `deploy` of the releases: a deployment ran, sorted, without nulls, ms',
    `unaccounted_times` Array(Int64) COMMENT 'Segment `unaccounted` of the releases: what no event explains, sorted, without nulls, ms',
    `lead_time_working_times` Array(Int64) COMMENT 'Column `lead_time_working` of the releases, sorted, without nulls, ms',
    `recovery_times` Array(Int64) COMMENT 'Column `recovery` of the releases, sorted, without nulls, ms',
    `deployments` Int32 COMMENT 'Deployments that ended; count',
    `deployments_succeeded` Int32 COMMENT 'Those of the deployments that succeeded; count',
    `deployments_failed` Int32 COMMENT 'Those of the deployments that failed, by the fault of the change or the platform, or by time; count',
    `gates` Int32 COMMENT 'Gates that were met; count',
    `gates_open` Int32 COMMENT 'Those of the gates that are open: somebody has to decide; count',
    `gates_rejected` Int32 COMMENT 'Those of the gates that rejected; count',
    `gates_expired` Int32 COMMENT 'Those of the gates where nobody decided in time; count',
    `gates_bypassed` Int32 COMMENT 'Those of the gates that were passed without a decision; count',
    `gates_caught` Int32 COMMENT 'Those of the gates that caught something; count',
    `gates_hollow` Int32 COMMENT 'Those of the gates of which there is a reason to doubt that passing meant anything; count',
    `gate_waits` Array(Int64) COMMENT 'Column `wait` of the gates, sorted, without nulls, ms',
    `builds` Int32 COMMENT 'Attempts of pipeline runs that ended; count',
    `builds_failed` Int32 COMMENT 'Those of the builds that failed, by the fault of the change or the platform, or by time; count',
    `builds_flaky` Int32 COMMENT 'Those of the builds that failed and passed on the same commit with nothing changed; count',
    `build_queue_times` Array(Int64) COMMENT 'Column `queue` of the builds, sorted, without nulls, ms',
    `build_durations` Array(Int64) COMMENT 'Column `duration` of the builds, sorted, without nulls, ms',
    `manual_steps` Int32 COMMENT 'Steps that a person had to start; count',
    `manual_waits` Array(Int64) COMMENT 'Column `wait` of the manual steps, sorted, without nulls, ms'
)
AS SELECT
    `realm`, `component`, `environment`, `kind`, `at`, `releases`, `commits`, `failed`, `rework`,
    `incidents`, `lead_times`, `merge_to_production_times`, `coding_times`, `review_times`,
    `merge_to_build_times`, `queue_times`, `build_and_test_times`, `gate_wait_times`, `batch_wait_times`,
    `hand_off_times`, `deploy_times`, `unaccounted_times`, `lead_time_working_times`, `recovery_times`,
    `deployments`, `deployments_succeeded`, `deployments_failed`, `gates`, `gates_open`, `gates_rejected`,
    `gates_expired`, `gates_bypassed`, `gates_caught`, `gates_hollow`, `gate_waits`, `builds`,
    `builds_failed`, `builds_flaky`, `build_queue_times`, `build_durations`, `manual_steps`, `manual_waits`
FROM rollup_hourly_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What happened to a component in an hour (UTC): counts and sorted lists of durations, which sum up exactly to any level: sum(releases), quantileExactLowArray(0.5)(lead_times)';
