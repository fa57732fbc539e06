//! `throughline connect`: sets a provider up, as far as a command can.

pub mod github;
