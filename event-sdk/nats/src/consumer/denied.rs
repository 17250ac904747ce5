//! Permission errors of a consumer: publishing a pull request or ack was denied, or subscribing
//! to its inbox.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::ack_context::AckContext;
use super::pull_loop::PullLoop;
use crate::connection::Denial;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// Waits until the server denies a permission that the subscription needs: to request messages, to
/// receive them in its inbox, or to acknowledge them. The error ends the subscription.
pub(super) async fn denied(
    mut denials: broadcast::Receiver<Denial>,
    pull_loop: Arc<PullLoop>,
) -> Error {
    let ack_context = &pull_loop.ack_context;
    loop {
        let error = match denials.recv().await {
            Ok(Denial::Publish(subject)) => {
                publishing(ack_context, &pull_loop.bound().name, &subject)
            }
            Ok(Denial::Subscribe(subject)) => hearing(ack_context, &subject),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => std::future::pending().await,
        };
        if let Some(error) = error {
            return error;
        }
    }
}

fn publishing(ack_context: &AckContext, consumer: &str, subject: &str) -> Option<Error> {
    let what = if subject == ack_context.next(consumer).as_str() {
        "ask for messages"
    } else if subject.starts_with("$JS.ACK.")
        && subject.contains(&format!(".{}.{consumer}.", ack_context.stream))
    {
        "acknowledge messages"
    } else {
        return None;
    };
    Some(error(
        ack_context,
        subject,
        &format!("this user may not {what}"),
    ))
}

fn hearing(ack_context: &AckContext, subject: &str) -> Option<Error> {
    let prefix = &ack_context.context.options().inbox_prefix;
    let rest = subject.strip_prefix(prefix.as_str())?;
    rest.starts_with('.').then(|| {
        error(
            ack_context,
            subject,
            "this user may not subscribe to the inbox where messages come",
        )
    })
}

fn error(ack_context: &AckContext, subject: &str, what: &str) -> Error {
    let reason = format!("{what}; grant the permission on the server");
    let error = Error::new(ErrorKind::PermissionDenied, Operation::Subscribe, reason);
    ack_context
        .about(Operation::Subscribe)
        .on(error)
        .at_subject(subject)
}
