//! Direct get of many messages in one request (`$JS.API.DIRECT.GET`, server 2.11).

use serde_json::json;

use super::direct::{Answer, answer, check_from, number, unexpected};
use super::exchange::Exchange;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::receiver::WireMessage;
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
    let mut exchange = Exchange::open(context, about, stream).await?;
    exchange.ask(
        0,
        &json!({
            "seq": from,
            "next_by_subj": filter,
            "batch": most,
            "max_bytes": MAX_BYTES,
        }),
    );
    let mut messages: Vec<Found> = Vec::new();
    loop {
        let (_, message) = exchange.answer().await?;
        match answer(about, &message)? {
            Answer::Message(found) => {
                check_order(about, &message, &messages)?;
                let next = messages
                    .last()
                    .map_or(from, |last| last.sequence.saturating_add(1));
                check_from(about, next, &found)?;
                if messages.len() == most {
                    return Err(about.error(
                        ErrorKind::Other,
                        format!(
                            "the server sends more than the {most} messages that were asked for"
                        ),
                    ));
                }
                messages.push(found);
            }
            // The end of the batch.
            Answer::Status(204) => {
                check_order(about, &message, &messages)?;
                let block = message.header_block().unwrap_or_default();
                let pending = number(block, "Nats-Num-Pending");
                return Ok((messages, pending.unwrap_or(0) == 0));
            }
            // No message, or no copy that answers at this moment: let the leader
            // say what there is.
            Answer::Status(404 | 503) => return Ok((messages, true)),
            Answer::Status(status) => return Err(unexpected(about, status)),
        }
    }
}

/// Each message says which was before it in the batch, so that one that was lost
/// on the way is missed.
fn check_order(about: &ErrorContext, message: &WireMessage, before: &[Found]) -> Result<(), Error> {
    let last = before.last().map_or(0, |message| message.sequence);
    let block = message.header_block().unwrap_or_default();
    match number(block, "Nats-Last-Sequence") {
        Some(expected) if expected != last => Err(about.error(
            ErrorKind::Disconnected,
            "a part of what the server sent was lost; try again",
        )),
        _ => Ok(()),
    }
}
