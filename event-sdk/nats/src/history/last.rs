//! Reads the last message of a subject: by a direct get, or from the leader.

use serde_json::json;

use super::direct::{Answer, answer, unexpected};
use super::exchange::Exchange;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::options::API_PREFIX;
use crate::server::Version;
use crate::streams::{self, Found, Which};
use event_sdk_core::transport::{Error, ErrorKind};

/// The last message of a subject, with everything that is confirmed; `None` if there is none.
///
/// In a cluster the leader is asked, since another copy may be behind it.
pub(crate) async fn last_message(
    context: &NatsContext,
    about: &ErrorContext,
    stream: &str,
    subject: &str,
) -> Result<Option<Found>, Error> {
    let server = context.server();
    // Another prefix may lead to a cluster. A server of 2.10 does not answer for a stream that does
    // not exist.
    let known = context.options().api_prefix == API_PREFIX && server.version >= Version::V2_11;
    if known && !server.clustered {
        streams::check(about, stream)?;
        let mut exchange = Exchange::open(context, about, stream).await?;
        exchange.ask(0, &json!({ "last_by_subj": subject }));
        let (_, message) = exchange.answer().await?;
        match answer(about, &message)? {
            Answer::Message(found) => return checked(about, subject, Some(found)),
            Answer::Status(404) => return Ok(None),
            // The stream does not exist, or allows no direct gets.
            Answer::Status(503) => {}
            Answer::Status(status) => return Err(unexpected(about, status)),
        }
    }
    let found = streams::message(context, about, stream, &Which::LastOf(subject)).await?;
    checked(about, subject, found)
}

/// The message, which must be one of the subject.
fn checked(
    about: &ErrorContext,
    subject: &str,
    found: Option<Found>,
) -> Result<Option<Found>, Error> {
    if let Some(found) = &found
        && (found.subject != subject || found.sequence == 0)
    {
        let reason = format!(
            "the server answered with message {} of {} where the last one of {subject} was asked for",
            found.sequence, found.subject
        );
        return Err(about.error(ErrorKind::Other, reason));
    }
    Ok(found)
}
