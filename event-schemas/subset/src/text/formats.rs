//! Sample strings and outlines of each `format`.

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
        _ => &[],
    }
}

/// A pattern that every string of the format matches, where that is known for sure.
pub(crate) fn outline(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "date-time" => r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[^0-9].*:",
        "time" => r"^[0-9]{2}:[0-9]{2}:[0-9]{2}",
        "duration" => r"^P[0-9A-Z]{2,}$",
        "ipv4" => r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
        "ipv6" => r"^[0-9a-fA-F:.]{2,45}$",
        "uuid" => r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "email" => "@",
        "uri" | "iri" => ":",
        "json-pointer" => "^(/|$)",
        "relative-json-pointer" => "^[0-9]",
        _ => return None,
    })
}
