-- How all tables of facts are laid out. The sort key is the identity of the row with the month before it, and the primary key
-- ends before `at`: a condition on `at` then uses the month (with `at` in the primary key it would not, and read five times as
-- much). A month is a partition, and time is part of the identity: `FINAL` never has to look beyond one. One that has rested
-- for ten minutes becomes one part, where `FINAL` has nothing to do.
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
    `kind` LowCardinality(String) COMMENT 'baseline (the first seen: no lead time), regular (ships new commits), hotfix (ships new commits, none of them from the default branch), configuration (ships changes of configuration only), dependencies (ships changes of dependencies only), rollback (first came as an older state), redeploy (first came without anything new), unfinished (never in production, so far). A version that comes back later stays the release that it was: see `kind` of `deployments`',
    `production_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Finish of its first successful production deployment, UTC, milliseconds; null before',
    `deployment` Nullable(String) COMMENT 'Id of that deployment; null before',
    `commits` Int32 COMMENT 'Commits it was the first to ship to production; count',
    `commits_complete` Bool COMMENT 'True when every one of its commits is known; false: counts and times are of those known',
    `machine_commits` Int32 COMMENT 'Those of its commits that automation accounts wrote; count',
    `lead_time` Nullable(Int64) COMMENT 'Lower median over its commits from author time to production, ms; negative where clocks disagree; null where it ships nothing new or is not in production',
    `lead_time_longest` Nullable(Int64) COMMENT 'Longest over its commits from author time to production, ms; null where lead_time is',
    `merge_to_production` Nullable(Int64) COMMENT 'Lower median over its commits from merge to production, ms; negative where it was merged after it was released; null where no merge is known',
    `median_commit` Nullable(String) COMMENT 'Commit whose way the segments describe, the one that lead_time is of; null where lead_time is',
    `coding` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time, of the way of median_commit: author time to the opening of the change, or to the merge without one, ms; null where lead_time is',
    `review` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: opening of the change to its merge, or to production where that came first, ms; 0 without a change; null where lead_time is',
    `merge_to_build` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merge to the first build of the release, ms; null where lead_time is',
    `queue` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a build waited for a runner, ms; null where lead_time is',
    `build_and_test` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a build or a test ran, ms; null where lead_time is',
    `gate_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a gate was closed, ms; null where lead_time is',
    `batch_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merged, waiting for the commit that was released, or built, waiting for its release, ms; null where lead_time is',
    `hand_off` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: between one environment and the next, ms; null where lead_time is',
    `deploy` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a deployment ran, ms; null where lead_time is',
    `unaccounted` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: what no event explains, ms; null where lead_time is',
    `clock_correction` Nullable(Int64) COMMENT 'lead_time less the sum of the ten segments, ms: not zero only where clocks disagree; null where lead_time is',
    `lead_time_working` Nullable(Int64) COMMENT 'Working time within lead_time of median_commit, by the calendar of the component, ms; null where lead_time is and without a calendar',
    `coding_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within coding, by the calendar of the component, ms; null where coding is and without a calendar',
    `review_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within review, by the calendar of the component, ms; null where review is and without a calendar',
    `merge_to_build_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within merge_to_build, by the calendar of the component, ms; null where merge_to_build is and without a calendar',
    `queue_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within queue, by the calendar of the component, ms; null where queue is and without a calendar',
    `build_and_test_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within build_and_test, by the calendar of the component, ms; null where build_and_test is and without a calendar',
    `gate_wait_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within gate_wait, by the calendar of the component, ms; null where gate_wait is and without a calendar',
    `batch_wait_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within batch_wait, by the calendar of the component, ms; null where batch_wait is and without a calendar',
    `hand_off_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within hand_off, by the calendar of the component, ms; null where hand_off is and without a calendar',
    `deploy_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within deploy, by the calendar of the component, ms; null where deploy is and without a calendar',
    `unaccounted_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within unaccounted, by the calendar of the component, ms; null where unaccounted is and without a calendar',
    `review_pickup` Nullable(Int64) COMMENT 'Part of review: until the first review by somebody else, ms; with review_approval and review_merge it makes review; null where review is and where no review is known',
    `review_approval` Nullable(Int64) COMMENT 'Part of review: from there to the last approval, ms; null where review_pickup is',
    `review_merge` Nullable(Int64) COMMENT 'Part of review: from there to the merge, ms; null where review_pickup is',
    `rework` Bool COMMENT 'True when it was shipped in answer to trouble that an earlier release of the component caused: of kind rollback or hotfix, or what came to production while an incident attributed to the component was open and resolved it',
    `failed` Bool COMMENT 'True when it degraded production: an incident is attributed to it, or it was rolled back',
    `incidents` Int32 COMMENT 'Incidents attributed to it; count',
    `recovered_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When production had recovered from its failure (its incidents were over, or another version had replaced it), UTC, milliseconds; null where it did not fail or has not recovered',
    `recovery` Nullable(Int64) COMMENT 'First sign of its failure to recovered_at, ms: from when the first incident that it caused began, else was noticed, and without an incident from production_at; null where recovered_at is',
    `excluded` Bool COMMENT 'True when a person took it out of the figures',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, at, version)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
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
    `kind` LowCardinality(String) COMMENT 'baseline (the first seen: no lead time), regular (ships new commits), hotfix (ships new commits, none of them from the default branch), configuration (ships changes of configuration only), dependencies (ships changes of dependencies only), rollback (first came as an older state), redeploy (first came without anything new), unfinished (never in production, so far). A version that comes back later stays the release that it was: see `kind` of `deployments`',
    `production_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Finish of its first successful production deployment, UTC, milliseconds; null before',
    `deployment` Nullable(String) COMMENT 'Id of that deployment; null before',
    `commits` Int32 COMMENT 'Commits it was the first to ship to production; count',
    `commits_complete` Bool COMMENT 'True when every one of its commits is known; false: counts and times are of those known',
    `machine_commits` Int32 COMMENT 'Those of its commits that automation accounts wrote; count',
    `lead_time` Nullable(Int64) COMMENT 'Lower median over its commits from author time to production, ms; negative where clocks disagree; null where it ships nothing new or is not in production',
    `lead_time_longest` Nullable(Int64) COMMENT 'Longest over its commits from author time to production, ms; null where lead_time is',
    `merge_to_production` Nullable(Int64) COMMENT 'Lower median over its commits from merge to production, ms; negative where it was merged after it was released; null where no merge is known',
    `median_commit` Nullable(String) COMMENT 'Commit whose way the segments describe, the one that lead_time is of; null where lead_time is',
    `coding` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time, of the way of median_commit: author time to the opening of the change, or to the merge without one, ms; null where lead_time is',
    `review` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: opening of the change to its merge, or to production where that came first, ms; 0 without a change; null where lead_time is',
    `merge_to_build` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merge to the first build of the release, ms; null where lead_time is',
    `queue` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a build waited for a runner, ms; null where lead_time is',
    `build_and_test` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a build or a test ran, ms; null where lead_time is',
    `gate_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a gate was closed, ms; null where lead_time is',
    `batch_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merged, waiting for the commit that was released, or built, waiting for its release, ms; null where lead_time is',
    `hand_off` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: between one environment and the next, ms; null where lead_time is',
    `deploy` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a deployment ran, ms; null where lead_time is',
    `unaccounted` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: what no event explains, ms; null where lead_time is',
    `clock_correction` Nullable(Int64) COMMENT 'lead_time less the sum of the ten segments, ms: not zero only where clocks disagree; null where lead_time is',
    `lead_time_working` Nullable(Int64) COMMENT 'Working time within lead_time of median_commit, by the calendar of the component, ms; null where lead_time is and without a calendar',
    `coding_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within coding, by the calendar of the component, ms; null where coding is and without a calendar',
    `review_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within review, by the calendar of the component, ms; null where review is and without a calendar',
    `merge_to_build_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within merge_to_build, by the calendar of the component, ms; null where merge_to_build is and without a calendar',
    `queue_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within queue, by the calendar of the component, ms; null where queue is and without a calendar',
    `build_and_test_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within build_and_test, by the calendar of the component, ms; null where build_and_test is and without a calendar',
    `gate_wait_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within gate_wait, by the calendar of the component, ms; null where gate_wait is and without a calendar',
    `batch_wait_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within batch_wait, by the calendar of the component, ms; null where batch_wait is and without a calendar',
    `hand_off_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within hand_off, by the calendar of the component, ms; null where hand_off is and without a calendar',
    `deploy_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within deploy, by the calendar of the component, ms; null where deploy is and without a calendar',
    `unaccounted_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within unaccounted, by the calendar of the component, ms; null where unaccounted is and without a calendar',
    `review_pickup` Nullable(Int64) COMMENT 'Part of review: until the first review by somebody else, ms; with review_approval and review_merge it makes review; null where review is and where no review is known',
    `review_approval` Nullable(Int64) COMMENT 'Part of review: from there to the last approval, ms; null where review_pickup is',
    `review_merge` Nullable(Int64) COMMENT 'Part of review: from there to the merge, ms; null where review_pickup is',
    `rework` Bool COMMENT 'True when it was shipped in answer to trouble that an earlier release of the component caused: of kind rollback or hotfix, or what came to production while an incident attributed to the component was open and resolved it',
    `failed` Bool COMMENT 'True when it degraded production: an incident is attributed to it, or it was rolled back',
    `incidents` Int32 COMMENT 'Incidents attributed to it; count',
    `recovered_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When production had recovered from its failure (its incidents were over, or another version had replaced it), UTC, milliseconds; null where it did not fail or has not recovered',
    `recovery` Nullable(Int64) COMMENT 'First sign of its failure to recovered_at, ms: from when the first incident that it caused began, else was noticed, and without an incident from production_at; null where recovered_at is',
    `excluded` Bool COMMENT 'True when a person took it out of the figures',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `version`, `at`, `team`, `repository`, `commit`, `kind`, `production_at`,
    `deployment`, `commits`, `commits_complete`, `machine_commits`, `lead_time`, `lead_time_longest`,
    `merge_to_production`, `median_commit`, `coding`, `review`, `merge_to_build`, `queue`, `build_and_test`,
    `gate_wait`, `batch_wait`, `hand_off`, `deploy`, `unaccounted`, `clock_correction`, `lead_time_working`,
    `coding_working`, `review_working`, `merge_to_build_working`, `queue_working`, `build_and_test_working`,
    `gate_wait_working`, `batch_wait_working`, `hand_off_working`, `deploy_working`, `unaccounted_working`,
    `review_pickup`, `review_approval`, `review_merge`, `rework`, `failed`, `incidents`, `recovered_at`,
    `recovery`, `excluded`, `link`
FROM releases_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Releases: one component at one version, with the lead time of its commits and where it went';
