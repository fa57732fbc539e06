//! From text to configuration, and what is said of a wrong one.

use std::ffi::OsString;
use std::fmt::Debug;
use std::io::Write;
use std::path::PathBuf;

use serde::Deserialize;

use super::*;

const KEY: &str = "people.key = '0123456789abcdef'\n";

fn tree(file: &str, environment: &[(&str, &str)]) -> Result<Tree, ConfigError> {
    let mut on_disk = tempfile::NamedTempFile::new().unwrap();
    on_disk.write_all(file.as_bytes()).unwrap();
    let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    layers::load(Some(on_disk.path()), environment)
}

fn read(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let config = tree(file, environment).and_then(|tree| Config::from_tree(tree, sections::ALL));
    config.map_err(|error| format!("{:#}", anyhow::Error::new(error)))
}

fn refused(file: &str, environment: &[(&str, &str)]) -> String {
    read(file, environment).unwrap_err()
}

/// The documented defaults are those of the code: each section read from nothing is the same.
#[test]
fn the_defaults_are_those_of_the_code() {
    fn from_nothing<T: for<'de> Deserialize<'de> + Debug>() -> String {
        format!("{:?}", read::read::<T>(&Tree::empty(), &[]).unwrap())
    }
    let config = read("", &[]).unwrap();
    assert_eq!(format!("{:?}", config.kafka), from_nothing::<stream::KafkaConfig>());
    assert_eq!(format!("{:?}", config.receive), from_nothing::<ingestor::receive::ReceiveConfig>());
    assert_eq!(format!("{:?}", config.normalise), from_nothing::<ingestor::normalise::NormaliseConfig>());
    assert_eq!(format!("{:?}", config.reconcile), from_nothing::<ingestor::reconcile::ReconcileConfig>());
    assert_eq!(format!("{:?}", config.correlate), from_nothing::<correlator::CorrelatorConfig>());
    assert_eq!(format!("{:?}", config.load), from_nothing::<loader::LoaderConfig>());
    assert_eq!(format!("{:?}", config.review), from_nothing::<reviewer::ReviewConfig>());
    assert_eq!(format!("{:?}", config.clickhouse), from_nothing::<warehouse::WarehouseConfig>());
    assert!(config.migrate_on_start);
}

#[test]
fn the_example_is_right() {
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/throughline.toml");
    let tree = layers::load(Some(&example), std::iter::empty()).unwrap();
    let config = Config::from_tree(tree, &[]).unwrap();
    assert_eq!(config.receive.sources["github"].provider, "github");
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    for (file, said) in [
        ("kafka.broker = 'a:1'", "unknown key `kafka.broker`; did you mean `kafka.brokers`?"),
        (
            "[kafka.security]\nusrname = 'a'",
            "unknown key `kafka.security.usrname`; did you mean `kafka.security.username`?",
        ),
        ("[clickhose]\nurl = 'a'", "unknown key `clickhose`; did you mean `clickhouse`?"),
        ("[sources.shop]\nprovider = 'github'\nsecret = 'x'", "did you mean `sources.shop.secrets`?"),
        ("admin.address = 'a:1'", "unknown key `admin.address`; known here: listen"),
    ] {
        let error = refused(file, &[]);
        assert!(error.contains(said), "{file}: {error}");
        assert!(error.starts_with("file "), "{error}");
    }
    let error = refused("", &[("THROUGHLINE_KAFKA__BROKER", "a:1")]);
    assert_eq!(
        error,
        "environment THROUGHLINE_KAFKA__BROKER: unknown key `kafka.broker`; did you mean `kafka.brokers`?"
    );
}

#[test]
fn a_wrong_type_names_the_key_and_the_value() {
    for (file, said) in [
        ("receive.max_connections = 'many'", "`receive.max_connections` is the text \"many\", but"),
        ("kafka.partitions.inbox = 1.5", "`kafka.partitions.inbox` is the float 1.5, but i32 is wanted"),
        ("kafka.brokers = ['a:1']", "`kafka.brokers` is a list, but a string is wanted"),
        ("kafka = 'localhost'", "`kafka` is the text \"localhost\", but"),
        (
            "kafka.security.protocol = 'tls'",
            "`kafka.security.protocol` is the text \"tls\", but one of plaintext, ssl,",
        ),
        ("admin.listen = 'here'", "`admin.listen`: invalid socket address syntax"),
        (
            "clickhouse.migrate_on_start = 'yes'",
            "`clickhouse.migrate_on_start` is the text \"yes\", but a boolean is wanted",
        ),
    ] {
        let error = refused(file, &[]);
        assert!(error.contains(said), "{file}: {error}");
    }
}

#[test]
fn text_that_is_no_toml_is_named_by_its_line_and_not_shown() {
    for (line, column) in [
        ("key = 'hunter2hunter2hunter2", 29),
        ("key = hunter2hunter2", 7),
        ("key = 'hunter2' hunter2", 17),
        ("key = \"\\hunter2\"", 9),
        ("key = ['hunter2' 'hunter2']", 18),
        ("key = { file = 'hunter2'", 25),
        ("key 'hunter2'", 5),
        ("'ключ' = 'hunter2", 18),
        ("'hunter2' = 1\n'hunter2' = 2", 1),
    ] {
        let error = refused(&format!("[people]\n{line}"), &[]);
        assert!(
            error.contains(&format!(", line {}, column {column}: not TOML: ", 1 + line.lines().count())),
            "{line}: {error}"
        );
        assert!(!error.contains("hunter2"), "{line}: {error}");
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let config = read(
        "[kafka]\nbrokers = 'file:1'\ntopic_prefix = 'file.'\n[sources.shop]\nprovider = 'github'\nsecrets = ['a']",
        &[
            ("THROUGHLINE_KAFKA__BROKERS", "environment:1,environment:2"),
            ("THROUGHLINE_KAFKA__PARTITIONS__EVENTS", "12"),
            ("THROUGHLINE_KAFKA__SECURITY__USERNAME", "12"),
            ("THROUGHLINE_KAFKA__PROPERTIES__LINGER.MS", "5"),
            ("THROUGHLINE_SOURCES__SHOP__SECRETS", "['b', 'c']"),
            ("THROUGHLINE_SOURCES__SHOP__REALM", "true"),
            ("THROUGHLINE_CLICKHOUSE__MIGRATE_ON_START", "false"),
            ("THROUGHLINE_CONFIG", "is no setting"),
            ("THROUGHLINE_TEST_DATA", "is no setting either"),
            ("KAFKA__BROKERS", "somebody else's"),
        ],
    )
    .unwrap();
    assert_eq!(
        (config.kafka.brokers.as_str(), config.kafka.topic_prefix.as_str()),
        ("environment:1,environment:2", "file.")
    );
    assert_eq!((config.kafka.partitions.inbox, config.kafka.partitions.events), (6, 12));
    assert_eq!(config.kafka.security.username.as_deref(), Some("12"), "a text that looks like a number is a text");
    assert_eq!(config.kafka.properties["linger.ms"], "5");
    let source = &config.receive.sources["shop"];
    assert_eq!((source.secrets.len(), source.realm.as_str()), (2, "true"));
    assert!(!config.migrate_on_start);
}

#[test]
fn secrets_come_from_three_places_and_only_where_wanted() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"0123456789abcdef\n").unwrap();
    let secret = |config: &Config| String::from_utf8(config.people.required_key().unwrap().to_vec()).unwrap();
    let from_file = format!("people.key.file = {:?}", file.path());
    assert_eq!(secret(&read(&from_file, &[]).unwrap()), "0123456789abcdef");
    let config = read(&from_file, &[("THROUGHLINE_PEOPLE__KEY", "1234567890123456")]).unwrap();
    assert_eq!(secret(&config), "1234567890123456", "a secret that looks like a number is a text");
    let path = std::env::var("PATH").unwrap();
    let config = read(&from_file, &[("THROUGHLINE_PEOPLE__KEY__ENV", "PATH")]).unwrap();
    assert_eq!(secret(&config), path);
    assert_eq!(
        refused("clickhouse.password.env = 'NO_SUCH_VARIABLE'", &[]),
        "the secret `clickhouse.password` is out of reach: the environment variable NO_SUCH_VARIABLE is not set: set it to the secret"
    );
    let tree = tree("clickhouse.password.env = 'NO_SUCH_VARIABLE'", &[]).unwrap();
    Config::from_tree(tree, sections::KAFKA).unwrap();
}

/// Every key that holds a secret, in every way that a text is made of a configuration.
#[test]
fn secrets_are_never_shown() {
    let file = "\
        [kafka.security]\npassword = 'hunter2-kafka'\n\
        [kafka.properties]\n'ssl.key.password' = 'hunter2-property'\n\
        [clickhouse]\npassword = 'hunter2-clickhouse'\n\
        [people]\nkey = 'hunter2-people-hunter2'\n\
        [sources.shop]\nprovider = 'github'\nsecrets = ['hunter2-new', { env = 'PATH' }]";
    let environment =
        [("THROUGHLINE_SOURCES__CI__SECRETS", "['hunter2-ci']"), ("THROUGHLINE_SOURCES__CI__PROVIDER", "cdevents")];
    let table = Setting::table(&tree(file, &environment).unwrap().settings());
    assert!(!table.contains("hunter2"), "{table}");
    assert!(
        table.contains("[***, { env = \"PATH\" }]") && table.contains("kafka.properties.\"ssl.key.password\""),
        "{table}"
    );
    let config = format!("{:?}", read(file, &environment).unwrap());
    assert!(!config.contains("hunter2"), "{config}");

    for wrong in [
        "people.key = ['hunter2']",
        "people.key = 12345678901234567",
        "people.key = { evn = 'hunter2' }",
        "people.key = 'hunter2'",
        "clickhouse.password = { hunter2 = 1 }",
        "[sources.shop]\nprovider = 'github'\nsecrets = 'hunter2'",
        "[sources.shop]\nprovider = 'github'\nsecrets = ['hunter2']\ninsecure_no_secret = 'hunter2'",
        "kafka.security.password = ['hunter2']",
    ] {
        let error = refused(wrong, &[]);
        let leaked = error.contains("12345678901234567") || error.contains("hunter2") && !wrong.contains("{ hunter2");
        assert!(!leaked, "{wrong}: {error}");
    }
}

#[test]
fn the_table_shows_where_each_value_comes_from() {
    let tree =
        tree("kafka.brokers = 'a:1'\nclickhouse.url = 'http://u:hunter2@h'", &[("THROUGHLINE_LOG__LEVEL", "debug")])
            .unwrap();
    let settings = tree.settings();
    let of = |key: &str| settings.iter().find(|setting| setting.key == key).unwrap();
    assert_eq!(
        (of("log.level").value.as_str(), of("log.level").origin.as_str()),
        ("\"debug\"", "environment THROUGHLINE_LOG__LEVEL")
    );
    assert!(of("kafka.brokers").origin.starts_with("file /"));
    assert_eq!(
        (of("kafka.topic_prefix").value.as_str(), of("kafka.topic_prefix").origin.as_str()),
        ("\"throughline.\"", "default")
    );
    assert_eq!(of("clickhouse.url").value, "\"http://u:***@h\"");
    let table = Setting::table(&settings);
    let columns: Vec<_> =
        table.lines().filter_map(|line| line.find("  default").or_else(|| line.find("  ORIGIN"))).collect();
    assert!(columns.len() > 10 && columns.iter().all(|column| *column == columns[0]), "{table}");
}

#[test]
fn what_cannot_work_is_refused() {
    for (file, said) in [
        ("kafka.brokers = ''", "kafka.brokers is empty"),
        ("people.key = 'short'", "people.key has 5 bytes"),
        ("log.level = 'loud=1=2'", "log.level"),
        ("[receive.sources.shop]\nprovider = 'github'", "write [sources.NAME]"),
        ("[sources.shop]\nprovider = 'github'", "sources.shop has no secret"),
        (
            "[sources.shop]\nprovider = 'github'\nsecrets = ['']",
            "sources.shop: no secret: the secret in the configuration is",
        ),
        ("[sources.shop]\nprovider = 'gitbuh'\nsecrets = ['a']", "sources.shop: provider `gitbuh` is unknown"),
        ("receive.budget_bytes = 1", "receive.budget_bytes = 1: must be at least"),
        ("clickhouse.query_timeout_ms = 0", "the section [clickhouse] cannot work: clickhouse.query_timeout_ms is 0"),
        ("load.group = ''", "the section [load] cannot work: load.group is empty"),
    ] {
        let error = refused(file, &[]);
        assert!(error.contains(said), "{file}: {error}");
    }
    let error = read("", &[]).unwrap().people.required_key().unwrap_err().to_string();
    assert_eq!(
        error,
        "the key `people.key` is missing: give it in the file or as THROUGHLINE_PEOPLE__KEY in the environment"
    );
    assert!(read(KEY, &[]).is_ok());
}

#[test]
fn each_realm_has_one_catalog() {
    let config = read(&format!("{KEY}catalog.file = 'a.toml'\n[catalog.realms]\nacme = 'b.toml'"), &[]).unwrap();
    let files = config.catalog.files();
    let files: Vec<_> = files.iter().map(|(realm, file)| (realm.as_str(), file.to_str().unwrap())).collect();
    assert_eq!(files, [("default", "a.toml"), ("acme", "b.toml")]);
    for (file, said) in [
        ("catalog.file = 'a.toml'\n[catalog.realms]\ndefault = 'b.toml'", "keep one"),
        ("catalog.poll_ms = 0", "catalog.poll_ms is 0"),
    ] {
        let error = refused(&format!("{KEY}{file}"), &[]);
        assert!(error.contains(said), "{file}: {error}");
    }
}
