//! Direct get of many messages in one request (`$JS.API.DIRECT.GET`, server 2.11).

use serde_json::json;

use super::answers::Answers;
use super::direct::{Answer, check_from, unexpected};
use crate::context::NatsContext;
use crate::error::ErrorContext;
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
    let request = json!({
        "seq": from,
        "next_by_subj": filter,
        "batch": most,
        "max_bytes": MAX_BYTES,
    });
    let mut answers = Answers::ask(context, about, stream, &request).await?;
    let mut messages: Vec<Found> = Vec::new();
    loop {
        let answer = answers.next().await?;
        match answer.status() {
            None => {}
            // The end of the batch.
            Some(204) => {
                let pending = answer.number("Nats-Num-Pending");
                check_order(about, &answer, &messages)?;
                return Ok((messages, pending.unwrap_or(0) == 0));
            }
            // No message, or no copy that answers at this moment: let the leader
            // say what there is.
            Some(404 | 503) => return Ok((messages, true)),
            Some(status) => return Err(unexpected(about, status)),
        }
        check_order(about, &answer, &messages)?;
        let found = answer.found(about)?;
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

/// Each message says which was before it in the batch, so that one that was lost
/// on the way is missed.
fn check_order(about: &ErrorContext, answer: &Answer, before: &[Found]) -> Result<(), Error> {
    let last = before.last().map_or(0, |message| message.sequence);
    match answer.number("Nats-Last-Sequence") {
        Some(expected) if expected != last => Err(about.error(
            ErrorKind::Disconnected,
            "a part of what the server sent was lost; try again",
        )),
        _ => Ok(()),
    }
}
