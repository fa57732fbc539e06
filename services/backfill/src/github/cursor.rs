//! How far a reading is, so that another can go on from there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Part;

/// How far a reading is. It belongs to one query; what it holds is the reader's business.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// When the first reading began, in seconds since 1970: what happened later is not asked for in spans of time.
    pub(super) until: Option<i64>,
    /// Parts that were begun before the last one, and so are read.
    done: BTreeSet<Part>,
    /// Where it is.
    at: Option<Place>,
}

/// A page that is being read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    part: Part,
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
pub struct Checkpoint {
    /// How far it is.
    pub cursor: Cursor,
    /// Deliveries that this reading has given up to here.
    pub delivered: u64,
}

impl Cursor {
    /// Comes to a part; false where it was read before.
    pub(super) fn begin(&mut self, part: Part) -> bool {
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

    #[test]
    fn a_cursor_goes_on_where_it_was_and_survives_a_file() {
        let mut cursor = Cursor::default();
        assert!(cursor.begin(Part::Commits));
        cursor.finish();
        assert!(cursor.begin(Part::Pulls));
        cursor.turn(Some("/page/2".into()));
        cursor.take("7".into());
        let mut again: Cursor = serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap();
        assert_eq!(again, cursor);
        assert!(!again.begin(Part::Commits));
        assert!(again.begin(Part::Pulls));
        assert!(again.has("7") && !again.has("8"));
        assert_eq!((again.page(), again.count()), (Some("/page/2"), 1));
        again.turn(None);
        assert!(!again.has("7"));
    }
}
