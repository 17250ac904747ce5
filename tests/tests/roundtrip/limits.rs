//! What serde does not read as it was written: the table in the docs of `#[derive(Event)]`.
//!
//! A row that no longer holds fails its test here, and is to be removed from the docs.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddrV6;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use event_sdk::json::{RawJson, read_value, write_value};
use jiff::{Timestamp, Zoned};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Writes a value, and reads it with the reader of the SDK.
fn trip<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, String> {
    let mut out = Vec::new();
    write_value(value, &mut out).expect("it is written");
    read_value(&out).map_err(|why| why.to_string())
}

fn is_not_read<T: Serialize + DeserializeOwned + Debug>(value: &T) {
    let read = trip(value);
    assert!(read.is_err(), "{read:?}");
}

fn is_read_as<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: &T, read: &T) {
    assert_ne!(value, read);
    assert_eq!(trip(value).as_ref(), Ok(read));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner<T> {
    inner: T,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat<T> {
    #[serde(flatten)]
    inner: T,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged<T> {
    One { value: T },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged<T> {
    One { value: T },
}

/// In a flattened struct, an internally tagged and an untagged enum.
fn is_not_read_where_it_is_buffered<T>(make: impl Fn() -> T)
where
    T: Serialize + DeserializeOwned + Debug + PartialEq,
{
    assert_eq!(trip(&make()), Ok(make()), "by itself it is read");
    is_not_read(&Flat {
        inner: Inner { inner: make() },
    });
    is_not_read(&Tagged::One { value: make() });
    is_not_read(&Untagged::One { value: make() });
}

#[test]
fn integers_of_128_bits_in_buffered_places() {
    is_not_read_where_it_is_buffered(|| u128::MAX);
    is_not_read_where_it_is_buffered(|| i128::MIN);
}

#[test]
fn keys_that_are_numbers_in_buffered_places() {
    is_not_read_where_it_is_buffered(|| BTreeMap::from([(1_u32, true)]));
}

#[test]
fn raw_json_in_buffered_places() {
    is_not_read_where_it_is_buffered(|| RawJson::parse("1").unwrap());
}

#[test]
fn a_flattened_map_beside_a_flattened_struct_that_flattens() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both {
        #[serde(flatten)]
        part: Flat<Inner<u8>>,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    let both = |rest| Both {
        part: Flat {
            inner: Inner { inner: 1 },
        },
        rest,
    };
    let taken = BTreeMap::from([("inner".to_owned(), 1)]);
    is_read_as(&both(BTreeMap::new()), &both(taken));
}

#[test]
fn a_flattened_map_with_the_key_of_a_field() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both {
        id: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    is_not_read(&Both {
        id: 1,
        rest: BTreeMap::from([("id".to_owned(), 2)]),
    });
}

#[test]
fn a_flattened_option_of_what_may_be_absent() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Absent {
        one: Option<u8>,
    }
    is_read_as(
        &Flat { inner: None },
        &Flat {
            inner: Some(Absent { one: None }),
        },
    );
}

#[test]
fn an_option_of_what_is_null() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;
    is_read_as(&Some(Unit), &None);
    is_read_as(&Some(()), &None);
    is_read_as(&Some(Value::Null), &None);
    is_read_as(&Some(None::<u8>), &None);
}

#[test]
fn an_untagged_enum_of_two_that_match() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Small(u8),
        Large(u64),
    }
    is_read_as(&Either::Large(1), &Either::Small(1));
}

#[test]
fn the_flow_information_of_an_address() {
    let address = |flow| SocketAddrV6::new(std::net::Ipv6Addr::LOCALHOST, 80, flow, 1);
    is_read_as(&address(7), &address(0));
}

#[test]
fn a_zone_without_a_database_of_zones() {
    let zoned: Zoned = Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    is_not_read(&zoned);
}

#[test]
fn what_is_not_written() {
    fn is_refused<T: Serialize>(value: &T) {
        assert!(write_value(value, &mut Vec::new()).is_err());
    }
    is_refused(&(SystemTime::UNIX_EPOCH - Duration::from_secs(1)));
    is_refused(&PathBuf::from(std::ffi::OsString::from_vec(vec![0xff])));
    is_refused(&f64::NAN);
    is_refused(&f32::INFINITY);
    is_refused(&BTreeMap::from([(None::<u8>, 1)]));
}
