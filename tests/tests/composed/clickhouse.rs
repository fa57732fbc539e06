//! The files that are mounted into ClickHouse's container, beside a configuration as the image has it.

use std::path::Path;

use end_to_end::compose::{environment, list};
use local_stack::clickhouse_local;
use serde_json::Value;

use crate::{program, project};

/// As much of the image's configuration as the files speak of.
const CONFIG: &str = "\
<clickhouse>
  <users_config>users.xml</users_config>
  <query_log><database>system</database><table>query_log</table></query_log>
  <part_log><database>system</database><table>part_log</table></part_log>
  <trace_log><database>system</database><table>trace_log</table></trace_log>
  <metric_log><database>system</database><table>metric_log</table></metric_log>
</clickhouse>
";
const USERS: &str = "\
<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default></users>
</clickhouse>
";

/// Lays the mounted files where the image has them, below `folder`.
fn mount(project: &Value, folder: &Path) {
    std::fs::write(folder.join("config.xml"), CONFIG).unwrap();
    std::fs::write(folder.join("users.xml"), USERS).unwrap();
    let mut mounted = 0;
    for volume in list(&project["services"]["clickhouse"]["volumes"]) {
        let Some(place) = volume["target"].as_str().unwrap().strip_prefix("/etc/clickhouse-server/") else { continue };
        let to = folder.join(place);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(volume["source"].as_str().unwrap(), to).unwrap();
        mounted += 1;
    }
    assert_eq!(mounted, 3);
}

/// What ClickHouse answers where it is configured so, once it has written its logs; else what it says, which may be nothing.
fn ask(project: &Value, folder: &Path, sql: &str) -> Result<String, String> {
    let answer = folder.join("answer.tsv");
    let sql = format!("SELECT 1; SYSTEM FLUSH LOGS; {sql} INTO OUTFILE '{}' FORMAT TSV", answer.display());
    let mut command = program(clickhouse_local);
    command.envs(environment(project, "clickhouse")).current_dir(folder);
    command.arg("--config-file").arg(folder.join("config.xml")).arg("--path").arg(folder.join("data/"));
    let output = command.args(["--query", &sql]).output().unwrap();
    // The exit code does not tell.
    std::fs::read_to_string(&answer).map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn clickhouse_takes_its_files() {
    let Some(project) = project() else { return };
    let folder = tempfile::tempdir().unwrap();
    mount(&project, folder.path());
    let users =
        ask(&project, folder.path(), "SELECT name, host_ip, host_names FROM system.users ORDER BY name").unwrap();
    assert_eq!(
        users,
        "default\t[]\t['localhost']\n\
         throughline_migrate\t['::/0']\t[]\n\
         throughline_read\t['::/0']\t[]\n\
         throughline_write\t['::/0']\t[]\n"
    );
    // In a folder of its own: the library does not write its logs twice into the same one.
    let folder = tempfile::tempdir().unwrap();
    mount(&project, folder.path());
    let logs = "SELECT name, engine_full LIKE '%TTL event_date + toIntervalDay(30)%' FROM system.tables \
                WHERE database = 'system' AND name IN ('query_log', 'trace_log', 'metric_log')";
    assert_eq!(ask(&project, folder.path(), logs).unwrap(), "query_log\t1\n");
}

/// ClickHouse sees what it is there to see.
#[test]
fn a_file_that_is_wrong_is_refused() {
    let Some(project) = project() else { return };
    for (file, right, wrong) in [
        ("users.d/administrator.xml", "</default>", "</defautl>"),
        ("users.d/administrator.xml", "::1", "::one"),
        ("users.d/throughline.xml", "GRANT SELECT, INSERT, SHOW", "GRANT SELECT, INSRET, SHOW"),
        ("config.d/one-machine.xml", "INTERVAL 30 DAY", "INTERVAL 30 DAYZ"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        mount(&project, folder.path());
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(right), "{right} is not in {file} any more");
        std::fs::write(&path, text.replace(right, wrong)).unwrap();
        let answer = ask(&project, folder.path(), "SELECT name FROM system.users");
        assert!(answer.is_err(), "{wrong} in {file} is taken: {answer:?}");
    }
}
