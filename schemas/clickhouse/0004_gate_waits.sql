-- Table `gate_waits_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS gate_waits_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `gate` String COMMENT 'Id of this meeting of gate and release, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When the approval was asked for, else when it was decided. UTC, milliseconds',
    `version` Nullable(String) COMMENT 'Version that it held back; null while unknown',
    `name` LowCardinality(String) COMMENT 'Name of the gate',
    `kind` LowCardinality(String) COMMENT 'deployment_protection, review (approval of a change), manual_job, change_board, check (automatic), timer, merge_queue, unknown',
    `environment` LowCardinality(Nullable(String)) COMMENT 'Environment that it guards, by name; null when it guards none',
    `attempt` Int32 COMMENT 'Which try of what it guards, from 1',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it held back; null while unknown',
    `run` Nullable(String) COMMENT 'Id of the pipeline run that it held back; null when there is none or it is unknown',
    `requested_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the approval was asked for, UTC, milliseconds; null where only the decision is known',
    `blocking_from` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it had become the only obstacle, UTC, milliseconds; null while something else held the release back, or unknown',
    `decided_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was decided, UTC, milliseconds; null while open',
    `wait` Nullable(Int64) COMMENT 'blocking_from to decided_at, ms; null while open or where blocking_from is',
    `outcome` LowCardinality(String) COMMENT 'How it ended: open (somebody has to decide), approved, rejected, expired, cancelled, bypassed (passed without a decision)',
    `decided_by` LowCardinality(String) COMMENT 'Who decided: human, machine, unknown',
    `by_author` Nullable(Bool) COMMENT 'True when the author of the change decided; null where unknown',
    `approvals` Int32 COMMENT 'How many approved; count',
    `required` Nullable(Int32) COMMENT 'How many had to approve; count; null where unknown',
    `requests` Int32 COMMENT 'How many times the approval was asked for; count',
    `wait_working` Nullable(Int64) COMMENT 'Working time within wait, by the calendar of the component, ms; null where wait is and without a calendar',
    `decided_commit` Nullable(String) COMMENT 'Full id of the commit that was looked at; null where nobody told',
    `delegations` Int32 COMMENT 'How many times the decision was handed to somebody else; count',
    `caught` Nullable(Bool) COMMENT 'True when it rejected or failed, and a changed commit followed; null while open',
    `hollow` Array(LowCardinality(String)) COMMENT 'Reasons to doubt that passing it meant anything: no_tests (a gate of tests, and none ran or all were skipped), other_commit (another commit was looked at than was deployed), before_checks (decided before the checks of the commit had ended), by_author (the author of the change approved), within_seconds (a person decided within seconds); empty where there is none or it did not pass',
    `purposes` Array(LowCardinality(String)) COMMENT 'Kinds of incident that it is there to catch, by the catalog or by what a team said; empty while unknown',
    `missed` Array(String) COMMENT 'Ids of the incidents of such a kind that are attributed to the release that passed it; empty where there is none',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, at, gate)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `gate_waits`; read the view `gate_waits` instead';

-- View `gate_waits`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS gate_waits
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `gate` String COMMENT 'Id of this meeting of gate and release, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When the approval was asked for, else when it was decided. UTC, milliseconds',
    `version` Nullable(String) COMMENT 'Version that it held back; null while unknown',
    `name` LowCardinality(String) COMMENT 'Name of the gate',
    `kind` LowCardinality(String) COMMENT 'deployment_protection, review (approval of a change), manual_job, change_board, check (automatic), timer, merge_queue, unknown',
    `environment` LowCardinality(Nullable(String)) COMMENT 'Environment that it guards, by name; null when it guards none',
    `attempt` Int32 COMMENT 'Which try of what it guards, from 1',
    `commit` Nullable(String) COMMENT 'Full id of the commit that it held back; null while unknown',
    `run` Nullable(String) COMMENT 'Id of the pipeline run that it held back; null when there is none or it is unknown',
    `requested_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the approval was asked for, UTC, milliseconds; null where only the decision is known',
    `blocking_from` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it had become the only obstacle, UTC, milliseconds; null while something else held the release back, or unknown',
    `decided_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was decided, UTC, milliseconds; null while open',
    `wait` Nullable(Int64) COMMENT 'blocking_from to decided_at, ms; null while open or where blocking_from is',
    `outcome` LowCardinality(String) COMMENT 'How it ended: open (somebody has to decide), approved, rejected, expired, cancelled, bypassed (passed without a decision)',
    `decided_by` LowCardinality(String) COMMENT 'Who decided: human, machine, unknown',
    `by_author` Nullable(Bool) COMMENT 'True when the author of the change decided; null where unknown',
    `approvals` Int32 COMMENT 'How many approved; count',
    `required` Nullable(Int32) COMMENT 'How many had to approve; count; null where unknown',
    `requests` Int32 COMMENT 'How many times the approval was asked for; count',
    `wait_working` Nullable(Int64) COMMENT 'Working time within wait, by the calendar of the component, ms; null where wait is and without a calendar',
    `decided_commit` Nullable(String) COMMENT 'Full id of the commit that was looked at; null where nobody told',
    `delegations` Int32 COMMENT 'How many times the decision was handed to somebody else; count',
    `caught` Nullable(Bool) COMMENT 'True when it rejected or failed, and a changed commit followed; null while open',
    `hollow` Array(LowCardinality(String)) COMMENT 'Reasons to doubt that passing it meant anything: no_tests (a gate of tests, and none ran or all were skipped), other_commit (another commit was looked at than was deployed), before_checks (decided before the checks of the commit had ended), by_author (the author of the change approved), within_seconds (a person decided within seconds); empty where there is none or it did not pass',
    `purposes` Array(LowCardinality(String)) COMMENT 'Kinds of incident that it is there to catch, by the catalog or by what a team said; empty while unknown',
    `missed` Array(String) COMMENT 'Ids of the incidents of such a kind that are attributed to the release that passed it; empty where there is none',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `gate`, `at`, `version`, `name`, `kind`, `environment`, `attempt`, `commit`, `run`,
    `requested_at`, `blocking_from`, `decided_at`, `wait`, `outcome`, `decided_by`, `by_author`, `approvals`,
    `required`, `requests`, `wait_working`, `decided_commit`, `delegations`, `caught`, `hollow`, `purposes`,
    `missed`, `evidence`, `link`
FROM gate_waits_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Gates that releases met, and how long each was the only obstacle';
