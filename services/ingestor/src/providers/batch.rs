//! Deliveries that hold several things: each is read by itself, so that a bad one costs nothing but itself.

use super::{Reading, Unreadable};

/// What the elements tell together, in their order.
///
/// # Errors
/// Where some cannot be read and none of the others tells anything.
pub(super) fn read(elements: impl IntoIterator<Item = Result<Reading, Unreadable>>) -> Result<Reading, Unreadable> {
    let (mut events, mut ignored, mut bad, mut count) = (Vec::new(), None, Vec::new(), 0);
    for (index, element) in elements.into_iter().enumerate() {
        count = index + 1;
        match element {
            Ok(Reading::Events(told)) => events.extend(told),
            Ok(Reading::Ignored(reason)) => ignored = ignored.or(Some(reason)),
            Ok(Reading::Mixed { events: told, unreadable }) => {
                events.extend(told);
                bad.push(format!("element {index}: {unreadable}"));
            }
            Err(error) => bad.push(format!("element {index}: {}", whole(&error))),
        }
    }
    let unreadable = || format!("{} of {count} elements of the batch cannot be read: {}", bad.len(), bad.join("; "));
    match (events.is_empty(), bad.is_empty()) {
        (false, true) => Ok(Reading::Events(events)),
        (true, true) => Ok(Reading::Ignored(ignored.unwrap_or_else(|| "empty batch".to_owned()))),
        (false, false) => Ok(Reading::Mixed { unreadable: unreadable(), events }),
        (true, false) => Err(Unreadable::Value(unreadable())),
    }
}

/// An error with everything that caused it, in one line.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
