//! What ClickHouse refuses, in words: what is wrong, where, and what to do.

use warehouse::{Error, Refusal, WarehouseConfig};

/// The error as it is told to a person who asked something of ClickHouse.
pub fn explained(error: anyhow::Error, config: &WarehouseConfig) -> anyhow::Error {
    let refusal = error.downcast_ref::<Error>().and_then(Error::refusal);
    let Some(Refusal { message, name, .. }) = &refusal else { return error };
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    let advice = refusal.as_ref().and_then(|refusal| advice(refusal, config));
    let advice = advice.map(|advice| format!("\n{advice}")).unwrap_or_default();
    anyhow::anyhow!("ClickHouse at {}, database {}: {message}{name}{advice}", config.url, config.database)
}

fn advice(refusal: &Refusal, config: &WarehouseConfig) -> Option<String> {
    let WarehouseConfig { user, database, query_timeout_ms, .. } = config;
    Some(match refusal.name.as_str() {
        "UNKNOWN_IDENTIFIER" | "UNKNOWN_TABLE" | "NO_SUCH_COLUMN_IN_TABLE" => {
            "`throughline schema` shows every table and column".to_owned()
        }
        "UNKNOWN_DATABASE" => "`throughline migrate` makes it; its name is clickhouse.database".to_owned(),
        "AUTHENTICATION_FAILED" | "REQUIRED_PASSWORD" => {
            "the user is clickhouse.user, the password clickhouse.password".to_owned()
        }
        "ACCESS_DENIED" => format!("the user needs no more than: GRANT SELECT, SHOW ON {database}.* TO {user}"),
        "READONLY" if refusal.message.contains("setting") => format!(
            "the user `{user}` has readonly = 1, with which no limit can be set: readonly = 2 refuses writes as well"
        ),
        "TIMEOUT_EXCEEDED" => format!(
            "clickhouse.query_timeout_ms is {query_timeout_ms}: ask for less time by a condition on `at`, or raise it"
        ),
        "SETTING_CONSTRAINT_VIOLATION" => format!(
            "the profile of the user `{user}` sets that limit; clickhouse.query_timeout_ms is {query_timeout_ms}"
        ),
        "TOO_MANY_ROWS_OR_BYTES" => {
            "ask for less, or raise the limit of the query, as far as the user may: … SETTINGS max_result_rows = 10000000"
                .to_owned()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_is_said_where_it_is_known() {
        let refused = |name: &str, message: &str| {
            let refusal = Refusal { code: 1, name: name.to_owned(), message: message.to_owned() };
            advice(&refusal, &WarehouseConfig { user: "reader".to_owned(), ..WarehouseConfig::default() })
        };
        assert!(refused("UNKNOWN_TABLE", "").unwrap().contains("throughline schema"));
        assert!(refused("ACCESS_DENIED", "").unwrap().contains("GRANT SELECT, SHOW ON throughline.* TO reader"));
        assert!(refused("READONLY", "Cannot modify 'x' setting in readonly mode").unwrap().contains("readonly = 2"));
        assert!(refused("TIMEOUT_EXCEEDED", "").unwrap().contains("query_timeout_ms is 30000"));
        assert!(refused("SETTING_CONSTRAINT_VIOLATION", "").unwrap().contains("profile of the user `reader`"));
        assert_eq!(refused("READONLY", "Cannot execute query in readonly mode"), None);
        assert_eq!(refused("SYNTAX_ERROR", ""), None);
    }
}
