SELECT
    'default' AS realm,
    component,
    version,
    concat('pager.example.org/', toString(n)) AS incident,
    h.at + toIntervalMillisecond(after_deployment) AS at,
    'explicit' AS grade,
    1 AS candidates,
    concat('git.example.org/deployments/', toString(n), '/3') AS deployment,
    intDiv(recovery, 5) AS after_deployment,
    [concat('pager.example.org/events/', toString(n))] AS evidence,
    concat('https://pager.example.org/', toString(n)) AS link,
    0 AS deleted
FROM history_releases AS h
WHERE n >= {from:UInt64} AND n < {from:UInt64} + {count:UInt64} AND NOT {earlier:Bool} AND h.incident
