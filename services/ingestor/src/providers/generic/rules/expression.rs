//! Expressions of rules, in the Common Expression Language: <https://github.com/google/cel-spec>.
//!
//! It was made for this: it has no loops but those over a list at hand, so that every expression ends, and no clock and no access to
//! anything but what it is given, so that the same delivery is always read alike.

use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::objects::OptionalValue;
use cel::{Context, Env, Program, Value as Cel, extensions};
use serde_json::{Map, Value};

use crate::providers::generic::members::alike;

/// What an expression may call. Operators and `has`, `all`, `exists`, `exists_one`, `map`, `filter` need no name here.
const FUNCTIONS: &[&str] = &[
    "size",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "timestamp",
    "duration",
    "type",
    "dyn",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "join",
    "lowerAscii",
    "upperAscii",
    "replace",
    "reverse",
    "split",
    "substring",
    "trim",
    "orValue",
    "or",
    "hasValue",
    "value",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
];

/// Types that `type(x)` may be compared with.
const TYPES: &[&str] =
    &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint"];

/// The language with the functions that rules may use.
pub(super) struct Language(Arc<Env>);

/// An expression that was found to be good.
pub(super) struct Expression(Program);

/// What an expression may speak of.
pub(super) struct Scope<'p>(Context<'p, 'static>);

impl Language {
    /// The language, with its extension for texts.
    ///
    /// # Errors
    /// Where the extension does not fit the language: a defect.
    pub(super) fn new() -> Result<Self, String> {
        let mut env = Env::stdlib();
        env.add_extension(extensions::strings).map_err(|error| error.to_string())?;
        Ok(Self(Arc::new(env)))
    }

    /// Reads an expression that may speak of these variables.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(&self, text: &str, variables: &[&str]) -> Result<Expression, String> {
        let program = self.0.compile(text).map_err(|errors| in_one_line(&errors.to_string()))?;
        let bound = bound(program.expression());
        let references = program.references();
        let unknown = |name: &&str| !variables.contains(name) && !TYPES.contains(name) && !bound.contains(name);
        if let Some(name) = sorted(references.variables()).into_iter().find(|name| unknown(name)) {
            let meant = alike(name, variables.iter().copied());
            return Err(format!("`{name}` is not known here{meant}: there are {}", variables.join(", ")));
        }
        let named = |name: &&str| name.starts_with(|c: char| c.is_ascii_alphabetic());
        if let Some(name) =
            sorted(references.functions()).into_iter().filter(named).find(|name| !FUNCTIONS.contains(name))
        {
            let meant = alike(name, FUNCTIONS.iter().copied());
            return Err(format!("`{name}` is no function here{meant}: there are {}", FUNCTIONS.join(", ")));
        }
        Ok(Expression(program))
    }

    /// What there is to speak of.
    pub(super) fn scope(&self, variables: &[(&str, &Value)]) -> Scope<'static> {
        let mut context = Context::with_env(Arc::clone(&self.0));
        for (name, value) in variables {
            context.add_variable_from_value(*name, to_cel(value));
        }
        Scope(context)
    }
}

impl Scope<'_> {
    /// The same with one variable more.
    pub(super) fn with(&self, name: &str, value: &Value) -> Scope<'_> {
        let mut context = self.0.new_inner_scope();
        context.add_variable_from_value(name, to_cel(value));
        Scope(context)
    }
}

impl Expression {
    /// What it comes to.
    ///
    /// # Errors
    /// Where it cannot be worked out, or comes to something that JSON has no word for.
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, String> {
        let value = self.0.execute(&scope.0).map_err(|error| in_one_line(&error.to_string()))?;
        from_cel(&value)
    }
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

/// Errors of the parser draw the place under the text, in lines of their own.
fn in_one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(500).collect()
}

/// Names that the expression itself gives to the items of a list, as in `body.jobs.filter(job, job.done)`.
fn bound(expression: &IdedExpr) -> Vec<&str> {
    let mut names = Vec::new();
    let mut left = vec![expression];
    while let Some(next) = left.pop() {
        match &next.expr {
            Expr::Call(call) => left.extend(call.target.as_deref().into_iter().chain(&call.args)),
            Expr::Comprehension(over) => {
                names.extend([Some(over.iter_var.as_str()), over.iter_var2.as_deref(), Some(over.accu_var.as_str())]);
                left.extend([&over.iter_range, &over.accu_init, &over.loop_cond, &over.loop_step, &over.result]);
            }
            Expr::List(list) => left.extend(&list.elements),
            Expr::Map(map) => map.entries.iter().for_each(|entry| entries(&entry.expr, &mut left)),
            Expr::Struct(of) => of.entries.iter().for_each(|entry| entries(&entry.expr, &mut left)),
            Expr::Select(select) => left.push(&select.operand),
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }
    names.into_iter().flatten().collect()
}

fn entries<'a>(entry: &'a EntryExpr, left: &mut Vec<&'a IdedExpr>) {
    match entry {
        EntryExpr::StructField(field) => left.push(&field.value),
        EntryExpr::MapEntry(entry) => left.extend([&entry.key, &entry.value]),
    }
}

/// JSON's whole numbers are `int`, so that they can be reckoned with beside literals.
fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::String(text) => Cel::from(text.as_str()),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Cel::Int(number),
            (None, Some(number)) => Cel::UInt(number),
            (None, None) => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Value::Array(items) => Cel::from(items.iter().map(to_cel).collect::<Vec<_>>()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| (name.as_str(), to_cel(member)));
            Cel::from(members.collect::<HashMap<_, _>>())
        }
    }
}

fn from_cel(value: &Cel) -> Result<Value, String> {
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(flag) => Value::from(*flag),
        Cel::Int(number) => Value::from(*number),
        Cel::UInt(number) => Value::from(*number),
        // A whole number that came from a division or a `double`.
        Cel::Float(number) => serde_json::Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Cel::String(text) => Value::from(text.as_str()),
        Cel::Timestamp(time) => Value::from(time.to_rfc3339()),
        Cel::List(items) => Value::Array(items.iter().map(from_cel).collect::<Result<_, _>>()?),
        Cel::Map(map) => {
            let members = map.map.iter().map(|(name, member)| Ok((name.to_string(), from_cel(member)?)));
            Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
        }
        // `body.?member`, which may be there or not.
        Cel::Opaque(_) => match <&OptionalValue>::try_from(value).map_err(|error| error.to_string())?.value() {
            Some(value) => from_cel(value)?,
            None => Value::Null,
        },
        other => {
            return Err(format!("it comes to a {}, which is no text, number, true, false or list", other.type_of()));
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluate(text: &str) -> Result<Value, String> {
        let language = Language::new().unwrap();
        let body = json!({"env": "prod", "ms": 1_777_627_800_000_i64, "started": "2026-05-01 09:30:00", "ref": "refs/heads/main",
            "jobs": [{"name": "a", "done": true}, {"name": "b", "done": false}], "big": 18_446_744_073_709_551_615_u64});
        let scope = language.scope(&[("body", &body)]);
        language.compile(text, &["body"]).and_then(|expression| expression.evaluate(&scope))
    }

    #[test]
    fn what_bodies_need_can_be_said() {
        for (text, value) in [
            ("body.env == 'prod' ? 'production' : body.env", json!("production")),
            ("body.ms / 1000", json!(1_777_627_800_i64)),
            ("body.started.replace(' ', 'T') + 'Z'", json!("2026-05-01T09:30:00Z")),
            ("timestamp('2026-05-01T09:30:00Z') + duration('90s')", json!("2026-05-01T09:31:30+00:00")),
            ("has(body.version) ? body.version : null", json!(null)),
            ("body.?version", json!(null)),
            ("body.?env", json!("prod")),
            ("body.?version.orValue('0')", json!("0")),
            ("body.ref.split('/')[2]", json!("main")),
            ("body.ref.substring(11)", json!("main")),
            ("body.ref.matches('^refs/heads/')", json!(true)),
            ("body.jobs.filter(job, job.done).map(job, job.name)", json!(["a"])),
            ("size(body.jobs)", json!(2)),
            ("'build-' + string(size(body.jobs))", json!("build-2")),
            ("body.jobs[0]", json!({"name": "a", "done": true})),
            ("body.big", json!(18_446_744_073_709_551_615_u64)),
            ("body.env in ['prod', 'live']", json!(true)),
        ] {
            assert_eq!(evaluate(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, reason) in [
            ("body.env ==", "yntax error"),
            ("bdy.env", "`bdy` is not known here (did you mean `body`?): there are body"),
            ("body.env.toLower()", "`toLower` is no function here"),
            ("body.version", "version"),
            ("body.env + 1", "'add'"),
            ("body.jobs[7]", "7"),
            ("1 / 0", "zero"),
            ("duration('90s')", "it comes to a duration, which is no text"),
        ] {
            let error = evaluate(text).unwrap_err();
            assert!(error.contains(reason) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
