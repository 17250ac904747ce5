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
