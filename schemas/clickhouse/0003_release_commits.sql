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
    `authored_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Author time, of the earliest commit where commits were squashed or picked (see origin), UTC, milliseconds; null while unknown',
    `committed_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Commit time, UTC, milliseconds; null while unknown',
    `merged_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its change was merged, or it was pushed, UTC, milliseconds; null while unknown',
    `lead_time` Nullable(Int64) COMMENT 'Author time to the finish of that deployment, ms; negative where clocks disagree; null for the baseline and while the author time is unknown',
    `author_kind` LowCardinality(String) COMMENT 'Who wrote it: human, machine, unknown',
    `change` Nullable(String) COMMENT 'Number of the change (pull request, merge request) that brought it in, within the repository of the component; null when there was none, or the provider does not tell: of a change that was rebased, it may name the last commit alone',
    `lineage` LowCardinality(String) COMMENT 'How it is known to be part: deployed (the deployed commit itself), parents (parent links), push (order of a push)',
    `origin` LowCardinality(String) COMMENT 'What authored_at is taken from: unknown (nobody told a time), authored (its own author time), committed (its commit time, since no author time was told), squashed (the earliest of the commits squashed into it), picked (the commit that it was picked from)',
    `picked_from` Nullable(String) COMMENT 'Full id of the commit that it was picked from, as a trailer or the same patch tells; null where it was not picked',
    `reverts` Nullable(String) COMMENT 'Full id of the commit that it reverts; null where it reverts none',
    `reverted_by` Nullable(String) COMMENT 'Full id of the commit that reverted it; null where none did',
    `coding` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time, of its way to production: author time to the opening of the change, or to the merge without one, ms; null outside of production and where lead_time is',
    `review` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: opening of the change to its merge, or to production where that came first, ms; 0 without a change; null outside of production and where lead_time is',
    `merge_to_build` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merge to the first build of the release, ms; null outside of production and where lead_time is',
    `queue` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a build waited for a runner, ms; null outside of production and where lead_time is',
    `build_and_test` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a build or a test ran, ms; null outside of production and where lead_time is',
    `gate_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a gate was closed, ms; null outside of production and where lead_time is',
    `batch_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merged, waiting for the commit that was released, or built, waiting for its release, ms; null outside of production and where lead_time is',
    `hand_off` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: between one environment and the next, ms; null outside of production and where lead_time is',
    `deploy` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a deployment ran, ms; null outside of production and where lead_time is',
    `unaccounted` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: what no event explains, ms; null outside of production and where lead_time is',
    `clock_correction` Nullable(Int64) COMMENT 'lead_time less the sum of the ten segments, ms: not zero only where clocks disagree; null outside of production and where lead_time is',
    `lead_time_working` Nullable(Int64) COMMENT 'Working time within lead_time, by the calendar of the component, ms; null outside of production and where lead_time is and without a calendar',
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
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, environment, at, commit)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
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
    `authored_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Author time, of the earliest commit where commits were squashed or picked (see origin), UTC, milliseconds; null while unknown',
    `committed_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Commit time, UTC, milliseconds; null while unknown',
    `merged_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When its change was merged, or it was pushed, UTC, milliseconds; null while unknown',
    `lead_time` Nullable(Int64) COMMENT 'Author time to the finish of that deployment, ms; negative where clocks disagree; null for the baseline and while the author time is unknown',
    `author_kind` LowCardinality(String) COMMENT 'Who wrote it: human, machine, unknown',
    `change` Nullable(String) COMMENT 'Number of the change (pull request, merge request) that brought it in, within the repository of the component; null when there was none, or the provider does not tell: of a change that was rebased, it may name the last commit alone',
    `lineage` LowCardinality(String) COMMENT 'How it is known to be part: deployed (the deployed commit itself), parents (parent links), push (order of a push)',
    `origin` LowCardinality(String) COMMENT 'What authored_at is taken from: unknown (nobody told a time), authored (its own author time), committed (its commit time, since no author time was told), squashed (the earliest of the commits squashed into it), picked (the commit that it was picked from)',
    `picked_from` Nullable(String) COMMENT 'Full id of the commit that it was picked from, as a trailer or the same patch tells; null where it was not picked',
    `reverts` Nullable(String) COMMENT 'Full id of the commit that it reverts; null where it reverts none',
    `reverted_by` Nullable(String) COMMENT 'Full id of the commit that reverted it; null where none did',
    `coding` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time, of its way to production: author time to the opening of the change, or to the merge without one, ms; null outside of production and where lead_time is',
    `review` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: opening of the change to its merge, or to production where that came first, ms; 0 without a change; null outside of production and where lead_time is',
    `merge_to_build` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merge to the first build of the release, ms; null outside of production and where lead_time is',
    `queue` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a build waited for a runner, ms; null outside of production and where lead_time is',
    `build_and_test` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a build or a test ran, ms; null outside of production and where lead_time is',
    `gate_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: nothing ran, a gate was closed, ms; null outside of production and where lead_time is',
    `batch_wait` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: merged, waiting for the commit that was released, or built, waiting for its release, ms; null outside of production and where lead_time is',
    `hand_off` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: between one environment and the next, ms; null outside of production and where lead_time is',
    `deploy` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: a deployment ran, ms; null outside of production and where lead_time is',
    `unaccounted` Nullable(Int64) COMMENT 'One of the ten segments that with clock_correction make lead_time: what no event explains, ms; null outside of production and where lead_time is',
    `clock_correction` Nullable(Int64) COMMENT 'lead_time less the sum of the ten segments, ms: not zero only where clocks disagree; null outside of production and where lead_time is',
    `lead_time_working` Nullable(Int64) COMMENT 'Working time within lead_time, by the calendar of the component, ms; null outside of production and where lead_time is and without a calendar',
    `coding_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within coding, by the calendar of the component, ms; null where coding is and without a calendar',
    `review_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within review, by the calendar of the component, ms; null where review is and without a calendar',
    `merge_to_build_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within merge_to_build, by the calendar of the component, ms; null where merge_to_build is and without a calendar',
    `queue_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within queue, by the calendar of the component, ms; null where queue is and without a calendar',
    `build_and_test_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within build_and_test, by the calendar of the component, ms; null where build_and_test is and without a calendar',
    `gate_wait_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within gate_wait, by the calendar of the component, ms; null where gate_wait is and without a calendar',
    `batch_wait_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within batch_wait, by the calendar of the component, ms; null where batch_wait is and without a calendar',
    `hand_off_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within hand_off, by the calendar of the component, ms; null where hand_off is and without a calendar',
    `deploy_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within deploy, by the calendar of the component, ms; null where deploy is and without a calendar',
    `unaccounted_working` Nullable(Int64) COMMENT 'One of the ten parts that make lead_time_working: the working time within unaccounted, by the calendar of the component, ms; null where unaccounted is and without a calendar'
)
AS SELECT
    `realm`, `component`, `environment`, `commit`, `at`, `version`, `deployment`, `tier`, `baseline`,
    `authored_at`, `committed_at`, `merged_at`, `lead_time`, `author_kind`, `change`, `lineage`, `origin`,
    `picked_from`, `reverts`, `reverted_by`, `coding`, `review`, `merge_to_build`, `queue`, `build_and_test`,
    `gate_wait`, `batch_wait`, `hand_off`, `deploy`, `unaccounted`, `clock_correction`, `lead_time_working`,
    `coding_working`, `review_working`, `merge_to_build_working`, `queue_working`, `build_and_test_working`,
    `gate_wait_working`, `batch_wait_working`, `hand_off_working`, `deploy_working`, `unaccounted_working`
FROM release_commits_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Commits and the deployment that first brought each to an environment; one row for each component, environment and commit';
