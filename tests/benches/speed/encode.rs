//! Encoding an envelope, against hand-written structs with `serde_json`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use event_sdk::codec::{Codec, JsonCodec};
use event_sdk::headers::Headers;
use event_sdk::{EnvelopeHeader, Version};
use jiff::Timestamp;
use uuid::Uuid;

use crate::events::{BookingMade, ByHandRef, booking};
use crate::measure::{Goal, Row};

const EVENTS: u32 = 20_000;

pub(crate) fn run() -> Vec<Row> {
    let event = booking();
    let (id, now) = (
        Uuid::now_v7(),
        Timestamp::from_microsecond(1_762_430_400_123_456).unwrap(),
    );
    let mut head = EnvelopeHeader::new(
        id,
        <BookingMade as event_sdk::Readable>::SPEC.event_type(),
        now,
    );
    head.source = "bench".into();
    head.version = Version::new(1, 0);
    head.metadata.correlation_id = Some(id.into());
    head.metadata.causation_id = Some(id.into());

    let mut out = Vec::new();
    JsonCodec
        .encode(&head, &event, &mut Headers::new(), &mut out)
        .unwrap();
    let by_hand = serde_json::to_vec(&ByHandRef::new(id, now, &event)).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        String::from_utf8(by_hand.clone()).unwrap(),
        "both write the same bytes"
    );
    eprintln!("encode: an envelope of {} bytes", by_hand.len());

    let ours = || {
        timed(|| {
            let mut out = Vec::with_capacity(by_hand.len());
            JsonCodec
                .encode(
                    black_box(&head),
                    black_box(&event),
                    &mut Headers::new(),
                    &mut out,
                )
                .unwrap();
            out
        })
    };
    let baseline =
        || timed(|| serde_json::to_vec(&ByHandRef::new(id, now, black_box(&event))).unwrap());
    let reserved = || {
        timed(|| {
            let mut out = Vec::with_capacity(by_hand.len());
            serde_json::to_writer(&mut out, &ByHandRef::new(id, now, black_box(&event))).unwrap();
            out
        })
    };
    vec![
        Row::compare(
            "encode / serde_json by hand",
            Goal::TimeAtMost(0.7),
            EVENTS,
            ours,
            baseline,
        ),
        Row::compare(
            "encode / serde_json by hand, memory reserved",
            Goal::None,
            EVENTS,
            ours,
            reserved,
        ),
    ]
}

fn timed(encode: impl Fn() -> Vec<u8>) -> Duration {
    let start = Instant::now();
    for _ in 0..EVENTS {
        black_box(encode());
    }
    start.elapsed()
}
