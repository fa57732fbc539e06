//! The function of `schemas/README.md` that makes durations readable in SQL says the same as the rest of Throughline.

use model::Millis;
use serde::Deserialize;

use crate::world::World;

const README: &str = include_str!("../../../schemas/README.md");

/// The function, without what stands around it: `ms -> …`.
fn function() -> &'static str {
    let (_, rest) = README.split_once("```sql\nWITH ms -> ").unwrap();
    let (function, _) = rest.split_once(" AS readable\n").unwrap();
    function
}

#[derive(Deserialize)]
struct Row {
    ms: Option<i64>,
    text: String,
}

#[tokio::test]
async fn durations_are_readable_in_sql() {
    let world = World::without_history().await;
    let function = function();
    let units =
        [1, 999, 1000, 59_999, 60_000, 61_000, 3_599_999, 3_600_000, 7_980_000, 86_399_999, 86_400_000, 88_200_000];
    let mut spans: Vec<i64> = units.into_iter().flat_map(|ms| [ms, -ms, ms * 7, ms + 1]).collect();
    spans.extend([0, i64::MAX, i64::MIN]);
    spans.extend((0..1000).map(|_| fastrand::i64(..) >> fastrand::u32(0..64)));
    let list = spans.iter().map(|ms| format!("toInt64({ms})")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "WITH ms -> {function} AS readable SELECT ms, readable(ms) AS text FROM (SELECT arrayJoin([NULL, {list}]) AS ms)"
    );
    let rows: Vec<Row> = world.warehouse(local_stack::READ).query_rows(&sql).await.unwrap();
    assert_eq!(rows.len(), spans.len() + 1);
    for Row { ms, text } in rows {
        let wanted = ms.map_or_else(|| "-".to_owned(), |ms| Millis(ms).to_string());
        assert_eq!(text, wanted, "{ms:?}");
    }
    // Of a column that cannot be null, and of a sum.
    let sql = format!(
        "WITH ms -> {function} AS readable SELECT toNullable(sum(number)) AS ms, readable(toInt64(sum(number))) AS text FROM numbers(4000)"
    );
    let rows: Vec<Row> = world.warehouse(local_stack::READ).query_rows(&sql).await.unwrap();
    assert_eq!(rows[0].text, "2 h 13 min");
    world.remove().await;
}
