//! `Manifest`: what a backup contains, from which stream, and the checksum of its content.

use event_sdk::EventBus;
use event_sdk::transport::SnapshotInfo;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a backup contains: the fields of `manifest.json`.
///
/// Later versions may add fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The format of the file: [`FORMAT`](Self::FORMAT).
    pub format: String,
    /// The version of the format: [`VERSION`](Self::VERSION).
    pub version: u32,
    /// The stream.
    pub stream: String,
    /// The prefix of the bus that wrote the backup.
    pub prefix: String,
    /// The kind of the content ([`SnapshotInfo::kind`]).
    pub kind: String,
    /// The program that wrote the content, with its version, such as `nats-server 2.15.1`.
    pub writer: String,
    /// When the backup was begun.
    pub time: Timestamp,
    /// The number of messages in the backup.
    pub messages: u64,
    /// The bytes of all messages.
    pub bytes: u64,
    /// The sequence of the oldest message, or the next sequence if there is no message.
    pub first_sequence: u64,
    /// The sequence of the newest message ever stored; zero if no message was ever stored.
    pub last_sequence: u64,
    /// The number of consumers in the backup.
    pub consumers: usize,
    /// The file with the content.
    pub content: Content,
}

/// The file with the content.
///
/// Later versions may add fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Content {
    /// The name of the file.
    pub file: String,
    /// The size of the file in bytes.
    pub size: u64,
    /// The SHA-256 of the file's bytes, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// The format of the file.
    pub const FORMAT: &str = "event-sdk-backup";

    /// The version of the format.
    pub const VERSION: u32 = 1;

    /// That of a snapshot whose content is not known yet.
    pub(super) fn of(bus: &EventBus, stream: &str, info: &SnapshotInfo) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            version: Self::VERSION,
            stream: stream.to_owned(),
            prefix: bus.prefix().to_owned(),
            kind: info.kind.to_string(),
            writer: info.writer.to_string(),
            time: bus.clock().now(),
            messages: info.messages,
            bytes: info.bytes,
            first_sequence: info.first_sequence,
            last_sequence: info.last_sequence,
            consumers: info.consumers,
            content: Content {
                file: content_file(&info.kind),
                ..Content::default()
            },
        }
    }
}

/// The name of the file with the content: for a NATS server, the one that its command line reads.
pub(super) fn content_file(kind: &str) -> String {
    match kind {
        SnapshotInfo::JETSTREAM => "stream.tar.s2".to_owned(),
        other => format!("stream.{other}"),
    }
}
