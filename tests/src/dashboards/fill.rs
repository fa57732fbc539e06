//! Fills in what Grafana and its ClickHouse plugin fill in before a query is sent.
//!
//! In their order: `$__conditionalAll` by what is chosen, in the browser; then the variables; then the macros, in the
//! plugin's backend. What the dashboards do not use is refused, so that nothing is left in a query unseen. Sources: the
//! plugin's pages "Query editor" and "Template variables" (`docs/sources` of grafana/clickhouse-datasource), its
//! `pkg/macros`, and "Variable syntax" of Grafana's documentation.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use model::Timestamp;

/// What is chosen of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// One value of a variable that takes one.
    One(String),
    /// Some values of a variable that takes several.
    Some(Vec<String>),
    /// The choice "All", with all the values that there are.
    All(Vec<String>),
}

/// What a query is filled with.
#[derive(Clone, Debug)]
pub struct Filling {
    /// Begin of the dashboard's time.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Interval of the panel in seconds, see [`interval`].
    pub interval: i64,
    /// What is chosen, by the name of the variable.
    pub variables: BTreeMap<String, Chosen>,
}

/// The query as ClickHouse gets it.
///
/// # Errors
/// Where it uses a variable that there is not, or a macro or a format that nothing here knows.
pub fn fill(query: &str, with: &Filling) -> Result<String> {
    let conditions = conditional_alls(query, with)?;
    let variables = variables(&conditions, with)?;
    macros(&variables, with)
}

const CONDITIONAL: &str = "$__conditionalAll(";

/// `$__conditionalAll(condition, $variable)`: the condition, or `1=1` where "All" or nothing is chosen. The last one first, as
/// the plugin does it.
fn conditional_alls(query: &str, with: &Filling) -> Result<String> {
    let mut query = query.to_owned();
    while let Some(start) = query.rfind(CONDITIONAL) {
        let (arguments, end) = arguments(&query, start + CONDITIONAL.len())?;
        let [condition, variable] = arguments.as_slice() else {
            bail!("$__conditionalAll takes a condition and a variable, not {arguments:?}");
        };
        let variable = variable.trim().strip_prefix('$').context("$__conditionalAll wants a plain `$variable`")?;
        let chosen = with.variables.get(variable).with_context(|| format!("there is no variable `{variable}`"))?;
        let any = match chosen {
            Chosen::All(_) => true,
            Chosen::One(value) => value.is_empty(),
            Chosen::Some(values) => values.is_empty(),
        };
        let condition = if any { "1=1".to_owned() } else { (*condition).to_owned() };
        query.replace_range(start..end, &condition);
    }
    Ok(query)
}

/// The arguments of a macro from behind its bracket on, and where it ends. Only a comma outside of inner brackets parts them.
fn arguments(query: &str, start: usize) -> Result<(Vec<&str>, usize)> {
    let (mut depth, mut from, mut arguments) = (0, start, Vec::new());
    for (at, character) in query.char_indices().skip_while(|(at, _)| *at < start) {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => {
                arguments.push(&query[from..at]);
                return Ok((arguments, at + 1));
            }
            ')' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(&query[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    bail!("a bracket is not closed: `{}`", &query[start..])
}

/// `$name`, `${name}`, `${name:format}`. What begins with `$__` is left to the macros.
fn variables(query: &str, with: &Filling) -> Result<String> {
    let mut filled = String::new();
    let mut rest = query;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(inner) = rest.strip_prefix('{') {
            let (inside, behind) = inner.split_once('}').context("`${` is not closed")?;
            let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
            filled.push_str(&value(name, format, with)?);
            rest = behind;
        } else if rest.starts_with("__") {
            filled.push('$');
        } else {
            let (name, behind) = word(rest);
            filled.push_str(&value(name, "", with)?);
            rest = behind;
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len()))
}

fn value(name: &str, format: &str, with: &Filling) -> Result<String> {
    let chosen = with.variables.get(name).with_context(|| format!("there is no variable `{name}`"))?;
    let quoted = |values: &[String]| {
        let quoted: Vec<String> = values.iter().map(|value| format!("'{}'", value.replace('\'', "\\'"))).collect();
        quoted.join(",")
    };
    Ok(match (chosen, format) {
        (Chosen::One(value), "") => value.clone(),
        (Chosen::One(value), "singlequote") => quoted(std::slice::from_ref(value)),
        (Chosen::Some(values) | Chosen::All(values), "singlequote") => quoted(values),
        _ => bail!(
            "`{name}` with the format `{format}` is nothing that the dashboards may use: quote it by `singlequote`"
        ),
    })
}

/// The macros of the plugin's backend.
fn macros(query: &str, with: &Filling) -> Result<String> {
    let mut filled = String::new();
    let mut rest = query;
    while let Some(at) = rest.find("$__") {
        filled.push_str(&rest[..at]);
        let (name, behind) = word(&rest[at + 3..]);
        rest = behind;
        let seconds = |time: Timestamp| format!("toDateTime({})", time.0.div_euclid(1000));
        let millis = |time: Timestamp| format!("fromUnixTimestamp64Milli({})", time.0);
        match name {
            "fromTime" => filled.push_str(&seconds(with.from)),
            "toTime" => filled.push_str(&seconds(with.to)),
            "fromTime_ms" => filled.push_str(&millis(with.from)),
            "toTime_ms" => filled.push_str(&millis(with.to)),
            "interval_s" => filled.push_str(&with.interval.to_string()),
            "timeFilter" | "timeInterval" => {
                ensure!(rest.starts_with('('), "$__{name} wants a column in brackets");
                let (arguments, end) = arguments(rest, 1)?;
                let [column] = arguments.as_slice() else { bail!("$__{name} takes one column, not {arguments:?}") };
                filled.push_str(&if name == "timeFilter" {
                    format!("{column} >= {} AND {column} <= {}", seconds(with.from), seconds(with.to))
                } else {
                    format!("toStartOfInterval(toDateTime({column}), INTERVAL {} second)", with.interval)
                });
                rest = &rest[end..];
            }
            _ => bail!("$__{name} is no macro that is known here"),
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Seconds by which a panel of usual width groups that time: Grafana's round figures, and not below the panel's own shortest
/// interval (`1d`; empty for none).
///
/// # Errors
/// Where the shortest interval is no whole number of `s`, `m`, `h`, `d` or `w`.
pub fn interval(seconds: i64, shortest: &str) -> Result<i64> {
    // Up to so many seconds, it is so many: `rangeUtil.roundInterval` of Grafana, from a second on.
    const ROUND: [(i64, i64); 16] = [
        (2, 1),
        (4, 2),
        (8, 5),
        (13, 10),
        (18, 15),
        (25, 20),
        (45, 30),
        (90, MINUTE),
        (210, 2 * MINUTE),
        (450, 5 * MINUTE),
        (750, 10 * MINUTE),
        (1050, 15 * MINUTE),
        (1500, 20 * MINUTE),
        (45 * MINUTE, 30 * MINUTE),
        (90 * MINUTE, HOUR),
        (150 * MINUTE, 2 * HOUR),
    ];
    const LONGER: [(i64, i64); 5] =
        [(270 * MINUTE, 3 * HOUR), (9 * HOUR, 6 * HOUR), (DAY, 12 * HOUR), (7 * DAY, DAY), (21 * DAY, 7 * DAY)];
    const POINTS: i64 = 1000;
    let bare = seconds / POINTS;
    let round = ROUND.iter().chain(&LONGER).find(|(limit, _)| bare < *limit).map_or(30 * DAY, |(_, round)| *round);
    Ok(round.max(if shortest.is_empty() { 1 } else { length(shortest)? }))
}

/// Seconds of a length of time as dashboards write it, such as `90d`.
///
/// # Errors
/// Where it is no whole number of `s`, `m`, `h`, `d` or `w`.
pub fn length(text: &str) -> Result<i64> {
    let units = [('s', 1), ('m', MINUTE), ('h', HOUR), ('d', DAY), ('w', 7 * DAY)];
    let unit = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (count, seconds) = unit.with_context(|| format!("`{text}` is no interval like 10s, 5m, 1h, 1d, 1w"))?;
    let count: i64 = count.parse().with_context(|| format!("`{text}` is no interval like 10s, 5m, 1h, 1d, 1w"))?;
    Ok(count * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(query: &str) -> String {
        fill(query, &filling()).unwrap()
    }

    fn filling() -> Filling {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let variables = [
            ("realm", Chosen::One("default".into())),
            ("team", Chosen::Some(texts(&["web", "o'neill"]))),
            ("component", Chosen::All(texts(&["a", "b"]))),
        ];
        Filling {
            from: Timestamp(1_415_792_726_123),
            to: Timestamp(1_447_328_726_456),
            interval: 20,
            variables: variables.into_iter().map(|(name, chosen)| (name.to_owned(), chosen)).collect(),
        }
    }

    /// The examples of the plugin's documentation.
    #[test]
    fn macros_are_filled_as_documented() {
        let seconds = "time >= toDateTime(1415792726) AND time <= toDateTime(1447328726)";
        assert_eq!(filled("$__timeFilter(time)"), seconds);
        assert_eq!(filled("$__fromTime, $__toTime"), "toDateTime(1415792726), toDateTime(1447328726)");
        assert_eq!(filled("($__toTime_ms)"), "(fromUnixTimestamp64Milli(1447328726456))");
        assert_eq!(filled("$__interval_s"), "20");
        assert_eq!(filled("$__timeInterval(at)"), "toStartOfInterval(toDateTime(at), INTERVAL 20 second)");
        assert!(fill("$__adHocFilters('t')", &filling()).is_err());
    }

    #[test]
    fn variables_are_quoted_and_all_is_every_value() {
        assert_eq!(filled("realm = ${realm:singlequote}"), "realm = 'default'");
        assert_eq!(filled("IN (${team:singlequote})"), "IN ('web','o\\'neill')");
        assert_eq!(filled("IN (${component:singlequote})"), "IN ('a','b')");
        assert_eq!(filled("${realm}_times $realm"), "default_times default");
        assert!(fill("${team}", &filling()).is_err(), "without quotes");
        assert!(fill("$nobody", &filling()).is_err());
    }

    #[test]
    fn a_condition_holds_unless_all_is_chosen() {
        let query = "$__conditionalAll(f(x, 'y') IN (${team:singlequote}), $team) AND \
            $__conditionalAll(component IN (${component:singlequote}), $component)";
        assert_eq!(filled(query), "f(x, 'y') IN ('web','o\\'neill') AND 1=1");
        assert!(fill("$__conditionalAll(a IN (1), ${team:singlequote})", &filling()).is_err());
    }

    #[test]
    fn intervals_are_round_and_not_below_the_shortest() {
        assert_eq!(interval(6 * HOUR, "").unwrap(), 20);
        assert_eq!(interval(90 * DAY, "").unwrap(), 2 * HOUR);
        assert_eq!(interval(180 * DAY, "").unwrap(), 3 * HOUR);
        assert_eq!(interval(180 * DAY, "1d").unwrap(), DAY);
        assert!(interval(DAY, "1y").is_err());
    }
}
