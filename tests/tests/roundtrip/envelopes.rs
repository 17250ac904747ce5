//! Envelopes with random fields, metadata and additional fields through the codec.

use std::collections::BTreeSet;

use bytes::Bytes;
use event_sdk::Metadata;
use event_sdk::codec::{Codec as _, JsonCodec, RawEnvelope};
use event_sdk::headers::Headers;
use event_sdk::json::RawJson;
use event_sdk_core::{EnvelopeHeader, LooseId, Version};
use fastrand::Rng;
use jiff::Timestamp;
use uuid::Uuid;

use crate::random::{any, json};
use crate::{seed, values};

/// A header that the codec writes, whoever made it.
pub(crate) fn header(rng: &mut Rng) -> EnvelopeHeader {
    let mut head = EnvelopeHeader::new(any(rng), any::<String>(rng), instant(rng));
    if rng.bool() {
        head.source = any::<String>(rng).into();
    }
    head.version = Version::new(any(rng), any(rng));
    head.metadata = metadata(rng);
    head
}

/// An instant of the years 1 to 9998, in microseconds.
pub(crate) fn instant(rng: &mut Rng) -> Timestamp {
    const FIRST: i64 = -62_135_596_800_000_000;
    const LAST: i64 = 253_370_764_799_999_999;
    let micros = match rng.u8(..8) {
        0 => FIRST,
        1 => LAST,
        2 => rng.i64(-10..=10),
        3 => rng.i64(FIRST / 1_000_000..=LAST / 1_000_000) * 1_000_000,
        _ => rng.i64(FIRST..=LAST),
    };
    Timestamp::from_microsecond(micros).expect("it is in the range")
}

/// An id as this SDK makes them, or a text as others do.
pub(crate) fn id(rng: &mut Rng) -> LooseId {
    match rng.u8(..4) {
        0 => any::<String>(rng).as_str().into(),
        1 => any::<Uuid>(rng).simple().to_string().as_str().into(),
        2 => any::<Uuid>(rng).to_string().to_uppercase().as_str().into(),
        _ => any::<Uuid>(rng).into(),
    }
}

/// None, a few or as many entries as are read, of which two may be the ids.
fn metadata(rng: &mut Rng) -> Metadata {
    let mut metadata = Metadata::default();
    if rng.bool() {
        metadata.correlation_id = Some(id(rng));
    }
    if rng.bool() {
        metadata.causation_id = Some(id(rng));
    }
    let entries = match rng.u8(..64) {
        0 => 254,
        1..24 => rng.usize(..4),
        _ => 0,
    };
    for _ in 0..entries {
        if rng.bool() {
            metadata.insert(any::<String>(rng), any::<String>(rng));
        } else {
            let value = json(rng, 2);
            let set = metadata.insert_json(any::<String>(rng), &value);
            set.expect("JSON is JSON");
        }
    }
    metadata
}

fn write(head: &EnvelopeHeader, data: &RawJson) -> Bytes {
    let mut out = Vec::new();
    let written = JsonCodec.encode(head, data, &mut Headers::new(), &mut out);
    written.expect("it is written");
    out.into()
}

fn read(body: &Bytes) -> RawEnvelope {
    let read = JsonCodec.decode(body, &Headers::new());
    read.unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(body)))
}

#[test]
fn an_envelope_is_read_as_it_was_written() {
    for number in 0..values() {
        let seed = seed(number);
        let mut rng = Rng::with_seed(seed);
        let (head, data) = (header(&mut rng), any::<RawJson>(&mut rng));
        let body = write(&head, &data);
        let found = read(&body);
        assert!(
            found.head == head && found.data == data.as_str(),
            "ROUNDTRIP_SEED={seed}: {}",
            String::from_utf8_lossy(&body)
        );
        assert_eq!(write(&found.head, &data), body, "ROUNDTRIP_SEED={seed}");
    }
}

/// The fields of a text that another publisher wrote, in any order and with fields of its own.
#[test]
fn what_others_add_and_however_they_write_it_is_kept() {
    for number in 0..values() {
        let seed = seed(number);
        let mut rng = Rng::with_seed(seed);
        let (head, data) = (header(&mut rng), any::<RawJson>(&mut rng));
        let (body, added) = foreign(&mut rng, &write(&head, &data));
        let found = read(&body);
        let shown = || format!("ROUNDTRIP_SEED={seed}: {}", String::from_utf8_lossy(&body));
        let fields = |head: &EnvelopeHeader| {
            let fields = head
                .unknown()
                .map(|(name, json)| (name.to_owned(), json.clone()));
            fields.collect::<Vec<_>>()
        };
        assert_eq!(fields(&found.head), added, "{}", shown());
        assert_eq!(found.data, data.as_str(), "{}", shown());
        // A header has no way to forget additional fields, so a new one is compared.
        let EnvelopeHeader {
            event_id,
            event_type,
            timestamp,
            ..
        } = found.head.clone();
        let mut known = EnvelopeHeader::new(event_id, event_type, timestamp);
        known.source = found.head.source.clone();
        known.version = found.head.version;
        known.metadata = found.head.metadata.clone();
        assert!(known == head, "{}", shown());
        let again = read(&write(&found.head, &data));
        assert!(again.head == found.head, "{}", shown());
    }
}

/// The envelope in `body` with its fields in another order, white space between them, and fields
/// that the contract does not have.
fn foreign(rng: &mut Rng, body: &Bytes) -> (Bytes, Vec<(String, RawJson)>) {
    let known: std::collections::BTreeMap<String, RawJson> =
        serde_json::from_slice(body).expect("an envelope is an object");
    let mut names: BTreeSet<String> = known.keys().cloned().collect();
    let mut fields: Vec<_> = known.into_iter().collect();
    for _ in 0..rng.usize(..4) {
        let name: String = any(rng);
        if names.insert(name.clone()) {
            fields.push((name, any(rng)));
        }
    }
    rng.shuffle(&mut fields);
    let mut text = String::from("{");
    for (at, (name, value)) in fields.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let space = [" ", "\n", "\t\r", ""][rng.usize(..4)];
        let name = serde_json::to_string(name).expect("a text is JSON");
        text.extend([
            comma,
            space,
            &name,
            space,
            ":",
            space,
            value.as_str(),
            space,
        ]);
    }
    text += "}\n";
    let known = [
        "event_id",
        "event_type",
        "timestamp",
        "source",
        "version",
        "data",
        "metadata",
    ];
    fields.retain(|(name, _)| !known.contains(&name.as_str()));
    (text.into(), fields)
}
