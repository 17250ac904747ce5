//! Connection state for users (`ConnectionWatch`), and parsing of the server's `Permissions
//! Violation` texts into denials.

mod monitor;
mod unasked;

pub(super) use self::monitor::ConnectionMonitor;
pub(super) use self::unasked::Unasked;

use std::fmt;

use tokio::sync::watch;

/// Whether there is a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// There is one.
    Connected,
    /// There is none; it is being made anew.
    Disconnected {
        /// Why, as far as that is known.
        reason: DisconnectReason,
    },
    /// It has ended for good: the transport was closed, as many attempts to connect have failed as
    /// were allowed, or the tokio runtime in which it was made has ended.
    Closed,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// It was lost: the server has stopped, or the network between.
    Lost,
    /// No server can be reached.
    Unreachable,
    /// The server does not take the credentials, or not any more.
    Unauthenticated,
    /// No secure connection can be made.
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

/// Shows the state of a connection, and waits for it to change.
#[derive(Debug, Clone)]
pub struct ConnectionWatch(watch::Receiver<ConnectionState>);

impl ConnectionWatch {
    /// The state now.
    pub fn current(&self) -> ConnectionState {
        self.0.borrow().clone()
    }

    /// Waits until the state is another than the last that this answered with,
    /// or at first than the one when the watch was made.
    ///
    /// What comes and goes between two calls is not seen. After
    /// [`Closed`](ConnectionState::Closed) nothing changes any more, and this
    /// waits for ever. Cancel-safe: a change that was not answered with is kept.
    pub async fn changed(&mut self) -> ConnectionState {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.0.borrow_and_update().clone()
    }

    /// Waits until there is a connection; `false` if there will be none.
    ///
    /// Cancel-safe.
    pub async fn connected(&mut self) -> bool {
        let done = |state: &ConnectionState| {
            matches!(state, ConnectionState::Connected | ConnectionState::Closed)
        };
        let state = self.0.wait_for(done).await;
        state.is_ok_and(|state| *state == ConnectionState::Connected)
    }
}

/// What the server did not allow, and said so beside all answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denial {
    /// Publishing to this subject.
    Publish(String),
    /// Subscribing to this subject.
    Subscribe(String),
    /// One more subscription, on the connection for deliveries: perhaps this one.
    Excess { sid: u64, subject: String },
}

/// What is wrong when a server takes no more subscriptions.
pub(super) const TOO_MANY_SUBSCRIPTIONS: &str = "the server takes no more subscriptions on this connection; raise `max_subscriptions` on the server, or subscribe less";

impl Denial {
    /// Reads the text of a server's error: `Permissions Violation for Publish to
    /// "orders"`, `… for Subscription to "orders" using queue "q"`
    /// (nats-server, `server/client.go`).
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

/// Whether a server ends a connection because of who it is (nats-server,
/// `server/errors.go`), and not since it or the account has too many: `maximum
/// account active connections exceeded`.
pub(super) fn is_about_credentials(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = ["authentication", "authorization", "account"];
    words.iter().any(|word| text.contains(word)) && !text.contains(EXCEEDED)
}

/// How the server's errors end that say that a limit is reached.
pub(super) const EXCEEDED: &str = "exceeded";

/// Hears what becomes of the connection.
pub(super) trait ConnectionListener: Send + Sync {
    /// There is a connection again.
    fn connected(&self);

    /// The connection was lost.
    fn disconnected(&self);

    /// The server did not allow something.
    fn denied(&self, denial: &Denial);

    /// Nothing is to be published from now on.
    fn end_publishing(&self);

    /// The connection is not wanted any more.
    fn end(&self);
}

/// What is wanted of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Everything.
    Open,
    /// Nothing new but publishing: what was begun goes on, and what was handed out is settled.
    Draining,
    /// Nothing new: what was published is confirmed.
    Confirming,
    /// Nothing: no connection is made any more.
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
