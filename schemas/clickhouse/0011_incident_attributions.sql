-- Table `incident_attributions_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS incident_attributions_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `version` String COMMENT 'Version of the release: the deployed tag, else the full commit id',
    `incident` String COMMENT 'Id of the incident, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When the incident was noticed; before that is told, the first sign of it. UTC, milliseconds',
    `grade` LowCardinality(String) COMMENT 'How well it is known that the incident belongs to the release, the best first: said (a person said so), explicit (the incident names the deployment, the release or the change), commit (it names an artifact or a commit of it), window (the last to come to a service of the incident, within the window of the component)',
    `candidates` Int32 COMMENT 'Releases that the incident is attributed to with this grade; count; where it is more than one, none of them is certain',
    `deployment` Nullable(String) COMMENT 'Id of the deployment that brought the release to production; null while unknown',
    `after_deployment` Nullable(Int64) COMMENT 'Finish of that deployment to the beginning of the incident, else to when it was noticed, ms; negative where clocks disagree; null where deployment is',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page of the incident at the provider; null when the provider gave none',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
PARTITION BY toYYYYMM(at)
PRIMARY KEY (realm, toYYYYMM(at), component)
ORDER BY (realm, toYYYYMM(at), component, at, incident, version)
SETTINGS non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Revisions of the rows of `incident_attributions`; read the view `incident_attributions` instead';

-- View `incident_attributions`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS incident_attributions
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Deployable unit that the row belongs to',
    `version` String COMMENT 'Version of the release: the deployed tag, else the full commit id',
    `incident` String COMMENT 'Id of the incident, unique over all providers',
    `at` DateTime64(3, 'UTC') COMMENT 'When the incident was noticed; before that is told, the first sign of it. UTC, milliseconds',
    `grade` LowCardinality(String) COMMENT 'How well it is known that the incident belongs to the release, the best first: said (a person said so), explicit (the incident names the deployment, the release or the change), commit (it names an artifact or a commit of it), window (the last to come to a service of the incident, within the window of the component)',
    `candidates` Int32 COMMENT 'Releases that the incident is attributed to with this grade; count; where it is more than one, none of them is certain',
    `deployment` Nullable(String) COMMENT 'Id of the deployment that brought the release to production; null while unknown',
    `after_deployment` Nullable(Int64) COMMENT 'Finish of that deployment to the beginning of the incident, else to when it was noticed, ms; negative where clocks disagree; null where deployment is',
    `evidence` Array(String) COMMENT 'Ids of the events that the row rests on',
    `link` Nullable(String) COMMENT 'Page of the incident at the provider; null when the provider gave none'
)
AS SELECT
    `realm`, `component`, `version`, `incident`, `at`, `grade`, `candidates`, `deployment`, `after_deployment`,
    `evidence`, `link`
FROM incident_attributions_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Incidents and the releases that may have caused them, one row for each pair, with how well that is known';
