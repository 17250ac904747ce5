//! `Layout`: the names, subjects and headers of a bucket on a server, as in NATS's key-value store.

use async_nats::header::{HeaderName, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID};

use crate::streams::Found;
use event_sdk_core::stream::check_name;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{BucketConfig, Error, ErrorKind, Operation};

/// Marks the message of a deletion.
pub(super) const OPERATION: HeaderName = HeaderName::from_static("KV-Operation");
/// The operation of a deletion. (Other clients also write `PURGE`.)
pub(super) const DELETED: &str = "DEL";
/// After how many seconds a message expires (server 2.11).
pub(super) const TTL: HeaderName = HeaderName::from_static("Nats-TTL");
/// Written by the server to a message that stands for others which expired.
const MARKER_REASON: &str = "Nats-Marker-Reason";
pub(super) const EXPECTED: HeaderName = NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
pub(super) const MESSAGE_ID: HeaderName = NATS_MESSAGE_ID;

/// Where a bucket is on a server.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The stream.
    pub(super) stream: Text,
    /// The prefix of the subjects of entries: `$KV.<bucket>.`
    prefix: String,
}

impl Layout {
    /// The layout of a bucket, whose name is checked because it becomes a part of subjects.
    pub(super) fn of(bucket: &str) -> Result<Self, Error> {
        if bucket.len() > BucketConfig::MAX_NAME_LEN || check_name(bucket).is_err() {
            return Err(missing());
        }
        Ok(Self::valid(bucket))
    }

    /// The layout of a bucket with a valid name.
    pub(super) fn valid(bucket: &str) -> Self {
        Self {
            stream: format!("KV_{bucket}").into(),
            prefix: format!("$KV.{bucket}."),
        }
    }

    /// The subject of a key.
    pub(super) fn subject(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The subjects of all keys below `prefix`, or of all keys if it is empty.
    pub(super) fn below(&self, prefix: &str) -> String {
        match prefix {
            "" => format!("{}>", self.prefix),
            _ => format!("{}{prefix}.>", self.prefix),
        }
    }

    /// The key of a stored message.
    pub(super) fn key<'a>(&self, found: &'a Found) -> Option<&'a str> {
        found.subject.strip_prefix(&self.prefix)
    }
}

/// Whether a stored message says that its key has no entry.
pub(super) fn is_marker(found: &Found) -> bool {
    let Ok(headers) = &found.headers else {
        // Unreadable headers are those of another client, which has written a value.
        return false;
    };
    headers.get(MARKER_REASON).is_some()
        || matches!(headers.get("KV-Operation"), Some("DEL" | "PURGE"))
}

/// The error of a bucket that does not exist.
pub(super) fn missing() -> Error {
    Error::new(
        ErrorKind::BucketNotFound,
        Operation::Coordinate,
        "there is no such bucket; declare it, and create it with `apply`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_where_other_clients_look_for_it() {
        let layout = Layout::of("EVENT_SDK").unwrap();
        assert_eq!(layout.stream, "KV_EVENT_SDK");
        assert_eq!(layout.subject("a.b"), "$KV.EVENT_SDK.a.b");
        assert_eq!(layout.below("a"), "$KV.EVENT_SDK.a.>");
        assert_eq!(layout.below(""), "$KV.EVENT_SDK.>");
    }

    #[test]
    fn a_name_that_is_no_token_is_no_bucket() {
        let long = "B".repeat(BucketConfig::MAX_NAME_LEN + 1);
        for name in ["", "a.b", "a b", "*", ">", &long] {
            let error = Layout::of(name).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::BucketNotFound, "{name}");
        }
    }
}
