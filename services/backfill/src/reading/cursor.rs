//! How far a reading is, so that another can go on from there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How far a reading is. It belongs to one query; what it holds is the reader's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "P: Ord + Deserialize<'de>"))]
pub struct Cursor<P> {
    /// When the first reading began, in seconds since 1970: what happened later is not asked for in spans of time.
    until: Option<i64>,
    /// Parts that were begun before the last one, and so are read.
    done: BTreeSet<P>,
    /// Where it is.
    at: Option<Place<P>>,
}

/// A page that is being read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place<P> {
    part: P,
    /// The span of time that the pages are of, in seconds since 1970, both ends included.
    span: Option<(i64, i64)>,
    /// Address of the page; none before the first.
    page: Option<String>,
    /// What was taken of the page.
    taken: BTreeSet<String>,
    /// What was taken of the part.
    count: u64,
}

/// A point from which a reading could go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint<P> {
    /// How far it is.
    pub cursor: Cursor<P>,
    /// Deliveries that this reading has given up to here.
    pub delivered: u64,
}

impl<P> Default for Cursor<P> {
    fn default() -> Self {
        Self { until: None, done: BTreeSet::new(), at: None }
    }
}

impl<P: Copy + Ord> Cursor<P> {
    /// A reading begins then, unless one has begun before.
    pub(super) fn begin_at(&mut self, now: i64) {
        self.until.get_or_insert(now);
    }

    pub(super) fn until(&self) -> i64 {
        self.until.unwrap_or_default()
    }

    /// Comes to a part; false where it was read before.
    pub(super) fn begin(&mut self, part: P) -> bool {
        if self.done.contains(&part) {
            return false;
        }
        if self.at.as_ref().is_none_or(|at| at.part != part) {
            self.at = Some(Place { part, span: None, page: None, taken: BTreeSet::new(), count: 0 });
        }
        true
    }

    /// The part at hand is read.
    pub(super) fn finish(&mut self) {
        self.done.extend(self.at.take().map(|at| at.part));
    }

    pub(super) fn span(&self) -> Option<(i64, i64)> {
        self.at.as_ref()?.span
    }

    /// Goes on with another span of time, at its first page.
    pub(super) fn enter(&mut self, span: (i64, i64)) {
        self.turn(None);
        if let Some(at) = &mut self.at {
            at.span = Some(span);
        }
    }

    pub(super) fn page(&self) -> Option<&str> {
        self.at.as_ref()?.page.as_deref()
    }

    /// Goes on with another page.
    pub(super) fn turn(&mut self, page: Option<String>) {
        if let Some(at) = &mut self.at {
            at.page = page;
            at.taken.clear();
        }
    }

    /// Goes on with the next page, on which these, which were taken, may be again.
    pub(super) fn go_on(&mut self, page: String, taken: BTreeSet<String>) {
        if let Some(at) = &mut self.at {
            (at.page, at.taken) = (Some(page), taken);
        }
    }

    pub(super) fn has(&self, item: &str) -> bool {
        self.at.as_ref().is_some_and(|at| at.taken.contains(item))
    }

    /// One more of the page was taken.
    pub(super) fn take(&mut self, item: String) {
        if let Some(at) = &mut self.at {
            at.taken.insert(item);
            at.count += 1;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.at.as_ref().map_or(0, |at| at.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    enum Part {
        Commits,
        Pulls,
    }

    #[test]
    fn a_cursor_goes_on_where_it_was_and_survives_a_file() {
        let mut cursor = Cursor::default();
        assert!(cursor.begin(Part::Commits));
        cursor.finish();
        assert!(cursor.begin(Part::Pulls));
        cursor.turn(Some("/page/2".into()));
        cursor.take("7".into());
        let mut again: Cursor<Part> = serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap();
        assert_eq!(again, cursor);
        assert!(!again.begin(Part::Commits));
        assert!(again.begin(Part::Pulls));
        assert!(again.has("7") && !again.has("8"));
        assert_eq!((again.page(), again.count()), (Some("/page/2"), 1));
        again.go_on("/page/3".into(), ["8".into()].into());
        assert!(again.has("8") && !again.has("7"));
        again.turn(None);
        assert!(!again.has("8"));
    }
}
