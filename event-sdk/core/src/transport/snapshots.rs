//! `Snapshots`: optional ability to write a whole stream into a backup, and to restore it.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;

use super::{Capability, Completion, Error, StreamState};
use crate::text::Text;

/// Writes a whole stream as bytes, and creates the stream again from these bytes.
///
/// - A snapshot has the configuration of the stream, its messages with their subjects, headers,
///   sequences and stored times, and its consumers with their positions, unless they are
///   [left out](SnapshotRequest::consumers). It shows the stream at one time; messages that are
///   published meanwhile may be part of it or not.
/// - A restored stream has the same sequences, also where messages were deleted: the next message
///   gets the sequence that it would have had in the original stream. Messages that have become too
///   old for the limits of the stream since the snapshot are dropped.
/// - A restore creates a stream, under its original name, and never changes one.
/// - Only the transport that made a snapshot can read it: see [`SnapshotInfo::kind`].
pub trait Snapshots: Send + Sync {
    /// Begins a snapshot of a stream.
    ///
    /// Cancel-safe: it changes nothing. Dropping the content ends the snapshot.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`Unsupported`](super::ErrorKind::Unsupported) if a server cannot make snapshots of this
    /// stream, [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection. The content yields the same
    /// errors, and ends after the first one. It is complete only if it ends without an error.
    fn snapshot(&self, request: SnapshotRequest) -> Completion<Result<Snapshot, Error>>;

    /// Creates a stream from a snapshot, and returns its configuration and counts. Its consumers can
    /// then be bound.
    ///
    /// If the restore fails, there is no stream of this name afterwards, unless the error says that
    /// a part of it may be left.
    ///
    /// Not cancel-safe: after dropping the future, the stream may have been created. If only a part
    /// of it was created, the transport removes this part if it can.
    ///
    /// # Errors
    ///
    /// [`StreamExists`](super::ErrorKind::StreamExists) if there is a stream of this name;
    /// [`InvalidSnapshot`](super::ErrorKind::InvalidSnapshot) if the snapshot is damaged,
    /// incomplete, of another stream, of another kind of transport, or of a newer server;
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) if an existing stream is in the way, for
    /// example with the same subjects, [`StreamFull`](super::ErrorKind::StreamFull) if a limit of
    /// the account or server is reached, [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection, and the first error of the
    /// content. If a cluster does not make all consumers of the stream in time, the error is
    /// [`Timeout`](super::ErrorKind::Timeout) with an [unknown outcome](super::Outcome::Unknown),
    /// and its reason says that the stream was restored. Services that start before the consumers
    /// exist would create the missing durables.
    fn restore(&self, request: RestoreRequest) -> Completion<Result<StreamState, Error>>;
}

/// Which stream to write.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
///
/// ```
/// use event_sdk_core::transport::SnapshotRequest;
///
/// let request = SnapshotRequest::new("ORDERS").without_consumers();
/// assert!(!request.consumers);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotRequest {
    /// The stream.
    pub stream: Text,
    /// Whether the consumers are part of the snapshot, with their positions.
    pub consumers: bool,
}

impl SnapshotRequest {
    /// A stream with its consumers.
    #[must_use]
    pub fn new(stream: impl Into<Text>) -> Self {
        Self {
            stream: stream.into(),
            consumers: true,
        }
    }

    /// The stream without its consumers. After a restore, services create them again, and they
    /// begin at the start position of their configuration.
    #[must_use]
    pub fn without_consumers(mut self) -> Self {
        self.consumers = false;
        self
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported).
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        std::iter::once(Capability::Snapshots)
    }
}

impl<T: Into<Text>> From<T> for SnapshotRequest {
    /// A stream with its consumers.
    fn from(stream: T) -> Self {
        Self::new(stream)
    }
}

/// The bytes of a snapshot in pieces, in order. It is complete if it ends without an error.
pub type SnapshotContent = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// A snapshot: its description and its content.
#[non_exhaustive]
pub struct Snapshot {
    /// The description of the snapshot.
    pub info: SnapshotInfo,
    /// The content. Read it without pauses: a server ends the snapshot if the reader waits for
    /// seconds.
    pub content: SnapshotContent,
}

impl Snapshot {
    /// A snapshot with this content.
    #[must_use]
    pub fn new(info: SnapshotInfo, content: SnapshotContent) -> Self {
        Self { info, content }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// The description of a snapshot, and what the stream held when the snapshot began.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotInfo {
    /// The format of the content: [`JETSTREAM`](Self::JETSTREAM), or a name that another transport
    /// has chosen. A name has only letters, digits, `_` and `-`.
    pub kind: Text,
    /// The program that wrote it, with its version, such as `nats-server 2.15.1`.
    pub writer: Text,
    /// The stream's configuration and state, in the words of the transport: JSON, which a restore
    /// needs.
    pub description: Bytes,
    /// Number of messages.
    pub messages: u64,
    /// Bytes of the messages, as in [`StreamState::bytes`].
    pub bytes: u64,
    /// Sequence of the oldest message, or the next sequence if there is none.
    pub first_sequence: u64,
    /// Sequence of the newest message ever stored; zero if there was none.
    pub last_sequence: u64,
    /// Number of consumers in the snapshot.
    pub consumers: usize,
}

impl SnapshotInfo {
    /// The format of NATS servers: a tar archive compressed with S2.
    pub const JETSTREAM: &str = "jetstream";

    /// A snapshot of an empty stream.
    #[must_use]
    pub fn new(kind: impl Into<Text>, writer: impl Into<Text>, description: Bytes) -> Self {
        Self {
            kind: kind.into(),
            writer: writer.into(),
            description,
            messages: 0,
            bytes: 0,
            first_sequence: 1,
            last_sequence: 0,
            consumers: 0,
        }
    }
}

/// A snapshot to create a stream from.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[non_exhaustive]
pub struct RestoreRequest {
    /// The stream that the snapshot is of.
    pub stream: Text,
    /// The format of the content; see [`SnapshotInfo::kind`].
    pub kind: Text,
    /// The configuration and state; see [`SnapshotInfo::description`].
    pub description: Bytes,
    /// The content, read while it is sent. An error in it ends the restore.
    pub content: SnapshotContent,
}

impl RestoreRequest {
    /// Restores `stream` from a snapshot of it.
    #[must_use]
    pub fn new(
        stream: impl Into<Text>,
        kind: impl Into<Text>,
        description: Bytes,
        content: SnapshotContent,
    ) -> Self {
        Self {
            stream: stream.into(),
            kind: kind.into(),
            description,
            content,
        }
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported).
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        std::iter::once(Capability::Snapshots)
    }
}

impl fmt::Debug for RestoreRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreRequest")
            .field("stream", &self.stream)
            .field("kind", &self.kind)
            .field("description", &self.description.len())
            .finish_non_exhaustive()
    }
}
