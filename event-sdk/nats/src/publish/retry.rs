//! Retries of a publish: no responders, no leader, duplicate or wrong-last-sequence answers.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

use super::ack::{Ack, read};
use super::{RetryablePublish, StreamPublisher};
use crate::context::NatsContext;
use crate::error::{ApiError, ErrorContext, code};
use crate::options::Management;
use crate::send_queue::{Outbound, PendingPublish, Sent, Turn};
use crate::streams;
use event_sdk_core::subject::Subject;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation, Stored};

/// For how long a message is sent again that no stream has heard of, although
/// there is one, or whose duplicate is being stored; and how long the pauses are.
const AGAIN: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How long it is waited for the answer whether there is a stream, each time.
const LOOKING: Duration = Duration::from_millis(500);

/// The result of a publish that got this answer.
pub(super) async fn resolve(
    publisher: Arc<StreamPublisher>,
    publish_message: RetryablePublish,
    handed: PendingPublish,
    ack: Ack,
) -> Result<Stored, Error> {
    let Last { ack, there } = again(&publisher, &publish_message, handed.number, ack).await?;
    let context = &publisher.context;
    match ack {
        Ack::Refused { stream, error } if error.is(&code::WRONG_LAST_SEQUENCE) => {
            match ours(context, &publish_message, stream.as_ref(), &error).await {
                Some(stored) => Ok(stored),
                None => Ack::Refused { stream, error }.into_result(context, &publish_message),
            }
        }
        Ack::Refused {
            stream: Some(stream),
            error,
        } if error.is(&[code::MESSAGE_TOO_LARGE]) => {
            Err(too_large(context, &publish_message, stream).await)
        }
        Ack::NoStream => match there {
            There::Yes => Err(leaderless(
                &publish_message,
                "the stream that stores this subject has no leader at the moment; try again",
            )),
            There::Unanswered => Err(leaderless(
                &publish_message,
                "no stream took it, and no server says whether there is one: the cluster may have no leader at the moment; try again",
            )),
            There::No | There::Untold => Ack::NoStream.into_result(context, &publish_message),
        },
        other => other.into_result(context, &publish_message),
    }
}

fn leaderless(publish_message: &RetryablePublish, reason: &str) -> Error {
    Error::new(ErrorKind::Timeout, Operation::Publish, reason).at_subject(&publish_message.subject)
}

/// What came of sending a message again.
struct Last {
    ack: Ack,
    there: There,
}

/// Whether a stream stores a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Yes,
    No,
    /// Nobody may be asked, or nobody can say.
    Untold,
    /// Nobody has said so far.
    Unanswered,
}

/// Sends a message again if that may help, and keeps the order of all.
async fn again(
    publisher: &StreamPublisher,
    publish_message: &RetryablePublish,
    number: u64,
    mut ack: Ack,
) -> Result<Last, Error> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    let held = publisher.context.send_queue().hold(number);
    // Once it is said it is not asked again, however often the message is sent:
    // many may wait for one stream.
    let mut there = There::Unanswered;
    while begun.elapsed() < AGAIN {
        match &ack {
            // It is a duplicate, whichever place it has.
            Ack::Refused { error, .. } if error.is(&[code::DUPLICATE_IN_PROCESS]) => {}
            Ack::NoStream => {
                if there == There::Unanswered {
                    there = exists(publisher, publish_message).await;
                }
                if there == There::No {
                    break;
                }
            }
            _ => break,
        }
        tokio::time::sleep(pause).await;
        let no_stream = matches!(ack, Ack::NoStream);
        match held.turn() {
            Turn::Over if no_stream => break,
            Turn::Later if no_stream => continue,
            Turn::Now | Turn::Later | Turn::Over => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        ack = send(publisher, publish_message, number).await?;
    }
    Ok(Last { ack, there })
}

/// Sends a message again, and waits for its ack.
async fn send(
    publisher: &StreamPublisher,
    publish_message: &RetryablePublish,
    number: u64,
) -> Result<Ack, Error> {
    let context = &*publisher.context;
    let sent = context.send_queue().send_again(Outbound {
        subject: &publish_message.subject,
        headers: publish_message.on_wire(),
        payload: publish_message.body.clone(),
        acked: true,
        resend: publish_message.resend(),
        number: Some(number),
    })?;
    let handed = match sent {
        Sent::Now(handed) => handed,
        Sent::Later(handed) => handed.await.unwrap_or_else(|_| {
            Err(Error::closed(Operation::Publish).at_subject(&publish_message.subject))
        })?,
    };
    let waiting = Waiting { context, handed };
    let answer =
        std::future::poll_fn(|cx| context.send_queue().poll_answer(waiting.handed.token, cx));
    Ok(read(publisher, answer.await))
}

/// Nobody waits for the ack when this is dropped.
struct Waiting<'a> {
    context: &'a NatsContext,
    handed: PendingPublish,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.context.send_queue().abandon(self.handed.token);
    }
}

/// Whether a stream stores the subject: without a leader, or when its creation
/// has not reached every server of a cluster, nobody answers all the same.
///
/// Those who ask for the same subject at the same time ask together. A cluster
/// without a leader does not answer; the message is not to wait for that.
async fn exists(publisher: &StreamPublisher, publish_message: &RetryablePublish) -> There {
    let context = &publisher.context;
    if context.options().management == Management::Never {
        return There::Untold;
    }
    let subject = publish_message.subject.clone();
    let owned = Arc::clone(context);
    let answer = publisher
        .lookups
        .join(&publish_message.subject, async move {
            let about = ErrorContext::new(Operation::Publish);
            match streams::names(&owned, &about, subject.as_str()).await {
                Ok(names) if names.is_empty() => There::No,
                Ok(_) => There::Yes,
                Err(error) if error.is_transient() => There::Unanswered,
                Err(_) => There::Untold,
            }
        });
    let answered = tokio::time::timeout(LOOKING, answer).await;
    answered.unwrap_or(There::Unanswered)
}

/// The question for the stream of a subject that was asked last, as long as
/// somebody waits for its answer.
#[derive(Default)]
pub(super) struct Lookups(Mutex<Option<(Subject, WeakShared<Lookup>)>>);

type Lookup = Pin<Box<dyn Future<Output = There> + Send>>;

impl Lookups {
    fn join(
        &self,
        subject: &Subject,
        ask: impl Future<Output = There> + Send + 'static,
    ) -> Shared<Lookup> {
        // Nothing in here panics half way.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, lookup)) = &*last
            && asked == subject
            && let Some(lookup) = lookup.upgrade()
        {
            return lookup;
        }
        let lookup = (Box::pin(ask) as Lookup).shared();
        *last = lookup.downgrade().map(|weak| (subject.clone(), weak));
        lookup
    }
}

/// A server from 2.12 on looks at the message id last: what was stored before
/// with the same id, and expected a sequence then, gets `wrong last sequence`
/// when it is published again. If the last message is our own, it is stored.
async fn ours(
    context: &NatsContext,
    publish_message: &RetryablePublish,
    stream: Option<&Text>,
    error: &ApiError,
) -> Option<Stored> {
    let (id, stream) = (publish_message.message_id.as_ref()?.to_string(), stream?);
    if context.options().management == Management::Never {
        return None;
    }
    let about = ErrorContext::new(Operation::Read).stream(stream.clone());
    let last = if let Some(last) = error.last_sequence() {
        streams::message(context, &about, stream, &streams::Which::Sequence(last)).await
    } else {
        let subject = match &publish_message.expect().last_pattern_sequence {
            Some((pattern, _)) => pattern.as_str(),
            None if publish_message.expect().last_subject_sequence.is_some() => {
                publish_message.subject.as_str()
            }
            None => ">",
        };
        streams::message(context, &about, stream, &streams::Which::LastOf(subject)).await
    };
    // Without the permission to look, the error stays as it is.
    let last = last.ok().flatten()?;
    (last.message_id.as_deref() == Some(&*id))
        .then(|| Stored::new(Some(stream.clone()), Some(last.sequence)).duplicate(true))
}

/// The error of a message that is larger than its stream takes, with the limit
/// if it can be found out.
async fn too_large(
    context: &NatsContext,
    publish_message: &RetryablePublish,
    stream: Text,
) -> Error {
    let size = publish_message.size;
    let state = streams::state(context, &ErrorContext::new(Operation::Publish), &stream).await;
    let limit = state
        .ok()
        .and_then(|state| state.config.limits.message_size);
    let limit = limit.and_then(|limit| usize::try_from(limit.get()).ok());
    let reason = match limit {
        Some(limit) => format!("headers and body have {size} bytes, and the stream takes {limit}"),
        None => format!("headers and body have {size} bytes, more than the stream takes"),
    };
    Error::new(
        ErrorKind::TooLarge {
            size,
            limit: limit.unwrap_or(size.saturating_sub(1)),
        },
        Operation::Publish,
        format!("{reason}; publish less, or raise its `max_msg_size`"),
    )
    .at_subject(&publish_message.subject)
    .at_stream(stream)
}
