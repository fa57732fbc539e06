SELECT
    'default' AS realm,
    component,
    concat('git.example.org/jobs/', toString(n)) AS step,
    h.at - toIntervalMillisecond(deploy) AS at,
    ['manual_job', 'dispatched_run', 'deployment'][1 + place % 3] AS kind,
    ['deploy production', 'release', 'run migration'][1 + place % 3] AS name,
    version,
    commit,
    'production' AS environment,
    at - toIntervalMillisecond(wait) AS possible_from,
    h.at AS finished_at,
    if(n % 9 = 0, NULL, hand_off) AS wait,
    if(calendar, intDiv(wait, 4), NULL) AS wait_working,
    deploy AS duration,
    concat('git.example.org/runs/', toString(n), '/3/deploy') AS run,
    [concat('git.example.org/events/', toString(n), '/job')] AS evidence,
    concat('https://', step) AS link,
    0 AS deleted
FROM history_releases AS h
WHERE n >= {from:UInt64} AND n < {from:UInt64} + {count:UInt64} AND NOT {earlier:Bool} AND by_hand AND n % 5 < 2
