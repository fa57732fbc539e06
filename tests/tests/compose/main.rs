//! `docker-compose.yml` and `deploy/docker`, as far as they can be held without an engine: Compose itself reads the file, hadolint the
//! Dockerfile, and everything that they speak of is there. What a server must accept is in the program `composed`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "a test program")]

mod image;
mod project;
mod rules;
mod settings;

use end_to_end::compose::Compose;

/// Compose, or a loud word that there is none.
fn compose() -> Option<Compose> {
    let compose = Compose::new().unwrap();
    if compose.is_none() {
        eprintln!(
            "SKIPPED: no pip, so Compose was not fetched and has read nothing (Debian and Ubuntu: apt-get install python3-pip)"
        );
    }
    compose
}

/// A file of the repository.
fn read(path: &str) -> String {
    end_to_end::compose::read(path).unwrap()
}
