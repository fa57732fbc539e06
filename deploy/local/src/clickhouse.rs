//! One ClickHouse server, out of the shared library `libchdb.so`.

use std::path::{Path, PathBuf};

use crate::cache::{self, Cache};
use crate::error::Error;
use crate::probe;
use crate::server::{Launch, StopBy};

/// A user of the local ClickHouse. The passwords are no secrets: the server listens on 127.0.0.1 only, and [`ADMIN`] has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    pub name: &'static str,
    pub password: &'static str,
}

/// May do everything but `CREATE USER`: there is no storage for it. What a test uses unless it tests the grants.
pub const ADMIN: User = User { name: "default", password: "" };
/// May create, change and drop databases, tables and views named `throughline…` and `t_…`, read and write them.
pub const MIGRATE: User = User { name: "throughline_migrate", password: "migrate" };
/// May insert into and read databases named `throughline…` and `t_…`.
pub const WRITE: User = User { name: "throughline_write", password: "write" };
/// May read databases named `throughline…` and `t_…`.
pub const READ: User = User { name: "throughline_read", password: "read" };

/// The users as they are shipped: what holds here holds there.
pub(crate) const SHIPPED_USERS: &str = include_str!("../../clickhouse/users.d/throughline.xml");
/// What only tests do: they drop their databases, and tidy up tables. With the user, as it stands in the file.
const FOR_TESTS: (&str, &str) = (
    "</grants>\n    </throughline_migrate>",
    "<query>GRANT DROP DATABASE, TRUNCATE, OPTIMIZE ON throughline.*</query>\n      ",
);

/// A server in the folder `clickhouse` of a stack.
pub(crate) struct Node {
    library: PathBuf,
    folder: PathBuf,
    pub(crate) log: PathBuf,
}

impl Node {
    /// Installs ClickHouse if need be, and prepares the folder.
    pub(crate) fn prepare(cache: &Cache, stack: &Path, progress: &dyn Fn(&str)) -> Result<Node, Error> {
        let library = cache.clickhouse(progress)?;
        let folder = stack.join("clickhouse");
        for name in ["data", "tmp", "user_files"] {
            let folder = folder.join(name);
            std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        }
        cache::write(&folder.join("users.xml"), &users())?;
        Ok(Node { library, folder, log: stack.join("clickhouse.log") })
    }

    /// How to start the server on two ports.
    pub(crate) fn launch(&self, chdb_server: &Path, http_port: u16, tcp_port: u16) -> Result<Launch, Error> {
        self.forget_logs()?;
        let config = self.folder.join("config.xml");
        cache::write(&config, &self.config(http_port, tcp_port))?;
        // `clickhouse local` ends with its queries: the last one reads the standard input, which the supervisor keeps open.
        let query = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT * FROM file('stdin', LineAsString)";
        Ok(Launch {
            server: "ClickHouse",
            program: chdb_server.into(),
            arguments: vec![
                self.library.clone().into(),
                "--config-file".into(),
                config.into(),
                "--path".into(),
                data(&self.folder).into(),
                "--logger.console".into(),
                "--log-level=information".into(),
                "--query".into(),
                query.into(),
            ],
            folder: None,
            stop_by: StopBy::EndOfInput,
            log: self.log.clone(),
        })
    }

    /// Removes the tables of logs of an earlier run. `clickhouse local` does not remember them, and would make no new ones where
    /// their folders are.
    fn forget_logs(&self) -> Result<(), Error> {
        let logs = self.folder.join("data/data/system");
        match std::fs::remove_dir_all(&logs) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", &logs)(error)),
            _ => Ok(()),
        }
    }

    fn config(&self, http_port: u16, tcp_port: u16) -> String {
        let (data, folder) = (escape(&data(&self.folder)), escape(&self.folder.display().to_string()));
        format!(
            "\
<clickhouse>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http_port}</http_port>
  <tcp_port>{tcp_port}</tcp_port>
  <path>{data}</path>
  <tmp_path>{folder}/tmp/</tmp_path>
  <user_files_path>{folder}/user_files/</user_files_path>
  <backups><allowed_path>{folder}/backups/</allowed_path></backups>
  <users_config>{folder}/users.xml</users_config>
  <query_log><database>system</database><table>query_log</table></query_log>
</clickhouse>
"
        )
    }
}

/// Whether the server of the stack in the folder `stack` answers queries on `http_port`.
pub(crate) fn is_ready(stack: &Path, http_port: u16) -> bool {
    probe::clickhouse(http_port, &data(&stack.join("clickhouse"))).unwrap_or(false)
}

/// The data below the folder of a node, as ClickHouse writes a folder: with a slash at the end.
fn data(node: &Path) -> String {
    format!("{}/", node.join("data").display())
}

/// The shipped users, in every database that tests make, with passwords, for this machine alone; and an administrator.
fn users() -> String {
    let mut users = SHIPPED_USERS.replace(FOR_TESTS.0, &format!("{}{}", FOR_TESTS.1, FOR_TESTS.0));
    for User { name, password } in [MIGRATE, WRITE, READ] {
        let variable = format!("from_env=\"{}_PASSWORD\"/>", name.to_uppercase());
        users = users.replace(&format!("<password {variable}"), &format!("<password>{password}</password>"));
    }
    let in_all = |line: &str| match line.contains(" ON throughline.*") {
        true => ["throughline*.*", "t_*.*"].map(|all| line.replace("throughline.*", all)).join("\n"),
        false => line.to_owned(),
    };
    let users = users.lines().map(in_all).collect::<Vec<_>>().join("\n");
    let admin = format!(
        "<{name}><password>{password}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>\
         <quota>default</quota><access_management>1</access_management></{name}>",
        name = ADMIN.name,
        password = ADMIN.password
    );
    users
        .replace("<ip>::/0</ip>", "<ip>127.0.0.1</ip>")
        .replace("  <profiles>\n", "  <quotas><default/></quotas>\n  <profiles>\n    <default/>\n")
        .replace("  <users>\n", &format!("  <users>\n    {admin}\n"))
}

/// For text between XML tags.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
