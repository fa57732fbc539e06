//! Whatever comes, the adapter answers.

use ingestor::providers::Provider;
use ingestor::providers::gitlab::{EVENTS, GitLab};
use proptest::prelude::*;

use crate::documented::{FIXTURES, fixture};
use crate::json::{any_json, places};
use crate::{delivery, people, read};

proptest! {
    #[test]
    fn bytes_are_answered(kind in 0..EVENTS.len(), body: Vec<u8>) {
        let mut delivery = delivery(body);
        delivery.event = Some(EVENTS[kind].event.to_owned());
        let _ = GitLab.event(&delivery);
        let _ = GitLab.read(&delivery, &people());
    }

    #[test]
    fn json_is_answered(kind in 0..EVENTS.len(), body in any_json()) {
        let mut delivery = delivery(body.to_string());
        delivery.event = Some(EVENTS[kind].event.to_owned());
        let _ = GitLab.read(&delivery, &people());
    }

    /// A good body with one member replaced: most of it is read as ever.
    #[test]
    fn one_wrong_member_is_answered(which in 0..FIXTURES.len(), place: prop::sample::Index, nonsense in any_json()) {
        let (name, _) = FIXTURES[which];
        let mut body = fixture(name);
        let mut found = Vec::new();
        places(&body, "", &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).expect("a pointer found in it") = nonsense;
        let _ = read(&body);
    }

    #[test]
    fn kinds_are_answered(header in ".{0,60}", kind in ".{0,60}", body in any_json()) {
        let mut delivery = delivery(body.to_string());
        delivery.event = Some(header);
        let _ = GitLab.event(&delivery);
        let _ = GitLab.read(&delivery, &people());
        let _ = read(&serde_json::json!({ "object_kind": kind, "object_attributes": body }));
    }
}
