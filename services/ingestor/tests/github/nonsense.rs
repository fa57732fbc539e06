//! Whatever comes, the adapter answers.

use ingestor::providers::Provider;
use ingestor::providers::github::{EVENTS, GitHub};
use proptest::prelude::*;

use crate::documented::{FIXTURES, fixture, kind};
use crate::json::{any_json, places};
use crate::{delivery, people, read};

proptest! {
    #[test]
    fn bytes_are_answered(kind in 0..EVENTS.len(), body: Vec<u8>, form: bool) {
        let mut delivery = delivery(EVENTS[kind].event, body);
        if form {
            delivery.content_type = Some("application/x-www-form-urlencoded".to_owned());
        }
        let _ = GitHub.read(&delivery, &people());
    }

    #[test]
    fn json_is_answered(kind in 0..EVENTS.len(), body in any_json()) {
        let _ = read(EVENTS[kind].event, &body);
    }

    /// A good body with one member replaced: most of it is read as ever.
    #[test]
    fn one_wrong_member_is_answered(which in 0..FIXTURES.len(), place: prop::sample::Index, nonsense in any_json()) {
        let (name, _) = FIXTURES[which];
        let mut body = fixture(name);
        let mut found = Vec::new();
        places(&body, "", &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).expect("a pointer found in it") = nonsense;
        let _ = read(kind(name), &body);
    }

    #[test]
    fn kinds_are_answered(kind in ".{0,60}", body in any_json()) {
        let _ = read(&kind, &body);
    }
}
