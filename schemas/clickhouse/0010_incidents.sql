-- Table `incidents_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
-- An incident may concern several components or none that is known: its key has none.
CREATE TABLE IF NOT EXISTS incidents_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `incident` String COMMENT 'Id of the incident, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When it was noticed; before that is told, the first sign of it. UTC, milliseconds',
    `state` LowCardinality(String) COMMENT 'Where it stands: detected (nobody has taken it on), acknowledged (somebody is on it), resolved (over), merged (it turned out to be another one), retracted (it was none)',
    `number` Nullable(String) COMMENT 'Number or key shown to people; null when the provider gave none',
    `severity` LowCardinality(Nullable(String)) COMMENT 'Severity as the provider names it; null when the provider gave none',
    `priority` LowCardinality(Nullable(String)) COMMENT 'Priority as the provider names it; null when the provider gave none',
    `services` Array(LowCardinality(String)) COMMENT 'Services as the provider names them',
    `components` Array(LowCardinality(String)) COMMENT 'Components that these services mean',
    `environment` LowCardinality(Nullable(String)) COMMENT 'Environment that it happened in, by name; null while unknown',
    `kinds` Array(LowCardinality(String)) COMMENT 'Kinds and labels as the provider names them',
    `started_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the trouble began, UTC, milliseconds; null where nobody told',
    `detected_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was noticed, UTC, milliseconds; null while unknown',
    `acknowledged_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When somebody first took it on, UTC, milliseconds; null before',
    `resolved_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was over for good, UTC, milliseconds; null while it is not',
    `reopened` Int32 COMMENT 'How many times it turned out not to be over; count',
    `merged_into` Nullable(String) COMMENT 'Id of the incident that remains; null where it was not merged into one',
    `detected_by` LowCardinality(String) COMMENT 'Who noticed: human (a person), machine (a monitor), unknown',
    `time_to_acknowledge` Nullable(Int64) COMMENT 'started_at, else detected_at, to acknowledged_at, ms; null where the first or the last is unknown',
    `time_to_restore` Nullable(Int64) COMMENT 'started_at, else detected_at, to resolved_at, ms; null where the first or the last is unknown',
    `grade` LowCardinality(String) COMMENT 'How well the release that it belongs to is known, the best among its attributions: said (a person said so), explicit (the incident names the deployment, the release or the change), commit (it names an artifact or a commit of it), window (the last to come to a service of the incident, within the window of the component), unattributed (nothing ties it to a release)',
    `attributions` Int32 COMMENT 'Releases that it is attributed to; count',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at))
ORDER BY (realm, toYYYYMM(at), at, incident)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `incidents`; read the view `incidents` instead';

-- View `incidents`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS incidents
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `incident` String COMMENT 'Id of the incident, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When it was noticed; before that is told, the first sign of it. UTC, milliseconds',
    `state` LowCardinality(String) COMMENT 'Where it stands: detected (nobody has taken it on), acknowledged (somebody is on it), resolved (over), merged (it turned out to be another one), retracted (it was none)',
    `number` Nullable(String) COMMENT 'Number or key shown to people; null when the provider gave none',
    `severity` LowCardinality(Nullable(String)) COMMENT 'Severity as the provider names it; null when the provider gave none',
    `priority` LowCardinality(Nullable(String)) COMMENT 'Priority as the provider names it; null when the provider gave none',
    `services` Array(LowCardinality(String)) COMMENT 'Services as the provider names them',
    `components` Array(LowCardinality(String)) COMMENT 'Components that these services mean',
    `environment` LowCardinality(Nullable(String)) COMMENT 'Environment that it happened in, by name; null while unknown',
    `kinds` Array(LowCardinality(String)) COMMENT 'Kinds and labels as the provider names them',
    `started_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the trouble began, UTC, milliseconds; null where nobody told',
    `detected_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was noticed, UTC, milliseconds; null while unknown',
    `acknowledged_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When somebody first took it on, UTC, milliseconds; null before',
    `resolved_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was over for good, UTC, milliseconds; null while it is not',
    `reopened` Int32 COMMENT 'How many times it turned out not to be over; count',
    `merged_into` Nullable(String) COMMENT 'Id of the incident that remains; null where it was not merged into one',
    `detected_by` LowCardinality(String) COMMENT 'Who noticed: human (a person), machine (a monitor), unknown',
    `time_to_acknowledge` Nullable(Int64) COMMENT 'started_at, else detected_at, to acknowledged_at, ms; null where the first or the last is unknown',
    `time_to_restore` Nullable(Int64) COMMENT 'started_at, else detected_at, to resolved_at, ms; null where the first or the last is unknown',
    `grade` LowCardinality(String) COMMENT 'How well the release that it belongs to is known, the best among its attributions: said (a person said so), explicit (the incident names the deployment, the release or the change), commit (it names an artifact or a commit of it), window (the last to come to a service of the incident, within the window of the component), unattributed (nothing ties it to a release)',
    `attributions` Int32 COMMENT 'Releases that it is attributed to; count',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `incident`, `at`, `state`, `number`, `severity`, `priority`, `services`, `components`,
    `environment`, `kinds`, `started_at`, `detected_at`, `acknowledged_at`, `resolved_at`, `reopened`,
    `merged_into`, `detected_by`, `time_to_acknowledge`, `time_to_restore`, `grade`, `attributions`, `evidence`,
    `link`
FROM incidents_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Incidents, with how soon each was taken on and over, and whether a release is known that caused it';
