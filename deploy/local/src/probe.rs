//! Is a server ready, and is it ours? An answer alone does not say so: another stack may have taken the port.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// Whether the broker on `port` belongs to the cluster `cluster_id` and takes clients.
///
/// Asks `DescribeCluster` (API key 60, version 0; <https://kafka.apache.org/protocol#The_Messages_DescribeCluster>): it lists
/// the brokers that are not fenced, so a broker that accepts connections but has not registered yet is not ready.
pub(crate) fn kafka(port: u16, cluster_id: &str) -> io::Result<bool> {
    const REQUEST: [u8; 17] = [
        0, 0, 0, 13, // size of the rest
        0, 60, 0, 0, // API key, version
        0, 0, 0, 1, // correlation id
        0xff, 0xff, // no client id
        0,    // no tagged fields in the header
        0, 0, // do not include authorized operations; no tagged fields
    ];
    let mut stream = connect(port)?;
    stream.write_all(&REQUEST)?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let mut answer = Vec::new();
    stream.take(u64::from(u32::from_be_bytes(size).min(64 * 1024))).read_to_end(&mut answer)?;
    Ok(parse_describe_cluster(&answer).is_some_and(|(id, brokers)| id == cluster_id.as_bytes() && brokers > 0))
}

/// Cluster id and number of brokers in a response of version 0. The compact lengths are single bytes here: a cluster id has
/// 22 characters, and the local stack few brokers.
fn parse_describe_cluster(answer: &[u8]) -> Option<(&[u8], u8)> {
    // Correlation id 4, tagged fields 1, throttle time 4.
    let (error, rest) = answer.get(9..)?.split_first_chunk::<2>()?;
    if *error != [0, 0] {
        return None;
    }
    let (&error_message, rest) = rest.split_first()?;
    let rest = rest.get(usize::from(error_message).saturating_sub(1)..)?;
    let (&id_length, rest) = rest.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(id_length).checked_sub(1)?)?;
    let &brokers = rest.get(4)?; // behind the controller's id
    Some((id, brokers.checked_sub(1)?))
}

/// Whether the ClickHouse on `port` answers queries and has its data in `path`.
pub(crate) fn clickhouse(port: u16, path: &str) -> io::Result<bool> {
    let (status, body) = get(port, "/?query=SELECT+path+FROM+system.disks")?;
    Ok(status == "200" && body.lines().any(|line| line == path))
}

/// Whether a server on `port` answers a request for `path` with 200.
pub(crate) fn answers(port: u16, path: &str) -> bool {
    get(port, path).is_ok_and(|(status, _)| status == "200")
}

/// Status and body of an answer.
fn get(port: u16, path: &str) -> io::Result<(String, String)> {
    let mut stream = connect(port)?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok((head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 0 lays it out: one broker (1, 127.0.0.1, 9092, no rack).
    fn answer(error: u8, brokers: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, error, 0, 3, b'i', b'd', 0, 0, 0, 1, brokers + 1];
        if brokers > 0 {
            bytes.extend(b"\0\0\0\x01\x0a127.0.0.1\0\0\x23\x84\0\0");
        }
        bytes.extend(b"\x80\0\0\0\0");
        bytes
    }

    #[test]
    fn describe_cluster_names_the_cluster_and_counts_brokers() {
        assert_eq!(parse_describe_cluster(&answer(0, 1)), Some((b"id".as_slice(), 1)));
        assert_eq!(parse_describe_cluster(&answer(0, 0)), Some((b"id".as_slice(), 0)));
        assert_eq!(parse_describe_cluster(&answer(35, 1)), None);
    }

    #[test]
    fn a_short_answer_is_no_answer() {
        let whole = answer(0, 1);
        for length in 0..19 {
            assert_eq!(parse_describe_cluster(&whole[..length]), None, "{length} bytes");
        }
    }
}
