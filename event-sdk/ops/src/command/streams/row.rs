//! `Row`: a stream as JSON, and the times of its first and last message.

use std::num::NonZeroU64;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::Pattern;
use event_sdk::stream::{Compression, Discard, Retention, Storage};
use event_sdk::transport::{
    Error, ErrorKind, StreamAdmin, StreamState, TransportExt as _, WhichMessage,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::command::unread::{Unread, names};
use crate::error::OpsError;
use crate::output::Output;

/// A stream as JSON.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own in the JSON"
)]
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) subjects: Vec<String>,
    pub(super) messages: u64,
    pub(super) stored_bytes: u64,
    pub(super) first_sequence: u64,
    pub(super) last_sequence: u64,
    /// When the oldest message was stored; null if there is none, or it cannot be read.
    pub(super) first_at: Option<Timestamp>,
    /// When the newest message was stored.
    pub(super) last_at: Option<Timestamp>,
    pub(super) consumers: usize,
    pub(super) storage: &'static str,
    pub(super) retention: &'static str,
    pub(super) discard: &'static str,
    pub(super) compression: &'static str,
    pub(super) replicas: u8,
    pub(super) max_messages: Option<NonZeroU64>,
    pub(super) max_messages_per_subject: Option<NonZeroU64>,
    pub(super) max_bytes: Option<NonZeroU64>,
    pub(super) max_message_bytes: Option<NonZeroU64>,
    pub(super) max_age_seconds: Option<f64>,
    pub(super) duplicate_window_seconds: f64,
    pub(super) schedules: bool,
    pub(super) deny_delete: bool,
    pub(super) deny_purge: bool,
    pub(super) allow_rollup: bool,
}

impl Row {
    pub(super) fn new(state: &StreamState) -> Self {
        let config = &state.config;
        let limits = &config.limits;
        let subjects = config.subjects.iter().map(ToString::to_string);
        Self {
            name: config.name.to_string(),
            subjects: subjects.collect(),
            messages: state.messages,
            stored_bytes: state.bytes,
            first_sequence: state.first_sequence,
            last_sequence: state.last_sequence,
            first_at: None,
            last_at: None,
            consumers: state.consumers,
            storage: match config.storage {
                Storage::File => "file",
                Storage::Memory => "memory",
            },
            retention: match config.retention {
                Retention::Limits => "limits",
                Retention::Interest => "interest",
                Retention::WorkQueue => "workqueue",
            },
            discard: match limits.discard {
                Discard::Old => "old",
                Discard::New => "new",
            },
            compression: match config.compression {
                Compression::None => "none",
                Compression::S2 => "s2",
                _ => "other",
            },
            replicas: config.replicas,
            max_messages: limits.messages,
            max_messages_per_subject: limits.messages_per_subject,
            max_bytes: limits.bytes,
            max_message_bytes: limits.message_size,
            max_age_seconds: limits.age.as_ref().map(Duration::as_secs_f64),
            duplicate_window_seconds: config.deduplication.window.as_secs_f64(),
            schedules: config.schedules,
            deny_delete: config.denies_delete(),
            deny_purge: config.denies_purge(),
            allow_rollup: config.allows_rollup(),
        }
    }

    /// The same with the times of the first and last message. They stay unknown where the user may
    /// not read messages.
    pub(super) async fn with_times(bus: &EventBus, state: &StreamState) -> Result<Self, Error> {
        let mut row = Self::new(state);
        if state.messages > 0 {
            row.first_at = stored_at(bus, &row.name, state.first_sequence).await?;
            row.last_at = stored_at(bus, &row.name, state.last_sequence).await?;
        }
        Ok(row)
    }

    /// How full the stream is, as a part of the limit that is nearest; `None` without a limit.
    #[expect(clippy::cast_precision_loss, reason = "it is shown in percents")]
    pub(super) fn fill(&self) -> Option<f64> {
        let part = |is: u64, most: NonZeroU64| is as f64 / most.get() as f64;
        let bytes = self.max_bytes.map(|most| part(self.stored_bytes, most));
        let messages = self.max_messages.map(|most| part(self.messages, most));
        bytes.into_iter().chain(messages).reduce(f64::max)
    }
}

async fn stored_at(
    bus: &EventBus,
    stream: &str,
    sequence: u64,
) -> Result<Option<Timestamp>, Error> {
    let which = WhichMessage::Sequence(sequence);
    match bus.transport().get_message(stream, which).await {
        Ok(found) => Ok(found.map(|message| message.stored_at)),
        Err(error) => match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::Unsupported(_) => Ok(None),
            _ => Err(error),
        },
    }
}

/// The states of the streams that store a subject of `pattern`, by name, and those that could not
/// be looked at. Streams of key-value and object stores are left out unless all are asked for.
pub(super) async fn states(
    admin: &dyn StreamAdmin,
    pattern: &Pattern,
    all: bool,
    output: &mut Output<'_>,
) -> Result<(Vec<StreamState>, Vec<Unread>), OpsError> {
    let (mut states, mut unread) = (Vec::new(), Vec::new());
    for name in names(admin, pattern, all, output).await? {
        match admin.state(&name).await {
            Ok(state) => states.push(state),
            // It was deleted since it was found.
            Err(why) if *why.kind() == ErrorKind::StreamNotFound => {}
            Err(why) => unread.push(Unread::of(&name, why)?),
        }
    }
    let unread = Unread::beside(unread, !states.is_empty())?;
    Ok((states, unread))
}
