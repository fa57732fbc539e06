-- Table `release_commits_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS release_commits_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `environment` LowCardinality(String) COMMENT 'Environment that the commit reached, by name',
    `commit` String COMMENT 'Full id of the commit',
    `at` DateTime64(3, 'UTC') COMMENT 'Finish of the deployment that first brought it there. UTC, milliseconds',
    `version` String COMMENT 'Version that it was part of: the deployed tag, else the full commit id',
    `deployment` String COMMENT 'Id of that deployment',
    `tier` LowCardinality(String) COMMENT 'What the environment is for: production, staging, integration, other',
    `baseline` Bool COMMENT 'True when it came with the first deployment seen: history without a lead time',
    `authored_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Author time, of the earliest commit where commits were squashed, UTC, milliseconds; null while unknown',
    `committed_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Commit time, UTC, milliseconds; null while unknown',
    `merged_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its change was merged, or it was pushed, UTC, milliseconds; null while unknown',
    `lead_time` Nullable(Int64) COMMENT 'Author time to the finish of that deployment, ms; negative where clocks disagree; null for the baseline and while the author time is unknown',
    `author_kind` LowCardinality(String) COMMENT 'Who wrote it: human, machine, unknown',
    `change` Nullable(String) COMMENT 'Number of the change (pull request, merge request) that brought it in, within its repository; null when there was none or it is unknown',
    `lineage` LowCardinality(String) COMMENT 'How it is known to be part: deployed (the deployed commit itself), parents (parent links), push (order of a push)',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYear(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, environment, at, commit)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Revisions of the rows of `release_commits`; read the view `release_commits` instead';

-- View `release_commits`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS release_commits
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `environment` LowCardinality(String) COMMENT 'Environment that the commit reached, by name',
    `commit` String COMMENT 'Full id of the commit',
    `at` DateTime64(3, 'UTC') COMMENT 'Finish of the deployment that first brought it there. UTC, milliseconds',
    `version` String COMMENT 'Version that it was part of: the deployed tag, else the full commit id',
    `deployment` String COMMENT 'Id of that deployment',
    `tier` LowCardinality(String) COMMENT 'What the environment is for: production, staging, integration, other',
    `baseline` Bool COMMENT 'True when it came with the first deployment seen: history without a lead time',
    `authored_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Author time, of the earliest commit where commits were squashed, UTC, milliseconds; null while unknown',
    `committed_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Commit time, UTC, milliseconds; null while unknown',
    `merged_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its change was merged, or it was pushed, UTC, milliseconds; null while unknown',
    `lead_time` Nullable(Int64) COMMENT 'Author time to the finish of that deployment, ms; negative where clocks disagree; null for the baseline and while the author time is unknown',
    `author_kind` LowCardinality(String) COMMENT 'Who wrote it: human, machine, unknown',
    `change` Nullable(String) COMMENT 'Number of the change (pull request, merge request) that brought it in, within its repository; null when there was none or it is unknown',
    `lineage` LowCardinality(String) COMMENT 'How it is known to be part: deployed (the deployed commit itself), parents (parent links), push (order of a push)'
)
AS SELECT
    `realm`, `component`, `environment`, `commit`, `at`, `version`, `deployment`, `tier`, `baseline`,
    `authored_at`, `committed_at`, `merged_at`, `lead_time`, `author_kind`, `change`, `lineage`
FROM release_commits_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Commits and the deployment that first brought each to an environment; one row for each component, environment and commit';
