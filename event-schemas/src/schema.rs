//! The JSON Schemas of events.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// Which side of the wire a schema describes: serde's attributes can make what
/// is written differ from what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// What a publisher writes.
    Writer,
    /// What a subscriber reads.
    Reader,
}

/// The schema of the data of `T`.
pub(crate) fn of_data<T: JsonSchema>(side: Side) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let settings = match side {
        Side::Writer => settings.for_serialize(),
        Side::Reader => settings.for_deserialize(),
    };
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
