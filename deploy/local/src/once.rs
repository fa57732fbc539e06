//! Programs of the two servers, each for one call of a test.

use std::process::Command;

use crate::cache::Cache;
use crate::error::Error;
use crate::programs::{Helpers, JAVA};

/// A program of Kafka's by its class, such as `kafka.tools.StorageTool`; Kafka is installed if need be.
///
/// # Errors
/// A tool is missing, or the download failed.
pub fn kafka_program(class: &str, progress: &dyn Fn(&str)) -> Result<Command, Error> {
    let mut command = Command::new(JAVA.find()?);
    command.arg("-cp").arg(Cache::open()?.kafka(progress)?.class_path).arg(class);
    Ok(command)
}

/// `clickhouse local`, without its word `local`; ClickHouse is installed if need be.
///
/// # Errors
/// A tool is missing, or the download failed.
pub fn clickhouse_local(progress: &dyn Fn(&str)) -> Result<Command, Error> {
    let library = Cache::open()?.clickhouse(progress)?;
    let mut command = Command::new(Helpers::find_or_build()?.chdb_server);
    command.arg(library);
    Ok(command)
}
