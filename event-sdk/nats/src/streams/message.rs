//! Reads one stored message from the leader (`$JS.API.STREAM.MSG.GET`).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::check;
use crate::context::NatsContext;
use crate::error::{ErrorContext, code};
use crate::headers::{self, HeaderBlock, HeaderFault, ScheduleHeaders};
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{Error, ErrorKind};

/// Which message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// That with this sequence.
    Sequence(u64),
    /// The last on this subject, or under this pattern.
    LastOf(&'a str),
    /// The first on this subject, or under this pattern, with this sequence or
    /// a higher one.
    Next(&'a str, u64),
}

/// A message as it was stored.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) subject: String,
    pub(crate) sequence: u64,
    pub(crate) stored_at: Timestamp,
    /// Or why they cannot be read.
    pub(crate) headers: Result<Headers, HeaderFault>,
    /// The bytes of headers that cannot be read; otherwise empty.
    pub(crate) header_block: Bytes,
    pub(crate) message_id: Option<String>,
    /// If it is a schedule.
    pub(crate) schedule: Option<Box<ScheduleHeaders>>,
    /// The subject of the schedule that has fired it.
    pub(crate) scheduler: Option<String>,
    pub(crate) body: Bytes,
}

/// The headers of a message without any.
const EMPTY: &[u8] = b"NATS/1.0\r\n\r\n";

/// Reads a message from the leader of its stream, which has all that is
/// confirmed; `None` if there is no such message.
pub(crate) async fn message(
    context: &NatsContext,
    about: &ErrorContext,
    stream: &str,
    which: &Which<'_>,
) -> Result<Option<Found>, Error> {
    let found = ask(context, about, stream, which).await?;
    let Which::LastOf(subject) = *which else {
        return Ok(found);
    };
    // After the last message of a subject was deleted, a server of 2.10 finds none until it has
    // read the others.
    if found.is_some()
        || ask(context, about, stream, &Which::Next(subject, 1))
            .await?
            .is_none()
    {
        return Ok(found);
    }
    ask(context, about, stream, which).await
}

async fn ask(
    context: &NatsContext,
    about: &ErrorContext,
    stream: &str,
    which: &Which<'_>,
) -> Result<Option<Found>, Error> {
    #[derive(Deserialize)]
    struct Completion {
        message: Json,
    }
    #[derive(Deserialize)]
    struct Json {
        subject: String,
        seq: u64,
        time: Timestamp,
        hdrs: Option<String>,
        data: Option<String>,
    }
    check(about, stream)?;
    let request = match *which {
        Which::Sequence(sequence) => json!({ "seq": sequence }),
        Which::LastOf(subject) => json!({ "last_by_subj": subject }),
        Which::Next(subject, from) => json!({ "next_by_subj": subject, "seq": from }),
    };
    let call = format!("STREAM.MSG.GET.{stream}");
    let Completion { message } = match context.call(about, &call, &request).await? {
        Ok(answer) => answer,
        Err(error) if error.is(&[code::MESSAGE_NOT_FOUND]) => return Ok(None),
        Err(error) => return Err(error.into_error(about)),
    };
    let decoded = |text: Option<String>| STANDARD.decode(text.unwrap_or_default());
    let (Ok(block), Ok(body)) = (decoded(message.hdrs), decoded(message.data)) else {
        return Err(about.error(
            ErrorKind::Other,
            format!("message {} is not well encoded", message.seq),
        ));
    };
    let parsed = if message.subject.contains(char::REPLACEMENT_CHARACTER) {
        // JSON cannot have what was there.
        Err(HeaderFault::NotUtf8)
    } else if block.is_empty() {
        HeaderBlock::parse(EMPTY)
    } else {
        HeaderBlock::parse(&block)
    };
    let message_id = parsed.ok().and_then(|block| block.get("Nats-Msg-Id"));
    Ok(Some(Found {
        subject: message.subject,
        sequence: message.seq,
        stored_at: message.time,
        message_id: message_id.map(Cow::into_owned),
        schedule: parsed.ok().and_then(|block| headers::schedule(&block)),
        scheduler: parsed.ok().and_then(|block| headers::scheduler(&block)),
        header_block: match parsed {
            Ok(_) => Bytes::new(),
            Err(_) => Bytes::copy_from_slice(&block),
        },
        headers: parsed.map(|block| headers::read(&block)),
        body: body.into(),
    }))
}
