//! Lists that are read page by page, from where a reading was.

use std::collections::BTreeSet;
use std::pin::Pin;

use serde_json::Value;

use super::{BackfillError, Part, Reading, items};
use crate::http::Answer;

/// Whether the rest of a part is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    /// All that follow are older.
    Enough,
}

/// An item that is being read.
pub(crate) type Taking<'t> = Pin<Box<dyn Future<Output = Result<Flow, BackfillError>> + Send + 't>>;

/// A page of a list.
pub(crate) struct Page<'p> {
    /// What was asked for.
    pub address: &'p str,
    pub answer: &'p Answer,
    pub items: &'p [Value],
}

/// What is particular to the lists of one API.
pub(crate) trait Source<'a, P: Part> {
    fn reading(&mut self) -> &mut Reading<'a, P>;

    /// What an item is known by.
    fn key(part: P, item: &Value) -> Result<String, BackfillError>;

    /// Reads an item. Boxed, since the compiler cannot see of every source that what it awaits may move between threads.
    fn take(&mut self, part: P, item: Value) -> Taking<'_>;

    /// Address of the next page. Items of the page at hand may be on it again.
    fn next(_part: P, page: &Page<'_>) -> Option<String> {
        page.answer.next.clone()
    }

    /// How many items the list has from this page on or in all, of which `done` were read, where that is known.
    fn total(_part: P, _page: &Page<'_>, _done: u64) -> Option<u64> {
        None
    }
}

/// Reads pages from the first, or from where the cursor is.
pub(crate) async fn pages<'a, P: Part, S: Source<'a, P>>(
    source: &mut S,
    part: P,
    first: String,
) -> Result<(), BackfillError> {
    let cursor = &mut source.reading().cursor;
    let mut address = match cursor.page() {
        Some(page) => page.to_owned(),
        None => {
            cursor.turn(Some(first.clone()));
            first
        }
    };
    loop {
        let reading = source.reading();
        let answer = reading.get(&address).await?;
        let items = items(&answer)?;
        let page = Page { address: &address, answer: &answer, items: &items };
        reading.expect(S::total(part, &page, reading.done()));
        let next = S::next(part, &page);
        let mut keys = BTreeSet::new();
        for item in items {
            let key = S::key(part, &item)?;
            keys.insert(key.clone());
            if source.reading().cursor.has(&key) {
                continue;
            }
            if source.take(part, item).await? == Flow::Enough {
                return Ok(());
            }
            source.reading().took(key);
        }
        let Some(next) = next else { return Ok(()) };
        let reading = source.reading();
        reading.cursor.go_on(next.clone(), keys);
        reading.mark();
        address = next;
    }
}

/// What is particular to lists of which an API gives only so much, and so are read by spans of time, in seconds since 1970, both ends
/// included.
pub(crate) trait Spans<'a, P: Part>: Source<'a, P> {
    /// It gives no more of one span.
    const MOST: u64;
    /// It takes no longer span.
    const LONGEST: i64;

    /// Address of the first page of a span, or of so little of it that only the count matters.
    fn within(&self, span: (i64, i64), whole: bool) -> String;

    /// How many are in the span.
    fn count(answer: &Value) -> Result<u64, BackfillError>;
}

/// Reads a list by spans of time from then on, each short enough to hold no more than the API gives.
pub(crate) async fn spans<'a, P: Part, S: Spans<'a, P>>(
    source: &mut S,
    part: P,
    since: i64,
) -> Result<(), BackfillError> {
    let until = source.reading().cursor.until();
    let mut span = source.reading().cursor.span().unwrap_or((since, until));
    while span.0 <= span.1 {
        if source.reading().cursor.page().is_none() {
            span = short_enough(source, span).await?;
            source.reading().cursor.enter(span);
        }
        let first = source.within(span, true);
        pages(source, part, first).await?;
        // The next one tries to be as long as the rest.
        span = (span.1 + 1, until);
        source.reading().cursor.enter(span);
    }
    Ok(())
}

/// The longest beginning of the span that holds no more than the API gives, halved until it does.
async fn short_enough<'a, P: Part, S: Spans<'a, P>>(
    source: &mut S,
    (from, to): (i64, i64),
) -> Result<(i64, i64), BackfillError> {
    let mut to = to.min(from.saturating_add(S::LONGEST));
    loop {
        let address = source.within((from, to), false);
        let count = S::count(&source.reading().get(&address).await?.json()?)?;
        let reading = source.reading();
        reading.expect(Some(reading.done() + count));
        if count <= S::MOST || to <= from {
            return Ok((from, to));
        }
        to = from + (to - from) / 2;
    }
}
