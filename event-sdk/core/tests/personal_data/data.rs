//! No event data in errors of encoding and decoding.

use std::collections::BTreeMap;

use event_sdk_core::codec::{DecodeFault, EncodeError};
use event_sdk_core::event::decode_data;
use event_sdk_core::json::{RawJson, read_value, write_value};
use event_sdk_core::{Event, Version};
use serde::{Deserialize, Serialize, Serializer};

use crate::person::{PersonSeen, RIGHT};
use crate::{SECRET, printed_error};

/// What is put in the place of what in [`RIGHT`]; where the error is, and what it says.
/// `TEXT` is the secret as a string of JSON.
const BROKEN: &[[&str; 4]] = &[
    [
        "{\"Card\":{\"number\":1}}",
        "\"Voucher\"",
        "payment.Voucher",
        "payment.Voucher: invalid type: unit variant, expected newtype variant",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "\"Card\"",
        "payment.Card",
        "payment.Card: invalid type: unit variant, expected struct variant",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Card\":[TEXT]}",
        "payment.Card[0]",
        "payment.Card[0]: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{TEXT:1}",
        "payment",
        "payment: unknown variant, expected one of `Cash`, `Card`, `Voucher`",
    ],
    [
        "\"by_number\":{}",
        "\"by_number\":{TEXT:1}",
        "*.*",
        "*.*: invalid value: expected key to be a number in quotes",
    ],
    [
        "\"age\":7",
        "\"age\":TEXT",
        "age",
        "age: invalid type: string, expected u64 at line 1 column 24",
    ],
    [
        "\"age\":7",
        "\"age\":-41",
        "age",
        "age: invalid value: integer, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":41.5",
        "age",
        "age: invalid type: floating point, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":[TEXT]",
        "age",
        "age: invalid type: sequence, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":{\"a\":TEXT}",
        "age",
        "age: invalid type: map, expected u64",
    ],
    [
        "\"age\":7",
        "\"age\":null",
        "age",
        "age: invalid type: null, expected u64",
    ],
    ["\"age\":7,", "", "", "missing field `age`"],
    [
        "\"age\":7",
        "\"age\":7,\"age\":7",
        "",
        "duplicate field `age`",
    ],
    [
        "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "SECRET",
        "id",
        "id: invalid value: string that its type refuses",
    ],
    [
        "2.5",
        "TEXT",
        "items[1].price",
        "items[1].price: invalid type: string, expected f64",
    ],
    [
        "{\"KEY\":1}",
        "{TEXT:true}",
        "balances.*",
        "balances.*: invalid type: boolean, expected u64",
    ],
    [
        "{\"KEY\":1}",
        "{TEXT:TEXT}",
        "balances.*",
        "balances.*: invalid type: string, expected u64",
    ],
    [
        "{\"KEY\":1}",
        "TEXT",
        "balances",
        "balances: invalid type: string, expected a map",
    ],
    [
        "{\"red\":1}",
        "{TEXT:1}",
        "by_kind.*",
        "by_kind.*: unknown variant, expected one of `red`, `blue`",
    ],
    [
        "{\"red\":1}",
        "{\"red\":TEXT}",
        "by_kind.red",
        "by_kind.red: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Card\":{\"number\":TEXT}}",
        "payment.Card.number",
        "payment.Card.number: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Voucher\":TEXT}",
        "payment.Voucher",
        "payment.Voucher: invalid type: string, expected u64",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "{\"Cash\":TEXT}",
        "payment.Cash",
        "payment.Cash: invalid type: string, expected unit",
    ],
    [
        "{\"Card\":{\"number\":1}}",
        "TEXT",
        "payment",
        "payment: unknown variant, expected one of `Cash`, `Card`, `Voucher`",
    ],
    [
        "\"kind\":\"A\",\"a\":1",
        "\"kind\":\"A\",\"a\":TEXT",
        "tagged",
        "tagged: invalid type: string, expected u64",
    ],
    [
        "\"kind\":\"A\"",
        "\"kind\":TEXT",
        "tagged.*",
        "unknown variant, expected `A`",
    ],
    [
        "\"untagged\":1",
        "\"untagged\":TEXT",
        "untagged",
        "untagged: invalid value: string that its type refuses",
    ],
    [
        "\"even\":\"even\"",
        "\"even\":TEXT",
        "even",
        "even: invalid value: string that its type refuses",
    ],
    [
        "\"small\":7",
        "\"small\":4142",
        "small",
        "small: invalid value: integer, expected u8",
    ],
    [
        "\"small\":7",
        "\"small\":TEXT",
        "small",
        "small: invalid type: string, expected u8",
    ],
    [
        "[1,true]",
        "[1,TEXT]",
        "pair[1]",
        "pair[1]: invalid type: string, expected a boolean",
    ],
    [
        "[1,true]",
        "[1]",
        "pair",
        "pair: invalid length 1, expected a tuple of size 2",
    ],
    ["\"big\":1", "\"big\":TEXT", "*", "*: invalid number"],
    [
        "\"inner\":7",
        "\"inner\":TEXT",
        "",
        "invalid type: string, expected u64",
    ],
];

#[test]
fn a_decode_error_says_where_and_why_and_never_what() {
    for [from, to, path, says] in BROKEN {
        let to = to
            .replace("TEXT", &format!("\"{SECRET}\""))
            .replace("SECRET", SECRET);
        let data = RIGHT.replacen(from, &to, 1);
        assert_ne!(data, RIGHT, "{from}");
        let error = decode_data::<PersonSeen>(Version::new(1, 0), data.as_bytes()).unwrap_err();
        let found = error.path().unwrap_or_default().to_owned();
        let exposed = error.expose().unwrap().to_owned();
        let fault = DecodeFault::from(error);
        let shown = printed_error(&fault);
        assert!(shown.contains(*says), "{to}: {shown}");
        assert!(
            shown.contains("the data are no PersonSeen 1.0: "),
            "{shown}"
        );
        assert_eq!(found, *path, "{to}: {shown}");
        assert_eq!(fault.path().unwrap_or_default(), *path);
        for value in [SECRET, "41", "KEY"] {
            assert!(!shown.contains(value), "{to}: {shown}");
        }
        assert_eq!(fault.expose(), Some(&*exposed));
    }
}

#[test]
fn who_may_see_the_value_asks_for_it() {
    let data = RIGHT.replace("\"age\":7", &format!("\"age\":\"{SECRET}\""));
    let error = decode_data::<PersonSeen>(Version::new(1, 0), data.as_bytes()).unwrap_err();
    assert!(error.expose().unwrap().contains(SECRET));
    assert!(DecodeFault::from(error).expose().unwrap().contains(SECRET));
    let error = read_value::<u64>(format!("\"{SECRET}\"").as_bytes()).unwrap_err();
    assert!(error.expose().contains(SECRET));
    assert!(!printed_error(&error).contains(SECRET));
    assert_eq!(error.path(), "");
}

#[test]
fn text_that_is_no_json_is_not_shown() {
    for data in [
        format!("{{\"age\":{SECRET}}}"),
        format!("\"{SECRET}"),
        format!("{{\"{SECRET}\"}}"),
        format!("7 {SECRET}"),
        format!("\"{SECRET}\u{1}\""),
    ] {
        let error = read_value::<serde_json::Value>(data.as_bytes()).unwrap_err();
        let shown = printed_error(&error);
        assert!(
            shown.contains("line 1 column") && !shown.contains(SECRET),
            "{shown}"
        );
        let error = RawJson::parse(data).unwrap_err();
        assert!(!printed_error(&error).contains(SECRET));
    }
}

/// The next version, which refuses some of the old events.
#[derive(Event, Serialize, Deserialize)]
#[event(crate = event_sdk_core, domain = "test", entity = "person", action = "seen", version = "2.0", upcast_from = PersonSeen)]
#[derive(Debug)]
struct PersonSeenV2 {}

impl TryFrom<PersonSeen> for PersonSeenV2 {
    type Error = String;

    fn try_from(_: PersonSeen) -> Result<Self, String> {
        Err(format!("{SECRET} is no such person"))
    }
}

#[test]
fn what_an_upcaster_says_is_not_shown() {
    let error = decode_data::<PersonSeenV2>(Version::new(1, 0), RIGHT.as_bytes()).unwrap_err();
    assert!(error.expose().unwrap().contains(SECRET));
    let shown = printed_error(&DecodeFault::from(error));
    assert!(
        shown.contains("PersonSeenV2 could not be made from PersonSeen"),
        "{shown}"
    );
    assert!(!shown.contains(SECRET), "{shown}");
}

/// A value that is not written, and says itself in the reason.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!(
            "{SECRET} is not written"
        )))
    }
}

#[test]
fn what_is_not_written_is_not_shown() {
    let error = write_value(&vec![Unwritable], &mut Vec::new()).unwrap_err();
    assert!(!printed_error(&error).contains(SECRET));
    assert!(error.expose().contains(SECRET));
    // What the SDK and serde_json say of their own shows none.
    let error = write_value(&f64::NAN, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("JSON has no NaN"));
    let error = write_value(&BTreeMap::from([(vec![1], 1)]), &mut Vec::new()).unwrap_err();
    assert!(
        error.to_string().contains("key must be a string"),
        "{error}"
    );
    assert_eq!(
        EncodeError::new("no key to encrypt with").to_string(),
        "no key to encrypt with"
    );
}
