//! `Scheduler` for NATS: schedules of the server (ADR-51, server 2.12), one message for each key.
//!
//! The schedule of a key is the last message under `schedules.<stream>.<key>`, with the headers
//! `Nats-Schedule` and `Nats-Schedule-Target`. At its time the server stores the message again
//! under the target, and removes the schedule. The server first collects due schedules, and stores
//! their messages a moment later: a schedule that is deleted or replaced in between fires
//! nevertheless. If that is possible, this transport therefore deletes the schedule first, and
//! waits for the message that may still be stored.

mod cancel;
mod layout;
mod list;
mod put;

use std::sync::Arc;

use self::layout::Layout;
use self::put::Put;
use super::Nats;
use super::context::NatsContext;
use super::error::ErrorContext;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    CancelRequest, Cancellation, Completion, Error, ErrorKind, Operation, ScheduleRequest,
    Scheduled, ScheduledMessage, Scheduler,
};

impl Scheduler for Nats {
    fn schedule(&self, request: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        let (stream, subject) = (
            request.stream.clone(),
            Text::copy_of(request.subject.as_ref()),
        );
        let checked = request.check();
        self.scheduling(checked, &stream, subject, async move |context, layout| {
            Put::new(&context, &layout, request)?.run().await
        })
    }

    fn cancel(&self, request: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        let (stream, key) = (request.stream.clone(), request.key.clone());
        let checked = request.check();
        self.scheduling(checked, &stream, key, async move |context, layout| {
            cancel::cancel(&context, &layout, &request.key, &request.subjects).await
        })
    }

    fn list(&self, stream: &str, prefix: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        let checked = CancelRequest::check_prefix(prefix);
        let (stream, prefix) = (Text::copy_of(stream), Text::copy_of(prefix));
        let below = prefix.clone();
        self.scheduling(checked, &stream, prefix, async move |context, layout| {
            list::list(&context, &layout, &below).await
        })
    }
}

impl Nats {
    /// Does `work` on the schedules of a stream unless the request was refused, and completes its
    /// error with the stream, and the subject or key.
    fn scheduling<T, F>(
        &self,
        checked: Result<(), Error>,
        stream: &Text,
        subject: Text,
        work: impl FnOnce(Arc<NatsContext>, Layout) -> F + Send + 'static,
    ) -> Completion<Result<T, Error>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let context = Arc::clone(&self.context);
        let about = ErrorContext::new(Operation::Schedule).stream(stream.clone());
        let ready = checked.and_then(|()| {
            context.check_publishing(Operation::Schedule)?;
            Layout::of(&about, stream)
        });
        let named = move |error: Error| {
            let error = about.on(error);
            // A denied request names the subject to which it was sent.
            if subject.is_empty() || *error.kind() == ErrorKind::PermissionDenied {
                return error;
            }
            error.at_subject(&subject)
        };
        let layout = match ready {
            Ok(layout) => layout,
            Err(error) => return Completion::ready(Err(named(error))),
        };
        let owner = Arc::clone(&context);
        owner.later(Operation::Schedule, async move {
            work(context, layout).await.map_err(named)
        })
    }
}
