//! Our JSON writer writes the same bytes as `serde_json`, for every method of serde's `Serializer`.

use std::collections::BTreeMap;

use event_sdk_core::json::write_value;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Debug, Serialize)]
struct Everything {
    #[serde(rename = "a \"name\"\n")]
    named: (),
    scalars: (bool, char, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128),
    floats: (f32, f64, Option<f64>),
    text: String,
    unit: Unit,
    newtype: Newtype,
    pair: Pair,
    list: Vec<Shape>,
    map: BTreeMap<String, Vec<u8>>,
    numbers: BTreeMap<i64, Shape>,
    chars: BTreeMap<char, u8>,
    variants: BTreeMap<Kind, u8>,
    empty: (Vec<()>, BTreeMap<String, u8>, Empty),
    inside: Inside,
    beside: Beside,
    #[serde(flatten)]
    flat: BTreeMap<String, Value>,
    #[serde(flatten)]
    more: Empty,
    raw: Option<Box<RawValue>>,
    #[serde(serialize_with = "bytes")]
    bytes: Vec<u8>,
    #[serde(serialize_with = "display")]
    display: String,
    value: Value,
}

#[derive(Debug, Serialize)]
struct Unit;

#[derive(Debug, Serialize)]
struct Newtype(Option<u8>);

#[derive(Debug, Serialize)]
struct Pair(u8, String);

#[derive(Debug, Serialize)]
struct Empty {}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Kind {
    One,
    #[serde(rename = "\"two\"\u{2028}\u{1}")]
    Two,
}

#[derive(Debug, Clone, Serialize)]
enum Shape {
    Unit,
    Newtype(String),
    Tuple(u8, Vec<i8>),
    Struct { x: i64, y: Option<String> },
    NoTuple(),
    NoStruct {},
}

#[derive(Debug, Serialize)]
#[serde(tag = "t\t")]
enum Inside {
    Struct { x: u8, list: Vec<Shape> },
}

#[derive(Debug, Serialize)]
#[serde(tag = "t", content = "c")]
enum Beside {
    Tuple(u8, Shape),
}

fn bytes<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

fn display<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("<{text}>"))
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Unit),
        any::<String>().prop_map(Shape::Newtype),
        any::<(u8, [i8; 3])>().prop_map(|(a, b)| Shape::Tuple(a, b.into())),
        any::<(i64, Option<String>)>().prop_map(|(x, y)| Shape::Struct { x, y }),
        Just(Shape::NoTuple()),
        Just(Shape::NoStruct {}),
    ]
}

prop_compose! {
    fn everything()(
        numbers in any::<(bool, char, i8, i16, i32, i64, i128)>(),
        unsigned in any::<(u8, u16, u32, u64, u128)>(),
        float in -1e30_f32..1e30,
        double in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        text in any::<String>(),
        list in prop::collection::vec(shape(), 0..4),
        map in prop::collection::btree_map(any::<String>(), any::<[u8; 3]>().prop_map(Vec::from), 0..4),
        keys in any::<([i64; 3], [char; 3])>(),
        names in any::<[String; 2]>(),
        one in shape(),
    ) -> Everything {
        let (truth, char, i1, i2, i3, i4, i5) = numbers;
        let (u1, u2, u3, u4, u5) = unsigned;
        let raw = RawValue::from_string(format!("[ {i5}.{u5}e-3 , \"x\" ]"));
        Everything {
            named: (),
            scalars: (truth, char, i1, i2, i3, i4, i5, u1, u2, u3, u4, u5),
            floats: (float, double, truth.then_some(double)),
            unit: Unit,
            newtype: Newtype(truth.then_some(u1)),
            pair: Pair(u1, text.clone()),
            numbers: keys.0.into_iter().map(|key| (key, one.clone())).collect(),
            chars: keys.1.into_iter().map(|key| (key, 1)).collect(),
            variants: BTreeMap::from([(Kind::One, 1), (Kind::Two, 2)]),
            empty: (Vec::new(), BTreeMap::new(), Empty {}),
            inside: Inside::Struct { x: u1, list: list.clone() },
            beside: Beside::Tuple(u1, one),
            flat: names.into_iter().map(|name| (name, i4.into())).collect(),
            more: Empty {},
            raw: raw.ok(),
            bytes: text.clone().into_bytes(),
            display: text.clone(),
            value: serde_json::json!({ "list": [text, null, i4], "empty": {}, "none": [] }),
            text,
            list,
            map,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_bytes_are_those_of_serde_json(event in everything()) {
        let mut out = b"before ".to_vec();
        write_value(&event, &mut out).unwrap();
        let expected = format!("before {}", serde_json::to_string(&event).unwrap());
        prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_bytes_of_any_text_are_those_of_serde_json(text in prop::collection::vec(any::<char>(), 0..40)) {
        let text: String = text.into_iter().collect();
        let mut out = Vec::new();
        write_value(&text, &mut out).unwrap();
        prop_assert_eq!(out, serde_json::to_vec(&text).unwrap());
    }
}

/// As deep as it is read, and one level more, in every form of nesting.
#[test]
fn what_is_too_deep_is_refused_however_it_is_nested() {
    #[derive(Serialize)]
    enum Deep {
        End,
        Newtype(Box<Deep>),
        Tuple(u8, Box<Deep>),
        Struct { inner: Box<Deep> },
    }
    let nested = |make: fn(Box<Deep>) -> Deep, times: usize| {
        (0..times).fold(Deep::End, |inner, _| make(Box::new(inner)))
    };
    let newtype: fn(Box<Deep>) -> Deep = Deep::Newtype;
    for (make, levels) in [
        (newtype, 1),
        (|inner| Deep::Tuple(1, inner), 2),
        (|inner| Deep::Struct { inner }, 2),
    ] {
        let most = 127 / levels;
        for (times, is_written) in [(most, true), (most + 1, false)] {
            let mut out = Vec::new();
            let written = write_value(&nested(make, times), &mut out);
            assert_eq!(written.is_ok(), is_written, "{levels} {times}");
            let read = serde_json::from_slice::<Value>(&out);
            assert_eq!(read.is_ok(), is_written, "{levels} {times}");
        }
    }
}
