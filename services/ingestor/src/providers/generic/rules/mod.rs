//! Rules: how bodies that nobody foresaw are brought to the documented form.
//!
//! A source may have rules in the configuration. The first rule whose condition holds makes a body of its kind, or one for each item
//! of a list: each member is an expression. The bodies are then read as if they had been sent.

mod expression;

use std::collections::BTreeMap;
use std::fmt;

use model::inbox::InboxRecord;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::expression::{Expression, Language, Scope};
use super::members::cut;
use super::{COMMON, KINDS, Kind, alike, known_members, read_members};
use crate::people::People;
use crate::providers::batch;
use crate::providers::{Reading, Unreadable};

/// Versions of rules go up to here; they are added to that of the adapter.
const HIGHEST_VERSION: i32 = 1_000_000;

/// A rule as it stands in the configuration.
#[derive(Clone, Debug, Deserialize)]
pub struct RuleConfig {
    /// Whether the rule is for a body: `body.event == "finished"`.
    pub when: String,
    /// A list, of each item of which it is to tell: `body.items`. The expressions of its members may then speak of `item`.
    #[serde(default)]
    pub each: Option<String>,
    /// Kind of what it tells: `deployment`.
    pub kind: String,
    /// An expression for each member of that kind.
    #[serde(flatten)]
    pub members: BTreeMap<String, String>,
}

/// What is wrong with the rules of a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A version that is none.
    #[error("`version` is {0}: it is a whole number from 0 to 1000000, and never lowered")]
    Version(i32),
    /// A version without rules.
    #[error("`version` is set, and there are no rules ([[sources.NAME.map]]) that it is of")]
    Alone,
    /// A kind that there is not.
    #[error("rule {rule}: `kind` is `{kind}`, which is none of {known}{meant}")]
    Kind {
        /// Its number, from 1.
        rule: usize,
        /// What was asked for.
        kind: String,
        /// What there is.
        known: String,
        /// What is like it.
        meant: String,
    },
    /// A member that the kind does not have.
    #[error("rule {rule}: `{member}` is no member of `{kind}`{meant}; members are {known}")]
    Member {
        /// Its number, from 1.
        rule: usize,
        /// The member.
        member: String,
        /// The kind.
        kind: String,
        /// What is like it.
        meant: String,
        /// What there is.
        known: String,
    },
    /// An expression that cannot be read.
    #[error("rule {rule}: `{member}`: {reason}")]
    Expression {
        /// Its number, from 1.
        rule: usize,
        /// Of which member it is.
        member: String,
        /// Why.
        reason: String,
    },
    /// A defect of ours.
    #[error("the language of rules cannot be set up: {0}")]
    Language(String),
}

/// The rules of one source, found to be good.
pub struct Rules {
    version: i32,
    language: Language,
    rules: Vec<Rule>,
}

struct Rule {
    /// From 1.
    number: usize,
    when: Expression,
    each: Option<Expression>,
    kind: &'static Kind,
    members: Vec<(String, Expression)>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("version", &self.version)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

impl Rules {
    /// Reads the rules of a source; `version` grows whenever they are changed.
    ///
    /// # Errors
    /// Where one of them cannot work, and why.
    pub fn compile(rules: &[RuleConfig], version: Option<i32>) -> Result<Option<Self>, RuleError> {
        if rules.is_empty() {
            return if version.is_some() { Err(RuleError::Alone) } else { Ok(None) };
        }
        let version = version.unwrap_or_default();
        if !(0..=HIGHEST_VERSION).contains(&version) {
            return Err(RuleError::Version(version));
        }
        let language = Language::new().map_err(RuleError::Language)?;
        let each = rules.iter().enumerate().map(|(index, rule)| Rule::compile(index + 1, rule, &language));
        let rules = each.collect::<Result<_, _>>()?;
        Ok(Some(Self { version, language, rules }))
    }

    /// Grows whenever the rules are changed.
    #[must_use]
    pub const fn version(&self) -> i32 {
        self.version
    }

    /// What a body tells by the first rule that is for it.
    pub(super) fn read(&self, body: &Value, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let headers = delivery.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let headers = Value::Object(headers.collect());
        let scope = self.language.scope(&[("body", body), ("headers", &headers)]);
        for rule in &self.rules {
            if rule.holds(&scope)? {
                return rule.read(&scope, delivery, people);
            }
        }
        Ok(Reading::Ignored("no rule of the source fits".to_owned()))
    }
}

impl Rule {
    fn compile(number: usize, rule: &RuleConfig, language: &Language) -> Result<Self, RuleError> {
        let kind = KINDS.iter().find(|kind| kind.name == rule.kind).ok_or_else(|| {
            let names = || KINDS.iter().map(|kind| kind.name);
            let (known, meant) = (names().collect::<Vec<_>>().join(", "), alike(&rule.kind, names()));
            RuleError::Kind { rule: number, kind: rule.kind.clone(), known, meant }
        })?;
        let compile = |member: &str, text: &str, variables: &[&str]| {
            let wrong = |reason| RuleError::Expression { rule: number, member: member.to_owned(), reason };
            language.compile(text, variables).map_err(wrong)
        };
        let (outer, inner) = (&["body", "headers"][..], &["body", "headers", "item"][..]);
        let variables = if rule.each.is_some() { inner } else { outer };
        let mut members = Vec::new();
        for (member, text) in &rule.members {
            check_member(number, kind, member)?;
            members.push((member.clone(), compile(member, text, variables)?));
        }
        let each = rule.each.as_deref().map(|text| compile("each", text, outer)).transpose()?;
        Ok(Self { number, when: compile("when", &rule.when, outer)?, each, kind, members })
    }

    fn holds(&self, scope: &Scope<'_>) -> Result<bool, Unreadable> {
        match self.evaluate("when", &self.when, scope)? {
            Value::Bool(holds) => Ok(holds),
            other => {
                Err(self
                    .failed("when", &format!("it comes to `{}`, and wanted is true or false", cut(&other.to_string()))))
            }
        }
    }

    fn read(&self, scope: &Scope<'_>, delivery: &InboxRecord, people: &People) -> Result<Reading, Unreadable> {
        let Some(each) = &self.each else {
            return self.read_one(scope, 0, delivery, people);
        };
        match self.evaluate("each", each, scope)? {
            Value::Array(items) => batch::read(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| self.read_one(&scope.with("item", &item), index, delivery, people)),
            ),
            other => {
                Err(self.failed("each", &format!("it comes to `{}`, and wanted is a list", cut(&other.to_string()))))
            }
        }
    }

    fn read_one(
        &self,
        scope: &Scope<'_>,
        index: usize,
        delivery: &InboxRecord,
        people: &People,
    ) -> Result<Reading, Unreadable> {
        let mut members = Map::new();
        for (name, expression) in &self.members {
            members.insert(name.clone(), self.evaluate(name, expression, scope)?);
        }
        let told = read_members(self.kind, members, index, delivery, people);
        told.map(|observed| Reading::Events(vec![observed]))
            .map_err(|error| Unreadable::Value(format!("rule {}: {error}", self.number)))
    }

    fn evaluate(&self, member: &str, expression: &Expression, scope: &Scope<'_>) -> Result<Value, Unreadable> {
        expression.evaluate(scope).map_err(|error| self.failed(member, &error))
    }

    fn failed(&self, member: &str, why: &str) -> Unreadable {
        Unreadable::Value(format!("rule {}, `{member}`: {why}", self.number))
    }
}

/// `kind` is no expression.
fn check_member(rule: usize, kind: &'static Kind, member: &str) -> Result<(), RuleError> {
    let known = || known_members(kind).filter(|name| *name != COMMON[0]);
    if known().any(|name| name == member) {
        return Ok(());
    }
    Err(RuleError::Member {
        rule,
        member: member.to_owned(),
        kind: kind.name.to_owned(),
        meant: alike(member, known()),
        known: known().collect::<Vec<_>>().join(", "),
    })
}
