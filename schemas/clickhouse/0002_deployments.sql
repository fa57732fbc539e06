-- Table `deployments_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS deployments_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `environment` LowCardinality(String) COMMENT 'Environment that was deployed to, by name',
    `deployment` String COMMENT 'Id of the deployment, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'Finish; before that, the first sign of the deployment. UTC, milliseconds',
    `version` Nullable(String) COMMENT 'Deployed tag, else the full commit id; null while the commit is unknown',
    `commit` Nullable(String) COMMENT 'Full id of the deployed commit; null while unknown',
    `tier` LowCardinality(String) COMMENT 'What the environment is for: production, staging, integration, other',
    `phase` LowCardinality(String) COMMENT 'How far it has come: created, waiting (held back by a gate, a lock or a limit), queued, running, finished, superseded (finished, and the provider has since called it inactive, as GitHub does with whatever the environment held before). It does not tell what runs now',
    `outcome` LowCardinality(Nullable(String)) COMMENT 'How it ended: success, failure (fault of the change), error (fault of the platform), timeout, cancelled, skipped, neutral, action_required, unknown; null while it has not ended',
    `kind` LowCardinality(String) COMMENT 'What it brought: baseline (the first seen there), forward (new commits), rollback, redeploy, unresolved (commit unknown), none (it did not succeed)',
    `created_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was made, UTC, milliseconds; null when the provider did not tell',
    `started_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it began to change the environment, UTC, milliseconds; null before, or when the provider did not tell',
    `finished_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC, milliseconds; null before',
    `commits` Int32 COMMENT 'Commits it was the first to bring to this environment; count',
    `commits_complete` Bool COMMENT 'True when every one of those commits is known; false: the count is of those known',
    `run` Nullable(String) COMMENT 'Id of the pipeline run that deployed it, `run` in builds and manual_steps; one run may deploy several components; null when unknown',
    `triggered_by` LowCardinality(String) COMMENT 'Which kind of account made it: human, machine (also for a run that a person started), unknown',
    `marker` LowCardinality(String) COMMENT 'What told of it: deployment (a deployment event), pipeline (a pipeline run), task, tag, release (a published release)',
    `partial_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its first stage had ended well, UTC, milliseconds; null before, or where it was not rolled out in stages',
    `replaced` Nullable(String) COMMENT 'Version that it replaced in its environment; null where it replaced none or that is unknown',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, environment, at, deployment)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `deployments`; read the view `deployments` instead';

-- View `deployments`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS deployments
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `environment` LowCardinality(String) COMMENT 'Environment that was deployed to, by name',
    `deployment` String COMMENT 'Id of the deployment, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'Finish; before that, the first sign of the deployment. UTC, milliseconds',
    `version` Nullable(String) COMMENT 'Deployed tag, else the full commit id; null while the commit is unknown',
    `commit` Nullable(String) COMMENT 'Full id of the deployed commit; null while unknown',
    `tier` LowCardinality(String) COMMENT 'What the environment is for: production, staging, integration, other',
    `phase` LowCardinality(String) COMMENT 'How far it has come: created, waiting (held back by a gate, a lock or a limit), queued, running, finished, superseded (finished, and the provider has since called it inactive, as GitHub does with whatever the environment held before). It does not tell what runs now',
    `outcome` LowCardinality(Nullable(String)) COMMENT 'How it ended: success, failure (fault of the change), error (fault of the platform), timeout, cancelled, skipped, neutral, action_required, unknown; null while it has not ended',
    `kind` LowCardinality(String) COMMENT 'What it brought: baseline (the first seen there), forward (new commits), rollback, redeploy, unresolved (commit unknown), none (it did not succeed)',
    `created_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was made, UTC, milliseconds; null when the provider did not tell',
    `started_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it began to change the environment, UTC, milliseconds; null before, or when the provider did not tell',
    `finished_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC, milliseconds; null before',
    `commits` Int32 COMMENT 'Commits it was the first to bring to this environment; count',
    `commits_complete` Bool COMMENT 'True when every one of those commits is known; false: the count is of those known',
    `run` Nullable(String) COMMENT 'Id of the pipeline run that deployed it, `run` in builds and manual_steps; one run may deploy several components; null when unknown',
    `triggered_by` LowCardinality(String) COMMENT 'Which kind of account made it: human, machine (also for a run that a person started), unknown',
    `marker` LowCardinality(String) COMMENT 'What told of it: deployment (a deployment event), pipeline (a pipeline run), task, tag, release (a published release)',
    `partial_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its first stage had ended well, UTC, milliseconds; null before, or where it was not rolled out in stages',
    `replaced` Nullable(String) COMMENT 'Version that it replaced in its environment; null where it replaced none or that is unknown',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `environment`, `deployment`, `at`, `version`, `commit`, `tier`, `phase`, `outcome`,
    `kind`, `created_at`, `started_at`, `finished_at`, `commits`, `commits_complete`, `run`, `triggered_by`,
    `marker`, `partial_at`, `replaced`, `evidence`, `link`
FROM deployments_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Deployments of releases to environments, one row for each attempt to deploy';
