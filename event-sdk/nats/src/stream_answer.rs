//! `StreamAnswer`: what a stream answers to a single message that was published to it, an entry of
//! a bucket or a schedule. `publish` has its own reader for the answers to events, for speed.

use serde::Deserialize;

use crate::error::{ApiError, ErrorContext};
use crate::pending_replies::Reply;
use event_sdk_core::transport::{Error, ErrorKind};

/// An answer to a message.
pub(super) enum StreamAnswer {
    /// The stream has stored it, or an earlier copy of it, with this sequence.
    Stored(u64),
    /// The stream refuses it.
    Refused(ApiError),
    /// It was not this stream that answered.
    Foreign(Option<serde_json::Error>),
}

impl StreamAnswer {
    /// Reads the answer to a message for a stream.
    pub(super) fn read(reply: &Reply, stream: &str) -> Self {
        #[derive(Deserialize)]
        struct PubAck {
            #[serde(default)]
            stream: String,
            #[serde(default)]
            seq: u64,
            #[serde(default)]
            error: Option<ApiError>,
        }
        match serde_json::from_slice(&reply.payload) {
            // Sequences begin at one.
            Ok(PubAck {
                stream: from,
                seq,
                error: None,
            }) if seq > 0 && from == stream => Self::Stored(seq),
            Ok(PubAck {
                error: Some(error), ..
            }) => Self::Refused(error),
            Ok(_) => Self::Foreign(None),
            Err(error) => Self::Foreign(Some(error)),
        }
    }
}

/// The error of a message that something else answered to: whether it is stored is unknown.
pub(super) fn foreign(
    about: &ErrorContext,
    subject: &str,
    expected: &str,
    source: Option<serde_json::Error>,
) -> Error {
    let reason = format!(
        "something that is not the {expected} answered to {subject}; does another stream store its subject?"
    );
    let error = about.error(ErrorKind::Other, reason);
    match source {
        Some(source) => error.with_source(source),
        None => error,
    }
}
