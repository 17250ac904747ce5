//! Recovery of a subscription: missed heartbeats, reconnects, lost leaders, deleted or
//! recreated consumers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::bind::{self, Bound};
use super::inbox::Inbox;
use super::pull_loop::{Before, PullLoop};
use super::send::send;
use crate::error::{ApiError, ErrorContext, code};
use crate::options::Management;
use event_sdk_core::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Error, ErrorKind, Operation,
};

/// What is amiss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nothing was heard for too long: what was asked for may be lost.
    Silence,
    /// The connection was made anew: the same.
    Reconnected,
    /// A request ended before it was served.
    Unserved,
    /// Nobody takes requests: the consumer is gone, or has just no leader.
    Nobody,
    /// The server said that the consumer was deleted.
    Deleted,
}

/// How a subscription goes on.
#[derive(Debug)]
pub(super) enum Recovered {
    /// It asks again.
    Again,
    /// It asks through another inbox.
    Renewed(Inbox),
    /// It asks another consumer, which begins with what was not settled.
    Remade(Box<Bound>, Inbox),
    /// It tells its caller what is amiss, and tries again.
    Still(Error),
    /// It has ended.
    Over(Error),
}

/// Since when something is amiss, and what was done about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecoveryState {
    since: Instant,
    tries: u32,
    pub(super) reported: bool,
}

/// For how long it is tried without a word.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take from when the server decides to forget a group until all
/// servers of a cluster have.
const ENDING: Duration = Duration::from_secs(3);

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl RecoveryState {
    pub(super) fn begin() -> Self {
        Self {
            since: Instant::now(),
            tries: 0,
            reported: false,
        }
    }

    /// How long to wait before the next try, which is counted.
    pub(super) fn next_pause(&mut self) -> Duration {
        let pause = SHORTEST_PAUSE * 2_u32.pow(self.tries.min(5));
        self.tries = self.tries.saturating_add(1);
        pause.min(LONGEST_PAUSE)
    }

    /// How often it was tried.
    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    fn is_long(&self) -> bool {
        self.since.elapsed() >= PATIENCE
    }
}

/// One try to get a subscription going again.
pub(super) struct Recovery {
    pub(super) pull_loop: Arc<PullLoop>,
    pub(super) config: Arc<ConsumerConfig>,
    pub(super) cause: Cause,
    pub(super) outage: RecoveryState,
    pub(super) pause: Duration,
}

/// What a server says of a stream, as far as it is asked here.
#[derive(Deserialize)]
struct StreamInfo {
    created: Timestamp,
    state: StreamState,
}

#[derive(Deserialize)]
struct StreamState {
    last_seq: u64,
}

/// Why a try did not get it going.
enum Stop {
    /// It cannot go on.
    Over(Error),
    /// It may work later.
    Later(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error.kind() {
            // What is denied stays so until somebody grants it.
            ErrorKind::Closed
            | ErrorKind::PermissionDenied
            | ErrorKind::ConsumerMismatch { .. } => Self::Over(error),
            _ => Self::Later(error),
        }
    }
}

impl Recovery {
    pub(super) async fn run(self) -> Recovered {
        tokio::time::sleep(self.pause).await;
        let done = match self.cause {
            Cause::Unserved => self.again(),
            Cause::Reconnected => self.renew().await,
            Cause::Silence | Cause::Nobody | Cause::Deleted => self.verify().await,
        };
        match done {
            Ok(recovered) => recovered,
            Err(Stop::Over(error)) => Recovered::Over(error),
            Err(Stop::Later(error)) => self.later(error),
        }
    }

    /// Asks again, unless the caller has to hear first that nothing came of it.
    fn again(&self) -> Result<Recovered, Stop> {
        self.check_heard()?;
        Ok(Recovered::Again)
    }

    /// Whether the caller has heard that requests are not answered, if that lasts.
    fn check_heard(&self) -> Result<(), Stop> {
        if self.outage.is_long() && !self.outage.reported {
            return Err(Stop::Later(self.about().error(
                ErrorKind::Timeout,
                format!("the server has not answered to its requests for {PATIENCE:?}: it may be overloaded, or have no such consumer; they are made again and again"),
            )));
        }
        Ok(())
    }

    /// Asks through another inbox: the requests made through the old one end
    /// when nobody listens there, so that nothing comes twice.
    async fn renew(&self) -> Result<Recovered, Stop> {
        if self.config.name == ConsumerName::Ephemeral && self.config.ack == AckPolicy::None {
            // What was on its way counts as handled: only a new consumer brings it.
            self.delete().await;
            return self.remake().await;
        }
        let inbox = Inbox::open(&self.pull_loop.ack_context.context, &self.about()).await?;
        Ok(Recovered::Renewed(inbox))
    }

    /// Looks whether the consumer is there.
    async fn verify(&self) -> Result<Recovered, Stop> {
        let ack_context = &self.pull_loop.ack_context;
        let bound = self.pull_loop.bound();
        if ack_context.context.options().management == Management::Never {
            return self.verify_unasked().await;
        }
        match bind::info(
            &ack_context.context,
            &bound.stream,
            &bound.name,
            &self.about(),
        )
        .await?
        {
            Ok(info) if info.created == bound.created => {
                ack_context.learn_redelivers(info.redelivers());
                match self.cause {
                    Cause::Silence => {
                        self.check_heard()?;
                        self.renew().await
                    }
                    _ => self.again(),
                }
            }
            Ok(_) if self.has_just_joined() => self.join().await,
            Ok(_) => Err(self.gone("it was deleted, and another of its name was created")),
            Err(error) if error.is(&[code::CONSUMER_NOT_FOUND]) => self.not_found().await,
            Err(error) => Err(self.refused(error)),
        }
    }

    /// The same where the server must not be asked.
    async fn verify_unasked(&self) -> Result<Recovered, Stop> {
        match self.cause {
            Cause::Deleted => Err(self.gone("it was deleted")),
            Cause::Nobody if self.outage.is_long() => Err(self.gone(
                "requests for messages are not answered: the consumer does not exist, or its server is gone",
            )),
            // Servers of 2.10 say nothing where there is no consumer.
            Cause::Silence if self.outage.is_long() && !self.outage.reported => self.again(),
            Cause::Silence => self.renew().await,
            _ => Ok(Recovered::Again),
        }
    }

    async fn not_found(&self) -> Result<Recovered, Stop> {
        if self.has_just_joined() {
            return self.join().await;
        }
        let why = match (&self.config.name, self.cause) {
            (_, Cause::Deleted) | (ConsumerName::Durable(_), _) => "it was deleted",
            (ConsumerName::Group(_), _) => {
                "the server has forgotten this group, and what its members had not settled is not known; subscribe again, and it begins anew"
            }
            (ConsumerName::Ephemeral, _) => return self.remake().await,
        };
        Err(self.gone(why))
    }

    /// Whether this group was found when its last member had gone, so that it may
    /// have ended in this moment; and nothing has come of it.
    fn has_just_joined(&self) -> bool {
        let is_group = matches!(self.config.name, ConsumerName::Group(_));
        let found_idle = self.pull_loop.bound().found_idle;
        is_group
            && found_idle.is_some_and(|since| since.elapsed() < ENDING)
            && self.pull_loop.before().last == 0
    }

    /// Subscribes again, as if it had been done a moment later.
    async fn join(&self) -> Result<Recovered, Stop> {
        let (context, about) = (&self.pull_loop.ack_context.context, self.about());
        let old = self.pull_loop.bound();
        let bound = bind::bind(context, &old.stream, &self.config, old.must_exist, &about).await?;
        let inbox = Inbox::open(context, &about).await?;
        Ok(Recovered::Remade(Box::new(bound), inbox))
    }

    /// Makes an ephemeral consumer again, which the server has forgotten: from
    /// the first message that was not settled.
    async fn remake(&self) -> Result<Recovered, Stop> {
        let ack_context = &self.pull_loop.ack_context;
        let (old, before) = (self.pull_loop.bound(), self.pull_loop.before());
        let about = self.about();
        self.check_same_stream(&old, &before).await?;
        let from = match before.unsettled.first() {
            Some(unsettled) => Some(*unsettled),
            None if before.last > 0 => Some(before.last.saturating_add(1)),
            // The last of each subject were not begun, and stay as they are.
            None if self.config.deliver == DeliverPolicy::LastPerSubject => None,
            None => Some(old.next),
        };
        match bind::again(
            &ack_context.context,
            &old.stream,
            &self.config,
            from,
            &about,
        )
        .await?
        {
            Ok(bound) => {
                tracing::info!(target: crate::TRACING_TARGET, stream = %old.stream, from, "a consumer was made again");
                let inbox = Inbox::open(&ack_context.context, &about).await?;
                Ok(Recovered::Remade(Box::new(bound), inbox))
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Whether the stream is the one whose sequences are known.
    async fn check_same_stream(&self, bound: &Bound, before: &Before) -> Result<(), Stop> {
        let call = format!("STREAM.INFO.{}", bound.stream);
        let info = self
            .pull_loop
            .ack_context
            .context
            .call(&self.about(), &call, &json!({}))
            .await?;
        let stream: StreamInfo = info.map_err(|error| self.refused(error))?;
        let created = bound.created.as_deref().and_then(|time| time.parse().ok());
        if stream.state.last_seq >= before.last
            && created.is_some_and(|consumer: Timestamp| stream.created <= consumer)
        {
            return Ok(());
        }
        Err(Stop::Over(self.about().error(
            ErrorKind::StreamNotFound,
            "the stream was deleted, and another of its name was created; subscribe again to read that one",
        )))
    }

    /// The server has answered that it cannot.
    fn refused(&self, error: ApiError) -> Stop {
        let is_final = error.is(&[code::STREAM_NOT_FOUND]);
        let error = error.into_error(&self.about());
        if is_final {
            Stop::Over(error)
        } else {
            Stop::Later(error)
        }
    }

    /// The server was not reached, or cannot do it now.
    fn later(&self, error: Error) -> Recovered {
        // That there is no connection is to be seen elsewhere.
        let connected = self.pull_loop.ack_context.context.is_connected();
        if connected && self.outage.is_long() && !self.outage.reported {
            return Recovered::Still(error);
        }
        tracing::debug!(target: crate::TRACING_TARGET, stream = %self.pull_loop.ack_context.stream, %error, "the consumer does not answer");
        Recovered::Again
    }

    /// Removes the consumer, as far as that can be asked for now.
    async fn delete(&self) {
        let context = &self.pull_loop.ack_context.context;
        let bound = self.pull_loop.bound();
        let subject = context.api(format!("CONSUMER.DELETE.{}.{}", bound.stream, bound.name));
        // If it does not arrive, the server removes it in its own time.
        let _ = send(context.receiver(), &subject.into(), bytes::Bytes::new()).await;
    }

    fn gone(&self, why: &str) -> Stop {
        Stop::Over(self.about().error(ErrorKind::ConsumerNotFound, why))
    }

    fn about(&self) -> ErrorContext {
        self.pull_loop.ack_context.about(Operation::Subscribe)
    }
}
