//! Faults that a catalogue reports.

use std::sync::atomic::{AtomicU32, Ordering};

use event_schemas::{Catalogue, CatalogueFault, Consumer, Service};
use event_sdk::Event;
use event_sdk::stream::StreamSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::hex;

/// The texts of all faults.
fn texts(catalogue: &Catalogue) -> Vec<String> {
    catalogue.faults().iter().map(ToString::to_string).collect()
}

#[test]
fn a_field_that_a_function_writes_is_found_by_an_example() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Hex {
        #[serde(
            serialize_with = "hex::serialize",
            deserialize_with = "hex::deserialize"
        )]
        bytes: Vec<u8>,
    }

    let faults = texts(&Catalogue::new("Test").example(Hex { bytes: vec![1] }));
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(
        faults[0].starts_with("a.b.c 1.0: at /bytes the writer's schema refuses what is written")
    );
    assert!(faults[0].contains("#[schemars(with = …)]"), "{}", faults[0]);
}

#[test]
fn what_json_cannot_carry_is_no_example() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Measured {
        value: f64,
    }

    let faults = texts(&Catalogue::new("Test").example(Measured { value: f64::NAN }));
    assert_eq!(
        faults,
        ["a.b.c 1.0: the example with number 1 cannot be written"]
    );
}

#[test]
fn what_is_written_has_to_be_read_again() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Picky {
        #[serde(deserialize_with = "never")]
        value: u8,
    }

    fn never<'de, D: serde::Deserializer<'de>>(_: D) -> Result<u8, D::Error> {
        Err(serde::de::Error::custom("never"))
    }

    let catalogue = Catalogue::new("Test").example(Picky { value: 1 });
    assert!(matches!(
        catalogue.faults()[..],
        [CatalogueFault::ExampleNotRead { .. }]
    ));
}

#[test]
fn examples_of_the_derive_are_checked_too() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    #[schemars(example = Shown { value: 5 }, example = "no such thing")]
    struct Shown {
        value: u8,
    }

    let catalogue = Catalogue::new("Test").events_of::<Shown>();
    assert_eq!(catalogue.events()[0].examples().len(), 2);
    let faults = texts(&catalogue);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.contains("\"no such thing\""))
    );
}

static COUNT: AtomicU32 = AtomicU32::new(0);

fn count() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed)
}

#[test]
fn a_default_that_is_another_each_time_is_left_out() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Counted {
        #[serde(default = "count")]
        count: u32,
        #[serde(default)]
        default: u32,
    }

    let catalogue = Catalogue::new("Test").events_of::<Counted>();
    assert!(texts(&catalogue).is_empty());
    let reader = catalogue.events()[0].reader();
    assert_eq!(reader["properties"]["count"].get("default"), None);
    assert_eq!(reader["properties"]["default"]["default"], 0);
}

#[test]
fn a_schema_that_is_another_each_time_is_a_fault() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    #[schemars(extend("x-count" = count()))]
    struct Unsteady {
        value: u8,
    }

    let faults = texts(&Catalogue::new("Test").events_of::<Unsteady>());
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].contains("not the same each time it is made, at /x-count"));
}

#[test]
fn two_types_of_one_version() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct One;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Other;

    let catalogue = Catalogue::new("Test")
        .events_of::<One>()
        .events_of::<Other>();
    let faults = texts(&catalogue.events_of::<One>());
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("the types `One` and `Other` are both its version"));
}

#[test]
fn names_that_are_there_twice_and_streams_that_cannot_be() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Plain;

    let consumers = Service::new("billing")
        .consumes(Consumer::of::<Plain>("one"))
        .consumes(Consumer::of::<Plain>("one"));
    let catalogue = Catalogue::new("Test")
        .service(consumers)
        .service(Service::new("billing"))
        .stream(StreamSpec::new("A.B").subject("a.>"));
    let faults = texts(&catalogue);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(faults[0].starts_with("there are two services with the name \"billing\""));
    assert!(faults[1].starts_with("there are two consumers of the service \"billing\""));
    assert!(
        faults[2].contains("a name has only letters"),
        "{}",
        faults[2]
    );
}
