//! `ServerList`: the servers that may be connected to, those that failed last, and those that
//! the cluster announced.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerAddress {
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether nothing is sent to it without TLS.
    pub(super) secure: bool,
}

/// All servers.
#[derive(Debug)]
pub(super) struct ServerList {
    servers: Vec<Entry>,
    /// Those that are to be tried before all are tried again.
    round: VecDeque<ServerAddress>,
    /// How many of them were given by the caller, and stay.
    given: usize,
    learns: bool,
}

#[derive(Debug)]
struct Entry {
    address: ServerAddress,
    /// How often it has failed since it was good.
    failures: u32,
}

/// The most servers that are remembered: a cluster has fewer.
const MOST: usize = 1024;

const DEFAULT_PORT: u16 = 4222;

impl ServerList {
    /// The given servers; `learns`: others that the cluster announces are added.
    pub(super) fn new(given: Vec<ServerAddress>, learns: bool) -> Self {
        let entry = |address| Entry {
            address,
            failures: 0,
        };
        Self {
            given: given.len(),
            servers: given.into_iter().map(entry).collect(),
            round: VecDeque::new(),
            learns,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.servers.len()
    }

    /// The server to be tried next: in a random order, those that failed least first, and each
    /// once before one is tried again.
    pub(super) fn next(&mut self) -> Option<ServerAddress> {
        if self.round.is_empty() {
            let order = RandomState::new();
            let mut entries: Vec<_> = self.servers.iter().collect();
            entries.sort_by_cached_key(|entry| {
                let address = &entry.address;
                (
                    entry.failures,
                    order.hash_one((&address.host, address.port)),
                )
            });
            let addresses = entries.into_iter().map(|entry| entry.address.clone());
            self.round = addresses.collect();
        }
        self.round.pop_front()
    }

    /// A connection to the server has failed, or has ended at once.
    pub(super) fn failed(&mut self, address: &ServerAddress) {
        if let Some(entry) = self.entry(address) {
            entry.failures = entry.failures.saturating_add(1);
        }
    }

    /// A connection to the server has lived. The next round begins anew.
    pub(super) fn was_good(&mut self, address: &ServerAddress) {
        if let Some(entry) = self.entry(address) {
            entry.failures = 0;
        }
        self.round.clear();
    }

    /// The server is about to stop: all others are tried before it.
    pub(super) fn leaves(&mut self, address: &ServerAddress) {
        let most = self.servers.iter().map(|entry| entry.failures).max();
        if let Some(entry) = self.entry(address) {
            entry.failures = most.unwrap_or(0).saturating_add(1);
        }
        self.round.clear();
    }

    /// Whether there is another server than this one.
    pub(super) fn has_others(&self, than: &ServerAddress) -> bool {
        self.servers.iter().any(|entry| !same(&entry.address, than))
    }

    /// The cluster announces these servers, over a connection with TLS if `secure`. TLS is
    /// required of them then: whoever answers there would get the credentials.
    pub(super) fn learn(&mut self, urls: &[String], secure: bool) {
        if !self.learns {
            return;
        }
        for url in urls {
            let Some(address) = parse(url, secure) else {
                tracing::debug!(target: crate::TRACING_TARGET, url = ?url, "an announced server has no address");
                continue;
            };
            if let Some(known) = self.entry(&address) {
                known.address.secure |= secure;
                continue;
            }
            if self.servers.len() >= MOST {
                self.forget_one();
            }
            if self.servers.len() < MOST {
                self.servers.push(Entry {
                    address,
                    failures: 0,
                });
            }
        }
    }

    /// Removes the announced server that has failed most.
    fn forget_one(&mut self) {
        let announced = self.servers.iter().enumerate().skip(self.given);
        let worst = announced.max_by_key(|(_, entry)| entry.failures);
        if let Some((index, _)) = worst {
            self.servers.remove(index);
        }
    }

    fn entry(&mut self, address: &ServerAddress) -> Option<&mut Entry> {
        let mut servers = self.servers.iter_mut();
        servers.find(|entry| same(&entry.address, address))
    }
}

fn same(one: &ServerAddress, other: &ServerAddress) -> bool {
    one.port == other.port && one.host.eq_ignore_ascii_case(&other.host)
}

/// `host:port`, `[::1]:port`, with or without a scheme.
fn parse(url: &str, secure: bool) -> Option<ServerAddress> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match rest.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
    if host.is_empty() || !host.bytes().all(known) {
        return None;
    }
    Some(ServerAddress {
        host: host.to_owned(),
        port: match port {
            Some(port) => port.parse().ok()?,
            None => DEFAULT_PORT,
        },
        secure: secure || scheme == "tls",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> ServerAddress {
        ServerAddress {
            host: host.to_owned(),
            port,
            secure: false,
        }
    }

    fn urls(urls: &[&str]) -> Vec<String> {
        urls.iter().map(|url| (*url).to_owned()).collect()
    }

    fn round(list: &mut ServerList) -> Vec<String> {
        let length = list.len();
        (0..length).map(|_| list.next().unwrap().host).collect()
    }

    #[test]
    fn each_server_is_tried_once_in_a_round_and_the_failed_ones_last() {
        let mut list = ServerList::new(vec![at("a", 1), at("b", 1), at("c", 1)], true);
        list.failed(&at("b", 1));
        for _ in 0..10 {
            let mut order = round(&mut list);
            assert_eq!(order.pop().as_deref(), Some("b"));
            order.sort();
            assert_eq!(order, ["a", "c"]);
        }
        list.failed(&at("a", 1));
        list.failed(&at("a", 1));
        assert_eq!(round(&mut list), ["c", "b", "a"]);
        list.was_good(&at("a", 1));
        assert_eq!(round(&mut list).pop().as_deref(), Some("b"));
    }

    #[test]
    fn a_server_that_stops_is_tried_last() {
        let mut list = ServerList::new(vec![at("a", 1), at("b", 1)], true);
        list.failed(&at("b", 1));
        list.leaves(&at("a", 1));
        assert_eq!(round(&mut list), ["b", "a"]);
        assert!(list.has_others(&at("a", 1)));
        assert!(!ServerList::new(vec![at("a", 1)], true).has_others(&at("A", 1)));
    }

    #[test]
    fn announced_servers_are_added_once_unless_only_given_ones_are_wanted() {
        let announced = urls(&[
            "10.0.0.1:4333",
            "[::1]:4222",
            "b",
            "A:1",
            "",
            "a b:1",
            "c:x",
        ]);
        let mut list = ServerList::new(vec![at("a", 1)], true);
        list.learn(&announced, false);
        list.learn(&announced, false);
        let hosts: Vec<_> = list.servers.iter().map(|entry| &entry.address).collect();
        let expected = [
            at("a", 1),
            at("10.0.0.1", 4333),
            at("::1", 4222),
            at("b", 4222),
        ];
        assert_eq!(hosts, expected.iter().collect::<Vec<_>>());
        let mut given = ServerList::new(vec![at("a", 1)], false);
        given.learn(&announced, false);
        assert_eq!(given.len(), 1);
    }

    #[test]
    fn what_is_announced_over_tls_needs_tls() {
        let mut list = ServerList::new(vec![at("a", 1)], true);
        list.learn(&urls(&["b:1", "a:1"]), false);
        list.learn(&urls(&["b:1", "a:1"]), true);
        assert!(list.servers.iter().all(|entry| entry.address.secure));
    }

    #[test]
    fn announced_servers_are_limited() {
        let mut list = ServerList::new(vec![at("a", 1)], true);
        for number in 0..2000 {
            list.learn(&[format!("host{number}:1")], false);
        }
        assert_eq!(list.len(), MOST);
        assert_eq!(list.servers[0].address.host, "a");
    }
}
