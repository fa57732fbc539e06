//! ClickHouse as a program: `chdb-server LIBRARY [OPTION]…` calls the engine in the shared library LIBRARY with the options
//! of `clickhouse local`.
//!
//! The npm packages `@chdb/lib-*` hold the whole of ClickHouse as a library and no program. Its C entry
//! `chdb_query_cmdline(argc, argv)` (`chdb.h`) is the command line of `clickhouse local`, without the word `local`. What
//! makes a server of it is in the options, see `src/clickhouse.rs`. ClickHouse reports its errors on the standard error
//! itself.
#![expect(
    unsafe_code,
    reason = "calls a C function in a library loaded at run time; the only such place in the project"
)]

use std::ffi::{CString, OsString, c_char, c_int, c_void};
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;

/// `chdb_result * chdb_query_cmdline(int argc, char ** argv)`
type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // The standard error is the log file: where it cannot be written, there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "chdb-server: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), String> {
    let library = arguments.next().ok_or("usage: chdb-server LIBRARY [OPTION OF clickhouse local]...")?;
    let arguments = std::iter::once(OsString::from("clickhouse"))
        .chain(arguments)
        .map(|argument| CString::new(argument.into_vec()).map_err(|_| "an argument holds a NUL byte".to_owned()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut argv: Vec<*mut c_char> = arguments.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
    let argc = c_int::try_from(argv.len()).map_err(|_| "too many arguments")?;
    argv.push(std::ptr::null_mut());

    // SAFETY: loading runs the library's initialisers; the caller installed this library for this purpose.
    let library = unsafe { libloading::Library::new(library) }.map_err(|error| error.to_string())?;
    // Never unloaded: threads of ClickHouse outlive the call and would run on in unmapped memory.
    let library = ManuallyDrop::new(library);
    // SAFETY: the type is that of chdb.h.
    let query = unsafe { library.get::<QueryCmdline>(c"chdb_query_cmdline") }.map_err(|error| error.to_string())?;
    // SAFETY: argv holds argc strings and a null pointer; `arguments`, which owns them, outlives the call.
    unsafe { query(argc, argv.as_mut_ptr()) };
    Ok(())
}
