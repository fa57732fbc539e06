-- Table `load_watermarks_rows`: what the loader said after each batch.
CREATE TABLE IF NOT EXISTS load_watermarks_rows
(
    `topic` LowCardinality(String) COMMENT 'Topic of facts, without the prefix of the installation: `facts.builds` fills the table `builds`',
    `partition` Int32 COMMENT 'Partition of the topic',
    `next_offset` Int64 COMMENT 'Every record of the partition before this offset is in the table',
    `written_at` DateTime64(3, 'UTC') COMMENT 'When the last of these records was written to Kafka, UTC, milliseconds',
    `loaded_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was in the table, UTC, milliseconds, by the clock of ClickHouse'
)
ENGINE = ReplacingMergeTree(loaded_at)
ORDER BY (topic, partition)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What the loader said after each batch; read the view `load_watermarks` instead';

-- View `load_watermarks`: how far each table is filled. A query over several tables sees them agree on what was written to
-- Kafka before the least `written_at` of the partitions that still have something to load.
CREATE VIEW IF NOT EXISTS load_watermarks
(
    `topic` LowCardinality(String) COMMENT 'Topic of facts, without the prefix of the installation: `facts.builds` fills the table `builds`',
    `partition` Int32 COMMENT 'Partition of the topic',
    `next_offset` Int64 COMMENT 'Every record of the partition before this offset is in the table',
    `written_at` DateTime64(3, 'UTC') COMMENT 'When the last of these records was written to Kafka, UTC, milliseconds',
    `loaded_at` DateTime64(3, 'UTC') COMMENT 'When it was in the table, UTC, milliseconds, by the clock of ClickHouse'
)
AS SELECT `topic`, `partition`, `next_offset`, `written_at`, `loaded_at`
FROM load_watermarks_rows FINAL
COMMENT 'How far each table is filled: for each partition of its topic, up to which offset and which time';
