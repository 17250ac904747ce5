//! `Reader`: a subscription with deadlines, which reports unexpected items.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::select_all;

use super::failure::{Failure, Outcome, ensure, ensure_eq, within};
use event_sdk_core::transport::{
    Body, BoundConsumer, Deliveries, Error, Incoming, Received, Settlement, Settler, Subscription,
};

/// A subscription, read with patience.
pub(super) struct Reader {
    pub(super) deliveries: Deliveries,
    /// The consumers that it reads.
    bound: Vec<BoundConsumer>,
    patience: Duration,
}

/// A message that was received, and when.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) received: Received,
    pub(super) at: Instant,
    patience: Duration,
}

impl Reader {
    pub(super) fn new(subscription: Subscription, patience: Duration) -> Self {
        Self {
            deliveries: subscription.deliveries,
            bound: vec![subscription.bound],
            patience,
        }
    }

    /// All of these as one, in no order among them; it ends when all have.
    pub(super) fn merge(readers: Vec<Self>, patience: Duration) -> Self {
        let bound = readers.iter().flat_map(|reader| reader.bound.clone());
        Self {
            bound: bound.collect(),
            deliveries: Box::pin(select_all(
                readers.into_iter().map(|reader| reader.deliveries),
            )),
            patience,
        }
    }

    /// The consumer that it reads.
    pub(super) fn bound(&self) -> Outcome<&BoundConsumer> {
        self.bound
            .first()
            .ok_or_else(|| Failure::new("nothing was bound"))
    }

    /// The next item, whatever it is; `None` at the end.
    pub(super) async fn item(&mut self) -> Outcome<Option<Result<Incoming, Error>>> {
        let next = self.deliveries.next();
        within(self.patience, "the next item of a subscription", next).await
    }

    /// The next item, which must not be an error or the end.
    pub(super) async fn incoming(&mut self) -> Outcome<Incoming> {
        match self.item().await? {
            Some(item) => Ok(item?),
            None => Err(Failure::new("the subscription ended")),
        }
    }

    /// The next item, which must be a message.
    pub(super) async fn message(&mut self) -> Outcome<Got> {
        match self.incoming().await? {
            Incoming::Message(received) => Ok(Got {
                received,
                at: Instant::now(),
                patience: self.patience,
            }),
            Incoming::Notice(notice) => Err(Failure::new(format!(
                "{notice:?} came instead of a message"
            ))),
        }
    }

    /// The next item, which must be the message with this number.
    pub(super) async fn expect(&mut self, number: u64) -> Outcome<Got> {
        let got = self.message().await?;
        ensure_eq!(
            got.number()?,
            number,
            "the number of the next message (attempt {})",
            got.attempt()
        );
        Ok(got)
    }

    /// The next items, which must be the messages with these numbers in this
    /// order, delivered for the first time; each is acknowledged.
    pub(super) async fn expect_and_ack(
        &mut self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> Outcome {
        for number in numbers {
            let got = self.expect(number).await?;
            ensure_eq!(got.attempt(), 1, "the attempt of message {number}");
            got.ack().await?;
        }
        Ok(())
    }

    /// What is there now, without waiting.
    pub(super) async fn ready(&mut self) -> Option<Result<Incoming, Error>> {
        futures_util::future::poll_immediate(self.deliveries.next())
            .await
            .flatten()
    }

    /// The subscription ends without an error, perhaps after messages that were on their way.
    pub(super) async fn end(&mut self) -> Outcome {
        loop {
            match self.item().await? {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    return Err(Failure::new(format!(
                        "a good end was called a failure: {error}"
                    )));
                }
                None => return Ok(()),
            }
        }
    }

    /// The subscription fails, perhaps after messages that were on their way; the error that
    /// says why, after which nothing comes.
    pub(super) async fn failure(&mut self) -> Outcome<Error> {
        let error = loop {
            match self.item().await? {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => return Err(Failure::new("the subscription ended and did not say why")),
            }
        };
        let after = self.item().await?;
        ensure!(
            after.is_none(),
            "the subscription went on after {error}: {after:?}"
        );
        Ok(error)
    }
}

impl Got {
    /// The number that the body says.
    #[track_caller]
    pub(super) fn number(&self) -> Outcome<u64> {
        number(&self.received.body)
    }

    pub(super) fn attempt(&self) -> u32 {
        self.received.info.attempt
    }

    /// The number among the deliveries of the consumer.
    pub(super) fn delivery(&self) -> Option<u64> {
        self.received.info.number
    }

    /// The sequence that a transport which stores has to name.
    #[track_caller]
    pub(super) fn sequence(&self) -> Outcome<u64> {
        let info = &self.received.info;
        info.sequence
            .ok_or_else(|| Failure::new(format!("the message has no sequence: {info:?}")))
    }

    #[track_caller]
    pub(super) fn settler(&self) -> Outcome<Settler> {
        self.received
            .settler
            .clone()
            .ok_or_else(|| Failure::new("the message has no way to be settled"))
    }

    pub(super) async fn ack(&self) -> Outcome {
        self.settle(Settlement::Ack).await
    }

    pub(super) async fn nak(&self, delay: Duration) -> Outcome {
        self.settle(Settlement::Nak(delay)).await
    }

    pub(super) async fn term(&self) -> Outcome {
        let reason = "the conformance suite cannot handle it".to_owned();
        self.settle(Settlement::Term(reason)).await
    }

    pub(super) async fn in_progress(&self) -> Outcome {
        self.settle(Settlement::InProgress).await
    }

    pub(super) async fn settle(&self, settlement: Settlement) -> Outcome {
        Ok(self.try_settle(settlement).await??)
    }

    pub(super) async fn try_settle(&self, settlement: Settlement) -> Outcome<Result<(), Error>> {
        let what = format!("the answer to {settlement:?}");
        within(self.patience, &what, self.settler()?.settle(settlement)).await
    }

    /// Settles it where there is something to settle.
    pub(super) async fn settle_if_any(&self, settlement: Settlement) -> Outcome {
        match self.received.settler {
            Some(_) => self.settle(settlement).await,
            None => Ok(()),
        }
    }
}

/// The number that a body says.
#[track_caller]
pub(super) fn number(body: &Body) -> Outcome<u64> {
    let Body::Encoded(bytes) = body else {
        return Err(Failure::new(format!("{body:?} came instead of the bytes")));
    };
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Failure::new(format!("the body is none that was published: {bytes:?}")))
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
