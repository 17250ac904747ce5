//! `Row`: a consumer as JSON.

use std::num::NonZeroU32;

use event_sdk::Pattern;
use event_sdk::stream::check_name;
use event_sdk::text::Text;
use event_sdk::transport::ConsumerAdmin;
use event_sdk::transport::{
    AckPolicy, ConsumerInfo, ConsumerName, DeliverPolicy, Error, ErrorKind, StreamAdmin,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::command::unread::{Unread, names};
use crate::error::OpsError;

/// A consumer as JSON.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) stream: String,
    pub(super) consumer: String,
    /// Whether it exists until it is deleted.
    pub(super) durable: bool,
    pub(super) filters: Vec<String>,
    pub(super) pending: u64,
    pub(super) ack_pending: u64,
    pub(super) redelivered: u64,
    /// Requests for events that wait at the server; null where there is none.
    pub(super) waiting: Option<u64>,
    pub(super) delivered_sequence: u64,
    pub(super) acknowledged_sequence: u64,
    pub(super) deliveries: u64,
    pub(super) paused_until: Option<Timestamp>,
    pub(super) deliver: String,
    pub(super) ack: &'static str,
    pub(super) ack_wait_seconds: f64,
    pub(super) max_deliver: Option<NonZeroU32>,
    pub(super) max_ack_pending: Option<NonZeroU32>,
    pub(super) backoff_seconds: Vec<f64>,
    /// Settings that keep a subscription from binding it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) foreign: Vec<String>,
}

impl Row {
    pub(super) fn new(stream: &str, info: &ConsumerInfo) -> Self {
        let config = &info.config;
        let backoff = config.backoff.iter().map(std::time::Duration::as_secs_f64);
        Self {
            stream: stream.to_owned(),
            consumer: config.name.as_str().unwrap_or_default().to_owned(),
            durable: matches!(config.name, ConsumerName::Durable(_)),
            filters: config.filters.iter().map(ToString::to_string).collect(),
            pending: info.pending,
            ack_pending: info.ack_pending,
            redelivered: info.redelivered,
            waiting: info.waiting,
            delivered_sequence: info.delivered,
            acknowledged_sequence: info.acknowledged,
            deliveries: info.deliveries,
            paused_until: info.paused_until,
            deliver: match config.deliver {
                DeliverPolicy::All => "all".to_owned(),
                DeliverPolicy::Last => "last".to_owned(),
                DeliverPolicy::LastPerSubject => "last per subject".to_owned(),
                DeliverPolicy::New => "new".to_owned(),
                DeliverPolicy::ByStartSequence(sequence) => format!("from sequence {sequence}"),
                DeliverPolicy::ByStartTime(time) => format!("from {time}"),
            },
            ack: match config.ack {
                AckPolicy::Explicit => "explicit",
                AckPolicy::All => "all",
                AckPolicy::None => "none",
            },
            ack_wait_seconds: config.ack_wait.as_secs_f64(),
            max_deliver: config.max_deliver,
            max_ack_pending: config.max_ack_pending,
            backoff_seconds: backoff.collect(),
            foreign: info.foreign.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Which consumers.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// Only the consumers of this stream
    stream: Option<String>,
    /// Also those of the streams of key-value and object stores
    #[arg(long, conflicts_with = "stream")]
    all: bool,
}

impl Which {
    /// Whether a stream was asked for.
    pub(super) const fn is_named(&self) -> bool {
        self.stream.is_some()
    }

    /// The consumers, each with its stream, by name, and the streams whose consumers could not be listed.
    pub(super) async fn find(
        &self,
        streams: &dyn StreamAdmin,
        consumers: &dyn ConsumerAdmin,
    ) -> Result<(Vec<(Text, ConsumerInfo)>, Vec<Unread>), OpsError> {
        let names = if let Some(stream) = &self.stream {
            vec![Text::copy_of(stream)]
        } else {
            let mut names = names(streams, &Pattern::everything(), self.all).await?;
            // What the server calls a stream may be none of ours.
            names.retain(|name| check_name(name).is_ok());
            names
        };
        let (mut found, mut unread, mut read) = (Vec::new(), Vec::new(), false);
        for name in names {
            match consumers.list(&name).await {
                Ok(list) => {
                    read = true;
                    found.extend(list.into_iter().map(|info| (name.clone(), info)));
                }
                Err(error) if self.stream.is_some() => return Err(error.into()),
                Err(error) if is_gone(&error) => {}
                Err(error) => unread.push(Unread::of(&name, error)?),
            }
        }
        Ok((found, Unread::beside(unread, read)?))
    }
}

/// Whether it was deleted since it was found.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StreamNotFound | ErrorKind::ConsumerNotFound
    )
}
