//! Values of parameters: from words on the command line to what ClickHouse reads.

use anyhow::{Context, bail, ensure};
use model::Timestamp;

use super::book::Parameter;
use crate::cli;
use crate::nearest::nearest;

/// The values of all parameters, by name: those given, else the defaults.
pub fn values(
    parameters: &[Parameter],
    given: &[(String, String)],
    now: Timestamp,
) -> anyhow::Result<Vec<(String, String)>> {
    let names = || parameters.iter().map(|parameter| parameter.name.as_str());
    for (at, (name, _)) in given.iter().enumerate() {
        if names().all(|known| known != name) {
            bail!("there is no parameter `{name}`{}", known(name, names().collect()));
        }
        ensure!(given[..at].iter().all(|(before, _)| before != name), "the parameter `{name}` is given twice");
    }
    let value = |parameter: &Parameter| {
        let Parameter { name, kind, default, meaning } = parameter;
        let given = given.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let Some(text) = given.or(default.as_ref()) else {
            let meaning = if meaning.is_empty() { String::new() } else { format!(": {meaning}") };
            bail!("the parameter `{name}` is missing{meaning}; give it by --param {name}=… ({})", expected(kind));
        };
        let value = in_clickhouse(kind, text, now).with_context(|| format!("the parameter `{name}` is `{text}`"))?;
        Ok((name.clone(), value))
    };
    parameters.iter().map(value).collect()
}

fn known(name: &str, names: Vec<&str>) -> String {
    match (nearest(name, names.iter().copied()), names.is_empty()) {
        (_, true) => ": this query has none".to_owned(),
        (Some(near), _) => format!("; did you mean `{near}`?"),
        (None, _) => format!("; there are {}", names.join(", ")),
    }
}

/// What a value of the type looks like.
fn expected(kind: &str) -> String {
    let kind = plain(kind);
    if kind.starts_with("DateTime") {
        return "a time like 2026-01-01T09:30:00Z, a day, a span like 90d until now, or now".to_owned();
    }
    match (range(kind), kind) {
        (Some((least, most)), _) => format!("a whole number from {least} to {most}"),
        (None, "String") => "a text".to_owned(),
        (None, other) => format!("a value of ClickHouse's type {other}"),
    }
}

fn plain(kind: &str) -> &str {
    kind.strip_prefix("Nullable(").and_then(|kind| kind.strip_suffix(')')).unwrap_or(kind)
}

/// The value as ClickHouse reads it. Of types that are not checked here ClickHouse says itself what is wrong.
fn in_clickhouse(kind: &str, text: &str, now: Timestamp) -> anyhow::Result<String> {
    let fits = |fits: bool| {
        ensure!(fits, "expected is {}", expected(kind));
        Ok(text.to_owned())
    };
    match plain(kind) {
        kind if kind.starts_with("DateTime") => match time(text, now) {
            Some(at) => Ok(in_words(kind, at)),
            None => fits(false),
        },
        kind => match range(kind) {
            Some((least, most)) => fits(text.parse::<i128>().is_ok_and(|number| (least..=most).contains(&number))),
            None => Ok(text.to_owned()),
        },
    }
}

/// What a type of whole numbers holds, up to 64 bits. ClickHouse takes 300 for 44 where a `UInt8` is wanted.
fn range(kind: &str) -> Option<(i128, i128)> {
    let (signed, bits) = match kind.strip_prefix("UInt") {
        Some(bits) => (false, bits),
        None => (true, kind.strip_prefix("Int")?),
    };
    let bits: u32 = bits.parse().ok().filter(|bits| [8, 16, 32, 64].contains(bits))?;
    let whole = 1_i128 << bits;
    Some(if signed { (-whole / 2, whole / 2 - 1) } else { (0, whole - 1) })
}

/// A time, a day, or so long before now.
fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let ago = || cli::span(text).ok().map(|span| Timestamp(now.0.saturating_sub(span.0)));
    if text == "now" { Some(now) } else { cli::day_or_time(text).ok().or_else(ago) }
}

/// `2026-01-01 09:30:00.000`, the fraction only where the type has one.
fn in_words(kind: &str, at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ");
    let text = text.trim_end_matches('Z');
    let whole = text.split('.').next().unwrap_or(text);
    if kind.starts_with("DateTime64") { text.to_owned() } else { whole.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_779_278_400_000);

    fn parameter(name: &str, kind: &str, default: Option<&str>) -> Parameter {
        let default = default.map(str::to_owned);
        Parameter { name: name.to_owned(), kind: kind.to_owned(), default, meaning: "what it is".to_owned() }
    }

    fn said(given: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let parameters = [
            parameter("since", "DateTime64(3,'UTC')", Some("90d")),
            parameter("component", "String", None),
            parameter("least", "UInt32", Some("5")),
        ];
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let values = values(&parameters, &given, NOW).map_err(|error| format!("{error:#}"))?;
        Ok(values.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        assert_eq!(said(&[("component", "pay'outs")]).unwrap(), ["2026-02-19 12:00:00.000", "pay'outs", "5"]);
        let given = said(&[("least", "9"), ("since", "2026-05-01"), ("component", "")]).unwrap();
        assert_eq!(given, ["2026-05-01 00:00:00.000", "", "9"]);
        let at = said(&[("since", "2026-05-01T02:00:00+02:00"), ("component", "%")]).unwrap();
        assert_eq!(at[0], "2026-05-01 00:00:00.000");
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_expected() {
        let missing = said(&[]).unwrap_err();
        assert_eq!(
            missing,
            "the parameter `component` is missing: what it is; give it by --param component=… (a text)"
        );
        let wrong = said(&[("component", "x"), ("least", "many")]).unwrap_err();
        assert_eq!(wrong, "the parameter `least` is `many`: expected is a whole number from 0 to 4294967295");
        let wrong = said(&[("component", "x"), ("since", "yesterday")]).unwrap_err();
        assert!(wrong.starts_with("the parameter `since` is `yesterday`: expected is a time like"), "{wrong}");
        assert_eq!(said(&[("sinse", "9d")]).unwrap_err(), "there is no parameter `sinse`; did you mean `since`?");
        let unlike = said(&[("colour", "red")]).unwrap_err();
        assert_eq!(unlike, "there is no parameter `colour`; there are since, component, least");
        let twice = said(&[("component", "a"), ("component", "b")]).unwrap_err();
        assert_eq!(twice, "the parameter `component` is given twice");
    }

    #[test]
    fn a_time_has_the_form_of_its_type() {
        assert_eq!(in_clickhouse("DateTime", "now", NOW).unwrap(), "2026-05-20 12:00:00");
        assert_eq!(in_clickhouse("Nullable(DateTime64(3))", "now", NOW).unwrap(), "2026-05-20 12:00:00.000");
        assert_eq!(in_clickhouse("Array(String)", "['a']", NOW).unwrap(), "['a']");
    }

    #[test]
    fn a_number_fits_its_type() {
        for (kind, fitting, other) in [
            ("UInt8", ["0", "255"], ["-1", "256"]),
            ("Int16", ["-32768", "32767"], ["-32769", "32768"]),
            ("Nullable(UInt64)", ["7", "18446744073709551615"], ["18446744073709551616", "1.5"]),
        ] {
            assert!(fitting.iter().all(|text| in_clickhouse(kind, text, NOW).is_ok()), "{kind}");
            assert!(other.iter().all(|text| in_clickhouse(kind, text, NOW).is_err()), "{kind}");
        }
    }
}
