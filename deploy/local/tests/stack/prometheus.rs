//! Prometheus and Alertmanager with a configuration that is given, and nothing of them afterwards.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use local_stack::{Alertmanager, Prometheus, PrometheusPrograms, STOP_GRACE};

use crate::common::{assert_all_end, processes};

const ROUTES: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

/// The body of an answer.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn each_runs_with_its_configuration_and_ends_when_it_is_dropped() {
    let programs = match PrometheusPrograms::find(&|line| println!("{line}")) {
        Ok(programs) => programs,
        Err(error) => return eprintln!("SKIPPED: {error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let progress = |line: &str| println!("{line}");
    let routes = write("routes.yml", ROUTES);
    let alertmanager = Alertmanager::start(&programs, &routes, &progress).unwrap();
    assert!(get(alertmanager.address(), "/api/v2/status").contains("receiver: nobody"));
    let global = write("global.yml", "global: {external_labels: {stack: private}}\n");
    let prometheus = Prometheus::start(&programs, &global, &progress).unwrap();
    assert!(get(prometheus.address(), "/api/v1/status/config").contains("stack: private"));

    let wrong = write("wrong.yml", "globe: {}\n");
    let error = Prometheus::start(&programs, &wrong, &progress).err().unwrap().to_string();
    assert!(error.contains("field globe not found"), "{error}");
    let error = Alertmanager::start(&programs, &wrong, &progress).err().unwrap().to_string();
    assert!(error.contains("field globe not found"), "{error}");

    let name = folder.path().to_str().unwrap();
    assert!(processes(name).len() >= 2, "{:?}", processes(name));
    drop((alertmanager, prometheus));
    assert_all_end(name, STOP_GRACE);
}
