//! Sends a snapshot to a server, chunk by chunk, each when the one before was taken; removes the
//! part of a stream that a failed restore leaves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::about;
use crate::consumer;
use crate::context::NatsContext;
use crate::error::{ApiError, ErrorContext, code, response};
use crate::streams::Info;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Error, ErrorKind, Operation, RestoreRequest, SnapshotContent, SnapshotInfo, StreamState,
};

/// The size of a chunk, where the server takes messages that large.
const CHUNK: usize = 128 * 1024;

/// How long the server may take to make the stream when it has everything.
const MAKING: Duration = Duration::from_secs(600);

/// How long a cluster may take to make the consumers of a restored stream.
const CONSUMERS: Duration = Duration::from_secs(60);

/// How long until a cluster is asked again.
const LOOKING: Duration = Duration::from_millis(50);

/// The key in the metadata of a stream under which the mark of its restore stands.
const MARK: &str = "event-sdk-restore";

/// Creates a stream from a snapshot.
pub(super) async fn restore(
    context: Arc<NatsContext>,
    request: RestoreRequest,
) -> Result<StreamState, Error> {
    let about = about(&context, Operation::Manage, &request.stream)?;
    let mut description = described(&about, &request)?;
    let mark = mark(&mut description);
    let last = description.pointer("/state/last_seq");
    let last = last.and_then(Value::as_u64).unwrap_or(0);
    let mut begun = Begun::begin(context, about, request.stream, mark, &description).await?;
    let failed = match begun.send(request.content, last).await {
        Ok(made) => {
            begun.open = false;
            let consumers = made.info.state.consumer_count;
            let mut state = begun.left.unmarked(made).await.to_state(&begun.about)?;
            begun.left.wait_for_consumers(consumers).await?;
            state.consumers = consumers;
            return Ok(state);
        }
        Err(failed) => failed,
    };
    let Failed { error, ended } = failed;
    // What another client has made meanwhile stays; and without a chunk nothing is made.
    let made_nothing = match error.kind() {
        ErrorKind::StreamExists => true,
        ErrorKind::PermissionDenied => !begun.taken,
        _ => false,
    };
    if made_nothing {
        begun.open = false;
        return Err(error);
    }
    if begun.remove(ended).await {
        return Err(error);
    }
    let reason = "the restore failed, and a part of the stream may be left: look at the stream, delete it unless somebody else has made it, and restore again";
    let kind = error.kind().clone();
    Err(begun
        .about
        .error(kind, reason)
        .with_unknown_outcome()
        .with_source(error))
}

/// The configuration and state, if they are those of this stream and of a server.
fn described(about: &ErrorContext, request: &RestoreRequest) -> Result<Value, Error> {
    let refuse = |reason: String| Err(about.error(ErrorKind::InvalidSnapshot, reason));
    if &*request.kind != SnapshotInfo::JETSTREAM {
        let (kind, own) = (&request.kind, SnapshotInfo::JETSTREAM);
        return refuse(format!(
            "its format is {kind:?}, and a NATS server reads {own:?}; restore it with the transport that wrote it"
        ));
    }
    let Ok(description) = serde_json::from_slice::<Value>(&request.description) else {
        return refuse("its configuration is no JSON".to_owned());
    };
    let name = description.pointer("/config/name").and_then(Value::as_str);
    match name {
        Some(name) if *name == *request.stream => Ok(description),
        Some(name) => refuse(format!(
            "it is a snapshot of the stream {name}, and a server restores none under another name"
        )),
        None => refuse("its configuration names no stream".to_owned()),
    }
}

/// Writes a mark into the configuration: how a stream that this restore has made is known.
fn mark(description: &mut Value) -> String {
    let mark = Uuid::new_v4().to_string();
    if let Some(config) = description.get_mut("config").and_then(Value::as_object_mut) {
        let metadata = config.entry("metadata").or_insert(Value::Null);
        if !metadata.is_object() {
            *metadata = json!({});
        }
        metadata[MARK] = Value::from(&*mark);
    }
    mark
}

/// A restore that a server has begun.
struct Begun {
    left: Left,
    about: ErrorContext,
    /// Whether the server waits for more.
    open: bool,
    /// Whether it has taken a chunk.
    taken: bool,
}

/// What a restore may leave on a server.
#[derive(Clone)]
struct Left {
    context: Arc<NatsContext>,
    about: ErrorContext,
    stream: Text,
    /// The mark of this restore, which the metadata of its stream has.
    mark: String,
    /// Where chunks are sent.
    chunks: String,
}

/// What a server says of the stream that it has made.
struct Made {
    info: Info,
    config: Value,
}

struct Failed {
    error: Error,
    /// Whether the server has ended the restore.
    ended: bool,
}

impl Begun {
    async fn begin(
        context: Arc<NatsContext>,
        about: ErrorContext,
        stream: Text,
        mark: String,
        description: &Value,
    ) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Answer {
            deliver_subject: String,
        }
        let call = format!("STREAM.RESTORE.{stream}");
        let (start, limit) = (Instant::now(), context.options().request_timeout);
        let answer = loop {
            match context.call(&about, &call, description).await? {
                // A cluster that elects a leader, or waits for a server.
                Err(error) if error.is_transient() && start.elapsed() < limit => {
                    tokio::time::sleep(LOOKING).await;
                }
                answer => break answer,
            }
        };
        let Answer { deliver_subject } = answer.map_err(|error| refused(error, &about))?;
        let left = Left {
            context,
            about: about.clone(),
            stream,
            mark,
            chunks: deliver_subject,
        };
        Ok(Self {
            left,
            about,
            open: true,
            taken: false,
        })
    }

    /// Sends all of it. What the server has made of it: a stream up to the sequence `last`.
    async fn send(&mut self, mut content: SnapshotContent, last: u64) -> Result<Made, Failed> {
        let open = |error| Failed {
            error,
            ended: false,
        };
        let limit = CHUNK.min(self.left.context.server().max_payload).max(1);
        let request_timeout = self.left.context.options().request_timeout;
        while let Some(piece) = content.next().await {
            let mut piece = piece.map_err(open)?;
            while !piece.is_empty() {
                let chunk = piece.split_to(limit.min(piece.len()));
                let answer = if self.taken {
                    self.left.ask(chunk, request_timeout).await
                } else {
                    self.left.ask_first(chunk, request_timeout).await
                };
                let answer = answer.map_err(open)?;
                if !answer.is_empty() {
                    return Err(self.refused(&answer));
                }
                self.taken = true;
            }
        }
        let limit = MAKING.max(request_timeout);
        let answer = self.left.ask(Bytes::new(), limit).await.map_err(open)?;
        let made = response::<Value>(&answer).ok().and_then(Result::ok);
        let made = made.and_then(|made| {
            let config = made.get("config")?.clone();
            let info = serde_json::from_value(made).ok()?;
            Some(Made { info, config })
        });
        let Some(made) = made else {
            return Err(self.refused(&answer));
        };
        // A server of 2.10 ends a snapshot in the middle as if it were complete.
        let has = made.info.state.last_seq;
        if has < last {
            let reason = format!(
                "it ends with message {has}, and its description with {last}: the server that wrote it had a fault; write it again"
            );
            return Err(Failed {
                error: self.about.error(ErrorKind::InvalidSnapshot, reason),
                ended: true,
            });
        }
        Ok(made)
    }

    /// Removes what this restore has left, also if nobody waits for it. Whether nothing is left.
    async fn remove(&mut self, ended: bool) -> bool {
        let (left, (done, removed)) = (self.left.clone(), oneshot::channel());
        self.left.context.spawn(async move {
            let _ = done.send(left.remove(ended).await);
        });
        self.open = false;
        removed.await.unwrap_or(false)
    }

    /// What a server says instead of taking a chunk, or of making the stream.
    fn refused(&self, answer: &[u8]) -> Failed {
        let error = match response::<Value>(answer) {
            Ok(Err(error)) => refused(error, &self.about),
            // A server of 2.10 answers with a line of text.
            _ => self.about.error(
                ErrorKind::Other,
                format!(
                    "the server ended the restore: {}",
                    String::from_utf8_lossy(answer)
                ),
            ),
        };
        Failed { error, ended: true }
    }
}

impl Drop for Begun {
    /// The future was dropped.
    fn drop(&mut self) {
        if self.open && !self.left.context.monitor().has_lost_runtime() {
            let left = self.left.clone();
            self.left.context.spawn(async move {
                left.remove(false).await;
            });
        }
    }
}

impl Left {
    async fn ask(&self, chunk: Bytes, limit: Duration) -> Result<Bytes, Error> {
        let answer = self.try_ask(chunk, limit).await?;
        answer.ok_or_else(|| {
            self.about.error(
                ErrorKind::Timeout,
                "the server has ended the restore, perhaps because the snapshot was read too slowly; try again",
            )
        })
    }

    /// The same for the first chunk: in a cluster, the server of this connection may learn a moment
    /// after the answer where chunks go.
    async fn ask_first(&self, chunk: Bytes, limit: Duration) -> Result<Bytes, Error> {
        let begun = Instant::now();
        while self.context.server().clustered && begun.elapsed() < limit {
            if let Some(answer) = self.try_ask(chunk.clone(), limit).await? {
                return Ok(answer);
            }
            tokio::time::sleep(LOOKING).await;
        }
        self.ask(chunk, limit).await
    }

    /// Sends a chunk. `None` if nobody has received it.
    async fn try_ask(&self, chunk: Bytes, limit: Duration) -> Result<Option<Bytes>, Error> {
        let (about, to) = (&self.about, &self.chunks);
        let answered = self.context.ask_within(about, to, None, chunk, limit).await;
        match answered {
            Ok(reply) if reply.is_no_responders() => Ok(None),
            Ok(reply) => Ok(Some(reply.payload)),
            Err(unanswered) => Err(unanswered.error),
        }
    }

    /// Removes what a failed restore has left, if it was this one that made it. Whether nothing is
    /// left.
    async fn remove(self, ended: bool) -> bool {
        if !ended {
            // The end of the content, too early: the server gives up. It makes a stream all the
            // same if only this was missing.
            match self.ask(Bytes::new(), MAKING).await {
                // The name is that of another stream.
                Ok(answer) if exists(&answer) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        let nothing = json!({});
        let call = format!("STREAM.INFO.{}", self.stream);
        let found = self.context.call::<_, Value>(&self.about, &call, &nothing);
        match found.await {
            Ok(Ok(info)) if self.has_made(&info) => {}
            Ok(Err(error)) => return error.is(&[code::STREAM_NOT_FOUND]),
            _ => return false,
        }
        let call = format!("STREAM.DELETE.{}", self.stream);
        let deleted = self.context.call::<_, Value>(&self.about, &call, &nothing);
        match deleted.await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => error.is(&[code::STREAM_NOT_FOUND]),
            Err(_) => false,
        }
    }

    /// Waits until so many consumers can be bound: a cluster makes them after it has answered.
    async fn wait_for_consumers(&self, wanted: usize) -> Result<(), Error> {
        if wanted == 0 || !self.context.server().clustered {
            return Ok(());
        }
        let limit = CONSUMERS.max(self.context.options().request_timeout);
        let begun = Instant::now();
        let (mut known, mut all_known) = (0, false);
        loop {
            match consumer::count_led(&self.context, &self.stream, &self.about).await {
                Ok((led, there)) => {
                    // Once all were there, one may have been deleted.
                    all_known |= there >= wanted;
                    if led >= wanted || all_known && led >= there {
                        return Ok(());
                    }
                    known = led;
                }
                Err(error) if *error.kind() == ErrorKind::PermissionDenied => {
                    tracing::warn!(
                        target: crate::TRACING_TARGET,
                        stream = &*self.stream,
                        %error,
                        "a cluster makes the consumers of a restored stream a moment later, and without this permission the restore does not wait for them: see that they exist before services start"
                    );
                    return Ok(());
                }
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error.with_unknown_outcome()),
            }
            if begun.elapsed() >= limit {
                let reason = format!(
                    "the stream was restored, and the cluster has made {known} of its {wanted} consumers within {limit:?}; start services only when it has made all (list its consumers), since a service creates a durable that is missing, and reads from the beginning"
                );
                let error = self.about.error(ErrorKind::Timeout, reason);
                return Err(error.with_unknown_outcome());
            }
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// Whether it is the stream of this restore.
    fn has_made(&self, info: &Value) -> bool {
        let mark = info.pointer("/config/metadata");
        mark.and_then(|metadata| metadata.get(MARK)?.as_str()) == Some(&*self.mark)
    }

    /// Takes the mark from a stream that was restored. It stays where that is not permitted, and
    /// harms nobody.
    async fn unmarked(&self, made: Made) -> Info {
        let Made { info, mut config } = made;
        let metadata = config.get_mut("metadata").and_then(Value::as_object_mut);
        if metadata
            .and_then(|metadata| metadata.remove(MARK))
            .is_none()
        {
            return info;
        }
        let call = format!("STREAM.UPDATE.{}", self.stream);
        let updated = self.context.request(&self.about, &call, &config).await;
        updated.unwrap_or(info)
    }
}

/// Whether a server says that the stream exists.
fn exists(answer: &[u8]) -> bool {
    let answer = response::<Value>(answer);
    matches!(answer, Ok(Err(error)) if error.is(&[code::STREAM_EXISTS, code::RESTORE_EXISTS]))
}

/// The server's error; of a restore, that a stream exists is always the same.
fn refused(error: ApiError, about: &ErrorContext) -> Error {
    let err_code = match error.err_code {
        code::STREAM_EXISTS => code::RESTORE_EXISTS,
        other => other,
    };
    let error = ApiError { err_code, ..error };
    error.into_error(about)
}
