//! `stack up|env|down|status|reset`: the servers of the crate `local-stack`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use local_stack::{SharedStack, Status};
use serde_json::json;

use crate::report::{Report, columns};

#[derive(Debug, Args)]
pub struct Stack {
    #[command(subcommand)]
    action: Action,
    /// Print one JSON object and nothing else.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Action {
    /// Start what does not run yet, and say where it listens. The first time it is downloaded.
    Up,
    /// The same, as lines for a shell that let `throughline` find it: `eval "$(cargo xtask stack env)"`.
    Env,
    /// Stop it, and keep its data.
    Down,
    /// Say whether it runs and where; the exit code is 1 where it does not.
    Status,
    /// Stop it, and delete its data.
    Reset,
}

impl Stack {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let say = Say { report: Report::new(self.json), json: self.json };
        match self.action {
            Action::Up => say.up(&SharedStack::ensure(&|line| say.report.progress(line))?),
            Action::Env => say.env(&SharedStack::ensure(&|line| say.report.progress(line))?),
            Action::Down => say.ended(SharedStack::down()?, "stopped"),
            Action::Reset => say.ended(SharedStack::reset()?, "stopped; its data are deleted"),
            Action::Status => match SharedStack::status()? {
                Status::Up(stack) => say.up(&stack),
                Status::Unready => say.not_up("unready", "its processes are there, but a server does not answer (yet)"),
                Status::Down => say.not_up("down", "not running: cargo xtask stack up"),
            },
        }
    }
}

struct Say {
    report: Report,
    json: bool,
}

impl Say {
    fn up(&self, stack: &SharedStack) -> anyhow::Result<ExitCode> {
        let (at, data) = (stack.addresses(), stack.data_dir().display().to_string());
        let rows = [
            ["Kafka", &at.kafka],
            ["ClickHouse, HTTP", &at.clickhouse],
            ["ClickHouse, native", &format!("127.0.0.1:{}", at.clickhouse_tcp)],
            ["data and logs", &data],
        ];
        self.report.show(columns(&rows.map(|row| row.map(str::to_owned).to_vec()), |_| false));
        self.json(&json!({
            "stack": "up",
            "kafka": at.kafka,
            "clickhouse": at.clickhouse,
            "clickhouse_tcp": at.clickhouse_tcp,
            "data": data,
        }))?;
        Ok(ExitCode::SUCCESS)
    }

    fn env(&self, stack: &SharedStack) -> anyhow::Result<ExitCode> {
        let at = stack.addresses();
        let (kafka, clickhouse) = (&at.kafka, &at.clickhouse);
        self.report.show(format!(
            "export THROUGHLINE_KAFKA__BROKERS={kafka}\nexport THROUGHLINE_CLICKHOUSE__URL={clickhouse}"
        ));
        self.json(&json!({"THROUGHLINE_KAFKA__BROKERS": kafka, "THROUGHLINE_CLICKHOUSE__URL": clickhouse}))?;
        Ok(ExitCode::SUCCESS)
    }

    fn ended(&self, was_up: bool, what: &str) -> anyhow::Result<ExitCode> {
        self.report.show(if was_up { what } else { "it was not running" });
        self.json(&json!({"stack": "down", "was_up": was_up}))?;
        Ok(ExitCode::SUCCESS)
    }

    fn not_up(&self, state: &str, text: &str) -> anyhow::Result<ExitCode> {
        self.report.show(text);
        self.json(&json!({ "stack": state }))?;
        Ok(ExitCode::FAILURE)
    }

    fn json(&self, value: &serde_json::Value) -> anyhow::Result<()> {
        if self.json { self.report.finish(value) } else { Ok(()) }
    }
}
