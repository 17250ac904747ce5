//! Sends a snapshot to a server, chunk by chunk, each when the one before was taken; removes the
//! part of a stream that a failed restore leaves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::about;
use crate::context::NatsContext;
use crate::error::{ApiError, ErrorContext, code, response};
use crate::server::Version;
use crate::streams::Info;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Error, ErrorKind, Operation, RestoreRequest, SnapshotContent, SnapshotInfo, StreamState,
};

/// The size of a chunk, where the server takes messages that large.
const CHUNK: usize = 128 * 1024;

/// How long the server may take to make the stream when it has everything.
const MAKING: Duration = Duration::from_secs(600);

/// Creates a stream from a snapshot.
pub(super) async fn restore(
    context: Arc<NatsContext>,
    request: RestoreRequest,
) -> Result<StreamState, Error> {
    let about = about(&context, Operation::Manage, &request.stream)?;
    let description = described(&about, &request)?;
    let mut begun = Begun::begin(context, about, request.stream, &description).await?;
    let failed = match begun.send(request.content).await {
        Ok(info) => {
            begun.open = false;
            return info.to_state(&begun.about);
        }
        Err(failed) => failed,
    };
    begun.open = false;
    let Failed { error, ended } = failed;
    // What another client has made meanwhile stays; and without a chunk nothing is made.
    let made_nothing = match error.kind() {
        ErrorKind::StreamExists => true,
        ErrorKind::PermissionDenied => !begun.taken,
        _ => false,
    };
    if made_nothing || begun.left.clone().remove(ended).await {
        return Err(error);
    }
    let reason =
        "the restore failed, and a part of the stream may be left: delete it, and restore again";
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
    /// Where chunks are sent.
    chunks: String,
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
        description: &Value,
    ) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Answer {
            deliver_subject: String,
        }
        let call = format!("STREAM.RESTORE.{stream}");
        let answer = context.call(&about, &call, description).await?;
        let Answer { deliver_subject } = answer.map_err(|error| refused(error, &about))?;
        let left = Left {
            context,
            about: about.clone(),
            stream,
            chunks: deliver_subject,
        };
        Ok(Self {
            left,
            about,
            open: true,
            taken: false,
        })
    }

    /// Sends all of it. What the server has made of it.
    async fn send(&mut self, mut content: SnapshotContent) -> Result<Info, Failed> {
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
                let answer = self.left.ask(chunk, request_timeout).await.map_err(open)?;
                if !answer.is_empty() {
                    return Err(self.refused(&answer));
                }
                self.taken = true;
            }
        }
        let limit = MAKING.max(request_timeout);
        let answer = self.left.ask(Bytes::new(), limit).await.map_err(open)?;
        match response(&answer) {
            Ok(Ok(info)) => Ok(info),
            _ => Err(self.refused(&answer)),
        }
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
        let (about, to) = (&self.about, &self.chunks);
        let answered = self.context.ask_within(about, to, None, chunk, limit).await;
        match answered {
            Ok(reply) if reply.is_no_responders() => Err(about.error(
                ErrorKind::Timeout,
                "the server has ended the restore, perhaps because the snapshot was read too slowly; try again",
            )),
            Ok(reply) => Ok(reply.payload),
            Err(unanswered) => Err(unanswered.error),
        }
    }

    /// Removes what a failed restore has left. Whether nothing is left.
    async fn remove(self, ended: bool) -> bool {
        let mut made = self.context.server().version >= Version::V2_15;
        if !ended {
            // The end of the content, too early: the server gives up. It has made a stream all the
            // same if only this was missing.
            match self.ask(Bytes::new(), MAKING).await {
                Ok(answer) => made |= matches!(response::<Info>(&answer), Ok(Ok(_))),
                Err(_) => return false,
            }
        }
        // An older server makes the stream when it has everything, and what has the name now is
        // another one.
        if !made {
            return true;
        }
        let call = format!("STREAM.DELETE.{}", self.stream);
        let nothing = json!({});
        let deleted = self.context.call::<_, Value>(&self.about, &call, &nothing);
        match deleted.await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => error.is(&[code::STREAM_NOT_FOUND]),
            Err(_) => false,
        }
    }
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
