//! A transport whose publishes follow a script: they pass, fail, hang or lose their confirmation.

use std::fmt;
use std::sync::{Arc, Mutex};

use event_sdk::transport::{
    Body, Completion, Confirmation, Error, ErrorKind, Operation, PublishRequest, Transport,
};
use event_sdk_testing::intercept::Intercept;
use tokio::sync::Notify;

use crate::rig::OrderPlaced;

/// What happens to one publish.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Pass,
    /// It fails, and nothing is stored.
    Fail(ErrorKind),
    /// It is stored, and the publisher does not learn it.
    LoseConfirmation,
    /// Nothing happens until the timeout.
    Hang,
    /// It fails when the test says so.
    FailLater(Arc<Notify>, ErrorKind),
}

type Rule = Box<dyn FnMut(&OrderPlaced) -> Act + Send>;

/// Decides by the event, and counts what was sent.
#[derive(Clone)]
pub(crate) struct Script(Arc<Mutex<State>>);

struct State {
    rule: Rule,
    sent: Vec<OrderPlaced>,
    connected: bool,
    connections: u64,
    /// How often a relay has looked since the connection changed.
    looks: u64,
}

impl Script {
    pub(crate) fn pass() -> Self {
        Self(Arc::new(Mutex::new(State {
            rule: Box::new(|_| Act::Pass),
            sent: Vec::new(),
            connected: true,
            connections: 1,
            looks: 0,
        })))
    }

    pub(crate) fn set(&self, rule: impl FnMut(&OrderPlaced) -> Act + Send + 'static) {
        self.0.lock().expect("no panic").rule = Box::new(rule);
    }

    /// The connection is lost.
    pub(crate) fn disconnect(&self) {
        let mut state = self.0.lock().expect("no panic");
        (state.connected, state.looks) = (false, 0);
    }

    /// There is a new connection.
    pub(crate) fn connect(&self) {
        let mut state = self.0.lock().expect("no panic");
        (state.connected, state.looks) = (true, 0);
        state.connections += 1;
    }

    /// How often a relay has looked at the connection since it changed.
    pub(crate) fn looks(&self) -> u64 {
        self.0.lock().expect("no panic").looks
    }

    /// All events that a publisher tried to send.
    pub(crate) fn sent(&self) -> Vec<OrderPlaced> {
        self.0.lock().expect("no panic").sent.clone()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Intercept for Script {
    fn publish(
        &self,
        inner: &dyn Transport,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        let act = match event_of(&message) {
            Some(event) => {
                let mut state = self.0.lock().expect("no panic");
                let act = (state.rule)(&event);
                state.sent.push(event);
                act
            }
            None => Act::Pass,
        };
        let failed = |kind| Error::new(kind, Operation::Publish, "as the script says");
        match act {
            Act::Pass => inner.publish(message),
            Act::Fail(kind) => Completion::ready(Err(failed(kind))),
            Act::LoseConfirmation => {
                let stored = inner.publish(message);
                Completion::later(async move {
                    stored.await?.await?;
                    Err(failed(ErrorKind::Timeout).with_unknown_outcome())
                })
            }
            Act::Hang => Completion::later(std::future::pending()),
            Act::FailLater(when, kind) => Completion::later(async move {
                when.notified().await;
                Err(failed(kind))
            }),
        }
    }

    fn connections(&self, _: &dyn Transport) -> u64 {
        let mut state = self.0.lock().expect("no panic");
        state.looks += 1;
        state.connections
    }

    fn is_connected(&self, _: &dyn Transport) -> bool {
        self.0.lock().expect("no panic").connected
    }
}

fn event_of(message: &PublishRequest<'_>) -> Option<OrderPlaced> {
    let Body::Encoded(body) = &message.body else {
        return None;
    };
    let envelope: serde_json::Value = serde_json::from_slice(body).ok()?;
    serde_json::from_value(envelope.get("data")?.clone()).ok()
}
