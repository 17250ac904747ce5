//! The values of `format` that are checked.

mod own;

use serde_json::{Map, Value, json};

use super::Draft;

/// What is known of a format in a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A format of strings that the validator checks.
    Checked,
    /// A format of numbers, whole ones in this range.
    Range(i128, i128),
    /// A format of numbers that says nothing a schema could check.
    Nothing,
    /// Nobody here knows it.
    Unknown,
}

impl Format {
    pub(crate) fn of(name: &str, draft: Draft) -> Self {
        match name {
            "int8" => Format::Range(i8::MIN.into(), i8::MAX.into()),
            "int16" => Format::Range(i16::MIN.into(), i16::MAX.into()),
            "int32" => Format::Range(i32::MIN.into(), i32::MAX.into()),
            "int64" | "int" => Format::Range(i64::MIN.into(), i64::MAX.into()),
            "uint8" => Format::Range(0, u8::MAX.into()),
            "uint16" => Format::Range(0, u16::MAX.into()),
            "uint32" => Format::Range(0, u32::MAX.into()),
            "uint64" | "uint" => Format::Range(0, u64::MAX.into()),
            "float" | "double" | "int128" | "uint128" => Format::Nothing,
            _ if with_own(jsonschema::options()).is_known_format(draft.of_validator(), name) => {
                Format::Checked
            }
            _ => Format::Unknown,
        }
    }
}

/// A validator's options that know also the formats that schemars writes.
pub(crate) fn with_own(options: jsonschema::ValidationOptions) -> jsonschema::ValidationOptions {
    own::OWN.iter().fold(options, |options, (name, check)| {
        options.with_format(*name, *check)
    })
}

/// The assertions of the content keywords of draft-07, each as a schema.
///
/// The validator looks at both together: a media type is that of the decoded text, and of an
/// encoding or a media type that it does not know it asserts nothing, not even the other one.
pub(crate) fn content(keywords: &Map<String, Value>) -> Vec<Value> {
    const ENCODINGS: [&str; 5] = ["base64", "base64url", "base32", "base32hex", "base16"];
    let media = keywords.get("contentMediaType");
    let encoding = keywords.get("contentEncoding");
    let knows_media = media.is_none_or(|media| media == "application/json");
    let knows_encoding =
        encoding.is_none_or(|encoding| ENCODINGS.iter().any(|known| encoding == *known));
    if !knows_media || !knows_encoding {
        return Vec::new();
    }
    let encoded = encoding.map(|encoding| json!({ "contentEncoding": encoding }));
    let typed = media.map(|media| match encoding {
        Some(encoding) => json!({ "contentEncoding": encoding, "contentMediaType": media }),
        None => json!({ "contentMediaType": media }),
    });
    // What decodes to the media type decodes at all.
    encoded.into_iter().chain(typed).collect()
}

/// Says the ranges of number formats in words that the validator knows.
/// `None` if there are none.
pub(super) fn spell_out(root: &Value, pointers: &[String]) -> Option<Value> {
    if pointers.is_empty() {
        return None;
    }
    let mut spelled = root.clone();
    for pointer in pointers {
        let Some(schema) = spelled.pointer_mut(pointer).and_then(Value::as_object_mut) else {
            continue;
        };
        let name = schema
            .get("format")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Format::Range(low, high) = Format::of(name, Draft::Draft202012) else {
            continue;
        };
        // The limits are those of 64 bits at most, which JSON numbers hold.
        let low = i64::try_from(low).unwrap_or(i64::MIN);
        let high = u64::try_from(high).unwrap_or(u64::MAX);
        let range = json!({ "minimum": low, "maximum": high });
        match schema.entry("allOf").or_insert_with(|| json!([])) {
            Value::Array(all) => all.push(range),
            other => *other = json!([range]),
        }
    }
    Some(spelled)
}
