-- What the rows of the other tables amount to in each hour, or day, from `since` to `until`: of all components, or of
-- those of the releases `from` to `from + count`.
WITH
    ms -> if(ms IS NULL, [], [assumeNotNull(ms)]) AS list,
    arrayResize([]::Array(Array(Int64)), 14) AS no_times
SELECT
    'default' AS realm,
    component,
    environment,
    kind,
    toDateTime64(toStartOfInterval(told.at, toIntervalHour({hours:UInt8})), 3, 'UTC') AS at,
    toInt32(countIf(kind != '')) AS releases,
    sum(told.commits) AS commits,
    countIf(told.failed) AS failed,
    countIf(told.rework) AS rework,
    sum(told.incidents) AS incidents,
    arraySort(groupArrayArray(times[1])) AS lead_times,
    arraySort(groupArrayArray(times[2])) AS merge_to_production_times,
    arraySort(groupArrayArray(times[3])) AS coding_times,
    arraySort(groupArrayArray(times[4])) AS review_times,
    arraySort(groupArrayArray(times[5])) AS merge_to_build_times,
    arraySort(groupArrayArray(times[6])) AS queue_times,
    arraySort(groupArrayArray(times[7])) AS build_and_test_times,
    arraySort(groupArrayArray(times[8])) AS gate_wait_times,
    arraySort(groupArrayArray(times[9])) AS batch_wait_times,
    arraySort(groupArrayArray(times[10])) AS hand_off_times,
    arraySort(groupArrayArray(times[11])) AS deploy_times,
    arraySort(groupArrayArray(times[12])) AS unaccounted_times,
    arraySort(groupArrayArray(times[13])) AS lead_time_working_times,
    arraySort(groupArrayArray(times[14])) AS recovery_times,
    countIf(has(of, 1)) AS deployments,
    countIf(has(of, 2)) AS deployments_succeeded,
    countIf(has(of, 3)) AS deployments_failed,
    countIf(has(of, 4)) AS gates,
    countIf(has(of, 5)) AS gates_open,
    countIf(has(of, 6)) AS gates_rejected,
    countIf(has(of, 7)) AS gates_expired,
    countIf(has(of, 8)) AS gates_bypassed,
    countIf(has(of, 9)) AS gates_caught,
    countIf(has(of, 10)) AS gates_hollow,
    countIf(has(of, 11)) AS builds,
    countIf(has(of, 12)) AS builds_failed,
    countIf(has(of, 13)) AS builds_flaky,
    countIf(has(of, 14)) AS manual_steps,
    arraySort(groupArrayArray(waits[1])) AS gate_waits,
    arraySort(groupArrayArray(waits[2])) AS build_queue_times,
    arraySort(groupArrayArray(waits[3])) AS build_durations,
    arraySort(groupArrayArray(waits[4])) AS manual_waits,
    0 AS deleted
FROM
(
    SELECT
        component, 'production' AS environment, kind, at, commits, failed, rework, incidents,
        [
            list(lead_time), list(merge_to_production), list(coding), list(review), list(merge_to_build),
            list(queue), list(build_and_test), list(gate_wait), list(batch_wait), list(hand_off),
            list(deploy), list(unaccounted), list(lead_time_working), list(recovery)
        ] AS times,
        []::Array(UInt8) AS of,
        []::Array(Array(Int64)) AS waits
    FROM releases
    WHERE kind != 'baseline' AND NOT excluded AND {concerned}

    UNION ALL

    SELECT
        component, environment, '', at, 0, false, false, 0, no_times,
        [1, if(outcome = 'success', 2, 0), if(outcome IN ('failure', 'error', 'timeout'), 3, 0)],
        []
    FROM deployments
    WHERE finished_at IS NOT NULL AND {concerned}

    UNION ALL

    SELECT
        component, ifNull(environment, ''), '', at, 0, false, false, 0, no_times,
        [
            4, transform(outcome, ['open', 'rejected', 'expired', 'bypassed'], [5, 6, 7, 8], 0), if(caught, 9, 0),
            if(notEmpty(hollow), 10, 0)
        ],
        [list(wait)]
    FROM gate_waits
    WHERE {concerned}

    UNION ALL

    SELECT
        component, '', '', at, 0, false, false, 0, no_times,
        [11, if(outcome IN ('failure', 'error', 'timeout'), 12, 0), if(class = 'flaky', 13, 0)],
        [[], list(queue), list(duration)]
    FROM builds
    WHERE finished_at IS NOT NULL AND {concerned}

    UNION ALL

    SELECT component, ifNull(environment, ''), '', at, 0, false, false, 0, no_times, [14], [[], [], [], list(wait)]
    FROM manual_steps
    WHERE {concerned}
) AS told
GROUP BY component, environment, kind, at
