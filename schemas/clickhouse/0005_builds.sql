-- Table `builds_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS builds_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the run deployed, the first by name of several (all of them: `run` in deployments); where it deployed none, that of its repository',
    `run` String COMMENT 'Id of the pipeline run, unique over all providers',
    `attempt` Int32 COMMENT 'Which try of the run, from 1',
    `at` DateTime64(3, 'UTC') COMMENT 'When the attempt was made. UTC, milliseconds',
    `pipeline` LowCardinality(String) COMMENT 'Name of the pipeline',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it ran on; null while unknown',
    `ref_name` Nullable(String) COMMENT 'Branch or tag that it ran on; null while unknown',
    `phase` LowCardinality(String) COMMENT 'How far it has come: created, waiting (held back by a gate, a lock or a limit), queued, running, finished, superseded',
    `outcome` LowCardinality(Nullable(String)) COMMENT 'How it ended: success, failure (fault of the change), error (fault of the platform), timeout, cancelled, skipped, neutral, action_required, unknown; null while it has not ended',
    `trigger` LowCardinality(String) COMMENT 'What started it: push, change, merge_queue, tag, schedule, manual, api, upstream (another run), deployment, incident, other, unknown',
    `triggered_by` LowCardinality(String) COMMENT 'Which kind of account it goes back to: human (also by a push), machine, unknown',
    `created_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was made, UTC, milliseconds; null when the provider did not tell',
    `queued_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was ready to start, UTC, milliseconds; null before, or when the provider did not tell',
    `started_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its first task started on a runner, else when it started, UTC, milliseconds; null before',
    `finished_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC, milliseconds; null before',
    `queue` Nullable(Int64) COMMENT 'queued_at to started_at, ms; null where one of them is',
    `duration` Nullable(Int64) COMMENT 'started_at to finished_at, ms, with what it waited for gates in between; null where one of them is',
    `tasks` Int32 COMMENT 'Tasks known of it; count',
    `failed_tasks` Int32 COMMENT 'Tasks that failed; count',
    `first_failed_task` Nullable(String) COMMENT 'Name of the failed task that ended first; null when none failed',
    `first_failed_step` Nullable(String) COMMENT 'Name of its first failing step; null when none failed or the provider did not tell',
    `class` LowCardinality(Nullable(String)) COMMENT 'Why it did not pass: failure (fault of the change), error (fault of the platform), flaky (it failed, and passed on the same commit with nothing changed), timeout, cancelled; null where it passed or has not ended',
    `green_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its pipeline passed on its branch again, UTC, milliseconds; null where it is not the first failure there since the last success, or none has passed since',
    `time_to_green` Nullable(Int64) COMMENT 'finished_at to green_at, ms; null where green_at is',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, at, run, attempt)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `builds`; read the view `builds` instead';

-- View `builds`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS builds
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the run deployed, the first by name of several (all of them: `run` in deployments); where it deployed none, that of its repository',
    `run` String COMMENT 'Id of the pipeline run, unique over all providers',
    `attempt` Int32 COMMENT 'Which try of the run, from 1',
    `at` DateTime64(3, 'UTC') COMMENT 'When the attempt was made. UTC, milliseconds',
    `pipeline` LowCardinality(String) COMMENT 'Name of the pipeline',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it ran on; null while unknown',
    `ref_name` Nullable(String) COMMENT 'Branch or tag that it ran on; null while unknown',
    `phase` LowCardinality(String) COMMENT 'How far it has come: created, waiting (held back by a gate, a lock or a limit), queued, running, finished, superseded',
    `outcome` LowCardinality(Nullable(String)) COMMENT 'How it ended: success, failure (fault of the change), error (fault of the platform), timeout, cancelled, skipped, neutral, action_required, unknown; null while it has not ended',
    `trigger` LowCardinality(String) COMMENT 'What started it: push, change, merge_queue, tag, schedule, manual, api, upstream (another run), deployment, incident, other, unknown',
    `triggered_by` LowCardinality(String) COMMENT 'Which kind of account it goes back to: human (also by a push), machine, unknown',
    `created_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was made, UTC, milliseconds; null when the provider did not tell',
    `queued_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was ready to start, UTC, milliseconds; null before, or when the provider did not tell',
    `started_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its first task started on a runner, else when it started, UTC, milliseconds; null before',
    `finished_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC, milliseconds; null before',
    `queue` Nullable(Int64) COMMENT 'queued_at to started_at, ms; null where one of them is',
    `duration` Nullable(Int64) COMMENT 'started_at to finished_at, ms, with what it waited for gates in between; null where one of them is',
    `tasks` Int32 COMMENT 'Tasks known of it; count',
    `failed_tasks` Int32 COMMENT 'Tasks that failed; count',
    `first_failed_task` Nullable(String) COMMENT 'Name of the failed task that ended first; null when none failed',
    `first_failed_step` Nullable(String) COMMENT 'Name of its first failing step; null when none failed or the provider did not tell',
    `class` LowCardinality(Nullable(String)) COMMENT 'Why it did not pass: failure (fault of the change), error (fault of the platform), flaky (it failed, and passed on the same commit with nothing changed), timeout, cancelled; null where it passed or has not ended',
    `green_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its pipeline passed on its branch again, UTC, milliseconds; null where it is not the first failure there since the last success, or none has passed since',
    `time_to_green` Nullable(Int64) COMMENT 'finished_at to green_at, ms; null where green_at is',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `run`, `attempt`, `at`, `pipeline`, `commit`, `ref_name`, `phase`, `outcome`,
    `trigger`, `triggered_by`, `created_at`, `queued_at`, `started_at`, `finished_at`, `queue`, `duration`,
    `tasks`, `failed_tasks`, `first_failed_task`, `first_failed_step`, `class`, `green_at`, `time_to_green`,
    `link`
FROM builds_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Pipeline runs, one row for each attempt';
