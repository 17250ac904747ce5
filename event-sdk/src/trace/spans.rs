//! The spans `publish`, `receive` and `process`, by the messaging conventions of OpenTelemetry.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use event_sdk_core::LooseId;
use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use event_sdk_core::transport::Error;
use tracing::Span;
use tracing::field::{Empty, display};
use uuid::Uuid;

use super::{Destination, TraceContext, TraceSource};
use crate::TRACING_TARGET;

/// The name of the messaging system, and the tracing system if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Tracing {
    system: Text,
    source: Option<Arc<dyn TraceSource>>,
}

impl Tracing {
    /// For the transport of this name. The system is its first word: `nats` of `nats core`.
    pub(crate) fn new(transport: &str, source: Option<Arc<dyn TraceSource>>) -> Self {
        let system = transport.split(' ').next().unwrap_or(transport);
        Self {
            system: Text::copy_of(system),
            source,
        }
    }

    fn source(&self) -> Option<&dyn TraceSource> {
        self.source.as_deref()
    }
}

/// What a span says of its message, apart from the operation.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) destination: Destination<'a>,
    pub(crate) event_id: Option<Uuid>,
    pub(crate) conversation: Option<LooseId>,
}

/// Opens a span. The fields that take time are recorded only if a subscriber is interested.
macro_rules! open {
    ($name:literal, $kind:literal, $type:literal, $tracing:expr $(, $field:literal = $value:expr)*) => {
        tracing::info_span!(
            target: TRACING_TARGET,
            $name,
            "otel.name" = Empty,
            "otel.kind" = $kind,
            "otel.status_code" = Empty,
            "error.type" = Empty,
            "messaging.system" = $tracing.system.as_str(),
            "messaging.operation.name" = $name,
            "messaging.operation.type" = $type,
            "messaging.destination.name" = Empty,
            "messaging.destination.template" = Empty,
            "messaging.consumer.group.name" = Empty,
            "messaging.message.id" = Empty,
            "messaging.message.conversation_id" = Empty,
            "trace_id" = Empty,
            $($field = $value,)*
        )
    };
}

fn describe(span: &Span, operation: &str, about: &About<'_>, consumer: Option<&str>) {
    let About {
        destination,
        event_id,
        conversation,
    } = about;
    span.record("otel.name", destination.span_name(operation));
    span.record("messaging.destination.name", destination.subject());
    if let Some(template) = destination.template() {
        span.record("messaging.destination.template", &*template);
    }
    if let Some(consumer) = consumer {
        span.record("messaging.consumer.group.name", consumer);
    }
    if let Some(id) = event_id {
        span.record("messaging.message.id", display(id));
    }
    if let Some(id) = conversation {
        span.record("messaging.message.conversation_id", display(id));
    }
}

/// Whether the caller has set the trace headers of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Origin {
    /// They are inherited from the cause, or there are none.
    #[default]
    Cause,
    /// The caller has set them.
    Caller,
}

/// The span of a publish. Dropping the last copy closes it.
#[derive(Clone)]
pub(crate) struct PublishSpan(Arc<Span>);

impl PublishSpan {
    /// Opens the span of a publish, and writes the trace context that the message carries into its
    /// headers; `None` if no subscriber is interested in the span.
    #[inline]
    pub(crate) fn open<'a>(
        tracing: &Tracing,
        headers: &mut Headers,
        origin: Origin,
        about: impl FnOnce() -> About<'a>,
    ) -> Option<Self> {
        let span = open!("publish", "producer", "send", tracing);
        if span.is_disabled() {
            if let Some(source) = tracing.source() {
                connect(&span, headers, origin, source);
            }
            return None;
        }
        let about = about();
        describe(&span, "publish", &about, None);
        match tracing.source() {
            Some(source) => connect(&span, headers, origin, source),
            None => start(&span, headers, &about),
        }
        Some(Self(Arc::new(span)))
    }

    /// The span itself.
    pub(crate) fn span(&self) -> &Span {
        &self.0
    }

    /// Records the error of the publish.
    pub(crate) fn failed(&self, error: &Error) {
        failed(&self.0, &kind_of(error));
    }
}

/// Without a tracing system: the context that the headers have, or a new one. Its trace id is the
/// correlation id, so that all events of a causal chain have the same.
fn start(span: &Span, headers: &mut Headers, about: &About<'_>) {
    let context = TraceContext::from_headers(headers).or_else(|| {
        let event_id = about.event_id?;
        let conversation = about.conversation.as_ref().and_then(LooseId::as_uuid);
        let started = TraceContext::start(conversation.unwrap_or(event_id), event_id)?;
        started.write(headers).ok()?;
        Some(started)
    });
    record_trace(span, context.as_ref());
}

/// With a tracing system: gives the span its parent, and writes its context into the headers.
fn connect(span: &Span, headers: &mut Headers, origin: Origin, source: &dyn TraceSource) {
    let inherited = TraceContext::from_headers(headers);
    let of_caller = origin == Origin::Caller && inherited.is_some();
    let active = source.active();
    match (&inherited, &active) {
        (Some(inherited), Some(active)) if !of_caller => {
            if inherited.trace_id() != active.trace_id() {
                source.add_link(span, inherited);
            }
        }
        (Some(inherited), _) => source.set_parent(span, inherited),
        (None, _) => {}
    }
    let of_span = source.context_of(span);
    if let Some(context) = of_span.or_else(|| active.filter(|_| !of_caller)) {
        // A checked context has only characters that a header may have.
        let _ = context.write(headers);
    }
}

/// Records the `receive` span of a delivery.
#[inline]
pub(crate) fn receive<'a>(
    tracing: &Tracing,
    consumer: Option<&str>,
    headers: &Headers,
    about: impl FnOnce() -> About<'a>,
) {
    let span = open!("receive", "client", "receive", tracing);
    if span.is_disabled() {
        return;
    }
    describe(&span, "receive", &about(), consumer);
    let context = TraceContext::from_headers(headers);
    match (tracing.source(), &context) {
        (Some(source), Some(context)) if source.active().is_some() => {
            source.add_link(&span, context);
        }
        (Some(source), Some(context)) => source.set_parent(&span, context),
        (Some(_), None) => {}
        (None, context) => record_trace(&span, context.as_ref()),
    }
}

/// Opens the `process` span of a message.
#[inline]
pub(crate) fn process<'a>(
    tracing: &Tracing,
    consumer: &str,
    headers: &Headers,
    about: impl FnOnce() -> About<'a>,
) -> Span {
    let span = open!("process", "consumer", "process", tracing);
    if span.is_disabled() {
        return span;
    }
    describe(&span, "process", &about(), Some(consumer));
    let context = TraceContext::from_headers(headers);
    match (tracing.source(), &context) {
        (Some(source), Some(context)) => source.set_parent(&span, context),
        (Some(_), None) => {}
        (None, context) => record_trace(&span, context.as_ref()),
    }
    span
}

/// Opens the `process` span of a batch: it is a child of none of its messages, and linked to each.
///
/// It has a destination if that is the same for all messages.
#[inline]
pub(crate) fn process_batch<'a, M>(
    tracing: &Tracing,
    consumer: &str,
    count: usize,
    messages: impl FnOnce() -> M,
) -> Span
where
    M: Iterator<Item = (&'a Headers, Destination<'a>)>,
{
    let span = open!(
        "process",
        "consumer",
        "process",
        tracing,
        "messaging.batch.message_count" = count
    );
    if span.is_disabled() {
        return span;
    }
    let mut destination = Shared::Unknown;
    let mut name = Shared::Unknown;
    let mut template = Shared::Unknown;
    let mut trace = Shared::Unknown;
    for (headers, place) in messages() {
        destination.add(Some(place.subject().to_owned()));
        name.add(Some(place.span_name("process")));
        template.add(place.template().map(Cow::into_owned));
        let context = TraceContext::from_headers(headers);
        if let (Some(source), Some(context)) = (tracing.source(), &context) {
            source.add_link(&span, context);
        }
        trace.add(context.map(|context| context.trace_id().to_owned()));
    }
    let name = name.into_value();
    span.record("otel.name", name.as_deref().unwrap_or("process"));
    span.record("messaging.consumer.group.name", consumer);
    for (field, value) in [
        ("messaging.destination.name", destination),
        ("messaging.destination.template", template),
    ] {
        if let Some(value) = value.into_value() {
            span.record(field, value);
        }
    }
    if let (None, Some(trace)) = (tracing.source(), trace.into_value()) {
        span.record("trace_id", trace);
    }
    span
}

/// What all messages of a batch have in common.
enum Shared {
    /// There was none so far.
    Unknown,
    Value(String),
    /// They differ, or one has none.
    None,
}

impl Shared {
    fn add(&mut self, value: Option<String>) {
        let known = std::mem::replace(self, Self::None);
        *self = match (known, value) {
            (Self::Unknown, Some(value)) => Self::Value(value),
            (Self::Value(known), Some(value)) if known == value => Self::Value(known),
            _ => Self::None,
        };
    }

    fn into_value(self) -> Option<String> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unknown | Self::None => None,
        }
    }
}

/// Records that the operation of a span of this crate failed: `kind` as `error.type`, and the
/// status.
///
/// `kind` is one of few words, such as `Timeout`, and contains no data of the event.
pub fn failed(span: &Span, kind: &str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}

fn record_trace(span: &Span, context: Option<&TraceContext>) {
    if let Some(context) = context {
        span.record("trace_id", context.trace_id());
    }
}

/// The name of the error's kind, without its fields.
fn kind_of(error: &Error) -> String {
    let mut name = format!("{:?}", error.kind());
    let end = name.find(|c: char| !c.is_alphanumeric());
    name.truncate(end.unwrap_or(name.len()));
    name
}

impl fmt::Debug for PublishSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishSpan").finish_non_exhaustive()
    }
}
