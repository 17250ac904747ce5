//! `MessageAdmin` for NATS: `$JS.API.STREAM.MSG.GET`, `STREAM.MSG.DELETE` and `STREAM.PURGE`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, json};

use super::Nats;
use super::context::NatsContext;
use super::error::{ApiError, ErrorContext, code};
use super::headers::{self, HeaderBlock};
use super::streams::{self, Found, Which};
use event_sdk_core::headers::Headers;
use event_sdk_core::stream::check_name;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Body, Completion, Deletion, Error, ErrorKind, FoundMessage, MessageAdmin, Operation,
    PurgeRequest, UnreadableHeaders, WhichMessage,
};

impl MessageAdmin for Nats {
    fn get(
        &self,
        stream: &str,
        which: WhichMessage,
    ) -> Completion<Result<Option<FoundMessage>, Error>> {
        let (context, stream) = (Arc::clone(&self.context), Text::copy_of(stream));
        self.context
            .later(Operation::Read, get(context, stream, which))
    }

    fn delete(
        &self,
        stream: &str,
        sequence: u64,
        deletion: Deletion,
    ) -> Completion<Result<bool, Error>> {
        let (context, stream) = (Arc::clone(&self.context), Text::copy_of(stream));
        let deleting = delete(context, stream, sequence, deletion);
        self.context.later(Operation::Manage, deleting)
    }

    fn purge(&self, request: PurgeRequest) -> Completion<Result<u64, Error>> {
        let context = Arc::clone(&self.context);
        self.context
            .later(Operation::Manage, purge(context, request))
    }
}

/// The operation on a stream of that name, if the transport is open.
fn about(
    context: &NatsContext,
    operation: Operation,
    stream: &Text,
) -> Result<ErrorContext, Error> {
    let about = ErrorContext::new(operation).stream(stream.clone());
    let open = context.check_open(operation);
    open.map_err(|error| about.on(error))?;
    // A name becomes a part of a subject, and no stream has one that cannot.
    check_name(stream).map_err(|why| {
        let reason = format!("{stream:?} is no name: {why}");
        about.error(ErrorKind::StreamNotFound, reason)
    })?;
    Ok(about)
}

async fn get(
    context: Arc<NatsContext>,
    stream: Text,
    which: WhichMessage,
) -> Result<Option<FoundMessage>, Error> {
    let about = about(&context, Operation::Read, &stream)?;
    let which = match &which {
        // A server takes it for a request without a sequence.
        WhichMessage::Sequence(0) => return Ok(None),
        WhichMessage::Sequence(sequence) => Which::Sequence(*sequence),
        WhichMessage::LastUnder(pattern) => Which::LastOf(pattern.as_str()),
    };
    let found = streams::message(&context, &about, &stream, &which).await?;
    Ok(found.map(|found| readable(found, stream)))
}

fn readable(found: Found, stream: Text) -> FoundMessage {
    let block = found.header_block;
    let headers = found.headers.or_else(|fault| {
        // Those of a message whose subject cannot be read may be readable.
        let parsed = match &*block {
            [] => return Ok(Headers::new()),
            block => HeaderBlock::parse(block).map(|block| headers::read(&block)),
        };
        parsed.map_err(|_| UnreadableHeaders::new(block.clone(), fault.to_string()))
    });
    let body = Body::Encoded(found.body);
    let (sequence, stored_at) = (found.sequence, found.stored_at);
    let mut message = FoundMessage::new(found.subject, headers, body, stream, sequence, stored_at);
    message.message_id = found.message_id.map(Text::from);
    message
}

async fn delete(
    context: Arc<NatsContext>,
    stream: Text,
    sequence: u64,
    deletion: Deletion,
) -> Result<bool, Error> {
    let about = about(&context, Operation::Manage, &stream)?;
    delete_at(&context, &about, &stream, sequence, deletion).await
}

/// Deletes the message at `sequence`. Whether there was one.
pub(super) async fn delete_at(
    context: &NatsContext,
    about: &ErrorContext,
    stream: &Text,
    sequence: u64,
    deletion: Deletion,
) -> Result<bool, Error> {
    #[derive(Deserialize)]
    struct Answer {
        success: bool,
    }
    let request = json!({
        "seq": sequence,
        "no_erase": match deletion {
            Deletion::Remove => true,
            Deletion::Erase => false,
        },
    });
    let call = format!("STREAM.MSG.DELETE.{stream}");
    match context.call(about, &call, &request).await? {
        Ok(Answer { success }) => Ok(success),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error.into_error(about)),
    }
}

/// Whether there is no such message. A server tells the reason of a failed deletion by a text
/// alone (nats-server, `server/store.go`).
fn is_missing(error: &ApiError) -> bool {
    const MISSING: [&str; 3] = ["no message found", "stream store EOF", "deleted message"];
    error.is(&[code::SEQUENCE_NOT_FOUND, code::MESSAGE_NOT_FOUND])
        || error.is(&[code::DELETION_FAILED]) && MISSING.contains(&&*error.description)
}

async fn purge(context: Arc<NatsContext>, request: PurgeRequest) -> Result<u64, Error> {
    #[derive(Deserialize)]
    struct Answer {
        purged: u64,
    }
    let about = about(&context, Operation::Manage, &request.stream)?;
    request.check()?;
    let mut json = Map::new();
    if let Some(filter) = &request.filter {
        json.insert("filter".to_owned(), json!(filter.as_str()));
    }
    if let Some(before) = request.before {
        // No sequence is lower than one, and a server of 2.10 that is asked for it purges everything.
        if before <= 1 {
            return Ok(0);
        }
        let everything = request
            .filter
            .as_ref()
            .is_none_or(|all| all.as_str() == ">");
        let before = if everything {
            // Beyond the end of the stream, a server would skip the sequences up to there.
            let info = streams::info(&context, &about, &request.stream).await?;
            before.min(info.state.last_seq.saturating_add(1))
        } else {
            before
        };
        if before <= 1 {
            return Ok(0);
        }
        json.insert("seq".to_owned(), json!(before));
    }
    if let Some(keep) = request.keep {
        json.insert("keep".to_owned(), json!(keep));
    }
    let call = format!("STREAM.PURGE.{}", request.stream);
    let Answer { purged } = context.request(&about, &call, &json).await?;
    Ok(purged)
}
