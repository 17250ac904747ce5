//! Requests to the JetStream API: sends one, awaits its reply, maps timeouts, denials and no
//! responders to errors.

use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::NatsContext;
use crate::connection::ConnectionState;
use crate::error::{ApiError, ErrorContext, response};
use crate::pending_replies::{NoReply, Reply, ReplyToken};
use event_sdk_core::transport::{Capability, Error, ErrorKind};

impl NatsContext {
    /// Makes a call of the JetStream API that looks at streams and consumers or
    /// changes them: `call` is what follows the API's prefix, such as
    /// `STREAM.INFO.ORDERS`, and `request` what is sent as JSON.
    ///
    /// Refused without being sent where management calls are switched off.
    /// Cancel-safe: the call may have been made all the same.
    pub(crate) async fn request<Q: Serialize + Sync, R: DeserializeOwned>(
        &self,
        about: &ErrorContext,
        call: &str,
        request: &Q,
    ) -> Result<R, Error> {
        let answer = self.call(about, call, request).await?;
        answer.map_err(|error| error.into_error(about))
    }

    /// The same, for whoever expects an error of the server: that is the inner
    /// one.
    pub(crate) async fn call<Q: Serialize + Sync, R: DeserializeOwned>(
        &self,
        about: &ErrorContext,
        call: &str,
        request: &Q,
    ) -> Result<Result<R, ApiError>, Error> {
        self.check_managed(about, call)?;
        let payload = serde_json::to_vec(request).map_err(|error| {
            about
                .error(ErrorKind::Encode, "the request cannot be written as JSON")
                .with_source(error)
        })?;
        let (subject, payload) = (self.api(call), payload.into());
        let reply = if may_be_repeated(call) {
            self.ask_again(about, subject, payload).await?
        } else {
            self.ask(about, subject, payload).await?
        };
        if reply.is_no_responders() {
            return Err(about.error(
                ErrorKind::Unsupported(Capability::Store),
                format!("nothing answers requests to {}; enable JetStream for this account, or name the domain that has it", self.api(call)),
            ));
        }
        match response(&reply.payload) {
            Ok(answer) => Ok(answer),
            Err(error) => Err(about
                .error(
                    ErrorKind::Other,
                    format!("the server's answer to {call} cannot be read"),
                )
                .with_source(error)),
        }
    }

    /// Sends `payload` to `subject` and waits for one answer, for as long as a
    /// request may take, the time included that it takes to be connected. That
    /// nobody listens there is an answer too, which the server gives. A drain
    /// refuses no question, for what was begun may have to ask.
    ///
    /// Cancel-safe: what was asked may have been done all the same.
    pub(crate) async fn ask(
        &self,
        about: &ErrorContext,
        subject: String,
        payload: Bytes,
    ) -> Result<Reply, Error> {
        let limit = self.options.request_timeout;
        let answered = self.ask_within(about, &subject, None, payload, limit);
        answered.await.map_err(|NotAnswered { error, .. }| error)
    }

    /// Asks as [`ask`](Self::ask) does, with a question that may be asked twice. While a cluster elects a leader, each
    /// server may leave the answer to another one, so that none answers. So it is asked again after
    /// a third of the time, and after two thirds; the first answer counts.
    ///
    /// Cancel-safe: what was asked may have been done all the same.
    pub(crate) async fn ask_again(
        &self,
        about: &ErrorContext,
        subject: String,
        payload: Bytes,
    ) -> Result<Reply, Error> {
        let limit = self.options.request_timeout;
        let again = |after: Duration| {
            let (subject, payload) = (&subject, payload.clone());
            async move {
                tokio::time::sleep(after).await;
                let left = limit.saturating_sub(after);
                let answered = self.ask_within(about, subject, None, payload, left);
                answered
                    .await
                    .ok()
                    .filter(|reply| !reply.is_no_responders())
            }
        };
        let first = std::pin::pin!(self.ask(about, subject.clone(), payload.clone()));
        let copies = [again(limit / 3), again(limit * 2 / 3)];
        let copies = copies.into_iter().collect::<FuturesUnordered<_>>();
        let mut answers = std::pin::pin!(copies.filter_map(std::future::ready));
        // The first one lasts longest, and says what is wrong.
        let answer = answers.next().then(async |answer| match answer {
            Some(reply) => reply,
            None => std::future::pending().await,
        });
        match select(first, std::pin::pin!(answer)).await {
            Either::Left((answer, _)) => answer,
            Either::Right((reply, _)) => Ok(reply),
        }
    }

    /// Asks once as [`ask`](Self::ask) does, with headers and another time limit; an error says
    /// whether the question was sent.
    ///
    /// Cancel-safe: what was asked may have been done all the same.
    pub(crate) async fn ask_within(
        &self,
        about: &ErrorContext,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: Bytes,
        limit: Duration,
    ) -> Result<Reply, NotAnswered> {
        if !self.monitor.is_wanted() {
            let error = about.on(self.refusal(about.operation));
            return Err(NotAnswered { error, sent: false });
        }
        let mut sent = false;
        let asked = self.asked(about, subject, headers, payload, &mut sent);
        let error = match tokio::time::timeout(limit, asked).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => error,
            Err(_) if self.watch().current() != ConnectionState::Connected => {
                about.on(self.monitor.disconnected(about.operation, limit))
            }
            Err(_) => about
                .error(
                    ErrorKind::Timeout,
                    format!("the server did not answer to {subject} within {limit:?}; try again"),
                )
                .with_unknown_outcome(),
        };
        Err(NotAnswered { error, sent })
    }

    async fn asked(
        &self,
        about: &ErrorContext,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: Bytes,
        sent: &mut bool,
    ) -> Result<Reply, Error> {
        if !self.watch().connected().await {
            return Err(about.on(self.refusal(about.operation)));
        }
        let asked = Asked::new(self, subject);
        let (to, reply_to) = (subject.to_owned(), asked.reply_to.clone());
        *sent = true;
        let taken = match headers {
            None => {
                let taken = self.client.publish_with_reply(to, reply_to, payload);
                taken.await
            }
            Some(headers) => {
                let client = &self.client;
                let taken = client.publish_with_reply_and_headers(to, reply_to, headers, payload);
                taken.await
            }
        };
        taken.map_err(|error| {
            about
                .error(ErrorKind::Other, format!("{subject} cannot be asked"))
                .with_source(error)
        })?;
        let answered =
            std::future::poll_fn(|cx| self.send_queue.poll_answer(Some(asked.token), cx));
        answered.await.map_err(|why| {
            // The server has refused it.
            *sent = !matches!(why, NoReply::Denied | NoReply::NotSent);
            self.unanswered(about, why, subject).at_subject(subject)
        })
    }

    /// The error of what was sent to `subject` and got no answer.
    pub(crate) fn unanswered(&self, about: &ErrorContext, why: NoReply, subject: &str) -> Error {
        let options = &self.options;
        let operation = about.operation;
        about.on(why.error(
            operation,
            subject,
            &options.inbox_prefix,
            options.limits.ack,
        ))
    }
}

/// Whether a call of the API that is made twice has the same effect as one.
fn may_be_repeated(call: &str) -> bool {
    const READS: [&str; 7] = [
        "INFO",
        "STREAM.INFO.",
        "STREAM.NAMES",
        "STREAM.MSG.GET.",
        "CONSUMER.INFO.",
        "CONSUMER.LIST.",
        "CONSUMER.NAMES.",
    ];
    // The server finds a consumer of this name and configuration, and answers as it did.
    let creates_named = (call.strip_prefix("CONSUMER.CREATE.")).is_some_and(|it| it.contains('.'));
    creates_named || READS.iter().any(|read| call.starts_with(read))
}

/// Why there is no answer to a question.
#[derive(Debug)]
pub(crate) struct NotAnswered {
    pub(crate) error: Error,
    /// Whether the question may have reached a server.
    pub(crate) sent: bool,
}

/// A question on its way; nobody waits for its answer when this is dropped.
struct Asked<'a> {
    context: &'a NatsContext,
    token: ReplyToken,
    reply_to: async_nats::Subject,
}

impl<'a> Asked<'a> {
    /// A question that is sent to `subject`.
    fn new(context: &'a NatsContext, subject: &str) -> Self {
        let (token, reply_to) = context.send_queue.ask(Some(subject));
        Self {
            context,
            token,
            reply_to,
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.context.send_queue.abandon(Some(self.token));
    }
}
