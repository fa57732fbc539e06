-- Releases `from` to `from + count` of the history, in the order of their days. Beyond its end it goes on at the same
-- pace.
INSERT INTO history_releases
WITH
    k -> cityHash64({seed:UInt64}, number, k) / 18446744073709551616. AS uniform,
    k -> sqrt(-2 * log(uniform(k) + 1e-12)) * cos(2 * pi() * uniform(-k)) AS normal,
    (median, sigma, k) -> toInt64(median * exp(sigma * normal(k))) AS lasting,
    (
        SELECT arrayFlatten(groupArray(arrayWithConstant(toUInt32(ceil(20 * pace)), place)))
        FROM (SELECT place, pace FROM history_components ORDER BY place)
    ) AS slots,
    toDate({first_day:UInt16}) + intDiv(number * {days:UInt32}, {releases:UInt64}) AS even,
    -- Most on working days, and in working hours.
    if(toDayOfWeek(even) > 5 AND uniform(1) < 0.85, greatest(even - 2, toDate({first_day:UInt16})), even) AS day,
    if(uniform(2) < 0.1, toInt64(86400000 * uniform(3)), toInt64(46800000 + 9000000 * normal(4))) AS drawn,
    greatest(0, least(86399999, drawn)) AS clock
SELECT
    number AS n,
    c.place AS place,
    component,
    team,
    gated,
    calendar,
    by_hand,
    toDateTime64(day, 3, 'UTC') + toIntervalMillisecond(clock) AS at,
    lower(hex(SHA1(concat(toString({seed:UInt64}), ' ', toString(number))))) AS commit,
    if(tagged, concat('v', toString(1 + intDiv(number, 1000000)), '.', toString(number % 1000000)), commit) AS version,
    multiIf(
        number < {components:UInt64}, 'baseline',
        uniform(5) < 0.8, 'regular',
        uniform(5) < 0.88, 'dependencies',
        uniform(5) < 0.92, 'configuration',
        uniform(5) < 0.95, 'hotfix',
        uniform(5) < 0.965, 'rollback',
        'redeploy'
    ) AS kind,
    kind NOT IN ('baseline', 'rollback', 'redeploy') AS ships,
    multiIf(ships, 1 + toInt32(floor(-0.6 * log(uniform(6) + 1e-12))), kind = 'baseline', 50, 0) AS commits,
    lasting(10800000 * slowness, 1.5, 10) AS coding,
    lasting(14400000 * slowness, 1.4, 11) AS review,
    lasting(1800000 * slowness, 1.6, 12) AS batch_wait,
    lasting(20000, 0.8, 13) AS merge_to_build,
    lasting(40000, 1.3, 14) AS queue,
    lasting(540000 * slowness, 0.6, 15) AS build_and_test,
    if(gated, lasting(7200000, 1.5, 16), 0) AS gate_wait,
    lasting(900000, 1.4, 17) AS hand_off,
    lasting(240000 * slowness, 0.7, 18) AS deploy,
    if(uniform(19) < 0.6, 0, lasting(300000, 1.5, 20)) AS unaccounted,
    coding + review + batch_wait + merge_to_build + queue + build_and_test + gate_wait + hand_off + deploy
        + unaccounted AS lead_time,
    uniform(21) < 0.03 AS failed,
    failed AND uniform(22) < 0.3 AS incident,
    lasting(3600000, 1.2, 23) AS recovery,
    uniform(24) < 0.003 AS excluded
FROM
(
    SELECT
        number,
        if(
            number < {components:UInt64},
            number,
            slots[1 + cityHash64({seed:UInt64}, number) % length(slots)]
        ) AS place
    FROM numbers({from:UInt64}, {count:UInt64})
) AS releases
INNER JOIN history_components AS c ON c.place = releases.place
