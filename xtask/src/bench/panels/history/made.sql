-- What happened, from a seed: components, and the releases that all rows follow from.
CREATE TABLE history_components ENGINE = MergeTree ORDER BY place AS
WITH
    k -> cityHash64({seed:UInt64}, number, k) / 18446744073709551616. AS uniform,
    k -> sqrt(-2 * log(uniform(k) + 1e-12)) * cos(2 * pi() * uniform(-k)) AS normal
SELECT
    number AS place,
    ['api', 'web', 'job', 'sync', 'gateway', 'search', 'billing', 'mail'][1 + cityHash64(number) % 8] AS what,
    concat(what, '-', leftPad(toString(number), 4, '0')) AS component,
    concat('team-', leftPad(toString(toUInt8({teams:UInt8} * uniform(1))), 2, '0')) AS team,
    -- How often it releases: one in twenty seven times as often as the median, or more.
    exp(1.2 * normal(2)) AS pace,
    exp(0.5 * normal(3)) AS slowness,
    uniform(4) < 0.3 AS gated,
    uniform(5) < 0.4 AS calendar,
    uniform(6) < 0.3 AS tagged,
    uniform(7) < 0.25 AS by_hand
FROM numbers({components:UInt64});

CREATE TABLE history_releases
(
    n UInt64, place UInt64, component LowCardinality(String), team LowCardinality(String),
    gated Bool, calendar Bool, by_hand Bool, at DateTime64(3, 'UTC'), commit String, version String,
    kind LowCardinality(String), ships Bool, commits Int32,
    coding Int64, review Int64, batch_wait Int64, merge_to_build Int64, queue Int64, build_and_test Int64,
    gate_wait Int64, hand_off Int64, deploy Int64, unaccounted Int64, lead_time Int64,
    failed Bool, incident Bool, recovery Int64, excluded Bool
)
ENGINE = MergeTree ORDER BY n;
