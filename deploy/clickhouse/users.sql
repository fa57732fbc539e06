-- Users of Throughline, each with no more than it needs: the same as users.d/throughline.xml, for servers where users are made by SQL
-- (ClickHouse Cloud among them). Run it as an administrator, with passwords of your own.

CREATE SETTINGS PROFILE IF NOT EXISTS throughline_write SETTINGS max_memory_usage = 2000000000;

CREATE SETTINGS PROFILE IF NOT EXISTS throughline_read SETTINGS
    readonly = 2,
    max_execution_time = 30 MIN 1 MAX 30,
    max_memory_usage = 4000000000 MIN 1 MAX 4000000000,
    max_rows_to_read = 2000000000 MIN 1 MAX 2000000000,
    max_result_rows = 1000000 MIN 1 MAX 1000000,
    result_overflow_mode = 'throw',
    max_concurrent_queries_for_user = 32 CONST;

-- Makes the database and the tables: `throughline migrate`, and nothing else needs it.
CREATE USER IF NOT EXISTS throughline_migrate IDENTIFIED WITH sha256_password BY '<password>';
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER, SELECT, INSERT, SHOW ON throughline.* TO throughline_migrate;
GRANT TABLE ENGINE ON MergeTree, TABLE ENGINE ON ReplacingMergeTree TO throughline_migrate;

-- Inserts: `throughline load`, with clickhouse.migrate_on_start = false.
CREATE USER IF NOT EXISTS throughline_write IDENTIFIED WITH sha256_password BY '<password>' SETTINGS PROFILE throughline_write;
GRANT SELECT, INSERT, SHOW ON throughline.* TO throughline_write;

-- Reads: Grafana, `throughline query`, analysts.
CREATE USER IF NOT EXISTS throughline_read IDENTIFIED WITH sha256_password BY '<password>' SETTINGS PROFILE throughline_read;
GRANT SELECT, SHOW ON throughline.* TO throughline_read;
