//! Reads a snapshot over the connection for deliveries: chunks, each acknowledged as it comes, so
//! that the server keeps no more than its window (8 MiB) in flight.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::time::timeout;

use super::about;
use crate::connection::{Denial, TOO_MANY_SUBSCRIPTIONS};
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::headers::HeaderBlock;
use crate::pending_replies::NoReply;
use crate::receiver::{Arrivals, LinkWatch, WireMessage};
use crate::server::Version;
use crate::streams::{self, StateJson};
use event_sdk_core::transport::{
    Error, ErrorKind, Operation, Snapshot, SnapshotInfo, SnapshotRequest,
};

/// How long the next chunk is waited for: a server ends a snapshot whose reader is silent for five
/// seconds.
const STALLED: Duration = Duration::from_secs(30);

/// The status of the last message of a complete snapshot. An empty one has none.
const COMPLETE: u16 = 204;

/// Begins a snapshot.
pub(super) async fn snapshot(
    context: Arc<NatsContext>,
    request: SnapshotRequest,
) -> Result<Snapshot, Error> {
    #[derive(Deserialize)]
    struct Answer {
        config: Value,
        state: Value,
    }
    let stream = request.stream;
    let about = about(&context, Operation::Read, &stream)?;
    let reading = Reading::open(Arc::clone(&context), about, &stream).await?;
    let about = &reading.about;
    let call = format!("STREAM.SNAPSHOT.{stream}");
    let asked = json!({
        "deliver_subject": reading.inbox,
        "no_consumers": !request.consumers,
        // Older servers send one that they cannot complete as if it were complete, unless they
        // check first.
        "jsck": context.server().version < Version::V2_11,
    });
    let answer = match context.request(about, &call, &asked).await {
        // In a cluster, the leader of a stream answers, and a missing one has none.
        Err(error) if *error.kind() == ErrorKind::Timeout => {
            match streams::info(&context, about, &stream).await {
                Err(missing) if *missing.kind() == ErrorKind::StreamNotFound => Err(missing),
                _ => Err(error),
            }
        }
        answer => answer,
    };
    let Answer { config, state } = answer?;
    let unreadable = |error| {
        let reason = "the server's answer to a snapshot cannot be read";
        about.error(ErrorKind::Other, reason).with_source(error)
    };
    let counts = StateJson::deserialize(&state).map_err(unreadable)?;
    // What `nats stream restore` reads.
    let description = json!({ "config": config, "state": state });
    let description = serde_json::to_vec_pretty(&description).map_err(unreadable)?;
    let writer = format!("nats-server {}", context.server().version);
    let mut info = SnapshotInfo::new(SnapshotInfo::JETSTREAM, writer, description.into());
    counts.describe(&mut info);
    if !request.consumers {
        info.consumers = 0;
    }
    let chunks = futures_util::stream::unfold(Some(reading), |reading| async {
        let mut reading = reading?;
        match reading.next().await {
            Ok(None) => None,
            Ok(Some(chunk)) => Some((Ok(chunk), Some(reading))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(Snapshot::new(
        info,
        context.read_in_runtime(Box::pin(chunks)),
    ))
}

/// A snapshot that is being sent.
struct Reading {
    context: Arc<NatsContext>,
    about: ErrorContext,
    /// Where the chunks come.
    inbox: String,
    /// What the subjects begin with where they are acknowledged.
    acks: String,
    arrivals: Arrivals,
    link: LinkWatch,
    denials: broadcast::Receiver<Denial>,
    /// How many chunks have come.
    chunks: u64,
}

impl Reading {
    /// Subscribes, and waits until the server knows.
    async fn open(
        context: Arc<NatsContext>,
        about: ErrorContext,
        stream: &str,
    ) -> Result<Self, Error> {
        let receiver = context.receiver();
        receiver.open(&about).await?;
        // Before anything is sent, so that none is missed.
        let denials = context.denials();
        let link = receiver.link();
        let inbox = context.new_inbox();
        let arrivals = receiver.subscribe(inbox.clone(), None, usize::MAX);
        receiver.flush(&about).await?;
        Ok(Self {
            arrivals,
            link,
            denials,
            inbox,
            acks: format!("$JS.SNAPSHOT.ACK.{stream}."),
            context,
            about,
            chunks: 0,
        })
    }

    /// The next chunk; `None` at the end of a complete snapshot.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let next = timeout(STALLED, self.message());
        let message = next.await.unwrap_or_else(|_| {
            Err(self.about.error(
                ErrorKind::Timeout,
                format!("the server sent nothing of the snapshot for {STALLED:?}; try again"),
            ))
        })?;
        let body = message.body();
        if body.is_empty() {
            self.end(&message).await?;
            return Ok(None);
        }
        self.chunks += 1;
        // The last chunk has no reply subject, if it is shorter than the others.
        if let Some(reply) = message
            .reply_subject()
            .filter(|to| to.starts_with(&self.acks))
        {
            let number = reply.rsplit('.').next().and_then(|end| end.parse().ok());
            if number.is_some_and(|number: u64| number != self.chunks) {
                return Err(self.about.error(
                    ErrorKind::Disconnected,
                    "a part of what the server sent was lost; try again",
                ));
            }
            let sent = self.context.receiver().send(&reply, b"").await;
            sent.map_err(|_| self.closed())?;
        }
        Ok(Some(body))
    }

    /// The snapshot is complete, or the server says why it is not.
    async fn end(&mut self, message: &WireMessage) -> Result<(), Error> {
        let block = message.header_block().unwrap_or_default();
        let status = HeaderBlock::parse(block)
            .ok()
            .and_then(|block| block.status());
        if !block.is_empty() && status != Some(COMPLETE) {
            let line = block
                .split(|byte| *byte == b'\r')
                .next()
                .unwrap_or_default();
            return Err(self.about.error(
                ErrorKind::Other,
                format!(
                    "the server ended the snapshot: {}; try again",
                    String::from_utf8_lossy(line)
                ),
            ));
        }
        // Whoever may not acknowledge fails with small streams, too.
        self.context.receiver().flush(&self.about).await?;
        loop {
            match self.denials.try_recv() {
                Ok(denial) => {
                    if let Some(error) = self.denied(&denial) {
                        return Err(error);
                    }
                }
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(()),
            }
        }
    }

    async fn message(&mut self) -> Result<WireMessage, Error> {
        loop {
            let denial = tokio::select! {
                biased;
                message = poll_fn(|cx| self.arrivals.poll_next(cx)) => {
                    return message.ok_or_else(|| self.closed());
                }
                denial = self.denials.recv() => denial,
                () = self.link.lost() => {
                    return Err(self.about.error(
                        ErrorKind::Disconnected,
                        "the connection was lost; try again",
                    ));
                }
            };
            match denial {
                Ok(denial) => {
                    if let Some(error) = self.denied(&denial) {
                        return Err(error);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Err(self.closed()),
            }
        }
    }

    fn denied(&self, denial: &Denial) -> Option<Error> {
        let (context, about) = (&self.context, &self.about);
        match denial {
            Denial::Publish(denied) if denied.starts_with(&self.acks) => {
                Some(context.unanswered(about, NoReply::Denied, denied))
            }
            Denial::Subscribe(denied) if *denied == self.inbox => {
                Some(context.unanswered(about, NoReply::Deaf, denied))
            }
            Denial::Excess { sid, .. } if *sid == self.arrivals.sid() => {
                Some(about.error(ErrorKind::PermissionDenied, TOO_MANY_SUBSCRIPTIONS))
            }
            _ => None,
        }
    }

    fn closed(&self) -> Error {
        self.about.on(self.context.refusal(self.about.operation))
    }
}
