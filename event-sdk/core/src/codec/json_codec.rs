//! `JsonCodec`: writes and reads the JSON envelope of the wire contract, field by field.

use bytes::Bytes;
use uuid::Uuid;

use super::{Codec, DecodeErrorKind, DecodeFault, EncodeError, RawEnvelope, read};
use crate::envelope::{
    EnvelopeHeader, LooseId, MAX_METADATA, MetaValue, Metadata, write_timestamp,
};
use crate::headers::Headers;
use crate::json::{WriteJson, write_text};

/// The JSON envelope of the wire contract. It encodes in one pass, and decodes everything but the
/// data.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonCodec;

impl Codec for JsonCodec {
    fn encode(
        &self,
        head: &EnvelopeHeader,
        data: &dyn WriteJson,
        _headers: &mut Headers,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if head.metadata.len() > MAX_METADATA {
            return Err(EncodeError::new(format_args!(
                "metadata has {} entries, and at most {MAX_METADATA} are read; put what belongs to the event into its data",
                head.metadata.len()
            )));
        }
        out.extend_from_slice(b"{\"event_id\":");
        write_uuid(head.event_id, out);
        out.extend_from_slice(b",\"event_type\":");
        write_text(&head.event_type, out);
        out.extend_from_slice(b",\"timestamp\":\"");
        write_timestamp(head.timestamp, out).map_err(EncodeError::new)?;
        out.extend_from_slice(b"\",\"source\":");
        write_text(&head.source, out);
        out.extend_from_slice(b",\"version\":\"");
        write_number(head.version.major(), out);
        out.push(b'.');
        write_number(head.version.minor(), out);
        out.extend_from_slice(b"\",\"data\":");
        data.write_json(out)?;
        out.extend_from_slice(b",\"metadata\":");
        write_metadata(&head.metadata, out);
        for (name, value) in head.unknown() {
            out.push(b',');
            write_text(name, out);
            out.push(b':');
            out.extend_from_slice(value.as_str().as_bytes());
        }
        out.push(b'}');
        Ok(())
    }

    fn decode(&self, body: &Bytes, _headers: &Headers) -> Result<RawEnvelope, DecodeFault> {
        read::envelope(body).map_err(|why| {
            DecodeFault::of_json(
                DecodeErrorKind::Malformed,
                "the body is no event envelope",
                &why,
            )
        })
    }
}

fn write_metadata(metadata: &Metadata, out: &mut Vec<u8>) {
    out.push(b'{');
    let start = out.len();
    write_id(
        b"\"correlation_id\":",
        metadata.correlation_id.as_ref(),
        start,
        out,
    );
    write_id(
        b"\"causation_id\":",
        metadata.causation_id.as_ref(),
        start,
        out,
    );
    if let Some(key) = &metadata.key {
        separate(start, out);
        out.extend_from_slice(b"\"key\":");
        match key.parts() {
            Ok(id) => write_uuid(id, out),
            Err(text) => write_text(text, out),
        }
    }
    for (name, value) in metadata.iter() {
        if metadata.replaces(name) {
            continue;
        }
        separate(start, out);
        write_text(name, out);
        out.push(b':');
        match value {
            MetaValue::Text(text) => write_text(text, out),
            MetaValue::Json(json) => out.extend_from_slice(json.as_str().as_bytes()),
        }
    }
    out.push(b'}');
}

fn write_id(name: &[u8], id: Option<&LooseId>, start: usize, out: &mut Vec<u8>) {
    let Some(id) = id else { return };
    separate(start, out);
    out.extend_from_slice(name);
    match id.as_uuid() {
        Some(id) => write_uuid(id, out),
        None => write_text(&id.to_string(), out),
    }
}

/// A comma, unless the object that began at `start` is still empty.
fn separate(start: usize, out: &mut Vec<u8>) {
    if out.len() > start {
        out.push(b',');
    }
}

fn write_uuid(id: Uuid, out: &mut Vec<u8>) {
    let mut text = [b'"'; uuid::fmt::Hyphenated::LENGTH + 2];
    id.hyphenated()
        .encode_lower(&mut text[1..=uuid::fmt::Hyphenated::LENGTH]);
    out.extend_from_slice(&text);
}

fn write_number(number: u16, out: &mut Vec<u8>) {
    if number < 10 {
        // Nearly every version has one digit on each side of the dot.
        out.push(b'0' + number.to_le_bytes()[0]);
    } else {
        out.extend_from_slice(number.to_string().as_bytes());
    }
}
