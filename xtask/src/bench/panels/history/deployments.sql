-- To three environments, one after the other. One in ten was first told of while it ran, and so at another time: that
-- row was taken back.
SELECT
    'default' AS realm,
    component,
    ['integration', 'staging', 'production'][stage] AS environment,
    concat('git.example.org/deployments/', toString(n), '/', toString(stage)) AS deployment,
    if({earlier:Bool}, started_at, ended) AS at,
    version,
    commit,
    environment AS tier,
    if({earlier:Bool}, 'running', 'finished') AS phase,
    multiIf({earlier:Bool}, NULL, stage < 3 AND dice % 40 = 7, 'failure', 'success') AS outcome,
    if(h.kind IN ('baseline', 'rollback', 'redeploy'), h.kind, 'forward') AS kind,
    started_at - toIntervalSecond(5) AS created_at,
    ended - toIntervalMillisecond(deploy) AS started_at,
    if({earlier:Bool}, NULL, ended) AS finished_at,
    commits,
    true AS commits_complete,
    concat('git.example.org/runs/', toString(n), '/', toString(stage), '/deploy') AS run,
    if(by_hand, 'human', 'machine') AS triggered_by,
    'deployment' AS marker,
    NULL AS partial_at,
    NULL AS replaced,
    [concat('git.example.org/events/', toString(n), '/deployment/', toString(stage))] AS evidence,
    concat('https://git.example.org/deployments/', toString(n), '/', toString(stage)) AS link,
    toUInt8({earlier:Bool}) AS deleted
FROM
(
    SELECT
        *,
        stage,
        h.at - toIntervalMillisecond((3 - stage) * (deploy + intDiv(hand_off, 2))) AS ended,
        cityHash64({seed:UInt64}, n, stage, 'deployment') % 1000 AS dice
    FROM history_releases AS h
    ARRAY JOIN [1, 2, 3] AS stage
    WHERE n >= {from:UInt64} AND n < {from:UInt64} + {count:UInt64}
) AS h
WHERE NOT {earlier:Bool} OR dice % 10 = 0
