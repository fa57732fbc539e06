-- How all tables of facts are laid out. The sort key is the identity of the row with the month before it, and the primary key
-- ends before `at`: a condition on `at` then uses the month (with `at` in the primary key it would not, and read five times as
-- much). A year is a partition, and time is part of the identity: `FINAL` never has to look beyond one.
-- `deleted` rows stay: they still beat an older revision that is loaded again.

-- Table `releases_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS releases_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `version` String COMMENT 'Deployed tag, else the full commit id',
    `at` DateTime64(3, 'UTC') COMMENT 'Finish of its first successful production deployment; before that, the first sign of the release. UTC, milliseconds',
    `team` LowCardinality(Nullable(String)) COMMENT 'Team that owns the component; null when the catalog names none',
    `repository` LowCardinality(Nullable(String)) COMMENT 'Repository as host/path in lower case; null while unknown',
    `commit` Nullable(String) COMMENT 'Full id of the deployed commit; null while unknown',
    `kind` LowCardinality(String) COMMENT 'baseline (the first seen: no lead time), regular (ships new commits), rollback (brings an older version back), redeploy (ships nothing new), unfinished (not yet in production)',
    `production_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Finish of its first successful production deployment, UTC, milliseconds; null before',
    `deployment` Nullable(String) COMMENT 'Id of that deployment; null before',
    `commits` Int32 COMMENT 'Commits it was the first to ship to production; count',
    `commits_complete` Bool COMMENT 'True when every one of its commits is known; false: counts and times are of those known',
    `machine_commits` Int32 COMMENT 'Those of its commits that automation accounts wrote; count',
    `lead_time` Nullable(Int64) COMMENT 'Lower median over its commits from author time to production, ms; negative where clocks disagree; null where it ships nothing new or is not in production',
    `lead_time_longest` Nullable(Int64) COMMENT 'Longest over its commits from author time to production, ms; null where lead_time is',
    `merge_to_production` Nullable(Int64) COMMENT 'Lower median over its commits from merge to production, ms; null where no merge is known',
    `median_commit` Nullable(String) COMMENT 'Commit whose way the segments describe, the one that lead_time is of; null where lead_time is',
    `coding` Nullable(Int64) COMMENT 'Segment of the way of median_commit: author time to the opening of the change, or to the merge without one, ms; null where lead_time is',
    `review` Nullable(Int64) COMMENT 'Segment: opening of the change to its merge, ms; null where lead_time is',
    `merge_to_build` Nullable(Int64) COMMENT 'Segment: merge to the first build of the release, ms; null where lead_time is',
    `queue` Nullable(Int64) COMMENT 'Segment: nothing ran, a build waited for a runner, ms; null where lead_time is',
    `build_and_test` Nullable(Int64) COMMENT 'Segment: a build or a test ran, ms; null where lead_time is',
    `gate_wait` Nullable(Int64) COMMENT 'Segment: nothing ran, a gate was closed, ms; null where lead_time is',
    `batch_wait` Nullable(Int64) COMMENT 'Segment: merged, waiting for the commit that was released, or built, waiting for its release, ms; null where lead_time is',
    `hand_off` Nullable(Int64) COMMENT 'Segment: between one environment and the next, ms; null where lead_time is',
    `deploy` Nullable(Int64) COMMENT 'Segment: a deployment ran, ms; null where lead_time is',
    `unaccounted` Nullable(Int64) COMMENT 'Segment: what no event explains, ms; null where lead_time is',
    `clock_correction` Nullable(Int64) COMMENT 'lead_time less the sum of the segments, ms: not zero only where clocks disagree; null where lead_time is',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYear(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, at, version)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Revisions of the rows of `releases`; read the view `releases` instead';

-- View `releases`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS releases
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `version` String COMMENT 'Deployed tag, else the full commit id',
    `at` DateTime64(3, 'UTC') COMMENT 'Finish of its first successful production deployment; before that, the first sign of the release. UTC, milliseconds',
    `team` LowCardinality(Nullable(String)) COMMENT 'Team that owns the component; null when the catalog names none',
    `repository` LowCardinality(Nullable(String)) COMMENT 'Repository as host/path in lower case; null while unknown',
    `commit` Nullable(String) COMMENT 'Full id of the deployed commit; null while unknown',
    `kind` LowCardinality(String) COMMENT 'baseline (the first seen: no lead time), regular (ships new commits), rollback (brings an older version back), redeploy (ships nothing new), unfinished (not yet in production)',
    `production_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Finish of its first successful production deployment, UTC, milliseconds; null before',
    `deployment` Nullable(String) COMMENT 'Id of that deployment; null before',
    `commits` Int32 COMMENT 'Commits it was the first to ship to production; count',
    `commits_complete` Bool COMMENT 'True when every one of its commits is known; false: counts and times are of those known',
    `machine_commits` Int32 COMMENT 'Those of its commits that automation accounts wrote; count',
    `lead_time` Nullable(Int64) COMMENT 'Lower median over its commits from author time to production, ms; negative where clocks disagree; null where it ships nothing new or is not in production',
    `lead_time_longest` Nullable(Int64) COMMENT 'Longest over its commits from author time to production, ms; null where lead_time is',
    `merge_to_production` Nullable(Int64) COMMENT 'Lower median over its commits from merge to production, ms; null where no merge is known',
    `median_commit` Nullable(String) COMMENT 'Commit whose way the segments describe, the one that lead_time is of; null where lead_time is',
    `coding` Nullable(Int64) COMMENT 'Segment of the way of median_commit: author time to the opening of the change, or to the merge without one, ms; null where lead_time is',
    `review` Nullable(Int64) COMMENT 'Segment: opening of the change to its merge, ms; null where lead_time is',
    `merge_to_build` Nullable(Int64) COMMENT 'Segment: merge to the first build of the release, ms; null where lead_time is',
    `queue` Nullable(Int64) COMMENT 'Segment: nothing ran, a build waited for a runner, ms; null where lead_time is',
    `build_and_test` Nullable(Int64) COMMENT 'Segment: a build or a test ran, ms; null where lead_time is',
    `gate_wait` Nullable(Int64) COMMENT 'Segment: nothing ran, a gate was closed, ms; null where lead_time is',
    `batch_wait` Nullable(Int64) COMMENT 'Segment: merged, waiting for the commit that was released, or built, waiting for its release, ms; null where lead_time is',
    `hand_off` Nullable(Int64) COMMENT 'Segment: between one environment and the next, ms; null where lead_time is',
    `deploy` Nullable(Int64) COMMENT 'Segment: a deployment ran, ms; null where lead_time is',
    `unaccounted` Nullable(Int64) COMMENT 'Segment: what no event explains, ms; null where lead_time is',
    `clock_correction` Nullable(Int64) COMMENT 'lead_time less the sum of the segments, ms: not zero only where clocks disagree; null where lead_time is',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `version`, `at`, `team`, `repository`, `commit`, `kind`, `production_at`,
    `deployment`, `commits`, `commits_complete`, `machine_commits`, `lead_time`, `lead_time_longest`,
    `merge_to_production`, `median_commit`, `coding`, `review`, `merge_to_build`, `queue`, `build_and_test`,
    `gate_wait`, `batch_wait`, `hand_off`, `deploy`, `unaccounted`, `clock_correction`, `link`
FROM releases_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Releases: one component at one version, with the lead time of its commits and where it went';
