//! Each serde attribute: the schemas describe what is written and read.

use std::collections::BTreeMap;

use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::of;

#[test]
fn rename_and_rename_all() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    #[serde(rename_all = "camelCase")]
    struct Renamed {
        order_id: u8,
        #[serde(rename = "the-note")]
        note: String,
    }

    let note = String::new();
    let schemas = of([Renamed { order_id: 1, note }]);
    assert_eq!(schemas.written(), &json!({"orderId": 1, "the-note": ""}));
    schemas
        .reads(&json!({"orderId": 1, "the-note": "", "more": 1}))
        .refuses(&json!({"order_id": 1, "the-note": ""}));
}

#[test]
fn separate_names_on_a_field() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Separate {
        #[serde(flatten)]
        part: Part,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        #[serde(rename(serialize = "out", deserialize = "in"), default)]
        value: u8,
    }

    let part = Part { value: 3 };
    let schemas = of([Separate { part }]);
    assert_eq!(schemas.written(), &json!({"out": 3}));
    assert!(schemas.writer()["properties"]["out"].is_object());
    assert!(schemas.reader()["properties"]["in"].is_object());
    schemas
        .reads(&json!({"in": 4}))
        .refuses(&json!({"in": "4"}))
        .never_writes(&json!({"in": 4}));
}

#[test]
fn default_is_optional_when_reading_only() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Defaulted {
        id: u8,
        #[serde(default)]
        count: u8,
        #[serde(default = "seven")]
        seven: u8,
    }

    fn seven() -> u8 {
        7
    }

    let (id, count) = (1, 2);
    let schemas = of([Defaulted {
        id,
        count,
        seven: 3,
    }]);
    assert_eq!(
        schemas.writer()["required"],
        json!(["count", "id", "seven"])
    );
    assert_eq!(schemas.reader()["required"], json!(["id"]));
    assert_eq!(schemas.reader()["properties"]["seven"]["default"], 7);
    schemas
        .reads(&json!({"id": 1}))
        .refuses(&json!({"count": 1, "seven": 1}))
        .never_writes(&json!({"id": 1}));
}

#[test]
fn default_on_the_struct() {
    #[derive(Default, Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    #[serde(default)]
    struct Whole {
        id: u8,
        name: String,
    }

    of([Whole::default()])
        .reads(&json!({}))
        .refuses(&json!({"id": null}))
        .never_writes(&json!({"id": 1}));
}

#[test]
fn option_may_be_missing_when_reading_only() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Optional {
        note: Option<u8>,
    }

    let schemas = of([Optional { note: None }, Optional { note: Some(1) }]);
    assert_eq!(schemas.written(), &json!({"note": null}));
    schemas
        .reads(&json!({}))
        .reads(&json!({"note": null}))
        .refuses(&json!({"note": "a"}))
        .never_writes(&json!({}));
}

#[test]
fn skip_serializing_if_is_optional_when_writing() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Skipping {
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<u8>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<u8>,
    }

    let list = vec![1];
    let schemas = of([
        Skipping {
            note: None,
            list: vec![],
        },
        Skipping {
            note: Some(1),
            list,
        },
    ]);
    assert_eq!(schemas.written(), &json!({}));
    assert!(schemas.writer().get("required").is_none());
    schemas.reads(&json!({})).refuses(&json!({"list": null}));
}

#[test]
fn skip_and_its_halves() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Skipped {
        #[serde(flatten)]
        part: Part,
    }

    // The derive refuses the halves on an event's own fields; those of a type it cannot see.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "what is skipped is never looked at")]
    struct Part {
        id: u8,
        #[serde(skip)]
        cache: u8,
        #[serde(skip_serializing, default)]
        read_only_here: u8,
        #[serde(skip_deserializing)]
        written_only: u8,
    }

    let part = Part {
        id: 1,
        cache: 2,
        read_only_here: 3,
        written_only: 4,
    };
    let schemas = of([Skipped { part }]);
    assert_eq!(schemas.written(), &json!({"id": 1, "written_only": 4}));
    let named = |schema: &serde_json::Value| {
        let names = schema["properties"].as_object().unwrap().keys();
        names.cloned().collect::<Vec<_>>()
    };
    assert_eq!(named(schemas.writer()), ["id", "written_only"]);
    assert_eq!(named(schemas.reader()), ["id", "read_only_here"]);
    schemas.reads(&json!({"id": 1, "read_only_here": 5, "cache": "ignored"}));
}

#[test]
fn flatten_a_struct_and_a_map() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        part: Part,
        #[serde(flatten)]
        rest: BTreeMap<String, i64>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        name: String,
    }

    let name = "n".to_owned();
    let rest = BTreeMap::from([("x".to_owned(), 5)]);
    let schemas = of([Flat {
        id: 1,
        part: Part { name },
        rest,
    }]);
    assert_eq!(schemas.written(), &json!({"id": 1, "name": "n", "x": 5}));
    schemas
        .reads(&json!({"id": 1, "name": "n"}))
        .reads(&json!({"id": 1, "name": "n", "y": -1}))
        .refuses(&json!({"id": 1}))
        .refuses(&json!({"id": 1, "name": "n", "y": "text"}));
}

#[test]
fn flatten_an_optional_struct() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        part: Option<Part>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        name: String,
    }

    let part = Some(Part {
        name: "n".to_owned(),
    });
    of([Flat { id: 1, part: None }, Flat { id: 1, part }])
        .reads(&json!({"id": 1}))
        .reads(&json!({"id": 1, "name": "n"}));
}

/// Defines an event with a field of an enum with these attributes, and holds all
/// variants against its schemas.
macro_rules! tagged {
    ($($attribute:meta)?; $($variant:expr => $written:expr),* ; refuses: $($refused:expr),*) => {{
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(domain = "a", entity = "b", action = "c")]
        struct Holder {
            way: Way,
        }

        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        $(#[$attribute])?
        enum Way {
            #[serde(rename = "by_card")]
            Card { number: u32 },
            Voucher(Code),
            Cash,
        }

        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        struct Code {
            code: String,
        }

        let ways = [$($variant),*];
        let schemas = of(ways.map(|way| Holder { way }));
        $(
            assert_eq!(serde_json::to_value(&$variant).unwrap(), $written);
            schemas.reads(&json!({"way": $written}));
        )*
        $( schemas.refuses(&json!({"way": $refused})); )*
    }};
}

#[test]
fn enums_with_the_variant_around() {
    tagged!(;
        Way::Card { number: 1 } => json!({"by_card": {"number": 1}}),
        Way::Voucher(Code { code: "c".to_owned() }) => json!({"Voucher": {"code": "c"}}),
        Way::Cash => json!("Cash");
        refuses: json!("Card"), json!({"by_card": {}}), json!({"by_card": {"number": 1}, "Cash": null})
    );
}

#[test]
fn enums_with_a_tag_inside() {
    tagged!(serde(tag = "kind");
        Way::Card { number: 1 } => json!({"kind": "by_card", "number": 1}),
        Way::Voucher(Code { code: "c".to_owned() }) => json!({"kind": "Voucher", "code": "c"}),
        Way::Cash => json!({"kind": "Cash"});
        refuses: json!({"kind": "by_card"}), json!({"kind": "Gold"}), json!({"number": 1})
    );
}

#[test]
fn enums_with_a_tag_beside() {
    tagged!(serde(tag = "kind", content = "of");
        Way::Card { number: 1 } => json!({"kind": "by_card", "of": {"number": 1}}),
        Way::Voucher(Code { code: "c".to_owned() }) => json!({"kind": "Voucher", "of": {"code": "c"}}),
        Way::Cash => json!({"kind": "Cash"});
        refuses: json!({"kind": "by_card"}), json!({"of": {"number": 1}})
    );
}

#[test]
fn enums_without_a_tag() {
    tagged!(serde(untagged);
        Way::Card { number: 1 } => json!({"number": 1}),
        Way::Voucher(Code { code: "c".to_owned() }) => json!({"code": "c"}),
        Way::Cash => json!(null);
        refuses: json!({"number": "1"}), json!("Cash")
    );
}

#[test]
fn with_needs_to_say_what_it_writes() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Hex {
        #[serde(with = "hex")]
        #[schemars(with = "String")]
        bytes: Vec<u8>,
    }

    let schemas = of([Hex {
        bytes: vec![1, 255],
    }]);
    assert_eq!(schemas.written(), &json!({"bytes": "01ff"}));
    schemas.refuses(&json!({"bytes": [1, 255]}));
}

/// Bytes as hexadecimal digits.
pub(crate) mod hex {
    use std::fmt::Write as _;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        for byte in bytes {
            write!(text, "{byte:02x}").unwrap();
        }
        to.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16);
        let bytes = (0..text.len()).step_by(2).map(digits);
        bytes
            .collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)
    }
}

#[test]
fn from_and_into() {
    #[derive(Event, Clone, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    #[serde(try_from = "String", into = "String")]
    struct Code(u8);

    impl TryFrom<String> for Code {
        type Error = std::num::ParseIntError;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            text.parse().map(Self)
        }
    }

    impl From<Code> for String {
        fn from(code: Code) -> Self {
            code.0.to_string()
        }
    }

    of([Code(7)]).reads(&json!("8")).refuses(&json!(8));
}

#[test]
fn tuples_units_and_transparent() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Pair(u8, Option<String>);

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Nothing;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct One(u8);

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    #[serde(transparent)]
    struct Through {
        inner: BTreeMap<String, bool>,
    }

    of([Pair(1, None)])
        .reads(&json!([1, "a"]))
        .refuses(&json!([1]))
        .refuses(&json!([1, "a", 2]));
    of([Nothing]).reads(&json!(null)).refuses(&json!(1));
    of([One(1)]).reads(&json!(255)).refuses(&json!(256));
    let inner = BTreeMap::new();
    of([Through { inner }])
        .reads(&json!({"a": true}))
        .refuses(&json!({"a": 1}));
}

#[test]
fn integers_have_the_bounds_of_their_types() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Numbers {
        small: i32,
        large: u64,
        maybe: Option<i64>,
        #[schemars(range(min = 1, max = 9))]
        digit: u32,
    }

    let value = |small, large, maybe| Numbers {
        small,
        large,
        maybe,
        digit: 5,
    };
    let schemas = of([
        value(i32::MIN, u64::MIN, Some(i64::MIN)),
        value(i32::MAX, u64::MAX, Some(i64::MAX)),
    ]);
    assert_eq!(schemas.writer()["properties"]["digit"]["maximum"], 9);
    let with = |name: &str, value: serde_json::Value| {
        let mut document = json!({"small": 1, "large": 1, "maybe": null, "digit": 5});
        document[name] = value;
        document
    };
    schemas
        .refuses(&with("small", json!(i64::from(i32::MAX) + 1)))
        .refuses(&with("large", json!(-1)))
        .refuses(&with("maybe", json!(u64::MAX)));
}

#[test]
fn a_type_within_itself() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Tree {
        name: String,
        children: Vec<Tree>,
    }

    let leaf = |name: &str| Tree {
        name: name.to_owned(),
        children: vec![],
    };
    let children = vec![leaf("b")];
    let schemas = of([Tree {
        name: "a".to_owned(),
        children,
    }]);
    schemas
        .reads(&json!({"name": "", "children": [{"name": "", "children": []}]}))
        .refuses(&json!({"name": "", "children": [{"name": ""}]}));
}
