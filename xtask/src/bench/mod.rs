//! `bench …`: figures that decisions rest on, from a run that anyone can repeat.

mod avro;
mod corpus;

use std::process::ExitCode;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Avro encoders and decoders on the records that flow: the figures of services/decisions/0002-avro-codec.md.
    Avro(avro::Avro),
}

impl Bench {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.what {
            What::Avro(avro) => avro.run(),
        }
    }
}
