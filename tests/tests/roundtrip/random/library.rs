//! Random values of other crates' types: ids, times, JSON, and personal data.

use event_sdk::Pii;
use event_sdk::json::RawJson;
use fastrand::Rng;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::Value;
use uuid::Uuid;

use super::{F64, Random, any, one_of, some};

impl Random for Uuid {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: Uuid::from_u128(any(rng)), Uuid::nil(), Uuid::max())
    }
}

impl<T: Random> Random for Pii<T> {
    fn random(rng: &mut Rng) -> Self {
        Pii::new(any(rng))
    }
}

impl Random for Timestamp {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(..8) {
            0 => Timestamp::MIN,
            1 => Timestamp::MAX,
            _ => {
                let range = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
                Timestamp::from_nanosecond(rng.i128(range)).expect("it is in the range")
            }
        }
    }
}

impl Random for SignedDuration {
    fn random(rng: &mut Rng) -> Self {
        SignedDuration::new(any(rng), rng.i32(-999_999_999..=999_999_999))
    }
}

impl Random for Date {
    fn random(rng: &mut Rng) -> Self {
        let year = rng.i16(-9999..=9999);
        Date::new(year, rng.i8(1..=12), rng.i8(1..=28)).expect("every month has 28 days")
    }
}

impl Random for Time {
    fn random(rng: &mut Rng) -> Self {
        let nanos = if rng.bool() {
            0
        } else {
            rng.i32(0..1_000_000_000)
        };
        Time::new(rng.i8(0..24), rng.i8(0..60), rng.i8(0..60), nanos).expect("it is a time")
    }
}

impl Random for DateTime {
    fn random(rng: &mut Rng) -> Self {
        DateTime::from_parts(any(rng), any(rng))
    }
}

impl Random for Zoned {
    /// In zones of whole minutes, which is all that is written of an offset, and not in UTC, which is
    /// read only by programs with a database of zones.
    fn random(rng: &mut Rng) -> Self {
        let minutes = rng.i32(1..=25 * 60) * if rng.bool() { 1 } else { -1 };
        let offset = Offset::from_seconds(minutes * 60);
        let zone = TimeZone::fixed(offset.expect("an offset has up to 25 hours"));
        // Not at the ends of time, where another zone would be beyond them.
        let seconds = rng.i64(-200_000_000_000..200_000_000_000);
        let instant = Timestamp::new(seconds, rng.i32(0..1_000_000_000));
        instant.expect("it is in the range").to_zoned(zone)
    }
}

/// Any JSON, nested up to three levels.
pub(crate) fn json(rng: &mut Rng, depth: u8) -> Value {
    match rng.u8(..if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => u64::random(rng).into(),
        3 => i64::random(rng).into(),
        4 => F64::random(rng).0.into(),
        5 => String::random(rng).into(),
        6 => (0..rng.usize(..4)).map(|_| json(rng, depth - 1)).collect(),
        _ => {
            let names: Vec<String> = some(rng, 3);
            names
                .into_iter()
                .map(|name| (name, json(rng, depth - 1)))
                .collect()
        }
    }
}

/// A value of any shape, that is the same only if all its numbers have the same bits.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct AnyJson(pub(crate) Value);

impl PartialEq for AnyJson {
    fn eq(&self, other: &Self) -> bool {
        // Zero and minus zero are equal, and are not written alike.
        let written = [&self.0, &other.0].map(Value::to_string);
        self.0 == other.0 && written[0] == written[1]
    }
}

impl Random for AnyJson {
    fn random(rng: &mut Rng) -> Self {
        Self(json(rng, 3))
    }
}

impl Random for RawJson {
    fn random(rng: &mut Rng) -> Self {
        let value = json(rng, 3);
        let text = if rng.bool() {
            serde_json::to_string_pretty(&value).expect("JSON is written")
        } else {
            // More digits than any type of number has.
            format!(
                "[{value}, {}.{:0>40}e-7 ]",
                any::<i128>(rng),
                any::<u128>(rng)
            )
        };
        RawJson::parse(text).expect("it is JSON")
    }
}
