//! Connection state for users (`ConnectionWatch`), and denials parsed from the server's
//! `Permissions Violation` texts.

mod monitor;
mod unasked;

pub(super) use self::monitor::ConnectionMonitor;
pub(super) use self::unasked::Unasked;

use std::fmt;

use tokio::sync::watch;

/// The state of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Connected.
    Connected,
    /// Not connected; the client is reconnecting.
    Disconnected {
        /// The latest known reason.
        reason: DisconnectReason,
    },
    /// Closed for good: the transport was closed, `max_reconnects` reconnect attempts have failed,
    /// or the tokio runtime of the connection has ended.
    Closed,
}

/// The reason why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The connection was lost: the server has stopped, or the network has failed.
    Lost,
    /// No server can be reached.
    Unreachable,
    /// The server does not accept the credentials, or they have expired.
    Unauthenticated,
    /// No TLS connection can be made.
    Tls,
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "the connection was lost",
            Self::Unreachable => "no server can be reached",
            Self::Unauthenticated => "the server does not take the credentials",
            Self::Tls => "no secure connection can be made",
        })
    }
}

/// A watch on the state of a connection: returns the current state, and waits for changes.
#[derive(Debug, Clone)]
pub struct ConnectionWatch(watch::Receiver<ConnectionState>);

impl ConnectionWatch {
    /// Returns the current state.
    pub fn current(&self) -> ConnectionState {
        self.0.borrow().clone()
    }

    /// Waits until the state has changed since the last call (or since the watch was created), and
    /// returns the new state.
    ///
    /// If the state has changed several times between two calls, only the last state is returned.
    /// After [`Closed`](ConnectionState::Closed), the future never completes.
    ///
    /// Cancel-safe: a change that was not returned is kept for the next call.
    pub async fn changed(&mut self) -> ConnectionState {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.0.borrow_and_update().clone()
    }

    /// Waits until the state is [`Connected`](ConnectionState::Connected) or
    /// [`Closed`](ConnectionState::Closed). Returns `true` if it is connected.
    ///
    /// Cancel-safe: dropping the future has no effect.
    pub async fn connected(&mut self) -> bool {
        let done = |state: &ConnectionState| {
            matches!(state, ConnectionState::Connected | ConnectionState::Closed)
        };
        let state = self.0.wait_for(done).await;
        state.is_ok_and(|state| *state == ConnectionState::Connected)
    }
}

/// A permission violation, which the server reports independently of replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denial {
    /// Publishing to this subject.
    Publish(String),
    /// Subscribing to this subject.
    Subscribe(String),
    /// One more subscription, on the connection for deliveries: perhaps this one.
    Excess { sid: u64, subject: String },
}

/// The reason of the error when a server accepts no more subscriptions.
pub(super) const TOO_MANY_SUBSCRIPTIONS: &str = "the server takes no more subscriptions on this connection; raise `max_subscriptions` on the server, or subscribe less";

impl Denial {
    /// Parses the text of a server's error: `Permissions Violation for Publish to "orders"`,
    /// `… for Subscription to "orders" using queue "q"` (nats-server, `server/client.go`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("Permissions Violation for ")?;
        let (what, rest) = rest.split_once('"')?;
        let (subject, _) = rest.split_once('"')?;
        let subject = subject.to_owned();
        match what {
            "Publish to " => Some(Self::Publish(subject)),
            "Subscription to " => Some(Self::Subscribe(subject)),
            _ => None,
        }
    }
}

/// Whether a server ends a connection because of its credentials (nats-server,
/// `server/errors.go`), and not because of a limit of the server or account, such as `maximum
/// account active connections exceeded`.
pub(super) fn is_about_credentials(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = ["authentication", "authorization", "account"];
    words.iter().any(|word| text.contains(word)) && !text.contains(EXCEEDED)
}

/// The end of the server's errors about a reached limit.
pub(super) const EXCEEDED: &str = "exceeded";

/// Listens to changes of the connection.
pub(super) trait ConnectionListener: Send + Sync {
    /// The connection was made, or made again.
    fn connected(&self);

    /// The connection was lost.
    fn disconnected(&self);

    /// The server reported a permission violation.
    fn denied(&self, denial: &Denial);

    /// Publishing must stop.
    fn end_publishing(&self);

    /// The connection must end.
    fn end(&self);
}

/// The phase of the transport: which operations are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// All operations.
    Open,
    /// Only publishing and settling; operations in progress continue.
    Draining,
    /// No new operations; publishes in flight are confirmed.
    Confirming,
    /// None; the client does not reconnect.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_are_read_as_servers_write_them() {
        let denial = |text| Denial::parse(text);
        assert_eq!(
            denial("Permissions Violation for Publish to \"orders.placed\""),
            Some(Denial::Publish("orders.placed".to_owned()))
        );
        for text in [
            "Permissions Violation for Subscription to \"orders.>\"",
            "Permissions Violation for Subscription to \"orders.>\" using queue \"workers\"",
        ] {
            assert_eq!(
                denial(text),
                Some(Denial::Subscribe("orders.>".to_owned())),
                "{text}"
            );
        }
        for text in [
            "User Authentication Expired",
            "Permissions Violation for Publish to",
            "Permissions Violation for Something to \"orders\"",
            "",
        ] {
            assert_eq!(denial(text), None, "{text}");
        }
    }
}
