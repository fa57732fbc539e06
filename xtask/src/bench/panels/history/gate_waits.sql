-- The review of each second change; before production a person and a test, where the component has them. One in three
-- was first written while it was open.
SELECT
    'default' AS realm,
    component,
    concat('git.example.org/gates/', toString(n), '/', toString(which)) AS gate,
    h.at - toIntervalMillisecond(before) AS at,
    version,
    [concat('review of ', what), concat('production of ', team), 'smoke test'][which] AS name,
    ['review', 'deployment_protection', 'check'][which] AS kind,
    if(which = 1, NULL, 'production') AS environment,
    1 AS attempt,
    commit,
    concat('git.example.org/runs/', toString(n), '/3/deploy') AS run,
    at AS requested_at,
    if({earlier:Bool} OR dice % 20 = 0, NULL, at) AS blocking_from,
    if(outcome = 'open', NULL, at + toIntervalMillisecond(took)) AS decided_at,
    if(outcome = 'open' OR blocking_from IS NULL, NULL, took) AS wait,
    multiIf(
        {earlier:Bool} OR dice = 507 AND n + 20 * intDiv({releases:UInt64}, {days:UInt32}) > {releases:UInt64}, 'open',
        dice < 15, 'rejected',
        dice < 20, 'expired',
        dice < 23, 'cancelled',
        dice < 30 AND which = 2, 'bypassed',
        'approved'
    ) AS outcome,
    multiIf(outcome = 'open', 'unknown', which = 3, 'machine', 'human') AS decided_by,
    if(which = 3, NULL, dice % 50 = 49) AS by_author,
    toInt32(outcome = 'approved') AS approvals,
    1 AS required,
    1 AS requests,
    if(calendar, intDiv(wait, 4), NULL) AS wait_working,
    if(outcome = 'open', NULL, commit) AS decided_commit,
    0 AS delegations,
    if(outcome = 'open', NULL, dice < 15) AS caught,
    multiIf(
        outcome != 'approved', [],
        which != 3 AND dice % 50 = 49, ['by_author'],
        which != 3 AND dice % 30 = 1, ['within_seconds'],
        which = 3 AND dice % 100 = 33, ['no_tests'],
        []
    ) AS hollow,
    if(which = 2, ['wrong booking'], []) AS purposes,
    if(which = 2 AND incident, [concat('pager.example.org/', toString(n))], []) AS missed,
    [concat('git.example.org/events/', toString(n), '/gate/', toString(which))] AS evidence,
    concat('https://git.example.org/gates/', toString(n), '/', toString(which)) AS link,
    0 AS deleted
FROM
(
    SELECT
        *,
        which,
        arrayElement(splitByChar('-', toString(component)), 1) AS what,
        [lead_time - coding, gate_wait + deploy, 2 * deploy][which] AS before,
        [intDiv(review, 2), gate_wait, intDiv(deploy, 2)][which] AS took,
        cityHash64({seed:UInt64}, n, which, 'gate') % 1000 AS dice
    FROM history_releases
    ARRAY JOIN [1, 2, 3] AS which
    WHERE n >= {from:UInt64} AND n < {from:UInt64} + {count:UInt64} AND ships AND if(which = 1, n % 2 = 0, gated)
) AS h
WHERE NOT {earlier:Bool} OR dice % 3 = 0
