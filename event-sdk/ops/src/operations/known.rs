//! `KnownEvent`: an event of the program, without its type; `Collect` collects these from sets.

use std::future::IntoFuture as _;
use std::pin::Pin;

use event_sdk::event::{EventSpec, KeyUse};
use event_sdk::{Event, EventBus, LooseId, RawEvent, Visitor, hide_personal_data};
use event_sdk_subject::escape_key_into;
use serde_json::Value;

use crate::error::OpsError;

/// An event of the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownEvent {
    pub(crate) spec: &'static EventSpec,
    read: fn(&RawEvent) -> Result<Value, String>,
    subject: fn(&str, &[u8]) -> Result<String, OpsError>,
    publish: Publish,
}

/// Publishes data as an event.
type Publish = fn(&EventBus, &[u8], Option<LooseId>) -> Result<Publishing, OpsError>;

type Publishing = Pin<Box<dyn Future<Output = Result<Sent, event_sdk::Error>> + Send>>;

/// An event that was published.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) event_id: Option<String>,
    pub(crate) stream: Option<String>,
    pub(crate) sequence: Option<u64>,
}

/// Collects the events of a set, for [`Operations::events`](crate::Operations::events).
#[derive(Debug, Default)]
pub struct Collect(Vec<KnownEvent>);

impl Collect {
    pub(super) fn into_events(self) -> Vec<KnownEvent> {
        self.0
    }
}

impl<E: Event> Visitor<E> for Collect {
    fn visit(&mut self) {
        self.0.push(KnownEvent {
            spec: &E::SPEC,
            read: read::<E>,
            subject: subject::<E>,
            publish: publish::<E>,
        });
    }
}

impl KnownEvent {
    /// The data of the event without personal data, and without fields that the type does not have. The
    /// error says what does not match, without the data.
    pub(crate) fn read(&self, raw: &RawEvent) -> Result<Value, String> {
        (self.read)(raw)
    }

    /// Checks that data can be published as this event, and returns the whole subject under a prefix.
    pub(crate) fn subject(&self, prefix: &str, data: &[u8]) -> Result<String, OpsError> {
        (self.subject)(prefix, data)
    }

    /// Publishes data as this event.
    pub(crate) async fn publish(
        &self,
        bus: &EventBus,
        data: &[u8],
        correlation: Option<LooseId>,
    ) -> Result<Sent, OpsError> {
        Ok((self.publish)(bus, data, correlation)?.await?)
    }
}

fn read<E: Event>(raw: &RawEvent) -> Result<Value, String> {
    let event: E = raw.read_event().map_err(|why| why.to_string())?;
    // The text of an error of serde could have a part of the data.
    hide_personal_data(|| serde_json::to_value(&event))
        .map_err(|_| "it cannot be written without its personal data".to_owned())
}

fn parse<E: Event>(data: &[u8]) -> Result<E, OpsError> {
    event_sdk::json::read_value(data).map_err(|why| {
        OpsError::failed(
            format!("the data are no {} {}", E::SPEC.name(), E::SPEC.version()),
            why,
        )
    })
}

fn subject<E: Event>(prefix: &str, data: &[u8]) -> Result<String, OpsError> {
    let event: E = parse(data)?;
    let mut subject = if E::SPEC.is_absolute() {
        E::SPEC.subject().to_owned()
    } else {
        format!("{prefix}.{}", E::SPEC.subject())
    };
    if let (KeyUse::InSubject, Some(key)) = (E::SPEC.key_use(), event.key()) {
        subject.push('.');
        let escaped = escape_key_into(key, &mut subject);
        escaped.map_err(|why| OpsError::failed("the key cannot be in the subject", why))?;
    }
    Ok(subject)
}

fn publish<E: Event>(
    bus: &EventBus,
    data: &[u8],
    correlation: Option<LooseId>,
) -> Result<Publishing, OpsError> {
    let event: E = parse(data)?;
    let publisher = bus.publisher::<E>();
    Ok(Box::pin(async move {
        let mut publish = publisher.publish(event);
        if let Some(id) = correlation {
            publish = publish.correlation_id(id);
        }
        let sent = publish.into_future().await?;
        Ok(Sent {
            event_id: Some(sent.event_id().to_string()),
            stream: sent.stream().map(str::to_owned),
            sequence: sent.sequence(),
        })
    }))
}
