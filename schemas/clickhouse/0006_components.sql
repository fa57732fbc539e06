-- Table `components_rows`: every revision of every row, as the loader wrote it. Nobody but the loader needs it.
CREATE TABLE IF NOT EXISTS components_rows
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Name of the deployable unit',
    `team` LowCardinality(Nullable(String)) COMMENT 'Team that owns it; null when the catalog names none',
    `repository` LowCardinality(Nullable(String)) COMMENT 'Repository as host/path in lower case; null while unknown',
    `paths` Array(String) COMMENT 'Path patterns in the repository that belong to it; empty for the whole repository',
    `declared` Bool COMMENT 'True when the catalog names it; false: a repository or a service taken as one',
    `acknowledged` Array(DateTime64(3, 'UTC')) COMMENT 'When somebody acknowledged a shift, so that what came since is its new usual, in order: UTC, milliseconds; empty where nobody did',
    `revision` Int64 COMMENT 'Generation << 40 | sequence of the correlator: of rows with one identity the highest counts',
    `deleted` UInt8 COMMENT '1 when the fact no longer holds: the row takes back those with lower revisions'
)
ENGINE = ReplacingMergeTree(revision, deleted)
ORDER BY (realm, component)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Revisions of the rows of `components`; read the view `components` instead';

-- View `components`: the last revision of each row that still holds.
CREATE VIEW IF NOT EXISTS components
(
    `realm` LowCardinality(String) COMMENT 'Organisation inside which things may refer to each other; `default` unless the source names another',
    `component` LowCardinality(String) COMMENT 'Name of the deployable unit',
    `team` LowCardinality(Nullable(String)) COMMENT 'Team that owns it; null when the catalog names none',
    `repository` LowCardinality(Nullable(String)) COMMENT 'Repository as host/path in lower case; null while unknown',
    `paths` Array(String) COMMENT 'Path patterns in the repository that belong to it; empty for the whole repository',
    `declared` Bool COMMENT 'True when the catalog names it; false: a repository or a service taken as one',
    `acknowledged` Array(DateTime64(3, 'UTC')) COMMENT 'When somebody acknowledged a shift, so that what came since is its new usual, in order: UTC, milliseconds; empty where nobody did'
)
AS SELECT
    `realm`, `component`, `team`, `repository`, `paths`, `declared`, `acknowledged`
FROM components_rows FINAL
COMMENT 'Components: deployable units, with their team and repository';
