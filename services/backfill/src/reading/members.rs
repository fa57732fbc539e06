//! Members of an API's objects, and names of deliveries.

use model::Timestamp;
use serde_json::Value;

use super::BackfillError;

/// A number that every object of its kind has.
pub(crate) fn number(object: &Value, member: &'static str, what: &str) -> Result<u64, BackfillError> {
    object[member].as_u64().ok_or_else(|| BackfillError::Member { what: what.to_owned(), member })
}

/// A text that every object of its kind has.
pub(crate) fn text<'a>(object: &'a Value, member: &'static str, what: &str) -> Result<&'a str, BackfillError> {
    object[member].as_str().ok_or_else(|| BackfillError::Member { what: what.to_owned(), member })
}

/// A time, where the object has it.
pub(crate) fn time(object: &Value, member: &str) -> Option<Timestamp> {
    object[member].as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok())
}

/// Some members of an object, where another tells the rest.
pub(crate) fn only(object: &Value, members: &[&str]) -> Value {
    members.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone()))).collect()
}

/// Name of a delivery: of the parts, each of which may stand in an id.
pub(crate) fn name(parts: &[&(dyn std::fmt::Display + Sync)]) -> String {
    let mut name = "history".to_owned();
    for part in parts {
        name.push('/');
        for byte in part.to_string().bytes() {
            if byte.is_ascii_graphic() && byte != b'%' {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    name
}

/// A text in a query or in a part of a path.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A time as APIs take it, from seconds since 1970.
pub(crate) fn seconds(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_an_id() {
        assert_eq!(name(&[&"tag", &7, &"v1/ü %"]), "history/tag/7/v1/%C3%BC%20%25");
    }

    #[test]
    fn a_text_can_stand_in_a_path() {
        assert_eq!(encoded("group/sub group/v1.0"), "group%2Fsub%20group%2Fv1.0");
    }
}
