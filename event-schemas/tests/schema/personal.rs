//! Personal data: `x-pii` at every path.

use event_schemas::Catalogue;
use event_sdk::{Event, Pii};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::of;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "customers")]
struct CustomerMoved {
    id: u64,
    /// Where mail goes.
    email: Pii<String>,
    phone: Option<Pii<String>>,
    names: Vec<Pii<String>>,
    address: Pii<Address>,
    spare: Option<Pii<Address>>,
    contacts: Vec<Contact>,
    anything: Pii<serde_json::Value>,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Address {
    street: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Contact {
    since: u16,
    name: Pii<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<Contact>,
}

fn moved() -> CustomerMoved {
    let address = Address {
        street: "Long Street".to_owned(),
    };
    CustomerMoved {
        id: 7,
        email: "ada@example.com".to_owned().into(),
        phone: None,
        names: vec!["Ada".to_owned().into()],
        address: address.clone().into(),
        spare: Some(address.into()),
        contacts: vec![Contact {
            since: 2001,
            name: "Bob".to_owned().into(),
            contacts: vec![],
        }],
        anything: json!([1]).into(),
    }
}

#[test]
fn their_paths_are_listed() {
    let catalogue = Catalogue::new("Shop").events_of::<CustomerMoved>();
    let paths = catalogue.events()[0].pii().iter().map(ToString::to_string);
    assert_eq!(
        paths.collect::<Vec<_>>(),
        [
            "address",
            "anything",
            "contacts[].name",
            "email",
            "names[]",
            "phone",
            "spare",
        ]
    );
}

#[test]
fn the_mark_stands_at_the_place_and_not_at_the_type() {
    let schemas = of([moved()]);
    for schema in [schemas.writer(), schemas.reader()] {
        let properties = &schema["properties"];
        assert_eq!(properties["email"]["x-pii"], true);
        assert_eq!(properties["email"]["description"], "Where mail goes.");
        assert_eq!(properties["phone"]["x-pii"], true);
        assert_eq!(properties["names"]["items"]["x-pii"], true);
        assert_eq!(properties["anything"]["x-pii"], true);
        assert_eq!(schema["$defs"]["Address"].get("x-pii"), None);
    }
    assert_eq!(schemas.written()["email"], "ada@example.com");
    schemas.reads(&json!({
        "id": 1, "email": "", "names": [], "address": {"street": ""}, "contacts": [], "anything": null
    }));
}
