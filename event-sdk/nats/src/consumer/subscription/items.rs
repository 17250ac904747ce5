//! Items of a subscription: builds received messages, notices and errors for the caller.

use std::sync::Arc;

use super::{NatsSubscription, Step};
use crate::consumer::message::Message;
use crate::consumer::reply::Reply;
use crate::consumer::settle::AckPending;
use event_sdk_core::transport::{
    Body, DeliveryInfo, Error, ErrorKind, Incoming, Notice, NoticeKind, Operation, Received,
    Settle, Settlement, Settler,
};

impl NatsSubscription {
    pub(super) fn received(
        &mut self,
        message: &Message,
        reply: Reply,
        ack_pending: Option<Arc<AckPending>>,
    ) -> Step {
        let subject = match self.subjects.read(message.subject()) {
            Ok(subject) => subject,
            Err(why) => {
                let error = self.error(ErrorKind::InvalidSubject, why.as_str());
                let reason = format!("its subject cannot be read: {why}");
                return self.unreadable(reply, ack_pending, reason, error);
            }
        };
        let headers = match message.headers() {
            Ok(headers) => headers,
            Err(why) => {
                let reason = format!("its headers cannot be read: {why}");
                let error = self.error(ErrorKind::InvalidHeader, reason.as_str());
                return self.unreadable(reply, ack_pending, reason, error.at_subject(&subject));
            }
        };
        if let Some(reports) = &mut self.reports {
            reports.delivered(reply.sequence, reply.attempt, &subject);
        }
        Step::Item(Incoming::Message(Received {
            subject,
            headers,
            body: Body::Encoded(message.body()),
            info: self.info(&reply),
            settler: ack_pending
                .map(|ack_pending| Settler::new(ack_pending as Arc<dyn Settle>, reply.sequence)),
        }))
    }

    /// A message that cannot be read is terminated, and told. Otherwise it would be delivered
    /// again for ever, and hold a place in `max_ack_pending`.
    pub(super) fn unreadable(
        &self,
        reply: Reply,
        ack_pending: Option<Arc<AckPending>>,
        reason: String,
        error: Error,
    ) -> Step {
        let sequence = reply.sequence;
        let notice = self.notice_of(NoticeKind::Unreadable {
            sequence: Some(sequence),
            error,
        });
        let is_cumulative = self.pull_loop.ack_context.cumulative.is_some();
        let settler = match ack_pending {
            // A term that settles everything before it would come too early: the caller knows when.
            Some(ack_pending) if is_cumulative => {
                Some(Settler::new(ack_pending as Arc<dyn Settle>, sequence))
            }
            // Where the connection has no room for it now, it is terminated when it comes again.
            Some(ack_pending) => {
                drop(ack_pending.settle(sequence, Settlement::Term(reason)));
                None
            }
            None => None,
        };
        Step::Item(Incoming::Notice(
            notice.of_delivery(self.info(&reply), settler),
        ))
    }

    fn info(&self, reply: &Reply) -> DeliveryInfo {
        DeliveryInfo {
            stream: Some(self.pull_loop.ack_context.stream.clone()),
            sequence: Some(reply.sequence),
            attempt: reply.attempt,
            number: Some(reply.number),
            stored_at: Some(reply.stored_at),
            pending: Some(reply.pending),
        }
    }

    pub(super) fn notice(&self, kind: NoticeKind) -> Step {
        Step::Item(Incoming::Notice(self.notice_of(kind)))
    }

    fn notice_of(&self, kind: NoticeKind) -> Notice {
        let ack_context = &self.pull_loop.ack_context;
        let notice = Notice::new(kind).at_stream(ack_context.stream.clone());
        match &ack_context.consumer {
            Some(consumer) => notice.at_consumer(consumer.clone()),
            None => notice,
        }
    }

    pub(super) fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        self.pull_loop
            .ack_context
            .about(Operation::Subscribe)
            .error(kind, reason)
    }

    pub(super) fn closed(&self) -> Error {
        let ack_context = &self.pull_loop.ack_context;
        let refusal = ack_context.context.refusal(Operation::Subscribe);
        ack_context.about(Operation::Subscribe).on(refusal)
    }

    /// Why the connection does not bring anything any more.
    pub(super) fn disconnected(&self) -> Error {
        if self
            .pull_loop
            .ack_context
            .context
            .check_not_ended(Operation::Subscribe)
            .is_err()
        {
            return self.closed();
        }
        // It will be said in a moment.
        let about = self.pull_loop.ack_context.about(Operation::Subscribe);
        let monitor = self.pull_loop.ack_context.context.monitor();
        about.on(monitor.unasked(Operation::Subscribe))
    }
}
