//! Direct get of many messages in one request (`$JS.API.DIRECT.GET`, server 2.11).

use std::time::Duration;

use async_nats::Subscriber;
use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::broadcast;

use super::direct::{check_from, found, header, status, unexpected};
use crate::connection::Denial;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::pending_replies::{NoReply, Reply};
use crate::streams::Found;
use event_sdk_core::transport::{Error, ErrorKind};

/// How many bytes one answer may have together: the server stops behind the
/// message that reaches it.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The messages that match `filter`, from this sequence on, up to `most`; and
/// whether the copy that answered has no more.
pub(super) async fn read(
    context: &NatsContext,
    about: &ErrorContext,
    stream: &str,
    filter: &str,
    from: u64,
    most: usize,
) -> Result<(Vec<Found>, bool), Error> {
    let subject = context.api(format_args!("DIRECT.GET.{stream}"));
    let request = json!({
        "seq": from,
        "next_by_subj": filter,
        "batch": most,
        "max_bytes": MAX_BYTES,
    });
    let lost = |error| {
        about
            .error(
                ErrorKind::Disconnected,
                "the connection was lost; try again",
            )
            .with_source(error)
    };
    if !context.watch().connected().await {
        return Err(about.on(context.refusal(about.operation)));
    }
    let mut denials = context.denials();
    let inbox = context.new_inbox();
    let mut pending_replies = context
        .client()
        .subscribe(inbox.clone())
        .await
        .map_err(|error| lost(Box::new(error)))?;
    context
        .client()
        .publish_with_reply(subject.clone(), inbox.clone(), request.to_string().into())
        .await
        .map_err(|error| {
            about
                .error(ErrorKind::Other, "the request cannot be sent")
                .with_source(error)
        })?;
    let mut messages: Vec<Found> = Vec::new();
    let limit = context.options().request_timeout;
    loop {
        let reply = answer(
            context,
            about,
            (&subject, &inbox),
            &mut pending_replies,
            &mut denials,
            limit,
        )
        .await?;
        match status(&reply) {
            None => {}
            // The end of the batch.
            Some(204) => {
                let pending = number(&reply, "Nats-Num-Pending");
                check_order(about, &reply, &messages)?;
                return Ok((messages, pending.unwrap_or(0) == 0));
            }
            // No message, or no copy that answers at this moment: let the leader
            // say what there is.
            Some(404 | 503) => return Ok((messages, true)),
            Some(status) => return Err(unexpected(about, status)),
        }
        check_order(about, &reply, &messages)?;
        let found = found(about, &reply)?;
        let next = messages
            .last()
            .map_or(from, |last| last.sequence.saturating_add(1));
        check_from(about, next, &found)?;
        if messages.len() == most {
            return Err(about.error(
                ErrorKind::Other,
                format!("the server sends more than the {most} messages that were asked for"),
            ));
        }
        messages.push(found);
    }
}

/// The next message that answers.
async fn answer(
    context: &NatsContext,
    about: &ErrorContext,
    (subject, inbox): (&str, &str),
    pending_replies: &mut Subscriber,
    denials: &mut broadcast::Receiver<Denial>,
    limit: Duration,
) -> Result<Reply, Error> {
    let denied = async {
        loop {
            match denials.recv().await {
                Ok(Denial::Publish(denied)) if denied == subject => return NoReply::Denied,
                Ok(Denial::Subscribe(denied)) if denied == inbox => return NoReply::Deaf,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                // The connection has ended, and with it the answers.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        biased;
        message = pending_replies.next() => match message {
            Some(message) => Ok(Reply {
                payload: message.payload,
                headers: message.headers,
                status: message.status,
            }),
            None => Err(about.on(context.refusal(about.operation))),
        },
        why = denied => Err(context.unanswered(about, why, subject)),
        () = tokio::time::sleep(limit) => Err(about.error(
            ErrorKind::Timeout,
            format!("the server did not answer to {subject} within {limit:?}; try again"),
        )),
    }
}

/// Each message says which was before it in the batch, so that one that was lost
/// on the way is missed.
fn check_order(about: &ErrorContext, reply: &Reply, before: &[Found]) -> Result<(), Error> {
    let last = before.last().map_or(0, |message| message.sequence);
    match number(reply, "Nats-Last-Sequence") {
        Some(expected) if expected != last => Err(about.error(
            ErrorKind::Disconnected,
            "a part of what the server sent was lost; try again",
        )),
        _ => Ok(()),
    }
}

fn number(reply: &Reply, name: &'static str) -> Option<u64> {
    header(reply, name)?.parse().ok()
}
