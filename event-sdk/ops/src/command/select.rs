//! `Select`: which events commands show, and whether with their personal data.

use event_sdk::text::Text;
use event_sdk::transport::{Error, TransportExt as _};
use event_sdk::{EventBus, HistoryQuery, Pattern, StoredEvent, Untyped};

use crate::context::pattern;
use crate::error::OpsError;
use crate::operations::Operations;
use crate::view::View;

/// Which events.
#[derive(clap::Args)]
pub(crate) struct Select {
    /// Only events of this stream
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// Only subjects that this pattern matches, with the prefix; default: all under the prefix
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    subject: Option<Pattern>,
    /// Only events of this type, such as order.placed
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only events with this correlation id
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// Only events with this key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Show personal data, and the data of events that this program does not know
    #[arg(long)]
    show_personal_data: bool,
}

impl Select {
    /// The stream, if one was named.
    pub(crate) fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// The whole subjects.
    pub(crate) fn pattern(&self, bus: &EventBus) -> Result<Pattern, OpsError> {
        match &self.subject {
            Some(pattern) => Ok(pattern.clone()),
            None => everything(bus),
        }
    }

    /// The streams that can have such events now.
    pub(crate) async fn find(&self, bus: &EventBus, pattern: &Pattern) -> Result<Vec<Text>, Error> {
        match &self.stream {
            Some(stream) => Ok(vec![Text::copy_of(stream)]),
            None => bus.transport().streams_for(pattern).await,
        }
    }

    /// The same, of which there must be one.
    pub(crate) async fn streams(
        &self,
        bus: &EventBus,
        pattern: &Pattern,
    ) -> Result<Vec<Text>, OpsError> {
        let found = self.find(bus, pattern).await?;
        if found.is_empty() {
            return Err(OpsError::Usage(format!(
                "no stream stores a subject of `{pattern}`; `streams ls` lists the streams"
            )));
        }
        Ok(found)
    }

    /// Narrows a query to the stream.
    pub(crate) fn on(&self, query: HistoryQuery<Untyped>) -> HistoryQuery<Untyped> {
        match &self.stream {
            Some(stream) => query.stream(stream.clone()),
            None => query,
        }
    }

    /// An event as it may be shown.
    pub(crate) fn view(&self, event: &StoredEvent<Untyped>, operations: &Operations) -> View {
        View::new(event, operations, self.show_personal_data)
    }

    /// Whether only some events of a subject are asked for.
    pub(crate) const fn narrows(&self) -> bool {
        self.event_type.is_some() || self.correlation.is_some() || self.key.is_some()
    }

    /// Whether the event is one of those that were asked for.
    pub(crate) fn takes(&self, view: &View) -> bool {
        let is =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        is(&self.event_type, &view.event_type)
            && is(&self.correlation, &view.correlation_id)
            && is(&self.key, &view.selects)
    }
}

/// All subjects under the prefix of the bus.
pub(crate) fn everything(bus: &EventBus) -> Result<Pattern, OpsError> {
    Pattern::parse(format!("{}.>", bus.prefix()))
        .map_err(|why| OpsError::failed("the prefix is no subject", why))
}
