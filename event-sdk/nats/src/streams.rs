//! Streams by the JetStream API: find by subject, state, apply.

mod account;
pub(super) mod apply;
mod config;
mod foreign;
mod message;
mod upstream;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

pub(super) use self::account::account;
pub(super) use self::message::{Found, Which, message};

pub(super) use self::config::{ConfigJson, schedule_prefix};
pub(super) use self::foreign::{is_default, mistyped};

use super::context::NatsContext;
use super::error::ErrorContext;
use event_sdk_core::stream::{StreamConfig, check_name, check_name_of_others};
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Completion, Error, ErrorKind, Operation, SnapshotInfo, StreamChange, StreamState,
};

/// How long the leader of a cluster is waited for to count consumers.
const COUNTING: Duration = Duration::from_secs(1);

/// The streams that store some subject that `pattern` matches.
pub(super) fn streams_for(
    context: Arc<NatsContext>,
    pattern: Pattern,
) -> Completion<Result<Vec<Text>, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Read, async move {
        context.check_open(Operation::Read)?;
        names(
            &context,
            &ErrorContext::new(Operation::Read),
            pattern.as_str(),
        )
        .await
    })
}

/// The same, as an async function.
pub(super) async fn names(
    context: &NatsContext,
    about: &ErrorContext,
    pattern: &str,
) -> Result<Vec<Text>, Error> {
    #[derive(Deserialize)]
    struct Page {
        // An answer without it says nothing about streams.
        total: usize,
        streams: Option<Vec<String>>,
    }
    let mut names = Vec::new();
    let begun = Instant::now();
    let limit = context.options().request_timeout;
    loop {
        let request = json!({ "subject": pattern, "offset": names.len() });
        let page: Page = context.request(about, "STREAM.NAMES", &request).await?;
        let found = page.streams.unwrap_or_default();
        let end = found.is_empty();
        names.extend(found.into_iter().map(Text::from));
        if end || names.len() >= page.total {
            return Ok(names);
        }
        if begun.elapsed() >= limit {
            return Err(about.error(
                ErrorKind::Timeout,
                format!("the server listed {} streams within {limit:?} and not the end of them; narrow the subject, or raise `request_timeout`", names.len()),
            ));
        }
    }
}

/// What a stream is and holds now.
pub(super) fn stream_state(
    context: Arc<NatsContext>,
    stream: Text,
) -> Completion<Result<StreamState, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Read, async move {
        let about = ErrorContext::new(Operation::Read);
        let open = context.check_open(about.operation);
        open.map_err(|error| error.at_stream(stream.clone()))?;
        state(&context, &about, &stream).await
    })
}

/// The same, as an async function.
pub(super) async fn state(
    context: &NatsContext,
    about: &ErrorContext,
    stream: &Text,
) -> Result<StreamState, Error> {
    let about = about.clone().stream(stream.clone());
    let info = info(context, &about, stream).await?;
    let mut state = info.to_state(&about)?;
    state.consumers = consumers(context, &about, &info, stream).await;
    Ok(state)
}

/// How many consumers a stream has. In a cluster the server with the stream may
/// not know yet of one that was created; the leader of the cluster does, if there
/// is one and we may ask it.
async fn consumers(
    context: &NatsContext,
    about: &ErrorContext,
    info: &Info,
    stream: &str,
) -> usize {
    #[derive(Deserialize)]
    struct Page {
        #[serde(default)]
        total: usize,
    }
    let known = info.state.consumer_count;
    let clustered = info.cluster.as_ref();
    if clustered.is_none_or(|cluster| cluster.name.is_empty()) {
        return known;
    }
    let (call, nothing) = (format!("CONSUMER.NAMES.{stream}"), json!({}));
    let asked = context.request::<_, Page>(about, &call, &nothing);
    match tokio::time::timeout(COUNTING, asked).await {
        Ok(Ok(page)) => page.total,
        // It is no reason to say nothing of the stream.
        Ok(Err(_)) | Err(_) => known,
    }
}

/// What the server answers about a stream, as far as we read it.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    cluster: Option<ClusterJson>,
    config: ConfigJson,
    pub(super) state: StateJson,
    /// The time of the answer, by the clock of the leader.
    #[serde(default, rename = "ts")]
    pub(super) time: Option<Timestamp>,
}

impl Info {
    /// The configuration in our words.
    pub(super) fn read(&self, about: &ErrorContext) -> Result<StreamConfig, Error> {
        self.config.read().map_err(|why| {
            about.error(
                ErrorKind::Other,
                format!("its configuration cannot be read: {why}"),
            )
        })
    }

    /// The stream and its counts, as this server knows them.
    pub(super) fn to_state(&self, about: &ErrorContext) -> Result<StreamState, Error> {
        let state = &self.state;
        Ok(StreamState {
            config: self.read(about)?,
            messages: state.messages,
            bytes: state.bytes,
            first_sequence: state.first_sequence(),
            last_sequence: state.last_seq,
            consumers: state.consumer_count,
            foreign: self.config.foreign(),
        })
    }

    /// Whether it holds messages under other subjects than its own.
    pub(super) fn holds_others(&self) -> bool {
        self.config.holds_others()
    }

    /// Whether messages can be read from any server that has a copy.
    pub(super) fn allows_direct(&self) -> bool {
        self.config.allows_direct()
    }
}

/// Where a stream is kept.
#[derive(Debug, Deserialize)]
struct ClusterJson {
    /// Empty where there is one server only.
    #[serde(default)]
    name: String,
}

/// What a stream holds.
#[derive(Debug, Deserialize)]
pub(super) struct StateJson {
    messages: u64,
    bytes: u64,
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    #[serde(default)]
    pub(super) consumer_count: usize,
}

impl StateJson {
    /// The sequence of the oldest message, or the next one's.
    fn first_sequence(&self) -> u64 {
        // Zero in a stream that never had a message.
        self.first_seq.max(1)
    }

    /// Writes the counts into what is told of a snapshot.
    pub(super) fn describe(&self, info: &mut SnapshotInfo) {
        info.messages = self.messages;
        info.bytes = self.bytes;
        info.first_sequence = self.first_sequence();
        info.last_sequence = self.last_seq;
        info.consumers = self.consumer_count;
    }
}

/// Asks what a stream is and holds.
pub(super) async fn info(
    context: &NatsContext,
    about: &ErrorContext,
    stream: &str,
) -> Result<Info, Error> {
    check(about, stream)?;
    let call = format!("STREAM.INFO.{stream}");
    context.request(about, &call, &json!({})).await
}

/// A name becomes a part of a subject, and must be nothing else.
pub(super) fn check(about: &ErrorContext, name: &str) -> Result<(), Error> {
    let (checked, kind) = match about.operation {
        // There cannot be a stream of such a name. What others have made may be looked at.
        Operation::Read => (check_name_of_others(name), ErrorKind::StreamNotFound),
        Operation::Coordinate | Operation::Schedule => {
            (check_name(name), ErrorKind::StreamNotFound)
        }
        _ => (check_name(name), ErrorKind::InvalidOption),
    };
    checked.map_err(|why| about.error(kind, format!("{name:?} is no name: {why}")))
}

/// Creates or changes a stream.
pub(super) fn apply_stream(
    context: Arc<NatsContext>,
    config: StreamConfig,
) -> Completion<Result<StreamChange, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Manage, async move {
        apply::apply_stream(&context, &config).await
    })
}
