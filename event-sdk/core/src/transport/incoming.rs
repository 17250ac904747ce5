//! `Incoming`: an item of a subscription, which is a message or a notice.

use std::pin::Pin;

use futures_core::Stream;

use super::{Error, Notice, Received};

/// The messages and notices of a subscription.
///
/// An error is final: it is the reason why the subscription has ended, and `None` follows. When the
/// transport is drained or closed, the subscription ends with `None` and without an error.
/// Everything that does not end a subscription is a [`Notice`].
///
/// Polling is cancel-safe: an item is either returned or kept.
pub type Deliveries = Pin<Box<dyn Stream<Item = Result<Incoming, Error>> + Send>>;

/// One item of a subscription.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every item is a message, and a box would be an allocation for each"
)]
pub enum Incoming {
    /// A message.
    Message(Received),
    /// A notice. The subscription continues, except after
    /// [`NoticeKind::WentBack`](super::NoticeKind::WentBack).
    Notice(Notice),
}
