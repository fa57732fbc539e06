//! Tables, and how two of them differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use model::fact::{Fact, Identity};
use serde_json::Value;

/// Rows by their identity, as a reader sees them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables(pub BTreeMap<Identity, Fact>);

impl Extend<Fact> for Tables {
    fn extend<I: IntoIterator<Item = Fact>>(&mut self, facts: I) {
        self.0.extend(facts.into_iter().map(|fact| (fact.identity(), fact)));
    }
}

impl Tables {
    /// How `other` differs, row by row and column by column; empty where it does not. `this` and `that` name the two.
    #[must_use]
    pub fn difference(&self, other: &Self, this: &str, that: &str) -> String {
        let mut text = String::new();
        let identities: BTreeSet<&Identity> = self.0.keys().chain(other.0.keys()).collect();
        for identity in identities {
            // Writing to a text cannot fail.
            let _ = match (self.0.get(identity), other.0.get(identity)) {
                (Some(a), Some(b)) if a == b => Ok(()),
                (Some(a), Some(b)) => writeln!(text, "{identity:?}\n{}", columns_that_differ(a, b, this, that)),
                (Some(a), None) => writeln!(text, "{identity:?}\n  only by {this}: {a:?}"),
                (None, Some(b)) => writeln!(text, "{identity:?}\n  only by {that}: {b:?}"),
                (None, None) => Ok(()),
            };
        }
        text
    }
}

fn columns_that_differ(a: &Fact, b: &Fact, this: &str, that: &str) -> String {
    let (Value::Object(a), Value::Object(b)) = (columns(a), columns(b)) else { return String::new() };
    let differ = a.iter().filter(|(name, value)| b.get(*name) != Some(*value));
    let lines = differ.map(|(name, value)| {
        format!("  {name}: {value} by {this}, {} by {that}\n", b.get(name).unwrap_or(&Value::Null))
    });
    lines.collect()
}

fn columns(fact: &Fact) -> Value {
    serde_json::to_value(fact).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use model::fact::ComponentFact;

    use super::*;

    fn of(team: &str) -> Tables {
        let mut tables = Tables::default();
        tables
            .extend([ComponentFact { component: "shop".into(), team: Some(team.into()), ..Default::default() }.into()]);
        tables
    }

    #[test]
    fn a_difference_names_row_column_and_sides() {
        assert_eq!(of("web").difference(&of("web"), "one", "other"), "");
        let text = of("web").difference(&of("api"), "one", "other");
        assert!(text.contains("shop") && text.contains("team: \"web\" by one, \"api\" by other"), "{text}");
        assert!(of("web").difference(&Tables::default(), "one", "other").contains("only by one"));
    }
}
