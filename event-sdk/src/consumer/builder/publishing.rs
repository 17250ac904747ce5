//! What events inherit that are published from handlers.

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::Consumer;

/// Publishing from handlers.
impl<S> Consumer<S> {
    /// Names entries of the handled event's metadata, for example region or tenant: events that a
    /// handler publishes through its context inherit these entries. By default such events get the
    /// correlation id and the trace of the handled event, and its id as their causation id. They
    /// inherit nothing else, since other metadata may be about the handled event alone.
    ///
    /// An entry that the handled event lacks is left out. An inherited entry replaces the entry of
    /// the bus ([`BusBuilder::metadata`](crate::BusBuilder::metadata)), and
    /// [`PublishFrom::metadata`](crate::consumer::PublishFrom::metadata) replaces both; a
    /// [prepared](crate::Publisher::prepare) event keeps the entries that it has. If the method is
    /// called several times, all names count.
    ///
    /// `key`, `correlation_id` and `causation_id` cannot be named: the consumer does not start then.
    pub fn inherit_metadata<N: Into<Text>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.inherits.extend(names.into_iter().map(Into::into));
        self
    }
}

/// # Errors
///
/// [`InvalidOption`](ErrorKind::InvalidOption) for a name that cannot be inherited.
pub(super) fn check(inherits: &[Text]) -> Result<(), Error> {
    let why = |name: &str| match name {
        "key" => Some("an event has its own key"),
        "correlation_id" => Some("every event inherits it"),
        "causation_id" => Some("it is the id of the handled event"),
        _ => None,
    };
    match inherits.iter().find_map(|name| Some((name, why(name)?))) {
        None => Ok(()),
        Some((name, why)) => Err(Error::new(
            ErrorKind::InvalidOption,
            Operation::Configure,
            format!("inherit_metadata cannot name `{name}`: {why}; leave it out"),
        )),
    }
}
