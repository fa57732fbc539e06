//! Questions of people: they change nothing, and the tables describe themselves.

use local_stack::{MIGRATE, READ, User};
use warehouse::ask::{Form, SHOWN_ROWS};
use warehouse::{Error, Warehouse, WarehouseConfig};

use crate::common::{Database, config};

fn as_user(database: &Database, user: User) -> Warehouse {
    let password = Some(user.password.into());
    Warehouse::new(&WarehouseConfig { user: user.name.to_owned(), password, ..config(&database.name) }).unwrap()
}

/// The name of the error with which ClickHouse refuses.
fn refusal(error: &Error) -> String {
    error.refusal().map_or_else(|| format!("{error:?}"), |refusal| refusal.name)
}

#[tokio::test]
async fn a_question_changes_nothing_whoever_asks() {
    let database = Database::migrated().await;
    let owner = as_user(&database, MIGRATE);
    for statement in [
        "INSERT INTO load_watermarks_rows (topic) VALUES ('a')",
        "CREATE TABLE a (x Int8) ENGINE = Memory",
        "DROP VIEW releases",
        "TRUNCATE TABLE releases_rows",
        "ALTER TABLE releases_rows DELETE WHERE 1",
        "OPTIMIZE TABLE releases_rows FINAL",
        "SELECT 1 SETTINGS readonly = 0",
        "SET readonly = 0",
    ] {
        let error = owner.ask(statement).table().await.unwrap_err();
        assert_eq!(refusal(&error), "READONLY", "{statement}");
        let error = owner.ask(statement).write(Form::Csv, &mut |_| Ok(())).await.unwrap_err();
        assert_eq!(refusal(&error), "READONLY", "{statement}");
    }
    let error = as_user(&database, READ).execute("DROP VIEW releases").await.unwrap_err();
    assert_eq!(refusal(&error), "ACCESS_DENIED");
    assert_eq!(owner.ask("SELECT 1 FROM releases").table().await.unwrap().rows.len(), 0);
    database.drop().await;
}

#[tokio::test]
async fn an_answer_has_names_types_and_exact_values() {
    let database = Database::migrated().await;
    let sql = "SELECT number AS n, {text:String} AS text, if(n = 0, NULL, n) AS some FROM numbers(1200)";
    let answer = database.warehouse.ask(sql).param("text", "a\tb\\'\n").table().await.unwrap();
    let columns: Vec<_> = answer.columns.iter().map(|column| (column.name.as_str(), column.kind.as_str())).collect();
    assert_eq!(columns, [("n", "UInt64"), ("text", "String"), ("some", "Nullable(UInt64)")]);
    assert_eq!((answer.rows.len(), answer.cut), (SHOWN_ROWS, true));
    let value = |text: &str| Some(text.to_owned());
    assert_eq!(
        answer.rows[..2],
        [[value("0"), value("a\tb\\'\n"), None], [value("1"), value("a\tb\\'\n"), value("1")]]
    );

    let mut text = Vec::new();
    let mut keep = |chunk: &[u8]| {
        text.extend_from_slice(chunk);
        Ok(())
    };
    database.warehouse.ask("SELECT toInt64(9007199254740993) AS n").write(Form::Json, &mut keep).await.unwrap();
    assert_eq!(text, b"{\"n\":9007199254740993}\n");
    let nothing = database.warehouse.ask("SELECT 1 AS n WHERE 0").table().await.unwrap();
    assert_eq!((nothing.columns.len(), nothing.rows.len()), (1, 0));
    database.drop().await;
}

#[tokio::test]
async fn a_reader_sees_every_view_with_its_meaning_and_identity() {
    let database = Database::migrated().await;
    let described = as_user(&database, READ).describe().await.unwrap();
    let for_readers: Vec<_> = described.iter().filter(|table| !table.internal).collect();
    let first: Vec<&str> =
        for_readers.iter().map(|table| table.name.as_str()).take(warehouse::Table::all().len()).collect();
    assert_eq!(
        first,
        warehouse::Table::all().iter().map(|table| table.name).collect::<Vec<_>>(),
        "in the order of the flow"
    );
    for table in &for_readers {
        assert!(!table.comment.is_empty() && !table.identity.is_empty(), "{}", table.name);
        assert!(table.columns.iter().all(|column| !column.comment.is_empty()), "{}", table.name);
        assert!(table.identity.iter().all(|key| table.columns.iter().any(|c| c.name == *key)), "{}", table.name);
    }
    assert!(described.iter().any(|table| table.name == "releases_rows" && table.internal));
    database.drop().await;
}
