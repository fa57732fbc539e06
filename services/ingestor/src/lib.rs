//! Receives deliveries and reads them.
//!
//! Two roles that meet only in Kafka. *Receive* checks the signature and puts the body, untouched, on the inbox topic.
//! *Normalise* reads the inbox and turns each delivery into events of the model, by the provider's adapter under [`providers`];
//! what it cannot read goes to the dead letters with the reason.
//!
//! Beside them, *reconcile* asks the providers for what could not be taken: it alone calls anything but Kafka.

mod clock;
pub mod normalise;
pub mod people;
pub mod providers;
pub mod receive;
pub mod reconcile;
pub mod replay;
pub mod secret;
pub mod signature;
pub mod sources;

use std::error::Error;

/// An error and its causes in one line, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
