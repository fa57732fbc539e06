//! Real Apache Kafka and ClickHouse on this machine, without Docker: for development, tests and benchmarks.
//!
//! - [`Stack`]: servers of one's own, with their own ports and data. They end with the process that started them, even when
//!   that is killed; the data are deleted.
//! - [`SharedStack`]: one stack for everybody, started by whoever needs it first, running until [`SharedStack::down`].
//! - [`Prometheus`] and [`Alertmanager`]: each by itself, with a configuration that is given.
//!
//! Kafka comes from Maven Central (`pom.xml`), ClickHouse as a library from npm (`package-lock.json`). Both are installed
//! once, into `$THROUGHLINE_CACHE`, else `$XDG_CACHE_HOME/throughline`, else `~/.cache/throughline`; servers run in its
//! folder `run/`. Wanted on the machine: `java` 17 or later, and for the installation `mvn` and `npm`. Prometheus and Alertmanager are
//! taken from the `PATH`, else from Debian's packages, which come into the cache as well.
//!
//! # Who keeps what
//!
//! ```text
//! owner ──pipe──► stack-keeper supervise ──► java kafka.Kafka
//!       ──pipe──► stack-keeper supervise ──► chdb-server libchdb.so
//! ```
//!
//! The owner is the process that called [`Stack::start`]; for the shared stack it is a detached `stack-keeper serve`. When
//! the owner ends, in whatever way, its ends of the pipes close and each supervisor stops its server: first politely, and
//! by `SIGKILL` after [`STOP_GRACE`]. Everybody alive holds a lock on the file `alive` in the folder of the stack. A folder
//! on whose file nobody holds a lock is left over, and the next start deletes it.
//!
//! The two programs, `stack-keeper` and `chdb-server`, are looked for beside the running executable (and one folder up: tests
//! run in `deps/`). Where they are missing, or older than their sources, `cargo build -p local-stack --bins` makes them.

mod cache;
mod clickhouse;
mod error;
mod kafka;
#[doc(hidden)]
pub mod keeper;
mod once;
mod ports;
mod probe;
mod programs;
mod prometheus;
mod server;
mod shared;
mod stack;

pub use clickhouse::{ADMIN, MIGRATE, READ, User, WRITE};
pub use error::Error;
pub use once::{clickhouse_local, kafka_program};
pub use prometheus::{Alertmanager, Prometheus, PrometheusPrograms};
pub use server::STOP_GRACE;
pub use shared::{SharedStack, Status};
pub use stack::{Addresses, Stack};
