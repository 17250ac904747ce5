//! AsyncAPI data model: the parts of a document that are written, in their order.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::described::{ConsumerFacts, EventFacts, StreamFacts};
use crate::schema::text;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<'a> {
    pub(super) asyncapi: &'static str,
    pub(super) info: Info<'a>,
    pub(super) default_content_type: &'static str,
    pub(super) channels: BTreeMap<String, Channel<'a>>,
    pub(super) operations: BTreeMap<String, Operation<'a>>,
    pub(super) components: Components<'a>,
    #[serde(rename = "x-streams")]
    pub(super) streams: BTreeMap<String, StreamFacts>,
}

#[derive(Debug, Serialize)]
pub(super) struct Info<'a> {
    pub(super) title: &'a str,
    pub(super) version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    #[serde(rename = "x-prefix")]
    pub(super) prefix: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Channel<'a> {
    pub(super) address: String,
    pub(super) title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) parameters: BTreeMap<&'static str, Parameter>,
    pub(super) messages: BTreeMap<String, Reference>,
    #[serde(rename = "x-stream", skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Parameter {
    pub(super) description: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Reference {
    #[serde(rename = "$ref")]
    pub(super) to: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Operation<'a> {
    pub(super) action: &'static str,
    pub(super) channel: Reference,
    pub(super) title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    pub(super) tags: [Tag<'a>; 1],
    pub(super) messages: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bindings: Option<Bindings<'a>>,
    #[serde(rename = "x-service")]
    pub(super) service: &'a str,
    #[serde(rename = "x-owner", skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<&'a str>,
    #[serde(rename = "x-consumer", skip_serializing_if = "Option::is_none")]
    pub(super) consumer: Option<ConsumerFacts<'a>>,
}

/// A service, by which viewers group the operations.
#[derive(Debug, Serialize)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Bindings<'a> {
    pub(super) nats: NatsBinding<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NatsBinding<'a> {
    pub(super) queue: &'a str,
    pub(super) binding_version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components<'a> {
    pub(super) messages: BTreeMap<String, Message<'a>>,
    pub(super) schemas: BTreeMap<String, Schema>,
    pub(super) correlation_ids: BTreeMap<&'static str, CorrelationId>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
    pub(super) name: &'a str,
    pub(super) title: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    pub(super) content_type: &'static str,
    pub(super) headers: Reference,
    pub(super) correlation_id: Reference,
    pub(super) payload: Reference,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) examples: Vec<Example>,
    #[serde(rename = "x-event")]
    pub(super) event: EventFacts,
    #[serde(rename = "x-pii", skip_serializing_if = "Vec::is_empty")]
    pub(super) pii: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Example {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<&'static str>,
    pub(super) headers: BTreeMap<&'static str, String>,
    #[serde(serialize_with = "text::ordered_data")]
    pub(super) payload: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schema {
    pub(super) schema_format: &'static str,
    #[serde(serialize_with = "text::ordered_schema")]
    pub(super) schema: Value,
}

#[derive(Debug, Serialize)]
pub(super) struct CorrelationId {
    pub(super) description: &'static str,
    pub(super) location: &'static str,
}
