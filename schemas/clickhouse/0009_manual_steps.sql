-- Table `manual_steps_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS manual_steps_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the step worked for; of several that its run deployed, the first by name (all of them: `run` in deployments)',
    `step` String COMMENT 'Id of the task, run, deployment or statement that it is known from, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When it was started. UTC, milliseconds',
    `kind` LowCardinality(String) COMMENT 'manual_job (a job that waits for a click), dispatched_run (a run started by hand), deployment (made by hand, outside of any run), named (seen by no system, named by a person)',
    `name` LowCardinality(String) COMMENT 'Name of the job, the pipeline or the environment, or as a person named it',
    `version` Nullable(String) COMMENT 'Version that it was for: the deployed tag, else the full commit id; null while unknown',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it was for; null while unknown',
    `environment` LowCardinality(Nullable(String)) COMMENT 'Environment that it was for, by name; null where there is none or it is unknown',
    `possible_from` Nullable(DateTime64(3, 'UTC')) COMMENT 'From when it could have been started, everything before it having ended, UTC, milliseconds; null while unknown',
    `finished_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it had ended, UTC, milliseconds; null before, or while unknown',
    `wait` Nullable(Int64) COMMENT 'possible_from to at, ms: how long everything waited for a click; null where possible_from is',
    `wait_working` Nullable(Int64) COMMENT 'Working time within wait, by the calendar of the component, ms; null where wait is and without a calendar',
    `duration` Nullable(Int64) COMMENT 'at to finished_at, ms; null where finished_at is',
    `run` Nullable(String) COMMENT 'Id of the pipeline run that it was part of; null where there is none or it is unknown',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, at, step)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `manual_steps`; read the view `manual_steps` instead';

-- View `manual_steps`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS manual_steps
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the step worked for; of several that its run deployed, the first by name (all of them: `run` in deployments)',
    `step` String COMMENT 'Id of the task, run, deployment or statement that it is known from, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When it was started. UTC, milliseconds',
    `kind` LowCardinality(String) COMMENT 'manual_job (a job that waits for a click), dispatched_run (a run started by hand), deployment (made by hand, outside of any run), named (seen by no system, named by a person)',
    `name` LowCardinality(String) COMMENT 'Name of the job, the pipeline or the environment, or as a person named it',
    `version` Nullable(String) COMMENT 'Version that it was for: the deployed tag, else the full commit id; null while unknown',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it was for; null while unknown',
    `environment` LowCardinality(Nullable(String)) COMMENT 'Environment that it was for, by name; null where there is none or it is unknown',
    `possible_from` Nullable(DateTime64(3, 'UTC')) COMMENT 'From when it could have been started, everything before it having ended, UTC, milliseconds; null while unknown',
    `finished_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it had ended, UTC, milliseconds; null before, or while unknown',
    `wait` Nullable(Int64) COMMENT 'possible_from to at, ms: how long everything waited for a click; null where possible_from is',
    `wait_working` Nullable(Int64) COMMENT 'Working time within wait, by the calendar of the component, ms; null where wait is and without a calendar',
    `duration` Nullable(Int64) COMMENT 'at to finished_at, ms; null where finished_at is',
    `run` Nullable(String) COMMENT 'Id of the pipeline run that it was part of; null where there is none or it is unknown',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `step`, `at`, `kind`, `name`, `version`, `commit`, `environment`, `possible_from`,
    `finished_at`, `wait`, `wait_working`, `duration`, `run`, `evidence`, `link`
FROM manual_steps_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Steps of releases that a person had to start, and how long everything waited for it';
