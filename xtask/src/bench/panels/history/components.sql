SELECT
    'default' AS realm,
    component,
    team,
    concat('git.example.org/', team, '/', component) AS repository,
    [] AS paths,
    true AS declared,
    0 AS deleted
FROM history_components
WHERE NOT {earlier:Bool}
