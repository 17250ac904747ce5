//! Reads a JSON envelope of any valid form and leaves its `data` unparsed.
//!
//! It accepts what other publishers write: `source`, `version` and `metadata` may be missing or
//! null, and unknown fields are kept.

mod written;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr as _;

use bytes::Bytes;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor,
};
use serde_json::value::RawValue;

use super::RawEnvelope;
use crate::envelope::{EnvelopeHeader, MAX_METADATA, MetaValue, Metadata, Version, read_timestamp};
use crate::json::{JsonError, RawJson, read_borrowed};
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
    let Borrowed { head, data } = read_borrowed(body)?;
    Ok(RawEnvelope {
        head,
        data: body.slice_ref(data.get().as_bytes()),
    })
}

struct Borrowed<'a> {
    head: EnvelopeHeader,
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
        while let Some(Name(name)) = map.next_key()? {
            match name.as_ref() {
                "event_id" => {
                    let read =
                        TextAs(|text: &str| uuid::Uuid::from_str(text).map_err(|_| "a UUID"));
                    event_id = Some(once_seed(event_id.as_ref(), "event_id", &mut map, read)?);
                }
                "event_type" => {
                    let Str(text) = once(event_type.as_ref(), "event_type", &mut map)?;
                    event_type = Some(text);
                }
                "timestamp" => {
                    let read = TextAs(read_timestamp);
                    timestamp = Some(once_seed(timestamp.as_ref(), "timestamp", &mut map, read)?);
                }
                "source" => {
                    let text: Option<Str<'de>> = once(source.as_ref(), "source", &mut map)?;
                    source = Some(text.map(|Str(text)| text));
                }
                "version" => {
                    let read: Option<AnyVersion> = once(version.as_ref(), "version", &mut map)?;
                    version = Some(read.map_or_else(Version::default, |AnyVersion(read)| read));
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
        let mut head = EnvelopeHeader::new(
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

const VERSION: &str = "a version, `major.minor`, each a number up to 65535";

/// The next value, unless the field was there before.
fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>, Seen>(
    seen: Option<&Seen>,
    name: &'static str,
    map: &mut A,
) -> Result<T, A::Error> {
    once_seed(seen, name, map, PhantomData)
}

fn once_seed<'de, A: MapAccess<'de>, T: DeserializeSeed<'de>, Seen>(
    seen: Option<&Seen>,
    name: &'static str,
    map: &mut A,
    value: T,
) -> Result<T::Value, A::Error> {
    if seen.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    map.next_value_seed(value)
}

/// What a function makes of a text, or says was expected in its place.
struct TextAs<F>(F);

impl<'de, T, F: FnOnce(&str) -> Result<T, &'static str>> DeserializeSeed<'de> for TextAs<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let Str(text) = Str::deserialize(deserializer)?;
        let TextAs(read) = self;
        read(&text).map_err(|expected| D::Error::invalid_value(Unexpected::Str(&text), &expected))
    }
}

struct AnyVersion(Version);

impl<'de> Deserialize<'de> for AnyVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = TextAs(|text: &str| Version::from_str(text).map_err(|_| VERSION));
        read.deserialize(deserializer).map(Self)
    }
}

/// The name of a field of the envelope.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Str(name) = deserializer.deserialize_identifier(StrVisitor)?;
        Ok(Self(name))
    }
}

/// A string that borrows from the input where it has no escapes.
struct Str<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Str<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(StrVisitor)
    }
}

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

/// What [`MAX_METADATA`] asks for.
const TOO_MANY: &str =
    "metadata of at most 256 entries; put what belongs to the event into its data";

/// The entries of the metadata that the contract names: each occurs once.
const NAMED: [&str; 3] = ["correlation_id", "causation_id", "key"];

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
                let mut entries = 0;
                let mut seen = [false; NAMED.len()];
                while let Some(Str(name)) = map.next_key()? {
                    entries += 1;
                    if entries > MAX_METADATA {
                        return Err(A::Error::invalid_length(entries, &TOO_MANY));
                    }
                    let named = NAMED.iter().position(|named| *named == name);
                    // Whatever their values are, each stands there once.
                    if let Some(index) = named
                        && std::mem::replace(&mut seen[index], true)
                    {
                        return Err(A::Error::duplicate_field(NAMED[index]));
                    }
                    let value = meta_value(map.next_value::<&'de RawValue>()?)?;
                    metadata.put(name.into_owned(), value);
                }
                Ok(ReadMetadata(metadata))
            }
        }

        deserializer.deserialize_map(MetadataVisitor)
    }
}

fn meta_value<E: Error>(json: &RawValue) -> Result<MetaValue, E> {
    if json.get().starts_with('"') {
        serde_json::from_str(json.get())
            .map(MetaValue::Text)
            .map_err(|_| E::invalid_value(Unexpected::Str(""), &"a text of whole characters"))
    } else {
        Ok(MetaValue::Json(RawJson::of(json)))
    }
}
