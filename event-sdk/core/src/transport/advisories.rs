//! `Advisories`: optional ability to hear what a server says of consumers: a message ran out of
//! deliveries (`max_deliver`), or was terminated.

mod stored;
mod wire;

pub use stored::{StoredAdvisories, StoredAdvisory};
pub use wire::UnreadableAdvisory;

use std::fmt;
use std::pin::Pin;

use futures_core::Stream;
use jiff::Timestamp;

use super::{Completion, Error, Notice};
use crate::subject::{InvalidSubject, Pattern, Subject};
use crate::text::Text;

/// Listens to the advisories of a server: messages about consumers that the server publishes.
///
/// - A subscription receives advisories about the consumers of all clients, each at most once, and
///   only while it exists. Advisories that are published while the connection is lost are lost too,
///   which is [reported](super::NoticeKind::Reconnected). Advisories that find no room in its
///   buffer are dropped and [counted](super::NoticeKind::Dropped).
/// - An advisory that cannot be read is reported as
///   [`Unreadable`](super::NoticeKind::Unreadable), and the subscription continues.
/// - To receive them even if no program runs, declare a stream for the subjects of
///   [`AdvisoryKind::subjects`], and read it by a durable with
///   [`TransportExt::subscribe_advisories`](super::TransportExt::subscribe_advisories). For this,
///   the transport needs no ability other than streams.
///
/// ```
/// use event_sdk_core::stream::StreamSpec;
/// use event_sdk_core::transport::AdvisoryKind;
///
/// let mut advisories = StreamSpec::new("ADVISORIES").max_messages(100_000);
/// for kind in AdvisoryKind::ALL {
///     advisories = advisories.absolute(kind.subjects());
/// }
/// assert!(advisories.config("events").is_ok());
/// ```
pub trait Advisories: Send + Sync {
    /// Begins to listen.
    ///
    /// Cancel-safe: dropping the future or the stream ends listening.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](super::ErrorKind::InvalidSubject) if the name of a stream or consumer is
    /// invalid, [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection. An error of the stream is
    /// final.
    fn listen(&self, request: AdvisoryRequest) -> Completion<Result<AdvisoryStream, Error>>;
}

/// The advisories and notices of a subscription, until the transport is drained or closed. Polling
/// is cancel-safe.
pub type AdvisoryStream = Pin<Box<dyn Stream<Item = Result<AdvisoryItem, Error>> + Send>>;

/// One item of an [`AdvisoryStream`].
#[derive(Debug)]
pub enum AdvisoryItem {
    /// An advisory.
    Advisory(Advisory),
    /// A notice. Listening continues.
    Notice(Notice),
}

/// Which advisories to [listen](Advisories::listen) to.
///
/// Fields may be added: start with [`default`](Self::default), which has all advisories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AdvisoryRequest {
    /// Only advisories of this kind; `None`: of all kinds.
    pub kind: Option<AdvisoryKind>,
    /// Only advisories about consumers of this stream; `None`: of all streams.
    pub stream: Option<Text>,
    /// Only advisories about consumers with this name; `None`: with any name.
    pub consumer: Option<Text>,
}

impl AdvisoryRequest {
    /// The patterns of the requested advisories.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] if the name of the stream or consumer is invalid.
    pub fn patterns(&self) -> Result<Vec<Pattern>, InvalidSubject> {
        let [stream, consumer] =
            [&self.stream, &self.consumer].map(|name| name.as_ref().map_or("*", Text::as_str));
        let kinds = AdvisoryKind::ALL.into_iter();
        let kinds = kinds.filter(|kind| self.kind.is_none_or(|only| only == *kind));
        kinds
            .map(|kind| Pattern::parse(format!("{}.{stream}.{consumer}", kind.prefix())))
            .collect()
    }
}

/// The kind of an advisory: what happened to a message of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AdvisoryKind {
    /// A message was delivered `max_deliver` times and not acknowledged or terminated. It is not
    /// delivered again. A server notices this only when it would deliver the message again, and
    /// only while a subscription asks for messages.
    MaxDeliveries,
    /// A client terminated a message ([`Settlement::Term`](super::Settlement::Term)).
    Terminated,
}

impl AdvisoryKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::MaxDeliveries, Self::Terminated];

    /// The pattern of the subjects to which a server publishes advisories of this kind, for the
    /// declaration of a stream that stores them.
    #[must_use]
    pub const fn subjects(self) -> &'static str {
        match self {
            Self::MaxDeliveries => "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
            Self::Terminated => "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
        }
    }

    /// The same without the stream and the consumer.
    fn prefix(self) -> &'static str {
        self.subjects().trim_end_matches(".>")
    }
}

/// An advisory of a server about a message of a consumer.
///
/// `Display` prints one line. The reason is text of the client that terminated the message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advisory {
    /// What happened.
    pub kind: AdvisoryKind,
    /// The stream.
    pub stream: Text,
    /// The consumer.
    pub consumer: Text,
    /// The sequence of the message in the stream.
    pub stream_sequence: u64,
    /// The sequence of the delivery in the consumer, if the server names it.
    pub consumer_sequence: Option<u64>,
    /// The number of deliveries.
    pub deliveries: u64,
    /// The reason of a termination, if the client gave one.
    pub reason: Option<String>,
    /// When it happened, by the clock of the server.
    pub time: Timestamp,
    /// The JetStream domain of the server, if it has one.
    pub domain: Option<Text>,
}

impl Advisory {
    /// An advisory without consumer sequence, reason and domain.
    #[must_use]
    pub fn new(
        kind: AdvisoryKind,
        stream: impl Into<Text>,
        consumer: impl Into<Text>,
        stream_sequence: u64,
        deliveries: u64,
        time: Timestamp,
    ) -> Self {
        Self {
            kind,
            stream: stream.into(),
            consumer: consumer.into(),
            stream_sequence,
            consumer_sequence: None,
            deliveries,
            reason: None,
            time,
            domain: None,
        }
    }

    /// The subject to which a server publishes the advisory.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] if the name of the stream or consumer is invalid.
    pub fn subject(&self) -> Result<Subject, InvalidSubject> {
        let (prefix, stream, consumer) = (self.kind.prefix(), &self.stream, &self.consumer);
        Subject::parse(format!("{prefix}.{stream}.{consumer}"))
    }
}

impl fmt::Display for Advisory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::shown::Shown;

        let Self {
            stream_sequence,
            deliveries,
            ..
        } = self;
        let (stream, consumer) = (Shown(&self.stream, 255), Shown(&self.consumer, 255));
        write!(
            f,
            "stream {stream}, consumer {consumer}, sequence {stream_sequence} "
        )?;
        match self.kind {
            AdvisoryKind::MaxDeliveries => {
                write!(f, "was delivered {deliveries} times and not settled")
            }
            AdvisoryKind::Terminated => {
                write!(f, "was terminated at delivery {deliveries}")?;
                match &self.reason {
                    Some(reason) => write!(f, ": {}", Shown(reason, 2_000)),
                    None => Ok(()),
                }
            }
        }
    }
}
