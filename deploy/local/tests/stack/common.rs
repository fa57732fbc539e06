//! Clients of a few lines, and processes of their own for what needs them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use local_stack::{Addresses, User};

/// Runs SQL over HTTP; `Err` is ClickHouse's own text.
pub fn query(addresses: &Addresses, user: User, sql: &str) -> Result<String, String> {
    let address = addresses.clickhouse.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let (name, password, length) = (user.name, user.password, sql.len());
    write!(
        stream,
        "POST / HTTP/1.0\r\nX-ClickHouse-User: {name}\r\nX-ClickHouse-Key: {password}\r\nContent-Length: {length}\r\n\r\n{sql}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if head.split(' ').nth(1) == Some("200") { Ok(body.trim_end().to_owned()) } else { Err(body.to_owned()) }
}

/// Sends a request to Kafka and returns what follows the correlation id.
fn kafka_request(addresses: &Addresses, api_key: u16, version: u16, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(&addresses.kafka).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut request = Vec::new();
    request.extend(u32::try_from(10 + body.len()).unwrap().to_be_bytes());
    request.extend(api_key.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend([0, 0, 0, 1, 0xff, 0xff]);
    request.extend(body);
    stream.write_all(&request).unwrap();
    let mut size = [0; 4];
    stream.read_exact(&mut size).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(size).try_into().unwrap()];
    stream.read_exact(&mut answer).unwrap();
    answer.split_off(4)
}

/// `CreateTopics`, version 2: one partition, one replica.
pub fn create_topic(addresses: &Addresses, name: &str) {
    let mut body = vec![0, 0, 0, 1];
    body.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
    body.extend(name.as_bytes());
    body.extend([0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x27, 0x10, 0]);
    let answer = kafka_request(addresses, 19, 2, &body);
    let error = &answer[4 + 4 + 2 + name.len()..][..2];
    assert_eq!(error, [0, 0], "CreateTopics was refused");
}

/// `Metadata`, version 1, of all topics.
pub fn has_topic(addresses: &Addresses, name: &str) -> bool {
    let answer = kafka_request(addresses, 3, 1, &[0xff; 4]);
    answer.windows(name.len()).any(|window| window == name.as_bytes())
}

/// Runs the ignored test `name` of this test program as a process of its own, with the cache `cache` if one is given.
pub fn spawn_test(name: &str, cache: Option<&Path>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]).stdout(Stdio::piped()).stdin(Stdio::null());
    if let Some(cache) = cache {
        command.env("THROUGHLINE_CACHE", cache);
    }
    command.spawn().unwrap()
}

/// What follows `says: ` in the first line of the process that has it.
pub fn hear(process: &mut Child) -> String {
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said = lines.find_map(|line| Some(line.split_once("says: ")?.1.to_owned()));
    // The rest must be read too: the process fails where it cannot print.
    std::thread::spawn(move || lines.for_each(drop));
    said.unwrap_or_else(|| panic!("the process ended without a word; its errors are above"))
}

/// The ids of the processes whose command line holds `text`, and those lines.
pub fn processes(text: &str) -> Vec<(u32, String)> {
    let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,stat=,args="]).output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains(text) && !line.contains("<defunct>"))
        .map(|line| (line.split_whitespace().next().unwrap().parse().unwrap(), line.to_owned()))
        .collect()
}

/// Waits until no process has `text` in its command line.
pub fn assert_all_end(text: &str, within: Duration) {
    let started = Instant::now();
    while !processes(text).is_empty() {
        assert!(started.elapsed() < within, "still there after {within:?}: {:#?}", processes(text));
        std::thread::sleep(Duration::from_millis(50));
    }
}
