//! The content of a snapshot: records, each a line of JSON, a message's followed by its body and
//! the end of a line; the last record says that it is complete.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::described;
use crate::consumer::StoredConsumer;
use crate::position::StoredPosition;
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::Body;

/// A part of a snapshot, in the order: messages, consumers, the end.
#[derive(Debug)]
pub(super) enum Record {
    Message(StoredRecord),
    Consumer(StoredConsumer),
    /// The sequence of the newest message ever stored.
    End {
        last: u64,
    },
}

/// A message.
#[derive(Debug)]
pub(super) struct StoredRecord {
    pub(super) sequence: u64,
    pub(super) subject: Subject,
    pub(super) headers: Headers,
    pub(super) body: Body,
    pub(super) stored_at: Timestamp,
    /// What it counts against a limit in bytes.
    pub(super) counted: u64,
}

/// The longest line of a record.
const MAX_LINE: usize = 16 * 1024 * 1024;

impl Record {
    /// Appends it to `out`. Values were encoded before.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let (line, body) = match self {
            Self::Message(message) => {
                let body = match &message.body {
                    Body::Encoded(bytes) => bytes.clone(),
                    Body::Value(_) => Bytes::new(),
                };
                let headers: Vec<_> = message.headers.iter().collect();
                let line = json!({
                    "sequence": message.sequence,
                    "subject": message.subject.as_str(),
                    "headers": headers,
                    "stored_at": message.stored_at.to_string(),
                    "counted": message.counted,
                    "body": body.len(),
                });
                (json!({ "message": line }), Some(body))
            }
            Self::Consumer(consumer) => {
                let position = &consumer.position;
                let line = json!({
                    "config": described::consumer(&consumer.config),
                    "cursor": position.cursor,
                    "not_before": position.not_before.map(|time| time.to_string()),
                    "backlog": position.backlog,
                    "unsettled": consumer.unsettled,
                    "deliveries": consumer.deliveries,
                    "paused_until": consumer.paused_until.map(|time| time.to_string()),
                });
                (json!({ "consumer": line }), None)
            }
            Self::End { last } => (json!({ "end": { "last": last } }), None),
        };
        out.extend_from_slice(line.to_string().as_bytes());
        out.push(b'\n');
        if let Some(body) = body {
            out.extend_from_slice(&body);
            out.push(b'\n');
        }
    }
}

/// Reads records from pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buffer: Vec<u8>,
    /// The part of the buffer that was read.
    read: usize,
    complete: bool,
}

impl Reader {
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(piece);
    }

    /// Whether the end was read, and nothing came behind it.
    pub(super) fn is_complete(&self) -> bool {
        self.complete && self.read == self.buffer.len()
    }

    /// The next record, if all of it has come; the error is a reason.
    pub(super) fn next(&mut self) -> Result<Option<Record>, String> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        if self.complete && !rest.is_empty() {
            return Err("something follows its end".to_owned());
        }
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            if rest.len() > MAX_LINE {
                return Err("a line of it is too long".to_owned());
            }
            return Ok(None);
        };
        let damaged = || "it is damaged".to_owned();
        let line = rest.get(..end).unwrap_or_default();
        let line: Map<String, Value> = serde_json::from_slice(line).map_err(|_| damaged())?;
        if let Some(message) = line.get("message") {
            let size = message.get("body").and_then(Value::as_u64);
            let size = size.and_then(|size| usize::try_from(size).ok());
            let size = size.ok_or_else(damaged)?;
            let body = end + 1;
            let behind = body.checked_add(size).ok_or_else(damaged)?;
            if rest.len() <= behind {
                return Ok(None);
            }
            if rest.get(behind) != Some(&b'\n') {
                return Err(damaged());
            }
            let bytes = Bytes::copy_from_slice(rest.get(body..behind).unwrap_or_default());
            let message = self::message(message, bytes).ok_or_else(damaged)?;
            self.read += behind + 1;
            return Ok(Some(Record::Message(message)));
        }
        self.read += end + 1;
        if let Some(consumer) = line.get("consumer") {
            let consumer = self::consumer(consumer).ok_or_else(damaged)?;
            return Ok(Some(Record::Consumer(consumer)));
        }
        let last = line.get("end").and_then(|end| end.get("last")?.as_u64());
        self.complete = true;
        Ok(Some(Record::End {
            last: last.ok_or_else(damaged)?,
        }))
    }
}

fn message(json: &Value, body: Bytes) -> Option<StoredRecord> {
    let mut headers = Headers::new();
    for header in json.get("headers")?.as_array()? {
        let (name, value) = (header.get(0)?.as_str()?, header.get(1)?.as_str()?);
        headers.insert(name.to_owned(), value).ok()?;
    }
    Some(StoredRecord {
        sequence: json.get("sequence")?.as_u64()?,
        subject: Subject::parse(json.get("subject")?.as_str()?.to_owned()).ok()?,
        headers,
        body: Body::Encoded(body),
        stored_at: json.get("stored_at")?.as_str()?.parse().ok()?,
        counted: json.get("counted")?.as_u64()?,
    })
}

fn consumer(json: &Value) -> Option<StoredConsumer> {
    let numbers = |list: &Value| {
        let numbers = list.as_array()?.iter().map(Value::as_u64);
        numbers.collect::<Option<_>>()
    };
    let unsettled = json.get("unsettled")?.as_array()?.iter().map(|delivery| {
        let attempt = u32::try_from(delivery.get(1)?.as_u64()?).ok()?;
        Some((delivery.get(0)?.as_u64()?, attempt))
    });
    let time = |field: &str| match json.get(field)? {
        Value::Null => Some(None),
        time => Some(Some(time.as_str()?.parse().ok()?)),
    };
    Some(StoredConsumer {
        config: described::read_consumer(json.get("config")?)?,
        position: StoredPosition {
            cursor: json.get("cursor")?.as_u64()?,
            not_before: time("not_before")?,
            backlog: numbers(json.get("backlog")?)?,
        },
        unsettled: unsettled.collect::<Option<_>>()?,
        deliveries: json.get("deliveries")?.as_u64()?,
        paused_until: time("paused_until")?,
    })
}
