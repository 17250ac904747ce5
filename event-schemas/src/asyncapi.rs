//! AsyncAPI 3.0: renders the catalogue as a JSON document.
//!
//! - A *channel* for each event: its address is the whole subject, and a key in the subject is the
//!   parameter `key`.
//! - A *message* for each version: its payload is the schema of the whole envelope, declared as
//!   JSON Schema 2020-12. Its examples are real values. If there are none, one example is generated
//!   from the schema, with a summary that says so.
//! - An *operation* for each event that a service publishes, and for each event that one of its
//!   consumers receives. A consumer with a wildcard has an operation for each event of the
//!   catalogue that it receives.
//!
//! AsyncAPI's NATS binding has only queue groups, so the name of a durable consumer is written
//! there. Everything else is in extensions:
//!
//! | extension | at | says |
//! |---|---|---|
//! | `x-prefix` | `info` | the prefix of the bus |
//! | `x-streams` | the document | the streams: subjects, limits, retention, storage |
//! | `x-stream` | a channel | the name of the stream that stores the event |
//! | `x-event` | a message | Rust type, relative subject, type, version, and the use of the key (`none`, `order`, `subject`) |
//! | `x-pii` | a message | where the data are personal, as paths |
//! | `x-service` | an operation | the service |
//! | `x-owner` | an operation | who is responsible for the service |
//! | `x-consumer` | an operation | durable, wildcard, stream, and how a message is retried: `maxDeliver`, `ackWaitMs`, `backoffMs`, `deadLetter` |

mod channels;
mod keys;
mod model;
mod operations;
mod schemas;

use crate::catalogue::Catalogue;
use crate::described::StreamFacts;
use channels::Channels;
use model::{Document, Info};

/// Returns the document, ending with a line feed. The same catalogue gives the same bytes.
///
/// Invalid streams are left out; [`Catalogue::faults`] lists them.
#[must_use]
pub fn render(catalogue: &Catalogue) -> String {
    // Keys are texts and memory has room: there is no way to fail.
    let mut text = serde_json::to_string_pretty(&document(catalogue)).unwrap_or_default();
    text.push('\n');
    text
}

/// The document as data, for the page that carries it.
pub(crate) fn data(catalogue: &Catalogue) -> impl serde::Serialize + '_ {
    document(catalogue)
}

/// The schema format of all payloads and headers.
const JSON_SCHEMA: &str = "application/schema+json;version=2020-12";

fn document(catalogue: &Catalogue) -> Document<'_> {
    let prefix = catalogue.bus_prefix();
    let channels = Channels::of(catalogue);
    let operations = operations::of(catalogue, &channels);
    let (channels, components) = channels.into_parts();
    let streams = catalogue.streams().iter();
    Document {
        asyncapi: "3.0.0",
        info: Info {
            title: catalogue.title(),
            version: catalogue.own_version().unwrap_or("unversioned"),
            description: catalogue.description(),
            prefix,
        },
        default_content_type: "application/json",
        channels,
        operations,
        components,
        streams: streams
            .filter_map(|stream| StreamFacts::of(stream, prefix))
            .map(|facts| (facts.name.clone(), facts))
            .collect(),
    }
}
