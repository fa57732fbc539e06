//! Ports of 127.0.0.1 that nobody uses.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{Ipv4Addr, TcpListener};

/// Below the ephemeral ports of Linux (from 32768) and macOS (from 49152). On an ephemeral port a client that reconnects in
/// a loop while the server is down can connect *to itself* (TCP's simultaneous open) and then blocks the server's restart.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// `N` different ports, free at this moment. Another program may take one before the server does: the caller tries again.
pub(crate) fn free<const N: usize>() -> std::io::Result<[u16; N]> {
    let span = u64::from(RANGE.end - RANGE.start);
    let mut held = Vec::with_capacity(N);
    for attempt in 0_u32..1_000 {
        if held.len() == N {
            break;
        }
        let offset = u16::try_from(random(attempt) % span).unwrap_or_default();
        // All are held until the last is found, so that they differ.
        held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, RANGE.start + offset)));
    }
    let ports = held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect::<std::io::Result<Vec<_>>>()?;
    ports.try_into().map_err(|_| {
        std::io::Error::new(
            std::io::ErrorKind::AddrInUse,
            "no free ports from 20000 to 31999 on 127.0.0.1 in 1000 attempts",
        )
    })
}

/// 64 bits that differ between processes and calls; no secret depends on them.
pub(crate) fn random(salt: u32) -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(salt);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_not_ephemeral() {
        let mut ports = free::<16>().unwrap();
        ports.sort_unstable();
        assert!(ports.windows(2).all(|pair| pair[0] < pair[1]), "{ports:?}");
        assert!(ports.iter().all(|port| RANGE.contains(port)), "{ports:?}");
    }
}
