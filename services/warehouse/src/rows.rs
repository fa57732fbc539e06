//! Facts framed for one insert.

use model::fact::Fact;
use sha2::{Digest, Sha256};

use crate::row_binary::{self, RowError};
use crate::table::Table;

/// Rows of one table as they will be sent: framed in memory, so that an insert that failed is repeated with the same bytes.
///
/// Times outside of what ClickHouse holds (1900 to 2299) are written as the end of that range.
#[derive(Debug)]
pub struct Rows {
    table: &'static Table,
    body: Vec<u8>,
    count: usize,
}

impl Rows {
    /// No rows yet.
    #[must_use]
    pub fn new(table: &'static Table) -> Self {
        Self { table, body: Vec::new(), count: 0 }
    }

    /// Adds a fact.
    ///
    /// # Errors
    /// Where it is a fact of another table; nothing is added then.
    pub fn push(&mut self, fact: &Fact) -> Result<(), RowError> {
        if fact.subject() != self.table.subject {
            return Err(RowError::WrongTable { found: fact.subject().topic(), wanted: self.table.name });
        }
        let start = self.body.len();
        let (columns, out) = (self.table.columns.as_slice(), &mut self.body);
        let written = row_binary::write(fact, columns, out);
        match written {
            Ok(()) => self.count += 1,
            Err(_) => self.body.truncate(start),
        }
        written
    }

    /// Table of the rows.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Their bytes, before compression.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Name under which ClickHouse takes these rows once: where they come from, and a hash of what they are. Without the hash
    /// a name that was used before for fewer rows would make ClickHouse drop the rest in silence.
    #[must_use]
    pub(crate) fn token(&self, origin: &str) -> String {
        format!("{origin}/{}/{}", self.table.name, hex::encode(Sha256::digest(&self.body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::fact::{BuildFact, ComponentFact};
    use model::schema::Subject;

    #[test]
    fn a_fact_of_another_table_is_refused_and_leaves_nothing() {
        let mut rows = Rows::new(Table::of(Subject::Components).unwrap());
        rows.push(&Fact::Component(ComponentFact::default())).unwrap();
        let before = rows.bytes().to_vec();
        assert!(rows.push(&Fact::Build(BuildFact::default())).is_err());
        assert_eq!((rows.len(), rows.bytes()), (1, before.as_slice()));
    }

    #[test]
    fn every_fact_fits_its_table() {
        for table in Table::all() {
            Rows::new(table).push(&Fact::empty(table.subject).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_token_tells_contents_apart() {
        let mut rows = Rows::new(Table::of(Subject::Components).unwrap());
        rows.push(&Fact::Component(ComponentFact::default())).unwrap();
        let one = rows.token("t:0:1-2");
        rows.push(&Fact::Component(ComponentFact::default())).unwrap();
        assert_ne!(one, rows.token("t:0:1-2"));
        assert!(one.starts_with("t:0:1-2/components/"));
    }
}
