//! What the server says that this user may not do with a consumer.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::core::Core;
use super::settle::Via;
use crate::connection::Denial;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// Waits until the server denies something without which nothing is received:
/// asking for messages, hearing of them, acknowledging them.
pub(super) async fn denied(mut denials: broadcast::Receiver<Denial>, core: Arc<Core>) -> Error {
    let via = &core.via;
    loop {
        let error = match denials.recv().await {
            Ok(Denial::Publish(subject)) => publishing(via, &core.bound().name, &subject),
            Ok(Denial::Subscribe(subject)) => hearing(via, &subject),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => std::future::pending().await,
        };
        if let Some(error) = error {
            return error;
        }
    }
}

fn publishing(via: &Via, consumer: &str, subject: &str) -> Option<Error> {
    let what = if subject == via.next(consumer).as_str() {
        "ask for messages"
    } else if subject.starts_with("$JS.ACK.")
        && subject.contains(&format!(".{}.{consumer}.", via.stream))
    {
        "acknowledge messages"
    } else {
        return None;
    };
    Some(error(via, subject, &format!("this user may not {what}")))
}

fn hearing(via: &Via, subject: &str) -> Option<Error> {
    let prefix = &via.link.options().inbox_prefix;
    let rest = subject.strip_prefix(prefix.as_str())?;
    rest.starts_with('.').then(|| {
        error(
            via,
            subject,
            "this user may not subscribe to the inbox where messages come",
        )
    })
}

fn error(via: &Via, subject: &str, what: &str) -> Error {
    let reason = format!("{what}; grant the permission on the server");
    let error = Error::new(ErrorKind::Denied, Operation::Subscribe, reason);
    via.about(Operation::Subscribe)
        .on(error)
        .at_subject(subject)
}
