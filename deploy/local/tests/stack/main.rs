//! The stack with real servers. The first run downloads them.
#![allow(clippy::panic, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

mod common;
mod private;
mod prometheus;
mod shared;
