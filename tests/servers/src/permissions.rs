//! Permissions of a server's user.

use serde_json::{Value, json};

/// The subjects that a user may publish to and subscribe to; everything else is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    publish: Vec<String>,
    subscribe: Vec<String>,
}

impl Permissions {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// And to publish to these subjects, which may be patterns.
    pub fn publish(mut self, subjects: &[&str]) -> Self {
        self.publish
            .extend(subjects.iter().map(ToString::to_string));
        self
    }

    /// And to subscribe to these subjects, which may be patterns.
    pub fn subscribe(mut self, subjects: &[&str]) -> Self {
        self.subscribe
            .extend(subjects.iter().map(ToString::to_string));
        self
    }

    /// The minimum that JetStream Bridge's guide to production gives the user of one service,
    /// without the subjects of its events: all of the JetStream API, acks, and inboxes.
    ///
    /// The guide adds, to publish, the subject of what the service sends, of what it receives
    /// and of its dead letters; and, to subscribe, of what it receives.
    pub fn jetstream_bridge() -> Self {
        Self::none()
            .publish(&["$JS.API.>", "$JS.ACK.>"])
            .subscribe(&["_INBOX.>"])
    }

    /// Only to ask one consumer for its next messages, to ack them, and to receive in inboxes.
    pub fn pull_and_ack(stream: &str, consumer: &str) -> Self {
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        let ack = format!("$JS.ACK.{stream}.{consumer}.>");
        Self::none()
            .publish(&[&next, &ack])
            .subscribe(&["_INBOX.>"])
    }

    /// As the server's configuration writes it. A list that is empty has to deny all.
    pub(crate) fn config(&self) -> Value {
        json!({ "publish": allowed(&self.publish), "subscribe": allowed(&self.subscribe) })
    }

    /// As the claims of a user write it.
    pub(crate) fn claims(&self) -> (Value, Value) {
        (allowed(&self.publish), allowed(&self.subscribe))
    }
}

/// An empty list of allowed subjects means all of them to the server.
fn allowed(subjects: &[String]) -> Value {
    if subjects.is_empty() {
        json!({ "deny": [">"] })
    } else {
        json!({ "allow": subjects })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subject_at_all_is_denied_and_not_left_out() {
        let config = Permissions::none().subscribe(&["a.*"]).config();
        assert_eq!(
            config,
            json!({ "publish": { "deny": [">"] }, "subscribe": { "allow": ["a.*"] } })
        );
    }
}
