//! Values that readers accept and writers do not write: `#[serde(other)]` and flattened
//! `Option`.

use std::collections::BTreeMap;

use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::of;

#[test]
fn other_takes_any_value_where_it_is_read() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Painted {
        colour: Colour,
        maybe: Option<Colour>,
        all: Vec<Colour>,
        by_room: BTreeMap<String, Colour>,
        finish: Finish,
        payment: Payment,
        shape: Shape,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        Red,
        /// Said in more words.
        Green,
        #[serde(other)]
        Other,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    enum Finish {
        Matt {
            grade: u8,
        },
        #[serde(other)]
        Other,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    enum Payment {
        Cash,
        Card { brand: Brand },
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    enum Brand {
        Visa,
        #[serde(other)]
        Other,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    enum Shape {
        Round,
        Square,
    }

    let painted = || Painted {
        colour: Colour::Red,
        maybe: None,
        all: Vec::new(),
        by_room: BTreeMap::new(),
        finish: Finish::Matt { grade: 1 },
        payment: Payment::Cash,
        shape: Shape::Round,
    };
    let document = |colour: &str, finish: &str, payment: serde_json::Value, shape: &str| {
        json!({
            "colour": colour, "maybe": colour, "all": [colour], "by_room": { "hall": colour },
            "finish": { "kind": finish, "grade": 1 }, "payment": payment, "shape": shape,
        })
    };
    let card = |brand: &str| json!({ "Card": { "brand": brand } });
    of([painted()])
        .reads(&document("red", "Matt", card("Visa"), "Round"))
        .reads(&document("blue", "Matt", card("Visa"), "Round"))
        .reads(&document("red", "Gloss", card("Visa"), "Round"))
        .reads(&document("red", "Matt", card("Amex"), "Square"))
        .refuses(&document("red", "Matt", card("Visa"), "Oval"))
        .refuses(&document("red", "Matt", json!("Cheque"), "Round"))
        .never_writes(&document("blue", "Matt", card("Visa"), "Round"));
}

#[test]
fn a_flattened_option_is_its_fields_or_none_of_them() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Sent {
        id: u8,
        #[serde(flatten)]
        way: Option<Way>,
        #[serde(flatten)]
        part: Option<Part>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    enum Way {
        Post { street: String },
        Mail { address: String },
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        name: String,
    }

    let way = Some(Way::Post {
        street: "s".to_owned(),
    });
    let none = Sent {
        id: 1,
        way: None,
        part: None,
    };
    let part = Some(Part {
        name: "n".to_owned(),
    });
    let schemas = of([none, Sent { id: 1, way, part }]);
    schemas
        .reads(&json!({ "id": 1 }))
        .reads(&json!({ "id": 1, "more": true }))
        .reads(&json!({ "id": 1, "name": "n" }))
        .reads(&json!({ "id": 1, "Mail": { "address": "a" } }))
        .never_writes(&json!({ "id": 1, "Post": { "street": 5 } }))
        .never_writes(&json!({ "id": 1, "name": 5 }));
    // serde reads `None` there and loses what was written: to the schema that is no reading.
    let reader = event_schemas_subset::Schema::parse(schemas.reader()).unwrap();
    assert!(!reader.accepts(&json!({ "id": 1, "Post": { "street": 5 } })));
    assert!(!reader.accepts(&json!({ "id": 1, "name": 5 })));
}

#[test]
fn what_a_flattened_struct_requires_is_there_together_or_not_at_all() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Sent {
        id: u8,
        own: Option<String>,
        legs: Vec<Leg>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Leg {
        from: Option<String>,
        #[serde(flatten)]
        ship: Option<Ship>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Ship {
        name: String,
        length: u32,
        flag: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        crew: Vec<String>,
    }

    let ship = Ship {
        name: "n".to_owned(),
        length: 5,
        flag: None,
        crew: Vec::new(),
    };
    let leg = |ship| Leg { from: None, ship };
    let sent = |legs| Sent {
        id: 1,
        own: None,
        legs,
    };
    let legs = vec![leg(None), leg(Some(ship))];
    let document = |leg: serde_json::Value| json!({ "id": 1, "own": null, "legs": [leg] });
    let schemas = of([sent(Vec::new()), sent(legs)]);
    schemas
        .reads(&document(json!({ "from": null })))
        .reads(&document(json!({ "name": "n", "length": 1 })))
        .never_writes(&document(
            json!({ "from": null, "name": "n", "flag": null }),
        ))
        .never_writes(&document(json!({ "from": null, "flag": null })))
        .never_writes(&document(json!({ "from": null, "crew": ["c"] })));
    let reader = event_schemas_subset::Schema::parse(schemas.reader()).unwrap();
    assert!(!reader.accepts(&document(json!({ "name": "n" }))));
    assert!(!reader.accepts(&document(json!({ "crew": ["c"] }))));
    let needs = |schema: &serde_json::Value| schema["$defs"]["Leg"]["dependentRequired"].clone();
    assert_eq!(
        needs(schemas.reader()),
        json!({
            "crew": ["length", "name"], "flag": ["length", "name"],
            "length": ["name"], "name": ["length"],
        })
    );
    assert_eq!(
        needs(schemas.writer()),
        json!({
            "crew": ["flag", "length", "name"], "flag": ["length", "name"],
            "length": ["flag", "name"], "name": ["flag", "length"],
        })
    );
}

#[test]
fn an_option_that_is_left_out_is_never_written_as_null() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Sent {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<Kind>,
        parts: Vec<Part>,
        plain: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        #[serde(skip_serializing_if = "Option::is_none")]
        inner: Option<Box<Part>>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    enum Kind {
        One,
        Two,
    }

    let sent = |kind| Sent {
        text: None,
        kind,
        parts: vec![Part { inner: None }],
        plain: None,
    };
    let schemas = of([sent(None), sent(Some(Kind::One))]);
    schemas
        .reads(&json!({ "text": null, "kind": null, "parts": [{ "inner": null }], "plain": null }))
        .never_writes(&json!({ "text": null, "parts": [], "plain": null }))
        .never_writes(&json!({ "kind": null, "parts": [], "plain": null }))
        .never_writes(&json!({ "parts": [{ "inner": null }], "plain": null }))
        .never_writes(&json!({ "parts": [] }));
    assert_eq!(schemas.writer()["properties"]["text"]["type"], "string");
    assert_eq!(
        schemas.writer()["properties"]["kind"],
        json!({ "$ref": "#/$defs/Kind" })
    );
}
