//! What events inherit that are published from handlers.

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::Consumer;

/// Publishing from handlers.
impl<S> Consumer<S> {
    /// Sets which metadata entries of the handled event are copied to an event that a handler
    /// publishes through its [`Ctx`](crate::consumer::Ctx). `names` are the names of the entries,
    /// such as `region` or `tenant`. By default a published event gets only the correlation id and
    /// the trace of the handled event, and the id of the handled event as its causation id, because
    /// other metadata may describe only the handled event.
    ///
    /// An entry that the handled event does not have is not copied. A copied entry replaces the
    /// entry of the bus ([`BusBuilder::metadata`](crate::BusBuilder::metadata)).
    /// [`PublishFrom::metadata`](crate::consumer::PublishFrom::metadata) replaces both. A
    /// [prepared](crate::Publisher::prepare) event keeps its own entries. If this method is called
    /// several times, all names count.
    ///
    /// If `key`, `correlation_id` or `causation_id` is named, the consumer does not start.
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
