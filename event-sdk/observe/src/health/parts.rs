//! The parts of a check: a stream, a durable with its lag, a dead-letter stream, an outbox.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::Discard;
use event_sdk::text::Text;
use event_sdk::time::Clock;
use event_sdk::transport::{
    ConsumerInfo, Error, ErrorKind, HistoryRequest, HistoryStart, StreamState, Transport,
    TransportExt as _,
};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use jiff::Timestamp;

use super::progress::Progress;
use super::report::Problem;
use super::{DeadLetterHealth, DurableHealth, OutboxHealth, Status, StreamHealth, Thresholds};

/// An outbox, and how its status is read.
pub(super) struct Outbox {
    pub(super) name: String,
    pub(super) read: Box<dyn Fn(Timestamp) -> Read + Send + Sync>,
}

type Read = Pin<Box<dyn Future<Output = Result<OutboxHealth, String>> + Send>>;

/// What a check has in common with its parts.
pub(super) struct Scope<'a> {
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) thresholds: &'a Thresholds,
    pub(super) progress: &'a Progress,
    /// Of what is asked.
    pub(super) transport: Arc<dyn Transport>,
    /// Whether requests are made.
    pub(super) connected: bool,
    pub(super) deadline: Duration,
    pub(super) timeout: Duration,
}

/// A part, with what is wrong with it, and the time until the first request was answered.
pub(super) struct Part<T> {
    pub(super) health: T,
    pub(super) problems: Vec<Problem>,
    pub(super) answered_in: Option<Duration>,
}

/// Why a value is not known.
struct Unknown {
    reason: String,
    /// What that says about the part; `None`: nothing.
    status: Option<Status>,
    /// Whether the thing does not exist.
    missing: bool,
}

impl Scope<'_> {
    /// Makes a request if there is a connection, and waits for the answer until the deadline of the
    /// check.
    async fn ask<T, F>(&self, request: impl FnOnce() -> F) -> Result<T, Unknown>
    where
        F: Future<Output = Result<T, Error>>,
    {
        if !self.connected {
            return Err(Unknown {
                reason: "not asked, because there is no connection".to_owned(),
                status: None,
                missing: false,
            });
        }
        match self.within(request()).await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(Unknown::of(&error)),
            None => Err(self.no_answer()),
        }
    }

    /// Waits until the deadline. An answer that is there is taken, also if it is looked at late.
    async fn within<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        let answer = std::pin::pin!(answer);
        match select(answer, self.clock.sleep_until(self.deadline)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    fn no_answer(&self) -> Unknown {
        Unknown {
            reason: format!("gave no answer within {:?}", self.timeout),
            status: Some(Status::Down),
            missing: false,
        }
    }

    pub(super) async fn stream(&self, name: &Text) -> Part<StreamHealth> {
        let asked = self.clock.monotonic();
        let state = self.ask(|| self.transport.stream_state(name)).await;
        let mut health = StreamHealth {
            name: name.to_string(),
            exists: None,
            subjects: None,
            messages: None,
            bytes: None,
            max_bytes: None,
            max_messages: None,
            discard: None,
            removed: None,
            error: None,
        };
        let mut problems = Vec::new();
        let mut answered_in = None;
        match state {
            Ok(state) => {
                answered_in = Some(self.clock.monotonic().saturating_sub(asked));
                let subjects = state.config.subjects.iter().map(ToString::to_string);
                health.exists = Some(true);
                health.subjects = Some(subjects.collect());
                health.messages = Some(state.messages);
                health.bytes = Some(state.bytes);
                let limits = &state.config.limits;
                health.max_bytes = limits.bytes.map(NonZeroU64::get);
                health.max_messages = limits.messages.map(NonZeroU64::get);
                health.discard = Some(match limits.discard {
                    Discard::Old => "old",
                    Discard::New => "new",
                });
                health.removed = Some(state.last_sequence.saturating_sub(state.messages));
                problems.extend(self.fullness(name, &state));
            }
            Err(unknown) => {
                health.exists = unknown.missing.then_some(false);
                health.error = Some(unknown.enter(format!("stream {name}"), &mut problems));
            }
        }
        Part {
            health,
            problems,
            answered_in,
        }
    }

    /// Whether a stream that refuses messages when it is full is nearly so.
    fn fullness(&self, name: &Text, state: &StreamState) -> Option<Problem> {
        let (most, limits) = (self.thresholds.stream_full_percent?, &state.config.limits);
        if limits.discard != Discard::New {
            return None;
        }
        let of = |used: u64, limit: Option<NonZeroU64>, unit: &'static str| {
            let limit = limit?.get();
            let beyond = u128::from(used) * 100 >= u128::from(limit) * u128::from(most);
            beyond.then_some((used, limit, unit))
        };
        let (used, limit, unit) = of(state.bytes, limits.bytes, "bytes")
            .or_else(|| of(state.messages, limits.messages, "messages"))?;
        let problem = format!(
            "has {used} of at most {limit} {unit}, and refuses new messages when it is full"
        );
        let part = format!("stream {name}");
        Some(Problem::new(Status::Degraded, part, problem))
    }

    pub(super) async fn dead_letters(&self, name: &Text) -> Part<DeadLetterHealth> {
        let mut problems = Vec::new();
        let part = || format!("dead-letter stream {name}");
        let (messages, error) = match self.ask(|| self.transport.stream_state(name)).await {
            Ok(state) => (Some(state.messages), None),
            Err(unknown) => (None, Some(unknown.enter(part(), &mut problems))),
        };
        if let (Some(messages), Some(most)) = (messages, self.thresholds.dead_letters)
            && messages > most
        {
            let problem = format!("has {messages} messages, more than {most}");
            problems.push(Problem::new(Status::Degraded, part(), problem));
        }
        Part {
            health: DeadLetterHealth {
                stream: name.to_string(),
                messages,
                error,
            },
            problems,
            answered_in: None,
        }
    }

    /// The durable `name` on `stream`.
    pub(super) async fn durable(&self, durable: &(Text, Text)) -> Part<DurableHealth> {
        let (stream, name) = durable;
        let asked = self.clock.monotonic();
        let mut health = DurableHealth {
            stream: stream.to_string(),
            durable: name.to_string(),
            ..DurableHealth::default()
        };
        let mut problems = Vec::new();
        let part = format!("durable {name} of stream {stream}");
        let mut answered_in = None;
        match self
            .ask(|| self.transport.consumer_info(stream, name))
            .await
        {
            Ok(info) => {
                let now = self.clock.monotonic();
                answered_in = Some(now.saturating_sub(asked));
                let still = self.progress.still(&self.transport, durable, &info, now);
                health.lag_events = Some(info.pending.saturating_add(info.ack_pending));
                health.pending = Some(info.pending);
                health.ack_pending = Some(info.ack_pending);
                health.redelivered = Some(info.redelivered);
                health.waiting = info.waiting;
                health.still_seconds = Some(still.as_secs_f64());
                let stuck = |limit| info.pending > 0 && still >= limit;
                health.stuck = self.thresholds.stuck_after.map(stuck);
                match self.lag_time(stream, &info).await {
                    Ok(lag) => health.lag_seconds = lag.map(|lag| lag.as_secs_f64()),
                    // The lag is one request of two; the other one was answered.
                    Err(unknown) => health.error = Some(format!("lag: {}", unknown.reason)),
                }
                self.judge(&part, &health, &mut problems);
            }
            Err(unknown) => {
                if !self.connected {
                    // A server that is away delivers nothing: no consumer stands still because of that.
                    self.progress.forget(&self.transport, durable);
                }
                health.error = Some(unknown.enter(part, &mut problems));
            }
        }
        Part {
            health,
            problems,
            answered_in,
        }
    }

    /// The [`lag_time`] of a durable.
    async fn lag_time(
        &self,
        stream: &Text,
        info: &ConsumerInfo,
    ) -> Result<Option<Duration>, Unknown> {
        if info.pending == 0 && info.ack_pending == 0 {
            return Ok(Some(Duration::ZERO));
        }
        self.ask(|| lag_time(&*self.transport, stream, info, self.clock))
            .await
    }

    /// Compares a durable with the thresholds.
    fn judge(&self, part: &str, health: &DurableHealth, problems: &mut Vec<Problem>) {
        let mut degraded = |problem| {
            problems.push(Problem::new(Status::Degraded, part.to_owned(), problem));
        };
        if let (Some(lag), Some(most)) = (health.lag_events, self.thresholds.lag_events)
            && lag > most
        {
            degraded(format!(
                "has {lag} events that are not settled, more than {most}"
            ));
        }
        if let (Some(lag), Some(most)) = (health.lag_seconds, self.thresholds.lag_time)
            && lag > most.as_secs_f64()
        {
            degraded(format!(
                "has an event that was not settled for {lag:.0} s, longer than {most:?}"
            ));
        }
        if health.stuck == Some(true) {
            let pending = health.pending.unwrap_or_default();
            let still = health.still_seconds.unwrap_or_default();
            degraded(format!(
                "is stuck: {pending} events wait, and for {still:.0} s none was delivered or settled while the connection exists"
            ));
        }
    }

    pub(super) async fn outbox(&self, outbox: &Outbox) -> Part<OutboxHealth> {
        let mut problems = Vec::new();
        let part = format!("outbox {}", outbox.name);
        let unknown = |unknown: Unknown, problems: &mut Vec<Problem>| OutboxHealth {
            name: outbox.name.clone(),
            error: Some(unknown.enter(part.clone(), problems)),
            ..OutboxHealth::default()
        };
        let health = match self.within((outbox.read)(self.clock.now())).await {
            Some(Ok(health)) => health,
            Some(Err(reason)) => {
                let failed = Unknown {
                    reason: format!("cannot be read: {reason}"),
                    status: Some(Status::Down),
                    missing: false,
                };
                unknown(failed, &mut problems)
            }
            None => unknown(self.no_answer(), &mut problems),
        };
        let mut degraded = |problem| {
            problems.push(Problem::new(Status::Degraded, part.clone(), problem));
        };
        if let (Some(depth), Some(most)) = (health.depth, self.thresholds.outbox_depth)
            && depth > most
        {
            degraded(format!("has {depth} rows to publish, more than {most}"));
        }
        if let (Some(age), Some(most)) = (health.oldest_age_seconds, self.thresholds.outbox_age)
            && age > most.as_secs_f64()
        {
            degraded(format!(
                "has a row that waits for {age:.0} s, longer than {most:?}"
            ));
        }
        Part {
            health,
            problems,
            answered_in: None,
        }
    }
}

/// Returns the age of the oldest event that a durable has not settled, which is the first event
/// above its ack floor. The age is the difference between the stored time of the server and this
/// clock. It is zero without lag, and `None` if the event was dropped or settled since `info` was
/// read.
///
/// Cancel-safe: it changes nothing.
///
/// # Errors
///
/// The errors of [`History::read`](event_sdk::transport::History::read).
pub async fn lag_time(
    transport: &dyn Transport,
    stream: &Text,
    info: &ConsumerInfo,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Duration>, Error> {
    if info.pending == 0 && info.ack_pending == 0 {
        return Ok(Some(Duration::ZERO));
    }
    let mut request = HistoryRequest::new(stream.clone(), info.config.filters.clone());
    request.from = HistoryStart::Sequence(info.acknowledged.saturating_add(1));
    request.limit = Some(1);
    let mut stored = transport.read_history(request).await?;
    let oldest = stored.next().await.transpose()?;
    Ok(oldest.map(|oldest| {
        let age = clock.now().duration_since(oldest.stored_at);
        // The clock of the server may be ahead.
        age.try_into().unwrap_or_default()
    }))
}

impl Unknown {
    fn of(error: &Error) -> Self {
        let missing = matches!(
            error.kind(),
            ErrorKind::StreamNotFound | ErrorKind::ConsumerNotFound
        );
        let refused = matches!(
            error.kind(),
            ErrorKind::PermissionDenied | ErrorKind::Unsupported(_)
        );
        Self {
            reason: if missing {
                format!("does not exist: {error}")
            } else {
                format!("cannot be read: {error}")
            },
            status: (!refused).then_some(Status::Down),
            missing,
        }
    }

    /// Adds the problem of `part`, and returns the reason for its report.
    fn enter(self, part: String, problems: &mut Vec<Problem>) -> String {
        if let Some(status) = self.status {
            problems.push(Problem::new(status, part, self.reason.clone()));
        }
        self.reason
    }
}
