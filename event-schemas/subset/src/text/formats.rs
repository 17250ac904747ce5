//! Sample strings and outlines of each `format`.

use serde_json::Value;

/// Strings that have the format, the plainest first.
pub(crate) fn samples(format: &str) -> &'static [&'static str] {
    match format {
        "date" => &["2026-01-31", "1999-12-01"],
        "date-time" => &[
            "2026-01-31T12:00:00Z",
            "1999-12-01T00:00:00.123456+02:00",
            "2026-01-31t12:00:00z",
        ],
        "time" => &["12:00:00Z", "00:00:00.5+02:00"],
        "duration" => &["P1D", "PT1H30M", "P1Y2M3DT4H5M6S"],
        "email" => &["a@example.com", "first.last@example.org"],
        "hostname" => &["example.com", "a"],
        "ipv4" => &["192.0.2.1", "127.0.0.1", "1.1.1.1"],
        "ipv6" => &["2001:db8::1", "::", "::1"],
        "uri" | "iri" => &["https://example.com/a", "urn:a:b", "a:b"],
        "uri-reference" | "iri-reference" => &["/a", "https://example.com/a", "", "a", "#a"],
        "uri-template" => &["/{a}", "https://example.com/{a}", "", "a"],
        "uuid" => &[
            "00000000-0000-4000-8000-000000000000",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        ],
        "json-pointer" => &["/a", "", "/a/0"],
        "relative-json-pointer" => &["0", "1/a", "0#"],
        "regex" => &["a", "^a+$", "", "[0-9]"],
        "partial-date-time" => &["2026-01-31T12:00:00", "1999-12-01T00:00:00.123456"],
        "partial-time" => &["12:00:00", "00:00:00.5"],
        "zoned-date-time" => &[
            "2026-01-31T12:00:00+01:00[Europe/Paris]",
            "1999-12-01T00:00:00Z[UTC]",
        ],
        "ip" => &["192.0.2.1", "2001:db8::1"],
        _ => of_content(format),
    }
}

/// Strings of a content: with an encoding and without, as JSON (`{}`, `1`) and as plain text.
fn of_content(format: &str) -> &'static [&'static str] {
    let Some(content) = as_content(format) else {
        return &[];
    };
    let encoding = content.get("contentEncoding").and_then(Value::as_str);
    let is_json = content.get("contentMediaType").is_some();
    match (encoding, is_json) {
        (None, _) => &["{}", "1"],
        (Some("base64" | "base64url"), true) => &["e30=", "MQ=="],
        (Some("base64" | "base64url"), false) => &["YQ==", "", "e30="],
        (Some("base32"), true) => &["PN6Q====", "GE======"],
        (Some("base32"), false) => &["ME======", "", "PN6Q===="],
        (Some("base32hex"), true) => &["FDUG====", "64======"],
        (Some("base32hex"), false) => &["C4======", "", "FDUG===="],
        (Some("base16"), true) => &["7B7D", "31"],
        (Some(_), _) => &["61", "", "7B7D"],
    }
}

/// The content keywords of draft-07, if a format is such: it is written as a schema then.
pub(crate) fn as_content(format: &str) -> Option<Value> {
    format
        .starts_with('{')
        .then(|| serde_json::from_str(format).ok())?
}

/// A pattern that every string of the format matches, where that is known for sure.
pub(crate) fn outline(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "date-time" => r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[^0-9].*:",
        "time" => r"^[0-9]{2}:[0-9]{2}:[0-9]{2}",
        "duration" => r"^P[0-9A-Z]{2,}$",
        "ipv4" => r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
        "ipv6" | "ip" => r"^[0-9a-fA-F:.]{2,45}$",
        "uuid" => r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "email" => "@",
        "uri" | "iri" => ":",
        "json-pointer" => "^(/|$)",
        "relative-json-pointer" => "^[0-9]",
        "partial-date-time" => {
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$"
        }
        "partial-time" => r"^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$",
        "zoned-date-time" => {
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}[^\[]*\[[^\]]+\]$"
        }
        _ => return None,
    })
}

/// A pattern of which every string that matches has the format for sure: for some formats all of
/// them, for others only the plain ones, such as days that every month has.
pub(crate) fn inner(format: &str) -> Option<&'static str> {
    Some(match format {
        "uuid" => r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "date" => r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
        "time" => {
            r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
        }
        "date-time" => {
            r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
        }
        "partial-time" => r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?$",
        "partial-date-time" => {
            r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?$"
        }
        "ipv4" | "ip" => {
            r"^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$"
        }
        "ipv6" => r"^([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}$",
        "json-pointer" => r"^(/[a-zA-Z0-9_.-]*)*$",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Found, Language, Pattern, find};
    use super::*;

    const FORMATS: [&str; 24] = [
        "date",
        "date-time",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
        "iri",
        "iri-reference",
        "partial-date-time",
        "partial-time",
        "zoned-date-time",
        "ip",
        r#"{"contentEncoding":"base64"}"#,
        r#"{"contentMediaType":"application/json"}"#,
        r#"{"contentEncoding":"base32hex","contentMediaType":"application/json"}"#,
    ];

    fn is_of(format: &str, text: &str) -> bool {
        let (draft, schema) = match as_content(format) {
            Some(content) => (jsonschema::Draft::Draft7, content),
            None => (
                jsonschema::Draft::Draft202012,
                serde_json::json!({ "format": format }),
            ),
        };
        crate::schema::with_own(jsonschema::options())
            .with_draft(draft)
            .should_validate_formats(true)
            .build(&schema)
            .unwrap()
            .is_valid(&Value::String(text.to_owned()))
    }

    #[test]
    fn samples_have_their_format_and_match_its_outline() {
        for format in FORMATS {
            assert!(samples(format).len() > 1, "{format}");
            for text in samples(format) {
                assert!(is_of(format, text), "{format}: {text:?}");
                if let Some(outline) = outline(format) {
                    let outline = Pattern::of_schema(outline).unwrap();
                    assert!(outline.matches(text), "{format}: {text:?}");
                }
            }
        }
    }

    /// What the pattern of plain strings matches has the format, however it is taken.
    #[test]
    fn plain_strings_have_their_format() {
        for format in FORMATS {
            let Some(inner) = inner(format) else { continue };
            let pattern = Pattern::of_schema(inner).unwrap();
            let mut seen: Vec<String> = Vec::new();
            // The shortest strings, and those that begin in many ways.
            let starts: Vec<Pattern> = ["", "^2", "[A-F9]", "5:", "Z$"]
                .iter()
                .map(|start| Pattern::of_schema(start).unwrap())
                .collect();
            for start in &starts {
                for _ in 0..5 {
                    let language = Language {
                        found: vec![&pattern, start],
                        excluded: seen.iter().map(String::as_str).collect(),
                        ..Language::default()
                    };
                    let Found::Text(text) = find(&language) else {
                        break;
                    };
                    assert!(is_of(format, &text), "{format}: {text:?}");
                    seen.push(text);
                }
            }
            assert!(seen.len() > 5, "{format}: {seen:?}");
        }
    }
}
