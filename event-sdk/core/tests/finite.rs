//! NaN, infinities and too deep nesting are refused wherever they stand in an event.

use std::collections::BTreeMap;

use event_sdk_core::json::write_value;
use serde::Serialize;

#[derive(Serialize)]
struct Nested<T> {
    inner: T,
}

#[derive(Serialize)]
struct Wrapper<T>(T);

#[derive(Serialize)]
struct Pair<T>(u8, T);

#[derive(Serialize)]
enum Shape<T> {
    Newtype(T),
    Tuple(u8, T),
    Struct { field: T },
}

#[derive(Serialize)]
struct Flat<T> {
    #[serde(flatten)]
    inner: Nested<T>,
}

/// Writes a value that stands in some place of another.
type Write = Box<dyn Fn() -> Result<String, String>>;

/// The value in every place in which serde can put one.
fn places<T: Serialize + Copy + 'static>(value: T) -> Vec<(&'static str, Write)> {
    fn write<T: Serialize>(value: &T) -> Result<String, String> {
        let mut out = Vec::new();
        write_value(value, &mut out).map_err(|why| why.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }
    vec![
        ("bare", Box::new(move || write(&value))),
        (
            "field",
            Box::new(move || {
                write(&Nested {
                    inner: Nested { inner: value },
                })
            }),
        ),
        ("newtype", Box::new(move || write(&Wrapper(value)))),
        ("tuple struct", Box::new(move || write(&Pair(1, value)))),
        ("tuple", Box::new(move || write(&(1, value)))),
        ("list", Box::new(move || write(&vec![value]))),
        ("option", Box::new(move || write(&Some(value)))),
        (
            "map",
            Box::new(move || write(&BTreeMap::from([("key", value)]))),
        ),
        ("variant", Box::new(move || write(&Shape::Newtype(value)))),
        (
            "tuple variant",
            Box::new(move || write(&Shape::Tuple(1, value))),
        ),
        (
            "struct variant",
            Box::new(move || write(&Shape::Struct { field: value })),
        ),
        (
            "flattened",
            Box::new(move || {
                write(&Flat {
                    inner: Nested { inner: value },
                })
            }),
        ),
    ]
}

#[test]
fn refuses_what_is_not_finite() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (place, write) in places(value) {
            let why = write().unwrap_err();
            assert!(why.contains("JSON has no"), "{value} in {place}: {why}");
        }
    }
    for (place, write) in places(f32::NAN) {
        assert!(write().is_err(), "f32 NaN in {place}");
    }
}

#[test]
fn writes_the_rest_as_serde_json_does() {
    for (place, write) in places(0.1_f64) {
        assert!(write().unwrap().contains("0.1"), "{place}");
    }
    let value = serde_json::json!({
        "text": "a \"b\" \u{1}\u{1f600}", "int": -7, "big": u64::MAX, "list": [1, null, true],
        "map": {"k": 1.5e300}, "empty": {}, "none": null
    });
    let mut out = Vec::new();
    write_value(&value, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
}

#[test]
fn refuses_a_key_that_is_no_text() {
    let map = BTreeMap::from([(vec![1], 2)]);
    assert!(write_value(&map, &mut Vec::new()).is_err());
}
