//! The events: together their fields have every type that serde and the SDK allow.

mod attributes;
mod containers;
mod enums;
mod forms;
mod numbers;
mod others;

pub(crate) use attributes::FieldAttributes;
pub(crate) use containers::ContainerValues;
pub(crate) use enums::EnumValues;
pub(crate) use forms::{Converted, Newtype, Nothing, Tagged, Transparent, Tuple};
pub(crate) use numbers::NumberValues;
pub(crate) use others::OtherValues;

use event_sdk::EventSet;

/// An event that says in which of its fields it differs from another.
pub(crate) trait Fields {
    /// The names of the fields that are not equal.
    fn different(&self, other: &Self) -> Vec<&'static str>;
}

/// An event with a random key in its subject, and these fields.
macro_rules! event {
    (
        #[doc = $doc:literal]
        $event:ident($action:literal) { $($(#[$attr:meta])* $field:ident: $type:ty,)* }
    ) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, event_sdk::Event, serde::Serialize, serde::Deserialize)]
        #[event(domain = "roundtrip", entity = "values", action = $action, version = "1.2")]
        pub(crate) struct $event {
            #[event(key, in_subject)]
            pub(crate) key: String,
            $($(#[$attr])* $field: $type,)*
        }

        impl $crate::random::Random for $event {
            fn random(rng: &mut fastrand::Rng) -> Self {
                Self {
                    key: $crate::random::key(rng),
                    $($field: $crate::random::any(rng),)*
                }
            }
        }

        impl $crate::values::Fields for $event {
            fn different(&self, other: &Self) -> Vec<&'static str> {
                let fields = [
                    ("key", self.key == other.key),
                    $((stringify!($field), self.$field == other.$field),)*
                ];
                let different = fields.into_iter().filter(|(_, equal)| !equal);
                different.map(|(name, _)| name).collect()
            }
        }
    };
}

use event;

/// All of them, as a service would receive them.
#[derive(Debug, PartialEq, EventSet)]
#[expect(
    clippy::large_enum_variant,
    reason = "a test has a few of them at a time"
)]
pub(crate) enum AllValues {
    Numbers(NumberValues),
    Containers(ContainerValues),
    Enums(EnumValues),
    Attributes(FieldAttributes),
    Others(OtherValues),
    Tuple(Tuple),
    Newtype(Newtype),
    Transparent(Transparent),
    Tagged(Tagged),
    Converted(Converted),
    Nothing(Nothing),
}
