//! `demo`: half a year of three teams, through the real thing, on this machine.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use end_to_end::demo::{CATALOG, Demo, QUERIES, SOURCES, check, disturb, send, send_into, show};
use end_to_end::installation::{self, Installation, Role};
use end_to_end::rollups;
use local_stack::Stack;
use serde_json::json;

use crate::report::Report;

/// How long the last event may take to become a row.
const DRAINED_WITHIN: Duration = Duration::from_secs(180);
/// Differences shown where the result is wrong.
const SHOWN: usize = 20;
/// How the deliveries are disturbed.
const SEED: u64 = 7;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask demo           stays up until Ctrl-C, with the addresses to try things at
  cargo xtask demo --once    ends when the result is shown; exit code 0 only if every figure is right
  cargo xtask demo --into http://localhost:8080/hooks/
                             sends it to an installation that runs, with the sources of deploy/demo/throughline.toml")]
pub struct DemoCommand {
    /// End when the result is shown.
    #[arg(long)]
    once: bool,

    /// Start nothing, and send the webhooks here: what comes before the name of a source.
    #[arg(long, value_name = "URL", conflicts_with = "once")]
    into: Option<String>,

    /// Secret of the sources there.
    #[arg(long, env = "THROUGHLINE_DEMO_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: Option<String>,
}

impl DemoCommand {
    pub fn run(self) -> Result<ExitCode> {
        let report = Report::new(false);
        let runtime = tokio::runtime::Runtime::new()?;
        if let Some(hooks) = &self.into {
            let secret =
                self.secret.as_deref().context("which secret have the sources? Set THROUGHLINE_DEMO_SECRET")?;
            return runtime.block_on(into(&report, hooks, secret));
        }
        report.progress("building throughline");
        let binary = installation::build()?;
        let stack = Stack::start(&|text| report.progress(text))?;
        runtime.block_on(async {
            tokio::select! {
                result = self.play(&report, &stack, &binary) => result,
                // The servers and the roles end as what holds them is dropped.
                _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
            }
        })
    }

    async fn play(&self, report: &Report, stack: &Stack, binary: &std::path::Path) -> Result<ExitCode> {
        let started = Instant::now();
        let progress = |text: &str| report.progress(text);
        let mut installation = Installation::new(binary, stack.addresses(), "throughline", &SOURCES)?;
        installation.run(&["migrate"])?;
        installation.start(Role::All).await?;
        progress(&format!("every role is ready; {}", memory(&installation, Role::All)));
        let catalog = installation.config().with_file_name("catalog.toml");
        std::fs::write(&catalog, CATALOG).context("the catalog cannot be written")?;
        installation.run(&["catalog", "put", &catalog.display().to_string()])?;
        let demo = Demo::until_today();
        let webhooks = disturb(&demo.webhooks, SEED);
        let deliveries = webhooks.len();
        progress(&sending(deliveries));
        send(&installation, webhooks, &progress).await?;
        installation.wait_drained(DRAINED_WITHIN).await?;
        progress(&format!("all of it is in ClickHouse; {}", memory(&installation, Role::All)));
        let checked = check(&installation, &demo.expected).await?;
        report.show(format!("\n{}", show(&installation).await?));
        report.show("Three questions to go on with:\n");
        for (question, sql) in QUERIES {
            report.show(format!("-- {question}\n{sql};\n"));
        }
        let rollups = rollups::compare(&installation).await?;
        let right = checked.differences.is_empty() && rollups.differences.is_empty();
        if !rollups.differences.is_empty() {
            report.loud(format!("sums that are not those of the rows:\n{}", rollups.differences.join("\n")));
        }
        if !checked.differences.is_empty() {
            let listed = checked.differences.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
            report.loud(format!("{} rows are not as the history was:\n{listed}", checked.differences.len()));
        }
        if !self.once {
            self.stay(report, stack, &installation).await?;
        }
        installation.stop_all().await?;
        report.finish(&json!({
            "demo": { "deliveries": deliveries, "rows": checked.rows, "differences": checked.differences.len() },
            "right": right,
            "seconds": started.elapsed().as_secs(),
        }))?;
        Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn stay(&self, report: &Report, stack: &Stack, installation: &Installation) -> Result<()> {
        let at = stack.addresses();
        let admin = installation.admin(Role::All).unwrap_or_default();
        report.show(format!(
            "Running until Ctrl-C:\n\
             \x20 ClickHouse  {}/?database={}    curl --data-binary 'SELECT count() FROM releases' '{}/?database={}'\n\
             \x20 Kafka       {}    topics `{}.*`\n\
             \x20 Webhooks    {}\n\
             \x20 Admin       {admin}/metrics, {admin}/readyz, {admin}/subjects\n\
             \x20 Log         {}",
            at.clickhouse,
            installation.name(),
            at.clickhouse,
            installation.name(),
            at.kafka,
            installation.name(),
            installation.hook("github"),
            installation.log(Role::All).display(),
        ));
        tokio::signal::ctrl_c().await.context("Ctrl-C cannot be waited for")
    }
}

/// Sends the webhooks to an installation that somebody else runs.
async fn into(report: &Report, hooks: &str, secret: &str) -> Result<ExitCode> {
    let started = Instant::now();
    let webhooks = disturb(&Demo::until_today().webhooks, SEED);
    let deliveries = webhooks.len();
    report.progress(sending(deliveries));
    send_into(hooks, secret, webhooks, &|text| report.progress(text)).await?;
    report.show(format!("{deliveries} webhooks are taken; their rows follow within seconds, in the realm `demo`"));
    report.finish(&json!({"demo": { "deliveries": deliveries }, "seconds": started.elapsed().as_secs() }))?;
    Ok(ExitCode::SUCCESS)
}

fn sending(deliveries: usize) -> String {
    format!("sending {deliveries} signed webhooks, some late, doubled and out of order")
}

/// Resident memory of a role, where the system tells it.
fn memory(installation: &Installation, role: Role) -> String {
    let status = installation.pid(role).and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let resident = status.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("VmRSS:")));
    resident.map_or_else(|| "memory unknown".to_owned(), |kb| format!("resident memory {}", kb.trim()))
}
