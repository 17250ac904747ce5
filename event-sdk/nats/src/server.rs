//! Server version and limits: oldest supported version, and which capability needs which
//! version.

use std::fmt;

use event_sdk_core::transport::{Capabilities, Capability, Error, Operation};

/// The version of a NATS server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The major version.
    pub major: u16,
    /// The minor version.
    pub minor: u16,
    /// The patch level.
    pub patch: u16,
}

impl Version {
    /// The oldest version that [`Nats::connect`](super::Nats::connect) accepts.
    pub const OLDEST: Self = Self::new(2, 10, 25);
    /// The expected last sequence of a pattern, direct get of batches, pauses of consumers.
    pub(super) const V2_11: Self = Self::new(2, 11, 0);
    /// Schedules.
    pub(super) const V2_12: Self = Self::new(2, 12, 0);
    /// Resets of consumers.
    pub(super) const V2_14: Self = Self::new(2, 14, 0);

    const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Reads what a server says of itself: `2.10.22`, `2.12.0-RC.1`, `v2.9.10`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(str::parse);
        let mut next = || numbers.next().and_then(Result::ok);
        Some(Self {
            major: next()?,
            minor: next()?,
            patch: next().unwrap_or(0),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a server said of itself when it was connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// Its name.
    pub(super) name: String,
    /// Its version; one that cannot be read counts as the oldest that is supported.
    pub(super) version: Version,
    /// The most bytes of headers and body that it takes.
    pub(super) max_payload: usize,
    /// Whether it has JetStream.
    pub(super) jetstream: bool,
    /// Whether the streams may be in a cluster: the server is of one, or has none itself. Those that
    /// clients of a leaf node reach then are behind it.
    pub(super) clustered: bool,
}

impl Server {
    pub(super) fn learn(info: &async_nats::ServerInfo) -> Self {
        let version = Version::parse(&info.version);
        if version.is_none() {
            tracing::warn!(target: crate::TRACING_TARGET,
                version = %info.version,
                "the server's version cannot be read; it is taken as {}", Version::OLDEST
            );
        }
        Self {
            name: info.server_name.clone(),
            version: version.unwrap_or(Version::OLDEST),
            max_payload: info.max_payload,
            jetstream: info.jetstream,
            clustered: info.cluster.is_some() || !info.jetstream,
        }
    }

    /// Whether single messages can expire.
    pub(super) fn has_message_ttl(&self) -> bool {
        self.version >= Version::V2_11
    }

    /// Whether a mirror can become a stream of its own.
    pub(super) fn promotes_mirrors(&self) -> bool {
        self.version >= Version::V2_12
    }

    /// Whether a stream with sources has no duplicate window unless it is set.
    pub(super) fn leaves_sources_no_window(&self) -> bool {
        self.version >= Version::V2_14
    }

    /// Whether a message that it can no longer deliver, for nobody listens there any
    /// more, is for others. In a cluster, the server that sends it learns too late that
    /// nobody does. It comes again after the ack wait then.
    pub(super) fn takes_back(&self) -> bool {
        !self.clustered
    }

    /// That it is too old for streams and consumers, if it is.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.version >= Version::OLDEST {
            return Ok(());
        }
        let needed = format!("{}; upgrade the server", self.needs(Version::OLDEST));
        let store = Capability::Store;
        Err(Error::unsupported(store, Operation::Configure, &needed))
    }

    /// What this transport can do on this server.
    pub(super) fn capabilities(&self) -> Capabilities {
        let always = [
            Capability::Store,
            Capability::Deduplication,
            Capability::ExpectStream,
            Capability::ExpectSubject,
            Capability::AckAll,
            Capability::Backoff,
            Capability::ReportsGaps,
            Capability::ReportsExhausted,
            Capability::RetentionByAck,
            Capability::SeveralFilters,
            Capability::Compression,
            Capability::Copies,
            Capability::ChangeRetention,
            Capability::DenyDeletion,
            Capability::RollUp,
        ];
        let later = [
            (Capability::ExpectPattern, Version::V2_11),
            (Capability::CoordinationExpiry, Version::V2_11),
            (Capability::PauseConsumer, Version::V2_11),
            (Capability::PromoteMirror, Version::V2_12),
            (Capability::ResetConsumer, Version::V2_14),
        ];
        let later = later
            .into_iter()
            .filter(|(_, since)| self.version >= *since);
        let later = later.map(|(capability, _)| capability);
        // A server that is alone takes a placement, and ignores it.
        let placement = self.clustered.then_some(Capability::Placement);
        always
            .into_iter()
            .chain(later)
            .chain(placement)
            .fold(Capabilities::none(self.max_payload), Capabilities::with)
    }

    /// What to do about a capability that this server lacks.
    pub(super) fn needs(&self, version: Version) -> String {
        format!(
            "it needs NATS server {version} or newer, and this one is {}",
            self.version
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let version = |text| Version::parse(text).map(|v| v.to_string());
        assert_eq!(version("2.10.22").as_deref(), Some("2.10.22"));
        assert_eq!(version("v2.9.10").as_deref(), Some("2.9.10"));
        assert_eq!(version("2.12.0-RC.1").as_deref(), Some("2.12.0"));
        assert_eq!(version("2.14").as_deref(), Some("2.14.0"));
        for text in ["", "2", "two.three", "2.x.1"] {
            assert_eq!(version(text), None, "{text:?}");
        }
    }

    #[test]
    fn streams_behind_a_leaf_node_may_be_in_a_cluster() {
        let placement = |jetstream, cluster: Option<&str>| {
            let info = async_nats::ServerInfo {
                version: "2.15.1".to_owned(),
                jetstream,
                cluster: cluster.map(str::to_owned),
                ..async_nats::ServerInfo::default()
            };
            let capabilities = Server::learn(&info).capabilities();
            capabilities.has(Capability::Placement)
        };
        assert!(!placement(true, None));
        assert!(placement(true, Some("eu")) && placement(false, None));
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("2.9.30") < Version::OLDEST);
        assert!(version("2.10.24") < Version::OLDEST);
        assert!(version("2.10.25") >= Version::OLDEST);
        assert!(version("2.15.1") > Version::V2_11);
    }
}
