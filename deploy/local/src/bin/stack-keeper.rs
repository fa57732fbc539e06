//! Keeps the servers of a local stack. Started by the library `local_stack`, not by people:
//!
//! - `stack-keeper supervise …` runs one server and stops it when its own standard input ends, which also happens when the
//!   owner of the stack is killed;
//! - `stack-keeper serve …` owns the shared stack until it is asked to stop.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match local_stack::keeper::run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The standard error is a log file: where it cannot be written, there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "stack-keeper: {error}");
            ExitCode::FAILURE
        }
    }
}
