//! Floating-point numbers keep every bit through the codec.

use std::collections::BTreeMap;

use bytes::Bytes;
use event_sdk_core::codec::{Codec, JsonCodec};
use event_sdk_core::envelope::{MetaValue, Metadata};
use event_sdk_core::event::decode_data;
use event_sdk_core::headers::Headers;
use event_sdk_core::json::{RawJson, WriteJson, read_value, write_value};
use event_sdk_core::{EnvelopeHeader, Event, Readable};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Event, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[event(crate = event_sdk_core, domain = "test", version = "1.0")]
struct PriceMeasured {
    plain: f64,
    single: f32,
    optional: Option<f64>,
    list: Vec<f64>,
    map: BTreeMap<String, f64>,
    tagged: Tagged,
    untagged: Untagged,
    #[serde(flatten)]
    flat: Flat,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind")]
enum Tagged {
    Price { exact: f64 },
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Price(f64),
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Flat {
    inner: f64,
}

/// The next version, made from the one above.
#[derive(Event, Serialize, Deserialize)]
#[event(crate = event_sdk_core, domain = "test", entity = "price", action = "measured", version = "2.0", upcast_from = PriceMeasured)]
struct PriceMeasuredV2 {
    price: f64,
}

impl From<PriceMeasured> for PriceMeasuredV2 {
    fn from(old: PriceMeasured) -> Self {
        Self { price: old.plain }
    }
}

fn event(number: f64, single: f32) -> PriceMeasured {
    PriceMeasured {
        plain: number,
        single,
        optional: Some(number),
        list: vec![number, -number],
        map: BTreeMap::from([("a".to_owned(), number)]),
        tagged: Tagged::Price { exact: number },
        untagged: Untagged::Price(number),
        flat: Flat { inner: number },
    }
}

/// All numbers of the event, as bits.
fn bits(event: &PriceMeasured) -> Vec<u64> {
    let Tagged::Price { exact } = event.tagged;
    let Untagged::Price(untagged) = event.untagged;
    let mut all = vec![event.plain, exact, untagged, event.flat.inner];
    all.extend(event.optional);
    all.extend(&event.list);
    all.extend(event.map.values());
    let mut bits: Vec<u64> = all.into_iter().map(f64::to_bits).collect();
    bits.push(event.single.to_bits().into());
    bits
}

fn json(value: &dyn WriteJson) -> Vec<u8> {
    let mut out = Vec::new();
    value.write_json(&mut out).unwrap();
    out
}

fn check(number: f64, single: f32) {
    let event = event(number, single);
    let data = json(&event);

    // Through the whole envelope, as a subscriber reads it.
    let head = EnvelopeHeader::new(Uuid::nil(), "price.measured", jiff::Timestamp::UNIX_EPOCH);
    let mut body = Vec::new();
    JsonCodec
        .encode(&head, &event, &mut Headers::new(), &mut body)
        .unwrap();
    let opened = JsonCodec
        .decode(&Bytes::from(body), &Headers::new())
        .unwrap();
    let read: PriceMeasured = decode_data(opened.head.version, &opened.data).unwrap();
    assert_eq!(bits(&read), bits(&event), "{number:?} {single:?}");

    // By an upcast, as raw JSON, and as metadata.
    let newer: PriceMeasuredV2 = decode_data(PriceMeasured::SPEC.version(), &data).unwrap();
    assert_eq!(newer.price.to_bits(), number.to_bits());
    let raw = RawJson::from_value(&number).unwrap();
    assert_eq!(raw.read::<f64>().unwrap().to_bits(), number.to_bits());
    let mut metadata = Metadata::default();
    metadata.insert_json("price", &number).unwrap();
    let Some(MetaValue::Json(noted)) = metadata.value("price") else {
        panic!("a number is noted as JSON");
    };
    assert_eq!(noted.read::<f64>().unwrap().to_bits(), number.to_bits());
}

#[test]
fn numbers_that_were_changed_on_the_way_arrive() {
    for number in [
        111.452_560_746_390_29,
        0.1 + 0.2,
        -0.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
        9_007_199_254_740_993.0,
        1e23,
        2.225_073_858_507_201e-308,
    ] {
        check(number, 16_777_217.0);
    }
    for single in [f32::MIN_POSITIVE, f32::MAX, 1e-45, 0.1, 8_388_609.5] {
        check(0.0, single);
    }
}

#[derive(Deserialize)]
struct Vectors {
    numbers: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    json: String,
    bits: String,
}

#[test]
fn reads_the_vectors_and_writes_them_so_that_they_are_read_again() {
    let text = include_str!("../../../tests/golden/numbers.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    for Vector { name, json, bits } in vectors.numbers {
        let expected = u64::from_str_radix(&bits, 16).unwrap();
        let read: f64 = read_value(json.as_bytes()).unwrap();
        assert_eq!(read.to_bits(), expected, "{name}");
        let mut again = Vec::new();
        write_value(&read, &mut again).unwrap();
        let read: f64 = read_value(&again).unwrap();
        assert_eq!(read.to_bits(), expected, "{name}, written again");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_number_arrives_bit_for_bit(number in any::<u64>(), single in any::<u32>()) {
        let (number, single) = (f64::from_bits(number), f32::from_bits(single));
        if number.is_finite() && single.is_finite() {
            check(number, single);
        }
    }

    /// Most numbers of real events have few digits, or are the result of a sum.
    #[test]
    fn a_number_of_everyday_arrives_bit_for_bit(cents in -1e12..1e12_f64, by in 1..1_000_u32) {
        check(cents / f64::from(by), 0.1);
    }
}

#[derive(Serialize, Deserialize)]
struct Buffered {
    direct: f32,
    #[serde(flatten)]
    inner: Single,
}

#[derive(Serialize, Deserialize)]
struct Single {
    single: f32,
}

/// Its shortest text is so near to the middle between it and its neighbour that an `f64` of that text
/// is the middle itself.
#[test]
fn the_one_single_that_is_rounded_twice_keeps_its_bits() {
    for bits in [0x15ae_43fd, 0x95ae_43fd] {
        let single = f32::from_bits(bits);
        let event = Buffered {
            direct: single,
            inner: Single { single },
        };
        let mut out = Vec::new();
        write_value(&event, &mut out).unwrap();
        let read: Buffered = read_value(&out).unwrap();
        assert_eq!(read.direct.to_bits(), bits);
        assert_eq!(read.inner.single.to_bits(), bits);
    }
}
