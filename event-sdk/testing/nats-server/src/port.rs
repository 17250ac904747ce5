//! Reserves loopback ports, also while a server is down.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// A TCP port of 127.0.0.1 that no other test on the machine has.
///
/// A server that restarts must get the same port again. A free port that the system chooses is not
/// enough: while the server is down, the system may give it to another server or to an outgoing
/// connection of a client. Therefore the port is chosen below the range from which systems choose.
/// A UDP socket with the same number reserves it: no server uses this socket, and the system closes
/// it if the test program is killed.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _held: UdpSocket,
}

/// Below the ports that Linux (32768) and macOS (49152) hand out, above the usual ones of servers.
const RANGE: std::ops::Range<u16> = 20_000..30_000;

impl Port {
    /// Reserves a port.
    ///
    /// # Errors
    ///
    /// If no port of the range is free.
    pub fn reserve() -> io::Result<Self> {
        let count = usize::from(RANGE.end - RANGE.start);
        let from = random() % count;
        RANGE
            .cycle_from(from)
            .find_map(Self::try_reserve)
            .ok_or_else(|| {
                let text = format!("no loopback port of {RANGE:?} is free");
                io::Error::new(io::ErrorKind::AddrInUse, text)
            })
    }

    /// The number of the port.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// First the socket that holds it, so that two who try at once do not both go on.
    fn try_reserve(number: u16) -> Option<Self> {
        let address = (Ipv4Addr::LOCALHOST, number);
        let held = UdpSocket::bind(address).ok()?;
        TcpListener::bind(address).ok()?;
        Some(Self {
            number,
            _held: held,
        })
    }
}

trait CycleFrom {
    fn cycle_from(self, from: usize) -> impl Iterator<Item = u16>;
}

impl CycleFrom for std::ops::Range<u16> {
    /// All numbers, beginning with the one at `from`.
    fn cycle_from(self, from: usize) -> impl Iterator<Item = u16> {
        self.clone().skip(from).chain(self.take(from))
    }
}

/// The keys of std's hash maps are random in each process, and counted on from there.
fn random() -> usize {
    let hash = RandomState::new().hash_one(std::process::id());
    usize::try_from(hash >> 33).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_can_be_listened_on_and_is_reserved_once() {
        let port = Port::reserve().unwrap();
        assert!(RANGE.contains(&port.number()));
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).is_ok());
        assert!(Port::try_reserve(port.number()).is_none());
    }

    #[test]
    fn a_port_that_something_else_listens_on_is_passed_over() {
        let number = Port::reserve().unwrap().number();
        let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).unwrap();
        assert!(Port::try_reserve(number).is_none());
    }

    #[test]
    fn every_port_is_tried_once() {
        let order: Vec<_> = (1..4).cycle_from(2).collect();
        assert_eq!(order, [3, 1, 2]);
    }
}
