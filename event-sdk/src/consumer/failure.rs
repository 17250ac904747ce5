//! `Failure`: why a handler did not succeed, and its class: retry, outage or reject.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use event_sdk_core::{Error, ErrorKind};

/// The result of a handler.
pub type Outcome = Result<(), Failure>;

/// The reason why a handler did not succeed. Its [class](FailureClass) decides whether and when the
/// consumer handles the event again.
///
/// Any error converts into a failure with `?`. The class of the failure is
/// [`Outage`](FailureClass::Outage) if the error or one of its sources says that a dependency is
/// unavailable (see [`class_of`](Self::class_of)), and [`Retry`](FailureClass::Retry) otherwise.
/// [`outage`](Self::outage) and [`reject`](Self::reject) set another class.
///
/// ```
/// use event_sdk::consumer::{Failure, FailureClass, Outcome};
///
/// fn charge(cents: i64) -> Outcome {
///     if cents < 0 {
///         return Err(Failure::reject("a negative amount").because("a negative amount"));
///     }
///     let answer: Result<(), std::num::ParseIntError> = "x".parse::<i64>().map(drop);
///     Ok(answer?) // will be tried again
/// }
///
/// assert_eq!(charge(-1).unwrap_err().class(), FailureClass::Reject);
/// assert_eq!(charge(1).unwrap_err().class(), FailureClass::Retry);
/// ```
///
/// **Personal data.** The text of an error may contain data of the event. `Display` and `Debug`
/// show the [summary](Self::summary): the type of the error, and the constant text of
/// [`because`](Self::because). This is all that logs, dead letters and metrics contain.
/// [`expose`](Self::expose) returns the error itself.
///
/// `Failure` does not implement [`std::error::Error`]; otherwise not every error could convert into
/// it.
pub struct Failure(Box<Inner>);

struct Inner {
    class: FailureClass,
    /// Whether the error has the class by itself.
    by_itself: bool,
    kind: Cow<'static, str>,
    because: Option<&'static str>,
    error: Option<Box<dyn StdError + Send + Sync>>,
}

/// The class of a failure: whether and when the event is handled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// The event may succeed later: it is handled again after a delay. The failed run counts as an
    /// attempt.
    Retry,
    /// A dependency is unavailable (a database, another service): no event would succeed now. This
    /// run of the handler does not count as an attempt. Fetching pauses until a probe succeeds.
    ///
    /// If events of other keys still succeed, each outage of this event counts as an attempt. So
    /// the event becomes a dead letter in the end. If there are no other events, the event waits.
    Outage,
    /// The event will never succeed: it becomes a dead letter at once.
    Reject,
}

impl FailureClass {
    /// The name of the class, as in logs and headers: `retry`, `outage` or `reject`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Outage => "outage",
            Self::Reject => "reject",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Failure {
    /// A failure of an event that may succeed later, whatever class the error itself has.
    pub fn retry<E: Into<Box<dyn StdError + Send + Sync>>>(error: E) -> Self {
        Self::new(FailureClass::Retry, type_name::<E>(), error.into())
    }

    /// A failure because a dependency is unavailable.
    pub fn outage<E: Into<Box<dyn StdError + Send + Sync>>>(error: E) -> Self {
        Self::new(FailureClass::Outage, type_name::<E>(), error.into())
    }

    /// A failure of an event that will never succeed.
    pub fn reject<E: Into<Box<dyn StdError + Send + Sync>>>(error: E) -> Self {
        Self::new(FailureClass::Reject, type_name::<E>(), error.into())
    }

    /// Adds a constant text to the summary. A constant text cannot contain data of an event.
    #[must_use]
    pub fn because(mut self, reason: &'static str) -> Self {
        self.0.because = Some(reason);
        self
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        self.0.class
    }

    /// The type of the error, and the text of [`because`](Self::because), but not the error's text.
    #[must_use]
    pub fn summary(&self) -> String {
        self.to_string()
    }

    /// The error, **whose text may contain data of the event**. Do not log it. `None` for a
    /// failure of the consumer itself, such as a timeout or a panic.
    #[must_use]
    pub fn expose(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.error.as_deref()
    }

    /// The class that `?` gives to an error.
    ///
    /// [`Outage`](FailureClass::Outage) if the error or one of its sources is a
    /// [`std::io::Error`] of a connection (refused, reset, aborted, not connected, broken pipe,
    /// timed out, host or network unreachable), or an [`Error`](event_sdk_core::Error) of kind
    /// [`Disconnected`](ErrorKind::Disconnected), [`Timeout`](ErrorKind::Timeout),
    /// [`Closed`](ErrorKind::Closed) or [`StreamFull`](ErrorKind::StreamFull). Otherwise
    /// [`Retry`](FailureClass::Retry).
    #[must_use]
    pub fn class_of(error: &(dyn StdError + 'static)) -> FailureClass {
        let mut next = Some(error);
        // A chain that refers to itself would have no end.
        for _ in 0..MAX_CHAIN {
            let Some(error) = next else { break };
            if is_away(error) {
                return FailureClass::Outage;
            }
            next = error.source();
        }
        FailureClass::Retry
    }

    /// Asks `classify` for the class of the error, and then of each of its sources, until
    /// `classify` returns a class. If the class was set by [`retry`](Self::retry),
    /// [`outage`](Self::outage) or [`reject`](Self::reject), it does not change.
    ///
    /// Stores use this method for the errors of their databases.
    /// [`Consumer::classify`](super::Consumer::classify) sets such a function for all handlers of a
    /// consumer.
    #[must_use]
    pub fn classified_by<F>(mut self, classify: F) -> Self
    where
        F: Fn(&(dyn StdError + 'static)) -> Option<FailureClass>,
    {
        if !self.0.by_itself {
            return self;
        }
        let mut next = (self.0.error.as_deref()).map(|error| error as &(dyn StdError + 'static));
        for _ in 0..MAX_CHAIN {
            let Some(error) = next else { break };
            if let Some(class) = classify(error) {
                self.0.class = class;
                break;
            }
            next = error.source();
        }
        self
    }

    /// A failure of the consumer itself.
    pub(super) fn of_consumer(class: FailureClass, kind: &'static str) -> Self {
        Self(Box::new(Inner {
            class,
            by_itself: false,
            kind: Cow::Borrowed(kind),
            because: None,
            error: None,
        }))
    }

    /// A failure whose text is known to contain no data of an event.
    pub(super) fn described(class: FailureClass, text: String) -> Self {
        Self(Box::new(Inner {
            class,
            by_itself: false,
            kind: Cow::Owned(text),
            because: None,
            error: None,
        }))
    }

    /// A failure of a layer, whose error may be of any type.
    pub(super) fn of_layer(
        class: FailureClass,
        kind: &'static str,
        error: Box<dyn StdError + Send + Sync>,
    ) -> Self {
        Self(Box::new(Inner {
            class,
            by_itself: false,
            kind: Cow::Borrowed(kind),
            because: None,
            error: Some(error),
        }))
    }

    fn new(
        class: FailureClass,
        kind: &'static str,
        error: Box<dyn StdError + Send + Sync>,
    ) -> Self {
        Self(Box::new(Inner {
            class,
            by_itself: false,
            kind: Cow::Borrowed(short(kind)),
            because: None,
            error: Some(error),
        }))
    }
}

/// The longest chain of sources that is followed.
const MAX_CHAIN: usize = 32;

/// The name of a type without its path, and without what `&str` and `String` would tell.
fn short(name: &'static str) -> &'static str {
    if matches!(name, "&str" | "alloc::string::String") {
        return "error";
    }
    if name.contains('<') {
        return name;
    }
    name.rsplit("::").next().unwrap_or(name)
}

fn is_away(error: &(dyn StdError + 'static)) -> bool {
    use std::io::ErrorKind as Io;
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return matches!(
            error.kind(),
            Io::ConnectionRefused
                | Io::ConnectionReset
                | Io::ConnectionAborted
                | Io::NotConnected
                | Io::BrokenPipe
                | Io::TimedOut
                | Io::HostUnreachable
                | Io::NetworkUnreachable
        );
    }
    if let Some(error) = error.downcast_ref::<Error>() {
        return matches!(
            error.kind(),
            ErrorKind::Disconnected
                | ErrorKind::Timeout
                | ErrorKind::Closed
                | ErrorKind::StreamFull
        );
    }
    false
}

impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let class = Self::class_of(&error);
        let mut failure = Self::new(class, type_name::<E>(), Box::new(error));
        failure.0.by_itself = true;
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.kind)?;
        match self.0.because {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Failure {
    /// Does not show the error, whose text may contain data of the event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("class", &self.0.class)
            .field("summary", &self.to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct CardDeclined(&'static str);

    impl fmt::Display for CardDeclined {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for CardDeclined {}

    #[derive(Debug)]
    struct Wrapped(std::io::Error);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("query")
        }
    }

    impl StdError for Wrapped {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn neither_display_nor_debug_shows_the_text_of_the_error() {
        let failure = Failure::from(CardDeclined("card 4111 of Ada")).because("card declined");
        assert_eq!(failure.to_string(), "CardDeclined: card declined");
        assert!(!format!("{failure:?}").contains("Ada"));
        let exposed = failure.expose().map(ToString::to_string);
        assert_eq!(exposed.as_deref(), Some("card 4111 of Ada"));
        assert_eq!(Failure::reject("Ada").summary(), "error");
        assert_eq!(Failure::reject(String::from("Ada")).summary(), "error");
    }

    #[test]
    fn a_connection_that_is_away_is_an_outage_wherever_it_is_in_the_chain() {
        let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(Failure::from(refused()).class(), FailureClass::Outage);
        assert_eq!(
            Failure::from(Wrapped(refused())).class(),
            FailureClass::Outage
        );
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        assert_eq!(Failure::from(Wrapped(missing)).class(), FailureClass::Retry);
        let closed = Error::closed(event_sdk_core::transport::Operation::Publish);
        assert_eq!(Failure::from(closed).class(), FailureClass::Outage);
        assert_eq!(Failure::retry(refused()).class(), FailureClass::Retry);
    }

    #[test]
    fn a_class_that_was_set_explicitly_stays_and_another_is_that_of_the_classifier() {
        let busy = || Wrapped(std::io::Error::from(std::io::ErrorKind::WouldBlock));
        let classify = |error: &(dyn StdError + 'static)| {
            error.is::<std::io::Error>().then_some(FailureClass::Outage)
        };
        let class = |failure: Failure| failure.classified_by(classify).class();
        assert_eq!(class(Failure::from(busy())), FailureClass::Outage);
        assert_eq!(class(Failure::retry(busy())), FailureClass::Retry);
        assert_eq!(class(Failure::reject(busy())), FailureClass::Reject);
        let unknown = Failure::from(CardDeclined("card"));
        assert_eq!(class(unknown), FailureClass::Retry);
    }
}
