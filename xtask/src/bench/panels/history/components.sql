SELECT
    'default' AS realm,
    component,
    team,
    concat('git.example.org/', team, '/', component) AS repository,
    [] AS paths,
    true AS declared,
    CAST([], 'Array(DateTime64(3, \'UTC\'))') AS acknowledged,
    0 AS deleted
FROM history_components
WHERE NOT {earlier:Bool}
