    SELECT
        *,
        which,
        try,
        cityHash64({seed:UInt64}, n, which, 'build') % 1000 AS dice,
        concat('git.example.org/runs/', toString(n), '/', toString(which)) AS id,
        if(which = 1, lower(hex(SHA1(concat(commit, ' change')))), commit) AS built,
        if(which = 1, concat('change-', toString(n)), 'main') AS branch,
        ['checks', 'build and release'][which] AS pipeline,
        if(which = 1, coding, coding + review + batch_wait + merge_to_build) + (try - 1) * 2 * build_and_test AS after,
        h.at - toIntervalMillisecond(h.lead_time - after) AS made_at,
        made_at + toIntervalMillisecond(queue) AS began_at,
        began_at + toIntervalMillisecond(build_and_test) AS ended_at,
        multiIf(
            try = 2, NULL,
            dice < 60, 'flaky',
            dice < 140, 'failure',
            dice < 155, 'error',
            dice < 162, 'timeout',
            dice < 175, 'cancelled',
            NULL
        ) AS failing,
        concat(
            ['unit tests', 'integration tests', 'lint', 'package', 'browser tests'][1 + dice % 5],
            if(dice % 3 = 0, '', concat(' ', toString(place % 40)))
        ) AS task,
        ['run', 'checkout', NULL, 'publish'][1 + dice % 4] AS step
    FROM history_releases AS h
    ARRAY JOIN [1, 1, 2, 2] AS which, [1, 2, 1, 2] AS try
    WHERE n >= {from:UInt64} AND n < {from:UInt64} + {count:UInt64} AND ships AND (try = 1 OR dice < 60)
