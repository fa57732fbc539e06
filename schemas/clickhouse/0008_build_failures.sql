-- Table `build_failures_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS build_failures_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `run` String COMMENT 'Id of the pipeline run, unique over all providers',
    `attempt` Int32 COMMENT 'Which try of the run, from 1',
    `task` String COMMENT 'Id of the task, unique over all providers; empty where the run tells of none: then the run itself failed',
    `at` DateTime64(3, 'UTC') COMMENT 'When it ended. UTC, milliseconds',
    `pipeline` LowCardinality(String) COMMENT 'Name of the pipeline',
    `name` LowCardinality(String) COMMENT 'Name of the task',
    `step` LowCardinality(Nullable(String)) COMMENT 'Name of its first failing step; null where the provider did not tell',
    `class` LowCardinality(String) COMMENT 'Why it did not pass: failure (fault of the change), error (fault of the platform), flaky (it failed, and passed on the same commit with nothing changed), timeout, cancelled',
    `allowed_to_fail` Bool COMMENT 'True when its failure does not fail the run',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it ran on; null while unknown',
    `ref_name` Nullable(String) COMMENT 'Branch or tag that it ran on; null while unknown',
    `runner_group` LowCardinality(Nullable(String)) COMMENT 'Pool of the runner that it ran on; null where the provider did not tell',
    `queue` Nullable(Int64) COMMENT 'When it was ready to start to when it started, ms; null where one of them is unknown',
    `duration` Nullable(Int64) COMMENT 'When it started to when it ended, ms; null where one of them is unknown',
    `passed_attempt` Nullable(Int32) COMMENT 'Attempt that passed where it is flaky, from 1; null where it is not',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, at, run, attempt, task)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `build_failures`; read the view `build_failures` instead';

-- View `build_failures`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS build_failures
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `run` String COMMENT 'Id of the pipeline run, unique over all providers',
    `attempt` Int32 COMMENT 'Which try of the run, from 1',
    `task` String COMMENT 'Id of the task, unique over all providers; empty where the run tells of none: then the run itself failed',
    `at` DateTime64(3, 'UTC') COMMENT 'When it ended. UTC, milliseconds',
    `pipeline` LowCardinality(String) COMMENT 'Name of the pipeline',
    `name` LowCardinality(String) COMMENT 'Name of the task',
    `step` LowCardinality(Nullable(String)) COMMENT 'Name of its first failing step; null where the provider did not tell',
    `class` LowCardinality(String) COMMENT 'Why it did not pass: failure (fault of the change), error (fault of the platform), flaky (it failed, and passed on the same commit with nothing changed), timeout, cancelled',
    `allowed_to_fail` Bool COMMENT 'True when its failure does not fail the run',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it ran on; null while unknown',
    `ref_name` Nullable(String) COMMENT 'Branch or tag that it ran on; null while unknown',
    `runner_group` LowCardinality(Nullable(String)) COMMENT 'Pool of the runner that it ran on; null where the provider did not tell',
    `queue` Nullable(Int64) COMMENT 'When it was ready to start to when it started, ms; null where one of them is unknown',
    `duration` Nullable(Int64) COMMENT 'When it started to when it ended, ms; null where one of them is unknown',
    `passed_attempt` Nullable(Int32) COMMENT 'Attempt that passed where it is flaky, from 1; null where it is not',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `run`, `attempt`, `task`, `at`, `pipeline`, `name`, `step`, `class`,
    `allowed_to_fail`, `commit`, `ref_name`, `runner_group`, `queue`, `duration`, `passed_attempt`, `link`
FROM build_failures_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Tasks of builds that did not pass, one row for each task and attempt, with the reason';
