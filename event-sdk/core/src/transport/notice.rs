//! `Notice`: reports of a subscription, beside its messages: gaps, exhausted events, terminated
//! unknown events, reconnects, streams that went back.

use std::fmt;

use super::{DeliveryInfo, Error, Settler};
use crate::shown::Shown;
use crate::subject::Subject;
use crate::text::Text;

/// A report of a subscription, in order with its messages. The subscription continues after a notice,
/// except after [`NoticeKind::WentBack`].
///
/// `Display` prints one line, without event data.
#[derive(Debug)]
pub struct Notice {
    kind: NoticeKind,
    stream: Option<Text>,
    consumer: Option<Text>,
    delivery: Option<Box<DeliveryInfo>>,
    settler: Option<Settler>,
}

/// The kind of a notice.
#[derive(Debug)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The stream dropped messages before they were delivered to the consumer, or before they were
    /// delivered again.
    Gap(Gap),
    /// A message was delivered `max_deliver` times and not acknowledged or terminated.
    Exhausted(Exhausted),
    /// A subscription without a stream was too slow, and messages were dropped.
    Dropped {
        /// Number of dropped messages.
        messages: u64,
    },
    /// The connection was lost and made again. Without a stream, messages that were published in
    /// the meantime are lost.
    Reconnected,
    /// The server lost the consumer, and the client created it again. It continues at the first
    /// unsettled message.
    Recreated,
    /// The server does not answer requests for messages. The client repeats the requests.
    Stalled(Error),
    /// The transport cannot read a message, and does not deliver it.
    Unreadable {
        /// The sequence in the stream, if known.
        sequence: Option<u64>,
        /// The reason.
        error: Error,
    },
    /// A message that the subscriber's envelope filter excluded could not be acknowledged. It is
    /// delivered again.
    AckFailed(Error),
    /// An event that the subscriber does not know was terminated, because it was delayed for too
    /// long, or too many such events were delayed at the same time.
    Terminated(Terminated),
    /// The position of the consumer lies beyond the last sequence of the stream: the stream went back
    /// to an older state. The subscription then ends with
    /// [`StreamWentBack`](super::ErrorKind::StreamWentBack), before it delivers anything new.
    WentBack(WentBack),
}

/// Messages that the stream dropped before they were delivered to the consumer, or before they were
/// delivered again.
///
/// Not every message between `from` and `to` is lost. Some messages may be for other consumers,
/// already handled, or still stored, because a stream with a limit for each subject also drops
/// messages from its middle. `lost` counts the lost messages of this consumer. No message is
/// counted by two gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The sequence of the first dropped message.
    pub from: u64,
    /// The sequence of the last dropped message.
    pub to: u64,
    /// The number of dropped messages that were for this consumer.
    pub lost: LostCount,
}

/// The number of messages that a consumer lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostCount {
    /// Exactly this many, including the messages at [`Gap::from`] and [`Gap::to`].
    Exactly(u64),
    /// At most this many: the transport does not know which of the dropped messages were for this
    /// consumer.
    AtMost(u64),
}

/// A message that was delivered `max_deliver` times and not acknowledged or terminated. It is not
/// delivered again, and stays in its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// The subject; `None` if the transport could not read it.
    pub subject: Option<Subject>,
    /// The sequence in the stream.
    pub sequence: u64,
    /// The number of deliveries.
    pub attempts: u32,
}

/// An event that was terminated without being handled. It is not delivered again to this consumer.
/// A stream with retention by limits still stores it. More fields may come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terminated {
    /// The subject.
    pub subject: Subject,
    /// The sequence in the stream.
    pub sequence: u64,
    /// The reason that was sent to the server; without data of the event.
    pub reason: String,
}

impl Terminated {
    /// An event that was terminated for this reason.
    #[must_use]
    pub fn new(subject: Subject, sequence: u64, reason: impl Into<String>) -> Self {
        Self {
            subject,
            sequence,
            reason: reason.into(),
        }
    }
}

/// A stream that went back to an older state, while the consumer did not. More fields may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WentBack {
    /// The sequence up to which the consumer has delivered messages.
    pub position: u64,
    /// The last sequence of the stream.
    pub last: u64,
}

impl WentBack {
    /// A consumer at `position` of a stream that ends at `last`.
    #[must_use]
    pub const fn new(position: u64, last: u64) -> Self {
        Self { position, last }
    }
}

/// Maximum number of characters of a reason in the text of a notice.
const MAX_REASON: usize = 2_000;

/// Maximum number of characters of a name in the text of a notice: the maximum length of a subject.
const MAX_NAME: usize = 640;

impl Notice {
    /// A notice of this kind.
    #[must_use]
    pub fn new(kind: NoticeKind) -> Self {
        Self {
            kind,
            stream: None,
            consumer: None,
            delivery: None,
            settler: None,
        }
    }

    /// Adds the stream.
    #[must_use]
    pub fn at_stream(mut self, stream: impl Into<Text>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// Adds the consumer.
    #[must_use]
    pub fn at_consumer(mut self, consumer: impl Into<Text>) -> Self {
        self.consumer = Some(consumer.into());
        self
    }

    /// Adds the delivery of an [`Unreadable`](NoticeKind::Unreadable) message, and how it is settled if
    /// the transport does not settle it.
    #[must_use]
    pub fn of_delivery(mut self, delivery: DeliveryInfo, settler: Option<Settler>) -> Self {
        self.delivery = Some(Box::new(delivery));
        self.settler = settler;
        self
    }

    /// The delivery of an [`Unreadable`](NoticeKind::Unreadable) message, if the transport knows it.
    #[must_use]
    pub fn delivery(&self) -> Option<&DeliveryInfo> {
        self.delivery.as_deref()
    }

    /// Settles an [`Unreadable`](NoticeKind::Unreadable) message of a consumer with
    /// [`AckPolicy::All`](super::AckPolicy::All). For such a consumer, the transport does not
    /// terminate the message, because this would settle all messages before it, which may not be
    /// done yet. The message is delivered again if it is not settled. `None` for any other
    /// consumer: there the transport terminates the message.
    #[must_use]
    pub fn settler(&self) -> Option<&Settler> {
        self.settler.as_ref()
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &NoticeKind {
        &self.kind
    }

    /// The stream; `None` on a transport without streams, or if the subscriber has not set it yet.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    /// The consumer; `None` if it has no name, or if the subscriber has not set it yet.
    #[must_use]
    pub fn consumer(&self) -> Option<&str> {
        self.consumer.as_deref()
    }

    /// The gap, if this is its kind.
    #[must_use]
    pub fn gap(&self) -> Option<Gap> {
        match self.kind {
            NoticeKind::Gap(gap) => Some(gap),
            _ => None,
        }
    }

    /// The exhausted message, if this is its kind.
    #[must_use]
    pub fn exhausted(&self) -> Option<&Exhausted> {
        match &self.kind {
            NoticeKind::Exhausted(exhausted) => Some(exhausted),
            _ => None,
        }
    }

    /// The terminated event, if this is its kind.
    #[must_use]
    pub fn terminated(&self) -> Option<&Terminated> {
        match &self.kind {
            NoticeKind::Terminated(terminated) => Some(terminated),
            _ => None,
        }
    }
}

impl NoticeKind {
    /// The name in logs: one or two lower-case words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gap(_) => "gap",
            Self::Exhausted(_) => "exhausted",
            Self::Dropped { .. } => "dropped",
            Self::Reconnected => "reconnected",
            Self::Recreated => "recreated",
            Self::Stalled(_) => "stalled",
            Self::Unreadable { .. } => "unreadable",
            Self::AckFailed(_) => "ack failed",
            Self::Terminated(_) => "terminated",
            Self::WentBack(_) => "went back",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, name) in [("stream", &self.stream), ("consumer", &self.consumer)] {
            if let Some(name) = name {
                write!(f, "{what} {}, ", Shown(name, MAX_NAME))?;
            }
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap(gap) => write!(
                f,
                "the stream dropped {gap} before the consumer had handled them; keep more, or read faster"
            ),
            Self::Exhausted(Exhausted {
                sequence, attempts, ..
            }) => write!(
                f,
                "sequence {sequence} was delivered {attempts} times and not settled; it stays in the stream and is not delivered again"
            ),
            Self::Dropped { messages } => write!(
                f,
                "messages that no stream stores came faster than they were read, and {messages} were dropped; read faster, share the work in a group, or publish to a stream"
            ),
            Self::Reconnected => f.write_str("the connection was lost and made again"),
            Self::Recreated => {
                f.write_str("the server had lost the consumer, which was created again")
            }
            Self::Stalled(error) => write!(f, "the server does not answer for now: {error}"),
            Self::Unreadable {
                sequence: Some(sequence),
                error,
            } => write!(
                f,
                "the message at sequence {sequence} cannot be read: {error}"
            ),
            Self::Unreadable {
                sequence: None,
                error,
            } => write!(f, "a message cannot be read: {error}"),
            Self::AckFailed(error) => write!(
                f,
                "a message that was left out could not be acknowledged, and is delivered again: {error}"
            ),
            Self::Terminated(Terminated {
                sequence, reason, ..
            }) => write!(
                f,
                "sequence {sequence} was terminated and is not delivered again: {}",
                Shown(reason, MAX_REASON)
            ),
            Self::WentBack(WentBack { position, last }) => write!(
                f,
                "the stream went back: it ends at sequence {last}, and the consumer has delivered up to {position}; the subscription ends, because what is stored up to there would be passed over"
            ),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, lost } = self;
        match lost {
            LostCount::Exactly(1) => write!(f, "the message at sequence {from}"),
            LostCount::Exactly(many) => write!(f, "{many} messages from sequence {from} to {to}"),
            LostCount::AtMost(many) => {
                write!(f, "at most {many} messages from sequence {from} to {to}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_all_in_one_line() {
        let gap = Gap {
            from: 3,
            to: 9,
            lost: LostCount::AtMost(5),
        };
        let notice = Notice::new(NoticeKind::Gap(gap))
            .at_stream("ORDERS")
            .at_consumer("billing\u{1b}[31m");
        assert_eq!(
            notice.to_string(),
            "stream ORDERS, consumer billing\\u{1b}[31m, the stream dropped at most 5 messages from sequence 3 to 9 before the consumer had handled them; keep more, or read faster"
        );
    }
}
