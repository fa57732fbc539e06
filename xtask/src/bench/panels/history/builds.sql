-- Of the change, and of the branch; what is flaky was run again. One in three was first written while it ran.
SELECT
    'default' AS realm,
    component,
    id AS run,
    try AS attempt,
    made_at AS at,
    pipeline,
    built AS commit,
    branch AS ref_name,
    if({earlier:Bool}, 'running', 'finished') AS phase,
    multiIf({earlier:Bool}, NULL, failing IS NULL, 'success', failing = 'flaky', 'failure', failing) AS outcome,
    if(which = 1, 'change', 'push') AS trigger,
    'human' AS triggered_by,
    made_at AS created_at,
    made_at AS queued_at,
    began_at AS started_at,
    if({earlier:Bool}, NULL, ended_at) AS finished_at,
    h.queue AS queue,
    if({earlier:Bool}, NULL, build_and_test) AS duration,
    12 AS tasks,
    toInt32(class IS NOT NULL) AS failed_tasks,
    if(class IS NULL, NULL, task) AS first_failed_task,
    if(class IS NULL, NULL, step) AS first_failed_step,
    if({earlier:Bool}, NULL, failing) AS class,
    finished_at + toIntervalMillisecond(time_to_green) AS green_at,
    if(class IN ('failure', 'error', 'timeout') AND dice % 2 = 0, 3 * build_and_test, NULL) AS time_to_green,
    concat('https://', id, '/', toString(try)) AS link,
    0 AS deleted
FROM
(
    {attempts}
) AS h
WHERE NOT {earlier:Bool} OR dice % 3 = 0
