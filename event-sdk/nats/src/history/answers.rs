//! `Answers`: what comes to a direct get, over the connection for deliveries, which hands over
//! stored messages whatever another client has written into them.

use std::future::poll_fn;

use serde_json::Value;
use tokio::sync::broadcast;

use super::direct::Answer;
use crate::connection::Denial;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::pending_replies::NoReply;
use crate::receiver::Arrivals;
use event_sdk_core::transport::{Error, ErrorKind};

/// The answers to one request.
pub(super) struct Answers<'a> {
    context: &'a NatsContext,
    about: &'a ErrorContext,
    subject: String,
    inbox: String,
    arrivals: Arrivals,
    denials: broadcast::Receiver<Denial>,
}

impl<'a> Answers<'a> {
    /// Asks any copy of the stream.
    pub(super) async fn ask(
        context: &'a NatsContext,
        about: &'a ErrorContext,
        stream: &str,
        request: &Value,
    ) -> Result<Self, Error> {
        let subject = context.api(format_args!("DIRECT.GET.{stream}"));
        context.receiver().open(about).await?;
        let denials = context.denials();
        let inbox = context.new_inbox();
        let arrivals = context.receiver().subscribe(inbox.clone(), None);
        let body = request.to_string();
        context
            .receiver()
            .request(&subject, &inbox, body.as_bytes());
        Ok(Self {
            context,
            about,
            subject,
            inbox,
            arrivals,
            denials,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Result<Answer, Error> {
        let (context, about, subject) = (self.context, self.about, &self.subject);
        let limit = context.options().request_timeout;
        tokio::select! {
            biased;
            message = poll_fn(|cx| self.arrivals.poll_next(cx)) => match message {
                Some(message) => Ok(Answer::new(message)),
                None => Err(about.on(context.refusal(about.operation))),
            },
            why = denied(&mut self.denials, subject, &self.inbox) => {
                Err(context.unanswered(about, why, subject))
            }
            () = tokio::time::sleep(limit) => Err(about.error(
                ErrorKind::Timeout,
                format!("the server did not answer to {subject} within {limit:?}; try again"),
            )),
        }
    }
}

/// Waits until the server has denied the request, or its answers.
async fn denied(denials: &mut broadcast::Receiver<Denial>, subject: &str, inbox: &str) -> NoReply {
    loop {
        match denials.recv().await {
            Ok(Denial::Publish(denied)) if denied == subject => return NoReply::Denied,
            Ok(Denial::Subscribe(denied)) if denied == inbox => return NoReply::Deaf,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            // The connection has ended, and with it the answers.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
