//! `View`: an event as it is shown to people and programs, with its personal data hidden.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use event_sdk::shown::Shown;
use event_sdk::{StoredEvent, Untyped};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::operations::Operations;
use crate::output::{DIM, NAME, Output, WARN};
use crate::units::time;

/// An event as JSON.
#[derive(Serialize)]
pub(crate) struct View {
    pub(crate) stream: String,
    pub(crate) sequence: u64,
    pub(crate) stored_at: Timestamp,
    pub(crate) subject: String,
    pub(crate) event_id: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) version: Option<String>,
    /// The time that the event says.
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) source: Option<String>,
    /// The key, which can be personal data; left out where it is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// The key, to select events by it.
    #[serde(skip)]
    pub(crate) selects: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) causation_id: Option<String>,
    /// The data of the event; null if they are hidden.
    pub(crate) data: Option<Value>,
    /// Why the data are hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hidden: Option<String>,
}

impl View {
    /// The event, with its data as the program knows them, or as they are stored if personal data may
    /// be shown.
    pub(crate) fn new(
        event: &StoredEvent<Untyped>,
        operations: &Operations,
        show_personal_data: bool,
    ) -> Self {
        let key = event.key().map(Cow::into_owned);
        let mut view = Self {
            stream: event.stream().to_owned(),
            sequence: event.sequence(),
            stored_at: event.stored_at(),
            subject: event.subject().to_string(),
            event_id: None,
            event_type: None,
            version: None,
            timestamp: None,
            source: None,
            key: key.clone().filter(|_| show_personal_data),
            selects: key,
            correlation_id: None,
            causation_id: None,
            data: None,
            hidden: None,
        };
        let raw = match event.raw() {
            Ok(raw) => raw,
            Err(why) => {
                view.hidden = Some(format!("no event: {why}"));
                return view;
            }
        };
        let metadata = &raw.head.metadata;
        view.event_id = Some(raw.head.event_id.to_string());
        view.event_type = Some(raw.head.event_type.to_string());
        view.version = Some(raw.head.version.to_string());
        view.timestamp = Some(raw.head.timestamp);
        view.source = Some(raw.head.source.to_string());
        view.correlation_id = metadata.correlation_id.as_ref().map(ToString::to_string);
        view.causation_id = metadata.causation_id.as_ref().map(ToString::to_string);
        let data = if show_personal_data {
            let data = serde_json::from_slice(&raw.data);
            data.map_err(|_| "the data are no JSON".to_owned())
        } else {
            let known = operations.known(&view.subject, event.relative_subject());
            match known {
                Some(known) => known.read(&raw),
                None => Err(
                    "this program does not know the event, so its data may be personal".to_owned(),
                ),
            }
        };
        match data {
            Ok(data) => view.data = Some(data),
            Err(why) => view.hidden = Some(why),
        }
        view
    }

    /// Writes the event in two lines: what it is, and its data.
    pub(crate) fn write(&self, output: &mut Output<'_>) -> io::Result<()> {
        let mut line = format!(
            "{} {}#{} {}",
            time(self.stored_at),
            self.stream,
            self.sequence,
            self.subject
        );
        if let Some(key) = &self.key {
            let _ = write!(line, " key={key}");
        }
        output.styled_text(NAME, line)?;
        let version = self.version.as_deref().unwrap_or("?");
        if let (Some(id), Some(event_type)) = (&self.event_id, &self.event_type) {
            let source = self.source.as_deref().unwrap_or_default();
            output.styled_text(
                DIM,
                format_args!("  {event_type} {version} of {source}, id {id}"),
            )?;
        }
        match (&self.data, &self.hidden) {
            (Some(data), _) => output.long(format_args!("  {data}")),
            (None, Some(why)) => {
                output.styled_text(WARN, format_args!("  not shown: {}", Shown(why, 500)))
            }
            (None, None) => Ok(()),
        }
    }
}
