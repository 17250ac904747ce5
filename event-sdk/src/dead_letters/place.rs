//! `DeadLetterStream`: the names of a dead-letter stream and of its retry stream, and their
//! declarations.

use event_sdk_core::Pattern;
use event_sdk_core::stream::{Discard, StreamSpec};
use event_sdk_core::subject::InvalidSubject;
use event_sdk_core::text::Text;

use super::area::{Area, consumer_token};

/// The names of a dead-letter stream: the stream itself, its retry stream, and the first tokens of
/// their subjects.
///
/// The subjects of letters begin with `dlq.`, and the subjects of redriven events begin with
/// `retry.`. They do not have the prefix of a bus, so no filter of events matches them. If several
/// deployments share one account of a server, give each deployment a prefix
/// ([`under`](Self::under)).
///
/// Declare both streams like any other stream; [`EventBus::apply`](crate::EventBus::apply) creates
/// them:
///
/// ```
/// use event_sdk::EventBus;
/// use event_sdk::dead_letters::DeadLetterStream;
/// use event_sdk::stream::StreamSpec;
///
/// # fn main() -> Result<(), event_sdk::Error> {
/// let letters = DeadLetterStream::new("DLQ");
/// let bus = EventBus::builder()
///     .stream(StreamSpec::new("ORDERS").subject("orders.>"))
///     .stream(letters.spec().replicas(1))
///     .stream(letters.retry_spec().replicas(1))
///     .memory()?;
/// # let _ = bus;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterStream {
    name: Text,
    retry: Text,
    prefix: Option<Text>,
}

impl DeadLetterStream {
    /// The stream `name`; its retry stream is `<name>_RETRY`.
    #[must_use]
    pub fn new(name: impl Into<Text>) -> Self {
        let name = name.into();
        let retry = format!("{name}_RETRY").into();
        Self {
            name,
            retry,
            prefix: None,
        }
    }

    /// Sets the name of the retry stream.
    #[must_use]
    pub fn retry(mut self, name: impl Into<Text>) -> Self {
        self.retry = name.into();
        self
    }

    /// Puts tokens before `dlq.` and `retry.`: with `prod`, letters have the subjects `prod.dlq.>`.
    #[must_use]
    pub fn under(mut self, prefix: impl Into<Text>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// The name of the dead-letter stream.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the retry stream.
    #[must_use]
    pub fn retry_name(&self) -> &str {
        &self.retry
    }

    /// The declaration of the dead-letter stream. The stream keeps every letter until the letter is
    /// purged. If you add a limit, a full stream refuses new letters.
    ///
    /// If you add a maximum age, the stream also drops letters that are still open.
    #[must_use]
    pub fn spec(&self) -> StreamSpec {
        StreamSpec::new(self.name.clone())
            .absolute(self.text("dlq.>"))
            .when_full(Discard::New)
    }

    /// The declaration of the retry stream: it keeps every redriven event.
    ///
    /// If a redrive is killed and run again, the second run looks in this stream for the events
    /// that the first run has sent. If you add a maximum age, a second run after this age sends the
    /// events again.
    #[must_use]
    pub fn retry_spec(&self) -> StreamSpec {
        StreamSpec::new(self.retry.clone())
            .absolute(self.text("retry.>"))
            .when_full(Discard::New)
    }

    /// The pattern that matches the redriven events that a consumer reads from the retry stream.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] if the prefix that was set is malformed.
    pub fn retry_filter(&self, consumer: &str) -> Result<Pattern, InvalidSubject> {
        self.filter(Area::Retry, Some(consumer))
    }

    /// The pattern of the letters of a consumer.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] if the prefix that was set is malformed.
    pub fn letter_filter(&self, consumer: &str) -> Result<Pattern, InvalidSubject> {
        self.filter(Area::Letter, Some(consumer))
    }

    /// Matches what an area has of one consumer, or of all.
    pub(super) fn filter(
        &self,
        area: Area,
        consumer: Option<&str>,
    ) -> Result<Pattern, InvalidSubject> {
        let consumer = consumer.map_or_else(|| "*".to_owned(), consumer_token);
        Pattern::parse(self.text(&format!("{}.{consumer}.>", area.root())))
    }

    /// Everything in the dead-letter stream.
    pub(super) fn everything(&self) -> Result<Pattern, InvalidSubject> {
        Pattern::parse(self.text("dlq.>"))
    }

    /// With the prefix.
    pub(super) fn text(&self, subject: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}.{subject}"),
            None => subject.to_owned(),
        }
    }

    /// Without the prefix.
    pub(super) fn inner<'a>(&self, subject: &'a str) -> Option<&'a str> {
        match &self.prefix {
            Some(prefix) => subject.strip_prefix(prefix.as_str())?.strip_prefix('.'),
            None => Some(subject),
        }
    }
}

impl<T: Into<Text>> From<T> for DeadLetterStream {
    fn from(name: T) -> Self {
        Self::new(name)
    }
}
