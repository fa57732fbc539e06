//! What the program `stack-keeper` does.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::server::{STOP_GRACE, StopBy};
use crate::shared;

const POLL: Duration = Duration::from_millis(20);

/// Runs `stack-keeper` with its arguments.
pub fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Box<dyn std::error::Error>> {
    // Away from the terminal of the owner: its Ctrl-C is for the owner, whose end the keeper then sees.
    // It fails only where the keeper leads a session already.
    let _ = rustix::process::setsid();
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("the argument {what} is missing"));
    match next("MODE")?.to_str() {
        Some("supervise") => {
            let stop_by =
                next("STOP-BY")?.to_str().and_then(StopBy::parse).ok_or("STOP-BY is signal or end-of-input")?;
            let alive = PathBuf::from(next("ALIVE")?);
            let mut command = Command::new(next("PROGRAM")?);
            command.args(arguments);
            supervise(stop_by, &alive, command)
        }
        Some("serve") => {
            let folder = PathBuf::from(next("FOLDER")?);
            serve(&folder)
        }
        _ => Err("MODE is supervise or serve; this program is started by the library local_stack".into()),
    }
}

/// An order of the owner, one line of the standard input.
enum Order {
    /// Also the end of the input: the owner is gone.
    Stop,
    Kill,
    Pause,
    Resume,
}

/// Runs a server until it ends or is told to.
fn supervise(stop_by: StopBy, alive: &Path, mut command: Command) -> Result<(), Box<dyn std::error::Error>> {
    let alive = File::open(alive)?;
    alive.lock_shared()?;
    let orders = read_orders();
    let mut server = command.stdin(Stdio::piped()).spawn()?;
    let mut kill_at = None;
    while server.try_wait()?.is_none() {
        match next_order(&orders) {
            Some(Order::Pause) => signal(&server, Signal::STOP)?,
            Some(Order::Resume) => signal(&server, Signal::CONT)?,
            Some(Order::Stop) => {
                // What is paused would not hear it.
                signal(&server, Signal::CONT)?;
                ask_to_stop(&mut server, stop_by)?;
                kill_at = Some(Instant::now() + STOP_GRACE);
            }
            Some(Order::Kill) => server.kill()?,
            None => {}
        }
        if kill_at.is_some_and(|time| time <= Instant::now()) {
            server.kill()?;
        }
    }
    Ok(())
}

fn read_orders() -> Receiver<Order> {
    let (sender, orders) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let order = match line.as_str() {
                "kill" => Order::Kill,
                "pause" => Order::Pause,
                "resume" => Order::Resume,
                _ => Order::Stop,
            };
            let _ = sender.send(order);
        }
        let _ = sender.send(Order::Stop);
    });
    orders
}

/// Waits a moment for an order.
fn next_order(orders: &Receiver<Order>) -> Option<Order> {
    match orders.recv_timeout(POLL) {
        Ok(order) => Some(order),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            // The last order was Stop; what remains is to wait.
            std::thread::sleep(POLL);
            None
        }
    }
}

fn ask_to_stop(server: &mut Child, stop_by: StopBy) -> std::io::Result<()> {
    match stop_by {
        StopBy::EndOfInput => drop(server.stdin.take()),
        StopBy::Signal => signal(server, Signal::TERM)?,
    }
    Ok(())
}

fn signal(server: &Child, signal: Signal) -> std::io::Result<()> {
    Ok(kill_process(Pid::from_child(server), signal)?)
}

/// Owns the shared stack. Tells whoever started it how that went, by [`shared::Report`]s.
fn serve(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let report = |line: shared::Report| {
        // The starter may have gone away; the stack is there for others too.
        let _ = serde_json::to_string(&line).map(|line| writeln!(std::io::stdout(), "{line}"));
    };
    match shared::own(folder, &|text| report(shared::Report::Progress(text.to_owned())), &|| {
        report(shared::Report::Ready)
    }) {
        Ok(()) => Ok(()),
        Err(error) => {
            report(shared::Report::Failed(error.chain()));
            Err(error.into())
        }
    }
}
