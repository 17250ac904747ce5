//! Types of the standard library and of other crates that have serde of their own.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::{Bound, Range, RangeFrom, RangeInclusive, RangeTo};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use event_sdk::Pii;
use event_sdk::json::RawJson;
use fastrand::Rng;
use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event;
use crate::random::{AnyJson, F64, Random, any};

event! {
    /// Values with a meaning.
    OtherValues("named") {
        uuid: Uuid,
        uuids: Vec<Uuid>,
        timestamp: Timestamp,
        #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
        nanoseconds: Timestamp,
        maybe_timestamp: Option<Timestamp>,
        date: Date,
        time: Time,
        date_time: DateTime,
        zoned: InZone,
        signed: SignedDuration,
        duration: Duration,
        system_time: SystemTime,
        ip: IpAddr, v4: Ipv4Addr, v6: Ipv6Addr,
        socket: SocketAddr, socket4: SocketAddrV4, socket6: SocketAddrV6,
        range: Range<F64>,
        inclusive: RangeInclusive<i128>,
        from: RangeFrom<u8>,
        to: RangeTo<char>,
        bound: Bound<Uuid>,
        reverse: Reverse<u32>,
        nothing: PhantomData<u8>,
        person: Pii<String>,
        maybe_person: Option<Pii<Person>>,
        persons: BTreeMap<String, Pii<Vec<Person>>>,
        shared: Shared,
        json: AnyJson,
        raw: RawJson,
        raws: Vec<RawJson>,
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Person {
    name: Pii<String>,
    height: Pii<F64>,
}

crate::random::random_fields! { Person { name, height } }

/// The same instant in another zone is another value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct InZone(Zoned);

impl PartialEq for InZone {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 && self.0.time_zone() == other.0.time_zone()
    }
}

impl Random for InZone {
    fn random(rng: &mut Rng) -> Self {
        Self(any(rng))
    }
}

/// What several threads may change.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shared {
    atomic: Arc<AtomicI64>,
    locked: Arc<Mutex<u128>>,
}

impl Shared {
    fn values(&self) -> (i64, u128) {
        let locked = *self.locked.lock().expect("no thread has panicked");
        (self.atomic.load(Ordering::SeqCst), locked)
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.values() == other.values()
    }
}

impl Random for Shared {
    fn random(rng: &mut Rng) -> Self {
        Self {
            atomic: Arc::new(AtomicI64::new(any(rng))),
            locked: Arc::new(Mutex::new(any(rng))),
        }
    }
}
