SELECT
    'default' AS realm,
    component,
    id AS run,
    try AS attempt,
    concat(id, '/7') AS task,
    ended_at AS at,
    pipeline,
    h.task AS name,
    h.step AS step,
    failing AS class,
    dice % 13 = 0 AS allowed_to_fail,
    built AS commit,
    branch AS ref_name,
    if(dice % 10 = 0, NULL, concat('pool-', toString(place % 12))) AS runner_group,
    h.queue AS queue,
    intDiv(build_and_test, 2) AS duration,
    if(class = 'flaky', 2, NULL) AS passed_attempt,
    concat('https://', id, '/', toString(try), '/7') AS link,
    0 AS deleted
FROM
(
    {attempts}
) AS h
WHERE NOT {earlier:Bool} AND failing IS NOT NULL
