//! What `docker-compose.yml` gives to servers, given to real ones: Kafka its environment, ClickHouse its files, and an installation the
//! demo through a front door of its own.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod clickhouse;
mod demo;
mod kafka;

use std::process::{Child, Command};

use end_to_end::compose::Compose;
use local_stack::Error;
use serde_json::Value;

/// The project, or a loud word that there is no Compose to read it.
fn project() -> Option<Value> {
    let compose = Compose::new().unwrap();
    if compose.is_none() {
        eprintln!(
            "SKIPPED: no pip, so Compose was not fetched and has read nothing (Debian and Ubuntu: apt-get install python3-pip)"
        );
    }
    compose.map(|compose| compose.project().unwrap())
}

/// A program of a server, installed if need be, without the environment of this machine but for the way to other programs.
fn program(of: impl FnOnce(&dyn Fn(&str)) -> Result<Command, Error>) -> Command {
    let mut command = of(&|line| eprintln!("{line}")).unwrap();
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
