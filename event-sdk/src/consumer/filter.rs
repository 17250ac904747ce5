//! `Filter`: which events a consumer handles, by their envelope: type, source, region, tags, metadata.

mod glob;
mod of_consumer;

use std::fmt;
use std::ops::Not;
use std::sync::Arc;

use event_sdk_core::EnvelopeHeader;
use event_sdk_core::envelope::MetaValue;
use event_sdk_core::text::Text;

pub(super) use self::of_consumer::{Filters, Verdict};

/// Which events a consumer handles, by the envelope. [`Consumer::filter`](super::Consumer::filter)
/// takes it.
///
/// ```
/// use event_sdk::consumer::Filter;
///
/// let filter = Filter::all([
///     Filter::event_type("deployment.*"),
///     Filter::any([Filter::region("eu-west-1"), Filter::tag("global")]),
///     !Filter::source("load-test"),
/// ]);
/// ```
///
/// **In the client.** A filter saves the work of decoding and handling, but not the delivery: the
/// server sends every event of the consumer's subjects. To receive fewer events, narrow the
/// subjects with [`Consumer::subject`](super::Consumer::subject) or
/// [`Consumer::key`](super::Consumer::key).
///
/// **Regions and tags** are entries of the envelope's metadata. `region` is a text, such as
/// `eu-west-1`. `tags` is a text of tags with commas between them, such as `canary,priority`, or a
/// JSON array of texts. A publisher sets them with
/// [`metadata("tags", "canary,priority")`](crate::Publish::metadata).
#[derive(Clone)]
pub struct Filter(Node);

#[derive(Clone)]
enum Node {
    Type(Text),
    Source(Text),
    Metadata(Text, Text),
    Tag(Text),
    All(Arc<[Filter]>),
    Any(Arc<[Filter]>),
    Not(Arc<Filter>),
    Envelope(Arc<dyn Fn(&EnvelopeHeader) -> bool + Send + Sync>),
}

impl Filter {
    /// Events of this type, such as `order.placed`. A `*` stands for any text: `order.*` passes all
    /// types that begin with `order.`.
    pub fn event_type(pattern: impl Into<Text>) -> Self {
        Self(Node::Type(pattern.into()))
    }

    /// Events of this service ([`EnvelopeHeader::source`]). A `*` stands for any text.
    pub fn source(pattern: impl Into<Text>) -> Self {
        Self(Node::Source(pattern.into()))
    }

    /// Events whose metadata has this text under `name`, which can also be `correlation_id`,
    /// `causation_id` or `key`. If a value is not a text, its JSON is compared, such as `3` or
    /// `true`.
    pub fn metadata(name: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self(Node::Metadata(name.into(), value.into()))
    }

    /// Events of this region: the entry `region` of the metadata.
    pub fn region(name: impl Into<Text>) -> Self {
        Self::metadata("region", name)
    }

    /// Events with this tag in the entry `tags` of the metadata.
    pub fn tag(name: impl Into<Text>) -> Self {
        Self(Node::Tag(name.into()))
    }

    /// Events for which `keep` returns true. If `keep` panics, the event is
    /// [rejected](super::FailureClass::Reject).
    pub fn envelope(keep: impl Fn(&EnvelopeHeader) -> bool + Send + Sync + 'static) -> Self {
        Self(Node::Envelope(Arc::new(keep)))
    }

    /// Events that all of these filters pass. Without filters: every event.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::All(filters.into_iter().collect()))
    }

    /// Events that one of these filters passes. Without filters: none.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::Any(filters.into_iter().collect()))
    }

    /// Whether an event with this envelope passes.
    #[must_use]
    pub fn passes(&self, envelope: &EnvelopeHeader) -> bool {
        match &self.0 {
            Node::Type(pattern) => glob::matches(pattern, &envelope.event_type),
            Node::Source(pattern) => glob::matches(pattern, &envelope.source),
            Node::Metadata(name, value) => has_metadata(envelope, name, value),
            Node::Tag(tag) => has_tag(envelope, tag),
            Node::All(filters) => filters.iter().all(|filter| filter.passes(envelope)),
            Node::Any(filters) => filters.iter().any(|filter| filter.passes(envelope)),
            Node::Not(filter) => !filter.passes(envelope),
            Node::Envelope(keep) => keep(envelope),
        }
    }
}

/// Events that the filter does not pass.
impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self(Node::Not(Arc::new(self)))
    }
}

/// A closure becomes the filter [`envelope`](Filter::envelope). Write the type of its argument:
/// `|envelope: &EnvelopeHeader| …`.
impl<F: Fn(&EnvelopeHeader) -> bool + Send + Sync + 'static> From<F> for Filter {
    fn from(keep: F) -> Self {
        Self::envelope(keep)
    }
}

fn has_metadata(envelope: &EnvelopeHeader, name: &str, value: &str) -> bool {
    let metadata = &envelope.metadata;
    let id = match name {
        "correlation_id" => metadata.correlation_id.as_ref(),
        "causation_id" => metadata.causation_id.as_ref(),
        _ => None,
    };
    if let Some(id) = id {
        return id.to_string() == value;
    }
    if let ("key", Some(key)) = (name, &metadata.key) {
        return *key == *value;
    }
    match metadata.value(name) {
        Some(MetaValue::Text(text)) => text == value,
        Some(MetaValue::Json(json)) => json.as_str() == value,
        _ => false,
    }
}

fn has_tag(envelope: &EnvelopeHeader, tag: &str) -> bool {
    match envelope.metadata.value("tags") {
        Some(MetaValue::Text(tags)) => tags.split(',').any(|each| each.trim() == tag),
        Some(MetaValue::Json(json)) => match json.read::<Vec<String>>() {
            Ok(tags) => tags.iter().any(|each| each == tag),
            Err(_) => false,
        },
        _ => false,
    }
}

impl fmt::Debug for Filter {
    /// Does not show the values of metadata, which may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Node::Type(pattern) => f.debug_tuple("event_type").field(pattern).finish(),
            Node::Source(pattern) => f.debug_tuple("source").field(pattern).finish(),
            Node::Metadata(name, _) => f.debug_tuple("metadata").field(name).finish(),
            Node::Tag(tag) => f.debug_tuple("tag").field(tag).finish(),
            Node::All(filters) => f.debug_tuple("all").field(filters).finish(),
            Node::Any(filters) => f.debug_tuple("any").field(filters).finish(),
            Node::Not(filter) => f.debug_tuple("not").field(filter).finish(),
            Node::Envelope(_) => f.write_str("envelope"),
        }
    }
}

#[cfg(test)]
mod tests;
