//! What is known of the sources: the topic `sources`.
//!
//! Each front door writes what it has seen of a source, and that it is open, every few seconds. What it was not open for is a gap, and
//! so is what it had to refuse. The reconciler adds silences beyond a habit, and what became of each gap; `throughline sources status`
//! shows it all. A front door only ever makes gaps, the reconciler alone changes them.

pub mod gaps;
mod notes;
mod record;
mod recorder;
mod watch;

pub use gaps::Interval;
pub use notes::{Known, NoteError, Notes};
pub use record::{Alive, Cause, Counts, Day, Event, Gap, Seen, SourceRecord, State, date};
pub use recorder::{Recorder, RecorderMetrics};
pub use watch::Watch;
