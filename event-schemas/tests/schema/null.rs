//! Null that is written stays in the writer's schema, also beside fields that are left out.

use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::of;

/// Null and absence as two values.
mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::option_option,
        clippy::ref_option,
        reason = "null is a value of its own, and serde gives a reference"
    )]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<String>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value
            .as_ref()
            .and_then(Option::as_ref)
            .serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "null is a value of its own")]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<String>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

#[test]
fn a_variant_without_the_field_says_nothing_of_one_that_writes_null() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Noted {
        what: What,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    enum What {
        B {},
        A {
            #[serde(
                default,
                with = "double_option",
                skip_serializing_if = "Option::is_none"
            )]
            #[schemars(with = "Option<String>")]
            #[expect(clippy::option_option, reason = "null is a value of its own")]
            note: Option<Option<String>>,
        },
    }

    let schemas = of([What::B {}, What::A { note: Some(None) }].map(|what| Noted { what }));
    let null = json!({ "what": { "kind": "A", "note": null } });
    let writer = event_schemas_subset::Schema::parse(schemas.writer()).unwrap();
    assert!(writer.accepts(&null), "{}", schemas.writer());
}

#[test]
fn a_flattened_struct_that_is_not_read_says_nothing_of_its_fields() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "a", entity = "b", action = "c")]
    struct Sent {
        id: u8,
        #[serde(flatten)]
        inner: Option<Inner>,
    }

    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    #[serde(try_from = "Raw")]
    struct Inner {
        code: String,
        #[serde(default)]
        note: Option<String>,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Raw {
        code: String,
        note: Option<String>,
    }

    impl TryFrom<Raw> for Inner {
        type Error = String;

        fn try_from(raw: Raw) -> Result<Self, String> {
            let Raw { code, note } = raw;
            if code.starts_with("C-") {
                Ok(Self { code, note })
            } else {
                Err(format!("{code} is no code"))
            }
        }
    }

    let inner = |note| Sent {
        id: 1,
        inner: Some(Inner {
            code: "C-1".to_owned(),
            note,
        }),
    };
    let schemas = of::<Sent>([]);
    let writer = event_schemas_subset::Schema::parse(schemas.writer()).unwrap();
    for sent in [inner(None), inner(Some("n".to_owned()))] {
        let written = serde_json::to_value(sent).unwrap();
        assert!(writer.accepts(&written), "{written}: {}", schemas.writer());
    }
}
