//! Reads an envelope without reading its data.
//!
//! Tolerant where publishers of the field are loose: `source`, `version` and
//! `metadata` may be missing or null, and fields that nobody knows are kept.

mod written;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr as _;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::RawEnvelope;
use crate::envelope::{Head, MetaValue, Metadata, Version, read_timestamp};
use crate::json::{JsonError, RawJson};
use crate::text::Text;

/// Reads the envelope in `body`; its data share the memory of `body`.
pub(super) fn envelope(body: &Bytes) -> Result<RawEnvelope, JsonError> {
    match written::envelope(body) {
        Some(envelope) => Ok(envelope),
        None => in_any_form(body),
    }
}

/// The same, whatever the order of its fields and the form of its values.
fn in_any_form(body: &Bytes) -> Result<RawEnvelope, JsonError> {
    let Borrowed { head, data } = serde_json::from_slice(body).map_err(JsonError::new)?;
    Ok(RawEnvelope {
        head,
        data: body.slice_ref(data.get().as_bytes()),
    })
}

struct Borrowed<'a> {
    head: Head,
    data: &'a RawValue,
}

impl<'de> Deserialize<'de> for Borrowed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Borrowed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event envelope, a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut event_id = None;
        let mut event_type = None;
        let mut timestamp = None;
        let mut source: Option<Option<Cow<'de, str>>> = None;
        let mut version = None;
        let mut data: Option<&'de RawValue> = None;
        let mut metadata = None;
        let mut unknown = Vec::new();
        while let Some(Str(name)) = map.next_key()? {
            match name.as_ref() {
                "event_id" => {
                    let Str(text) = once(event_id.as_ref(), "event_id", &mut map)?;
                    event_id = Some(parse("event_id", &text, uuid::Uuid::from_str)?);
                }
                "event_type" => {
                    let Str(text) = once(event_type.as_ref(), "event_type", &mut map)?;
                    event_type = Some(text);
                }
                "timestamp" => {
                    let Str(text) = once(timestamp.as_ref(), "timestamp", &mut map)?;
                    timestamp = Some(parse("timestamp", &text, read_timestamp)?);
                }
                "source" => {
                    let text: Option<Str<'de>> = once(source.as_ref(), "source", &mut map)?;
                    source = Some(text.map(|Str(text)| text));
                }
                "version" => {
                    let text: Option<Str<'de>> = once(version.as_ref(), "version", &mut map)?;
                    version = Some(match text {
                        Some(Str(text)) => parse("version", &text, Version::from_str)?,
                        None => Version::default(),
                    });
                }
                "data" => data = Some(once(data.as_ref(), "data", &mut map)?),
                "metadata" => {
                    let found: Option<ReadMetadata> =
                        once(metadata.as_ref(), "metadata", &mut map)?;
                    metadata = Some(found.map(|ReadMetadata(found)| found).unwrap_or_default());
                }
                _ => unknown.push((name.into_owned(), map.next_value::<RawJson>()?)),
            }
        }
        let mut head = Head::new(
            event_id.ok_or_else(|| A::Error::missing_field("event_id"))?,
            Text::copy_of(&event_type.ok_or_else(|| A::Error::missing_field("event_type"))?),
            timestamp.ok_or_else(|| A::Error::missing_field("timestamp"))?,
        );
        if let Some(source) = source.flatten() {
            head.source = Text::copy_of(&source);
        }
        head.version = version.unwrap_or_default();
        head.metadata = metadata.unwrap_or_default();
        head.set_unknown(unknown);
        let data = data.ok_or_else(|| A::Error::missing_field("data"))?;
        Ok(Borrowed { head, data })
    }
}

/// The next value, unless the field was there before.
fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>, Seen>(
    seen: Option<&Seen>,
    name: &'static str,
    map: &mut A,
) -> Result<T, A::Error> {
    if seen.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    map.next_value()
}

fn parse<T, Why: fmt::Display, E: Error>(
    name: &str,
    text: &str,
    read: impl FnOnce(&str) -> Result<T, Why>,
) -> Result<T, E> {
    read(text).map_err(|why| {
        let shown: String = text.chars().take(64).collect();
        E::custom(format_args!("{name} {shown:?}: {why}"))
    })
}

/// A string that borrows from the input where it has no escapes.
struct Str<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Str<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StrVisitor;

        impl<'de> Visitor<'de> for StrVisitor {
            type Value = Str<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(StrVisitor)
    }
}

/// The most entries of one envelope's metadata. They are few by nature and are
/// looked up one after the other, so a sender must not be able to make them many.
const MAX_METADATA: usize = 256;

struct ReadMetadata(Metadata);

impl<'de> Deserialize<'de> for ReadMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetadataVisitor;

        impl<'de> Visitor<'de> for MetadataVisitor {
            type Value = ReadMetadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("metadata, a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ReadMetadata, A::Error> {
                let mut metadata = Metadata::default();
                let mut seen = 0;
                while let Some(Str(name)) = map.next_key()? {
                    seen += 1;
                    if seen > MAX_METADATA {
                        return Err(A::Error::custom(format_args!(
                            "metadata has more than {MAX_METADATA} entries; put what belongs to the event into its data"
                        )));
                    }
                    let value = map.next_value::<&'de RawValue>()?.get();
                    match name.as_ref() {
                        "correlation_id" if metadata.correlation_id.is_some() => {
                            return Err(A::Error::duplicate_field("correlation_id"));
                        }
                        "causation_id" if metadata.causation_id.is_some() => {
                            return Err(A::Error::duplicate_field("causation_id"));
                        }
                        "correlation_id" | "causation_id" if value == "null" => {}
                        _ => metadata.put(name.into_owned(), meta_value(value)?),
                    }
                }
                Ok(ReadMetadata(metadata))
            }
        }

        deserializer.deserialize_map(MetadataVisitor)
    }
}

fn meta_value<E: Error>(json: &str) -> Result<MetaValue, E> {
    if json.starts_with('"') {
        serde_json::from_str(json)
            .map(MetaValue::Text)
            .map_err(E::custom)
    } else {
        RawJson::parse(json).map(MetaValue::Json).map_err(E::custom)
    }
}
