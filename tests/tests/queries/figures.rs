//! Figures as the questions count them, and how answers differ.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::{Millis, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;

fn told(spans: impl IntoIterator<Item = Option<Millis>>) -> Vec<i64> {
    let mut told: Vec<i64> = spans.into_iter().flatten().map(|span| span.0).collect();
    told.sort_unstable();
    told
}

/// The lower median of those that are known.
pub fn median(spans: impl IntoIterator<Item = Option<Millis>>) -> Option<i64> {
    let told = told(spans);
    told.get(told.len().saturating_sub(1) / 2).copied()
}

/// The one that is longer than nine of ten.
pub fn high(spans: impl IntoIterator<Item = Option<Millis>>) -> Option<i64> {
    let told = told(spans);
    told.get(told.len() * 9 / 10).copied()
}

pub fn longest(spans: impl IntoIterator<Item = Option<Millis>>) -> Option<i64> {
    told(spans).last().copied()
}

/// Their sum; none where none is known.
pub fn total(spans: impl IntoIterator<Item = Option<Millis>>) -> Option<i64> {
    let told = told(spans);
    (!told.is_empty()).then(|| told.iter().sum())
}

pub fn percent(part: i64, of: i64) -> f64 {
    100.0 * part as f64 / of as f64
}

pub fn count<T>(of: &[T], is: impl Fn(&T) -> bool) -> i64 {
    of.iter().filter(|one| is(one)).count() as i64
}

/// The word for a value in the tables.
pub fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// Rows that have something in common, by it.
pub fn groups<T, K: Ord>(rows: impl IntoIterator<Item = T>, of: impl Fn(&T) -> K) -> BTreeMap<K, Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for row in rows {
        groups.entry(of(&row)).or_default().push(row);
    }
    groups
}

/// The largest group first, of equal ones as they were.
pub fn most_first<K: Ord, T>(groups: BTreeMap<K, Vec<T>>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, rows)| Reverse(rows.len()));
    groups
}

/// Sorts as ClickHouse does: what is not known comes last.
pub fn nulls_last<T: Ord>(value: Option<T>) -> (bool, Option<T>) {
    (value.is_none(), value)
}

/// The day on which a time lies, `2026-05-20`.
pub fn day(at: Timestamp) -> String {
    at.to_string()[..10].to_owned()
}

/// The begin of the day in which a time lies.
pub fn midnight(at: Timestamp) -> Timestamp {
    Timestamp(at.0 - at.0.rem_euclid(DAY))
}

pub fn monday(at: Timestamp) -> String {
    let days = at.0.div_euclid(DAY);
    // 1970-01-01 was a Thursday.
    day(Timestamp((days - (days + 3).rem_euclid(7)) * DAY))
}

pub fn month(at: Timestamp) -> String {
    format!("{}-01", &at.to_string()[..7])
}

pub fn time(at: Timestamp) -> Value {
    json!(at.to_string())
}

/// Where an answer is not what is wanted; shares are rounded to a tenth.
pub fn difference(told: &[Value], wanted: &[Value]) -> Option<String> {
    if told.len() != wanted.len() {
        return Some(format!("{} rows, wanted {}:\n{told:#?}\nwanted: {wanted:#?}", told.len(), wanted.len()));
    }
    let same = |told: &Value, wanted: &Value| match (told.as_f64(), wanted) {
        (Some(told), Value::Number(number)) if number.is_f64() => (told - number.as_f64().unwrap()).abs() < 0.0501,
        _ => told == wanted,
    };
    told.iter().zip(wanted).enumerate().find_map(|(at, (told, wanted))| {
        let (cells, wants) = (told.as_object().unwrap(), wanted.as_object().unwrap());
        let alike = cells.len() == wants.len()
            && wants.iter().all(|(name, want)| cells.get(name).is_some_and(|cell| same(cell, want)));
        (!alike).then(|| format!("row {at} is\n{told}, wanted\n{wanted}"))
    })
}
