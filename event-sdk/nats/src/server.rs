//! What a server is: its version, its limits, and what follows from them.

use std::fmt;

use event_sdk_core::transport::{Capabilities, Capability};

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
    /// Consumers with several filters, consumer actions, stream compression.
    pub(super) const V2_10: Self = Self::new(2, 10);
    /// The expected last sequence of a pattern, direct get of batches.
    pub(super) const V2_11: Self = Self::new(2, 11);

    /// A patch level of this minor version.
    pub(super) const fn patch(self, patch: u16) -> Self {
        Self { patch, ..self }
    }

    const fn new(major: u16, minor: u16) -> Self {
        Self {
            major,
            minor,
            patch: 0,
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
    /// Its version; one that cannot be read counts as the oldest.
    pub(super) version: Version,
    /// The most bytes of headers and body that it takes.
    pub(super) max_payload: usize,
    /// Whether it has JetStream.
    pub(super) jetstream: bool,
    /// Whether there is a cluster that it is of.
    pub(super) clustered: bool,
}

impl Server {
    pub(super) fn learn(info: &async_nats::ServerInfo) -> Self {
        let version = Version::parse(&info.version);
        if version.is_none() {
            tracing::warn!(target: crate::TRACING_TARGET,
                version = %info.version,
                "the server's version cannot be read; it is taken as 2.9"
            );
        }
        Self {
            name: info.server_name.clone(),
            version: version.unwrap_or(Version::new(2, 9)),
            max_payload: info.max_payload,
            jetstream: info.jetstream,
            clustered: info.cluster.is_some(),
        }
    }

    /// Whether a message that it can no longer deliver, for nobody listens there any
    /// more, is for others. In a cluster, the server that sends it learns too late that
    /// nobody does. It comes again after the ack wait then.
    pub(super) fn takes_back(&self) -> bool {
        !self.clustered
    }

    /// Whether its consumers count only what they deliver. Before 2.10.16 they count a
    /// redelivery for which there are none but dead requests, too, unless they are made
    /// to forget these (nats-server, `loopAndGatherMsgs`).
    pub(super) fn counts_exactly(&self) -> bool {
        self.version >= Version::V2_10.patch(16)
    }

    /// What this transport can do on this server.
    pub(super) fn capabilities(&self) -> Capabilities {
        let always = [
            Capability::Store,
            Capability::Deduplication,
            Capability::ExpectStream,
            Capability::ExpectSubject,
            Capability::Backoff,
            Capability::ReportsExhausted,
            Capability::RetentionByAck,
        ];
        let since = [
            (Version::V2_10, Capability::SeveralFilters),
            (Version::V2_10, Capability::Compression),
            (Version::V2_11, Capability::ExpectPattern),
        ];
        let since = since
            .into_iter()
            .filter(|(version, _)| self.version >= *version);
        always
            .into_iter()
            .chain(since.map(|(_, capability)| capability))
            .fold(Capabilities::none(self.max_payload), Capabilities::with)
    }

    /// What to do about a capability that this server lacks.
    pub(super) fn needs(&self, version: Version) -> String {
        format!(
            "it needs NATS server {}.{}, and this one is {}",
            version.major, version.minor, self.version
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
    fn versions_are_ordered_by_number() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("2.9.25") < Version::V2_10);
        assert!(version("2.10.0") >= Version::V2_10);
        assert!(version("2.15.1") > Version::V2_11);
    }
}
