//! Whatever comes, the adapter answers.

use ingestor::providers::Provider;
use ingestor::providers::jenkins::Jenkins;
use proptest::prelude::*;

use crate::any_json::{any_json, places};
use crate::documented::{FIXTURES, fixture};
use crate::{delivery, people, read};

proptest! {
    #[test]
    fn bytes_are_answered(body: Vec<u8>) {
        let delivery = delivery(body);
        let _ = (Jenkins.read(&delivery, &people()), Jenkins.event(&delivery));
    }

    #[test]
    fn json_is_answered(body in any_json()) {
        let _ = read(&body);
    }

    /// A good body with one member replaced.
    #[test]
    fn one_wrong_member_is_answered(which in 0..FIXTURES.len(), place: prop::sample::Index, nonsense in any_json()) {
        let mut body = fixture(FIXTURES[which].0);
        let mut found = Vec::new();
        places(&body, "", &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).expect("a pointer found in it") = nonsense;
        let _ = read(&body);
    }
}
