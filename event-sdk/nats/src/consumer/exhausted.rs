//! Exhausted deliveries: listens to the server's max-deliveries advisories and reports them.

mod before;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::Deserialize;

use super::ack_context::AckContext;
use super::bind::Bound;
use crate::error::ErrorContext;
use crate::receiver::Arrivals;
use crate::streams::{Which, message};
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::{ConsumerConfig, Error, ErrorKind, Exhausted, Operation};

/// Listens for the server's reports about one consumer.
pub(super) struct Reports {
    ack_context: Arc<AckContext>,
    /// How often a message is delivered at the most.
    max_deliver: u32,
    /// On the connection for deliveries: another client may publish under the same subject what
    /// async-nats cannot parse.
    arrivals: Arrivals,
    /// The subjects of messages that were delivered here for the last time.
    known: VecDeque<(u64, Subject)>,
    looking: Option<Looking>,
    /// The sequence that ran out before, if the last look found one.
    before: Before,
}

/// What is known of the time before the subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// It is being asked for.
    Asked,
    /// This message had run out, or none is known.
    Found(Option<u64>),
}

type Looking = Pin<Box<dyn Future<Output = Option<Exhausted>> + Send>>;

/// A report (nats-server, `JSConsumerDeliveryExceededAdvisory`).
#[derive(Debug, Deserialize)]
struct Advisory {
    stream_seq: u64,
    deliveries: u64,
}

/// The most bytes of reports that wait to be read.
const BYTES: usize = 8 * 1024 * 1024;

/// How many subjects are remembered; the others are looked up.
const KNOWN: usize = 1024;

/// How often a subject is looked up, and the pause between.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(500);

impl Reports {
    /// Listens. One of all that listen for this consumer gets each report.
    pub(super) async fn open(
        ack_context: Arc<AckContext>,
        bound: &Bound,
        config: &Arc<ConsumerConfig>,
        max_deliver: u32,
    ) -> Result<Self, Error> {
        let consumer = &bound.name;
        let about = ack_context.about(Operation::Subscribe);
        let subject = format!(
            "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{}.{consumer}",
            ack_context.stream
        );
        let group = format!("event-sdk-{consumer}");
        let receiver = ack_context.context.receiver();
        receiver.open(&about).await?;
        let arrivals = receiver.subscribe(subject, Some(group), BYTES);
        receiver.flush(&about).await?;
        // Behind that, so that none is missed between.
        let looking: Option<Looking> = (!bound.consumer.created).then(|| {
            let (ack_context, config) = (Arc::clone(&ack_context), Arc::clone(config));
            Box::pin(before::find(ack_context, consumer.clone(), config)) as Looking
        });
        Ok(Self {
            ack_context,
            max_deliver,
            arrivals,
            known: VecDeque::new(),
            before: if looking.is_some() {
                Before::Asked
            } else {
                Before::Found(None)
            },
            looking,
        })
    }

    /// A message is delivered.
    pub(super) fn delivered(&mut self, sequence: u64, attempt: u32, subject: &Subject) {
        if attempt < self.max_deliver {
            return;
        }
        if self.known.len() == KNOWN {
            self.known.pop_front();
        }
        self.known.push_back((sequence, subject.clone()));
    }

    /// The next report.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Exhausted> {
        loop {
            if let Some(looking) = &mut self.looking {
                let found = ready!(looking.as_mut().poll(cx));
                self.looking = None;
                if self.before == Before::Asked {
                    self.before = Before::Found(found.as_ref().map(|found| found.sequence));
                }
                if let Some(report) = found {
                    return Poll::Ready(report);
                }
            }
            // When the connection has ended, the subscription says so.
            let Some(message) = ready!(self.arrivals.poll_next(cx)) else {
                return Poll::Pending;
            };
            // Subject and headers say nothing that the body does not.
            let Ok(advisory) = serde_json::from_slice::<Advisory>(&message.body()) else {
                tracing::warn!(target: crate::TRACING_TARGET, stream = %self.ack_context.stream, "a report of the server cannot be read");
                continue;
            };
            if let Some(report) = self.report(&advisory) {
                return Poll::Ready(report);
            }
        }
    }

    /// The report, if the message's subject is known; otherwise it is looked for.
    fn report(&mut self, advisory: &Advisory) -> Option<Exhausted> {
        let attempts = u32::try_from(advisory.deliveries).unwrap_or(u32::MAX);
        let sequence = advisory.stream_seq;
        if self.before == Before::Found(Some(sequence)) {
            // It ran out while it was looked for, and is reported.
            self.before = Before::Found(None);
            return None;
        }
        let mut known = self.known.iter();
        let Some(at) = known.position(|(known, _)| *known == sequence) else {
            self.looking = Some(Box::pin(look_up(
                Arc::clone(&self.ack_context),
                sequence,
                attempts,
            )));
            return None;
        };
        let (_, subject) = self.known.remove(at)?;
        Some(Exhausted {
            subject: Some(subject),
            sequence,
            attempts,
        })
    }
}

/// Asks the server for the subject of a message; `None` if it is gone.
async fn look_up(ack_context: Arc<AckContext>, sequence: u64, attempts: u32) -> Option<Exhausted> {
    let about = ack_context.about(Operation::Subscribe);
    let mut tries = 0;
    let error = loop {
        match ask(&ack_context, &about, sequence).await {
            Ok(None) => {
                tracing::info!(target: crate::TRACING_TARGET,
                    stream = %ack_context.stream,
                    sequence,
                    "a message that ran out of deliveries is not in its stream any more"
                );
                return None;
            }
            Ok(Some(subject)) => {
                return Some(Exhausted {
                    subject: Some(subject),
                    sequence,
                    attempts,
                });
            }
            Err(error) => {
                tries += 1;
                if tries == TRIES || *error.kind() == ErrorKind::Closed {
                    break error;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    tracing::warn!(target: crate::TRACING_TARGET,
        stream = %ack_context.stream,
        sequence,
        %error,
        "the subject of a message that ran out of deliveries cannot be read"
    );
    Some(Exhausted {
        subject: None,
        sequence,
        attempts,
    })
}

async fn ask(
    ack_context: &AckContext,
    about: &ErrorContext,
    sequence: u64,
) -> Result<Option<Subject>, Error> {
    let which = Which::Sequence(sequence);
    let Some(found) = message(&ack_context.context, about, &ack_context.stream, &which).await?
    else {
        return Ok(None);
    };
    Subject::parse(found.subject)
        .map(Some)
        .map_err(|why| about.error(ErrorKind::InvalidSubject, why.to_string()))
}
