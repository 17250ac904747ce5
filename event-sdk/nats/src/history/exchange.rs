//! `Exchange`: requests of direct gets and their answers, over the connection for deliveries:
//! what stands in a stored message cannot end it.

use std::future::poll_fn;

use tokio::sync::broadcast;
use tokio::time::timeout;

use crate::connection::{Denial, TOO_MANY_SUBSCRIPTIONS};
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::pending_replies::NoReply;
use crate::receiver::{Arrivals, LinkWatch, WireMessage};
use event_sdk_core::transport::{Error, ErrorKind};

/// Some requests to one subject.
pub(super) struct Exchange<'a> {
    context: &'a NatsContext,
    about: &'a ErrorContext,
    /// Where the requests are sent.
    subject: String,
    /// What the subjects begin with where answers come.
    inbox: String,
    arrivals: Arrivals,
    link: LinkWatch,
    denials: broadcast::Receiver<Denial>,
}

impl<'a> Exchange<'a> {
    /// Opens the connection for deliveries if it is not.
    pub(super) async fn open(
        context: &'a NatsContext,
        about: &'a ErrorContext,
        stream: &str,
    ) -> Result<Self, Error> {
        let receiver = context.receiver();
        receiver.open(about).await?;
        // Before anything is sent, so that none is missed.
        let denials = context.denials();
        let link = receiver.link();
        let inbox = context.new_inbox();
        Ok(Self {
            subject: context.api(format_args!("DIRECT.GET.{stream}")),
            arrivals: receiver.subscribe(format!("{inbox}.*"), None, usize::MAX),
            inbox,
            link,
            denials,
            context,
            about,
        })
    }

    /// Sends a request; its answers have this number.
    pub(super) fn ask(&self, number: u64, request: &serde_json::Value) {
        let reply = format!("{}.{number}", self.inbox);
        let request = request.to_string();
        let receiver = self.context.receiver();
        receiver.request(&self.subject, &reply, request.as_bytes());
    }

    /// The next answer, and the number of its request.
    pub(super) async fn answer(&mut self) -> Result<(u64, WireMessage), Error> {
        let limit = self.context.options().request_timeout;
        loop {
            let message = timeout(limit, self.next()).await.unwrap_or_else(|_| {
                Err(self.about.error(
                    ErrorKind::Timeout,
                    format!(
                        "the server did not answer to {} within {limit:?}; try again",
                        self.subject
                    ),
                ))
            })?;
            let number = message.subject().strip_prefix(self.inbox.as_bytes());
            let number = number.and_then(|end| std::str::from_utf8(end.strip_prefix(b".")?).ok());
            // Anything else comes from somebody who knows the inbox.
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                return Ok((number, message));
            }
        }
    }

    async fn next(&mut self) -> Result<WireMessage, Error> {
        let (subject, inbox) = (&self.subject, format!("{}.*", self.inbox));
        let (denials, sid) = (&mut self.denials, self.arrivals.sid());
        let (context, about) = (self.context, self.about);
        let denied = async {
            loop {
                match denials.recv().await {
                    Ok(Denial::Publish(denied)) if denied == *subject => {
                        return context.unanswered(about, NoReply::Denied, subject);
                    }
                    Ok(Denial::Subscribe(denied)) if denied == inbox => {
                        return context.unanswered(about, NoReply::Deaf, subject);
                    }
                    Ok(Denial::Excess { sid: refused, .. }) if refused == sid => {
                        return about.error(ErrorKind::PermissionDenied, TOO_MANY_SUBSCRIPTIONS);
                    }
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    // The connection has ended, and with it the answers.
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            biased;
            message = poll_fn(|cx| self.arrivals.poll_next(cx)) => match message {
                Some(message) => Ok(message),
                None => Err(self.about.on(self.context.refusal(self.about.operation))),
            },
            error = denied => Err(error),
            () = self.link.lost() => Err(self.about.error(
                ErrorKind::Disconnected,
                "the connection was lost; try again",
            )),
        }
    }
}
