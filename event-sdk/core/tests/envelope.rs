//! Headers, ids, versions and metadata: accepted values and equality.

use event_sdk_core::headers::{Headers, MAX_HEADER_LEN};
use event_sdk_core::json::RawJson;
use event_sdk_core::transport::{Capabilities, Capability, ConsumerConfig, ConsumerName};
use event_sdk_core::{LooseId, Metadata, Pattern, Version};
use std::time::Duration;
use uuid::Uuid;

#[test]
fn a_header_is_found_whatever_its_case() {
    let mut headers = Headers::new();
    assert!(headers.is_empty());
    headers.insert("Tenant", "a").unwrap();
    headers.insert("trace", "b").unwrap();
    headers.insert("TENANT", "c").unwrap();
    assert_eq!((headers.get("tenant"), headers.len()), (Some("c"), 2));
    let names: Vec<_> = headers.iter().collect();
    assert_eq!(names, [("trace", "b"), ("TENANT", "c")]);
    assert_eq!(headers.byte_len(), "traceb".len() + "TENANTc".len());
    headers.remove("TRACE");
    headers.remove("none");
    headers.remove("tenant");
    assert!(headers.is_empty() && headers == Headers::new());
}

#[test]
fn a_header_that_cannot_travel_is_refused_and_changes_nothing() {
    let mut headers = Headers::new();
    headers.insert("a", "1").unwrap();
    let long = "x".repeat(MAX_HEADER_LEN - 1);
    for (name, value) in [
        ("", "v"),
        ("a b", "v"),
        ("a:b", "v"),
        ("größe", "v"),
        ("a\u{1}", "v"),
        ("a", "line\nbreak"),
        ("a", "escape\u{1b}"),
        ("a", "c1\u{9b}"),
        ("ab", &long),
    ] {
        let error = headers.insert(name, value).unwrap_err().to_string();
        assert!(
            !error.contains('\u{1b}') && error.starts_with("header"),
            "{error}"
        );
    }
    assert_eq!((headers.get("a"), headers.len()), (Some("1"), 1));
    headers.insert("b", long).unwrap();
}

#[test]
fn an_id_that_is_no_uuid_stays_as_it_is() {
    let uuid = Uuid::from_u128(7);
    assert_eq!(LooseId::from(uuid.to_string()).as_uuid(), Some(uuid));
    for text in [
        uuid.to_string().to_uppercase(),
        uuid.simple().to_string(),
        "x".into(),
        String::new(),
    ] {
        let text = if text == uuid.to_string() {
            format!("{{{text}}}")
        } else {
            text
        };
        let id = LooseId::from(&*text);
        assert_eq!((id.as_uuid(), id.to_string()), (None, text));
    }
}

#[test]
fn a_version_is_two_numbers() {
    for (text, version) in [
        ("1.0", (1, 0)),
        ("2", (2, 0)),
        ("007.0010", (7, 10)),
        ("65535.65535", (65535, 65535)),
    ] {
        let read: Version = text.parse().unwrap();
        assert_eq!((read.major(), read.minor()), version, "{text}");
    }
    for text in [
        "", ".", "1.", ".1", "1.0.0", "v1", "65536.0", "1.65536", "+1", "-1", "1 ", "١.0",
    ] {
        assert!(text.parse::<Version>().is_err(), "{text}");
    }
    assert!(Version::new(1, 10) > Version::new(1, 9) && Version::default() == Version::new(1, 0));
    let long = "1".repeat(1_000_000);
    assert!(long.parse::<Version>().unwrap_err().to_string().len() < 200);
}

#[test]
fn metadata_keeps_one_value_a_name() {
    let mut metadata = Metadata::default();
    metadata.insert("a", "1");
    metadata.insert("b", "2");
    metadata.insert("a", "3");
    metadata.insert("correlation_id", "story");
    metadata.insert("causation_id", "cause");
    metadata.insert_json("c", &[1]).unwrap();
    metadata.insert_json("d", "text").unwrap();
    assert!(metadata.insert_json("e", &f64::NAN).is_err());
    let names: Vec<_> = metadata.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(
        (metadata.get("a"), metadata.get("d"), metadata.get("c")),
        (Some("3"), Some("text"), None)
    );
    assert_eq!(metadata.correlation_id, Some("story".into()));
    assert_eq!(metadata.causation_id, Some("cause".into()));
}

#[test]
fn raw_json_is_compared_by_its_text() {
    let one = RawJson::parse(" {\"a\" : 1} ").unwrap();
    assert_eq!(one.as_str(), "{\"a\" : 1}");
    assert_ne!(one, RawJson::parse("{\"a\":1}").unwrap());
    for (json, kind) in [
        ("{}", "object"),
        ("[]", "array"),
        ("\"a\"", "string"),
        ("true", "boolean"),
        ("null", "null"),
        ("-1.5", "number"),
    ] {
        let shown = format!("{:?}", RawJson::parse(json).unwrap());
        assert_eq!(shown, format!("RawJson({kind}, {} bytes)", json.len()));
    }
}

#[test]
fn each_capability_is_one_of_its_own() {
    for one in Capability::ALL {
        let has = Capabilities::none(1).with(one);
        for other in Capability::ALL {
            let declared = one == other && !one.is_ability();
            assert_eq!(has.has(other), declared, "{one} and {other}");
        }
        assert!(!has.without(one).has(one) && has.max_payload() == 1);
    }
}

#[test]
fn an_attempt_waits_by_the_backoff() {
    let second = Duration::from_secs(1);
    let name = ConsumerName::Durable("billing".into());
    let mut config = ConsumerConfig::new(name, vec![Pattern::everything()]);
    assert_eq!(config.wait_of_attempt(3), ConsumerConfig::DEFAULT_ACK_WAIT);
    config.backoff = vec![second, 5 * second];
    let waits: Vec<_> = (0..5)
        .map(|attempt| config.wait_of_attempt(attempt))
        .collect();
    assert_eq!(waits, [second, second, 5 * second, 5 * second, 5 * second]);
    let mut other = config.clone();
    other.backoff.pop();
    other.max_deliver = std::num::NonZeroU32::new(3);
    let fields: Vec<_> = config
        .differences(&other)
        .iter()
        .map(|found| found.field)
        .collect();
    assert_eq!(fields, ["max deliver", "backoff"]);
    assert!(config.differences(&config).is_empty());
}
