//! Events through the codec: the data and the header around them.

use std::any::type_name;

use bytes::Bytes;
use event_sdk::Event;
use event_sdk::codec::{Codec as _, JsonCodec};
use event_sdk::headers::Headers;
use event_sdk_core::EnvelopeHeader;
use event_sdk_core::event::decode_data;
use fastrand::Rng;

use crate::random::{Random, any};
use crate::values::{
    ContainerValues, Converted, EnumValues, FieldAttributes, Fields, Newtype, Nothing,
    NumberValues, OtherValues, Tagged, Transparent, Tuple,
};
use crate::{envelopes, seed, values};

/// Writes and reads random values of the event.
fn through_the_codec<E: Event + Random + Fields>() {
    for number in 0..values() {
        let seed = seed(number);
        let mut rng = Rng::with_seed(seed);
        let event: E = any(&mut rng);
        let mut head = envelopes::header(&mut rng);
        head.version = E::SPEC.version();
        if let Err(why) = trip(&head, &event) {
            panic!("{} with ROUNDTRIP_SEED={seed}: {why}", type_name::<E>());
        }
    }
}

fn trip<E: Event + Fields>(head: &EnvelopeHeader, event: &E) -> Result<(), String> {
    let mut headers = Headers::new();
    let mut out = Vec::new();
    let written = JsonCodec.encode(head, event, &mut headers, &mut out);
    written.map_err(|why| format!("it is not written: {why}"))?;
    let body = Bytes::from(out);
    let shown = || String::from_utf8_lossy(&body).into_owned();
    let envelope = JsonCodec.decode(&body, &headers);
    let envelope = envelope.map_err(|why| format!("no envelope: {why}: {}", shown()))?;
    if envelope.head != *head {
        return Err(format!("{:?} is not {head:?}: {}", envelope.head, shown()));
    }
    let read = decode_data::<E>(envelope.head.version, &envelope.data);
    let read = read.map_err(|why| format!("{why} ({:?}): {}", why.expose(), shown()))?;
    match event.different(&read)[..] {
        [] => Ok(()),
        ref fields => Err(format!("{fields:?} differ: {}", shown())),
    }
}

#[test]
fn numbers_and_texts() {
    through_the_codec::<NumberValues>();
}

#[test]
fn containers() {
    through_the_codec::<ContainerValues>();
}

#[test]
fn enums() {
    through_the_codec::<EnumValues>();
}

#[test]
fn attributes() {
    through_the_codec::<FieldAttributes>();
}

#[test]
fn types_of_other_crates() {
    through_the_codec::<OtherValues>();
}

#[test]
fn forms_of_events() {
    through_the_codec::<Tuple>();
    through_the_codec::<Newtype>();
    through_the_codec::<Transparent>();
    through_the_codec::<Tagged>();
    through_the_codec::<Converted>();
    through_the_codec::<Nothing>();
}
