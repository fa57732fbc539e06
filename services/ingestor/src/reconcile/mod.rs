//! The reconciler: closes the gaps of the sources, and names those that cannot be closed.
//!
//! GitHub sends a failed delivery once and no more, and other providers switch a failing webhook off. So after every interval in which
//! no front door was open, deliveries were refused, or a source was silent beyond its habit, the provider is asked for what it sent
//! meanwhile. What never arrived is put into the inbox under the key that it would have had; what is kept no more is read from the
//! history; and what neither tells is named: in the log, in a metric, and by `throughline sources status`.
//!
//! It alone calls a provider. No delivery and no event passes through it, so a limit or an outage of the provider stalls only the
//! closing of gaps. Of several instances the one that begins with a gap says so in the topic, and the others let it. That two may begin
//! at the same moment is no harm: what is put into the inbox twice is one delivery.

mod config;
mod github;
mod histories;
mod metrics;
mod provider;
mod run;
mod take;

pub use config::{ReconcileConfig, ReconcileError};
pub use metrics::Metrics;
pub(crate) use provider::check;
pub use provider::{ApiError, advice};
pub use run::{Reconciler, Shared};
pub use take::told;
