-- Applied at every start, before the record of what was applied can be read.
CREATE TABLE IF NOT EXISTS schema_migrations
(
    `number` UInt32 COMMENT 'Number of the migration: the first four digits of the file in schemas/clickhouse',
    `title` String COMMENT 'Name of the file after the number, without .sql',
    `sha256` String COMMENT 'SHA-256 of the file, hex: a file that was applied is never changed',
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it had been applied, UTC, milliseconds'
)
ENGINE = ReplacingMergeTree
ORDER BY (number, sha256)
COMMENT 'Migrations applied to this database; two rows for one number were two processes at once';
