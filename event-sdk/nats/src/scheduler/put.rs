//! `Put`: schedules a message by publishing it with an expected sequence; replaces an earlier schedule
//! only while that cannot be firing.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::cancel::{Withdrawn, withdraw};
use super::layout::{
    EXPECTED, EXPECTED_STREAM, Layout, SCHEDULE, TARGET, TTL, schedule_at, time_of,
};
use crate::context::{NatsContext, NotAnswered};
use crate::error::{ApiError, ErrorContext, code};
use crate::headers;
use crate::pending_replies::Reply;
use crate::publish::{check_headers, check_size};
use crate::stream_answer::{StreamAnswer, foreign};
use crate::streams::{self, Found, Which};
use event_sdk_core::transport::{
    Body, Capability, Error, ErrorKind, Expectations, Operation, ScheduleRequest, Scheduled,
};

/// How much of its time a request waits for the answer to one copy, before it sends the next one: two
/// fifths, so that three copies are sent.
const ANSWER: f64 = 0.4;

/// The pause before a copy is sent again that a server has refused for the moment.
const PAUSE: Duration = Duration::from_millis(100);

/// A copy without an answer is sent again only if its time is further away than this. The first copy
/// may be stored, and if it had fired already, the second would fire too.
const FAR: SignedDuration = SignedDuration::from_secs(30);

/// An earlier schedule is replaced in place only if its time is further away than this, so that it
/// cannot fire before the server has the new one: what fires last removes the schedule of its key.
const NOT_FIRING: SignedDuration = SignedDuration::from_secs(5);

/// A message that is to be scheduled.
pub(super) struct Put<'a> {
    context: &'a Arc<NatsContext>,
    about: ErrorContext,
    layout: &'a Layout,
    subject: String,
    target: String,
    at: Timestamp,
    headers: HeaderMap,
    body: Bytes,
    earlier: Earlier,
    /// Whether the next copy says that the stream's maximum age does not apply to it.
    has_ttl: bool,
    /// Whether an earlier copy may have been stored.
    maybe_stored: bool,
    /// Whether an earlier schedule of the key was cancelled to make room for this one.
    withdrawn: bool,
}

/// The message of the key that the next copy replaces.
struct Earlier {
    /// The sequence that the copy expects of its subject; 0 for none.
    sequence: u64,
    /// Whether a schedule is replaced.
    replaced: bool,
}

impl Earlier {
    const NONE: Self = Self::foreign(0);

    /// A schedule of the same key.
    const fn schedule(sequence: u64) -> Self {
        Self {
            sequence,
            replaced: true,
        }
    }

    /// A message that is no schedule of this crate.
    const fn foreign(sequence: u64) -> Self {
        Self {
            sequence,
            replaced: false,
        }
    }
}

/// What became of one copy.
enum Sent {
    Stored,
    /// The key has a schedule.
    WrongSequence(Error),
    /// The stream refuses it for the moment.
    NotNow(Error),
    /// It is not sent again.
    Refused(Error),
    /// The stream takes no TTLs.
    NoTtl,
    /// No stream has received it.
    NoResponders,
    /// It may have been stored, or will be.
    Unanswered(Error),
}

impl<'a> Put<'a> {
    pub(super) fn new(
        context: &'a Arc<NatsContext>,
        layout: &'a Layout,
        request: ScheduleRequest,
    ) -> Result<Self, Error> {
        let ScheduleRequest {
            key,
            subject,
            at,
            headers,
            body,
            ..
        } = request;
        let Body::Encoded(body) = body else {
            return Err(Error::unsupported(
                Capability::ValueHandover,
                Operation::Schedule,
                "encode the event: it leaves this process",
            ));
        };
        let own = headers::outgoing(&headers, None, &Expectations::none());
        let put = Self {
            context,
            about: ErrorContext::new(Operation::Schedule).stream(layout.stream.clone()),
            subject: layout.subject(&key),
            layout,
            target: subject.to_string(),
            at,
            headers: own.unwrap_or_default(),
            body,
            earlier: Earlier::NONE,
            has_ttl: true,
            maybe_stored: false,
            withdrawn: false,
        };
        let size = check_headers(put.about.operation, Some(&put.on_wire()))?;
        let limit = context.client().max_payload();
        check_size(put.about.operation, size + put.body.len(), limit)?;
        Ok(put)
    }

    /// Schedules it. Copies are sent within the time of one request.
    pub(super) async fn run(mut self) -> Result<Scheduled, Error> {
        let begun = Instant::now();
        let time = self.context.options().request_timeout;
        loop {
            let error = match self.send(time.saturating_sub(begun.elapsed())).await {
                Sent::Stored => return Ok(Scheduled::new(self.earlier.replaced)),
                Sent::Refused(error) => return Err(self.failed(error)),
                Sent::WrongSequence(error) => {
                    let resolved = self.resolve().await;
                    if resolved.map_err(|error| self.failed(error))? {
                        return Ok(Scheduled::new(self.earlier.replaced));
                    }
                    error
                }
                Sent::NoTtl => {
                    self.has_ttl = false;
                    if let Err(error) = self.check_age().await {
                        return Err(self.failed(error));
                    }
                    continue;
                }
                Sent::NotNow(error) => {
                    tokio::time::sleep(PAUSE).await;
                    error
                }
                Sent::NoResponders => {
                    self.check_stream().await?;
                    tokio::time::sleep(PAUSE).await;
                    self.about.error(
                        ErrorKind::Timeout,
                        "the stream has no leader at the moment; try again",
                    )
                }
                Sent::Unanswered(error) => error,
            };
            if begun.elapsed() >= time {
                return Err(self.failed(error));
            }
        }
    }

    /// Whether no copy can have fired by now, whatever the difference between the clocks.
    fn is_far(&self) -> bool {
        self.at.duration_since(Timestamp::now()) > FAR
    }

    /// An error, with the outcome of all copies. One that has cancelled an earlier schedule has had an
    /// effect.
    fn failed(&self, error: Error) -> Error {
        if self.maybe_stored || self.withdrawn {
            return error.with_unknown_outcome();
        }
        error
    }

    fn on_wire(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(SCHEDULE, schedule_at(self.at));
        headers.insert(TARGET, self.target.as_str());
        headers.insert(EXPECTED_STREAM, self.layout.stream.as_str());
        headers.insert(EXPECTED, self.earlier.sequence.to_string());
        if self.has_ttl {
            headers.insert(TTL, "never");
        }
        headers
    }

    /// Sends one copy, with so much time left.
    async fn send(&mut self, left: Duration) -> Sent {
        let answer = self.context.options().request_timeout.mul_f64(ANSWER);
        let limit = left.min(answer).max(PAUSE);
        let headers = Some(self.on_wire());
        let body = self.body.clone();
        let asked = self
            .context
            .ask_within(&self.about, &self.subject, headers, body, limit);
        match asked.await {
            Ok(reply) if reply.is_no_responders() => Sent::NoResponders,
            Ok(reply) => self.read(&reply),
            Err(NotAnswered { error, sent }) => {
                self.maybe_stored |= sent;
                if !error.is_transient() || (sent && !self.is_far()) {
                    Sent::Refused(error)
                } else if sent {
                    Sent::Unanswered(error)
                } else {
                    Sent::NotNow(error)
                }
            }
        }
    }

    /// Reads the answer of the stream to a copy.
    fn read(&mut self, reply: &Reply) -> Sent {
        match StreamAnswer::read(reply, &self.layout.stream) {
            StreamAnswer::Stored(_) => Sent::Stored,
            StreamAnswer::Refused(error) => self.refusal(error),
            StreamAnswer::Foreign(source) => {
                self.maybe_stored = true;
                Sent::Refused(foreign(&self.about, &self.subject, "stream", source))
            }
        }
    }

    fn refusal(&self, error: ApiError) -> Sent {
        if error.is(&[code::WRONG_LAST_SEQUENCE_UNKNOWN]) {
            // Another schedule of the key is on its way to the replicas.
            return Sent::NotNow(self.contended());
        }
        if error.is(&code::WRONG_LAST_SEQUENCE) {
            return Sent::WrongSequence(self.contended());
        }
        if self.has_ttl && error.is(&[code::MESSAGE_TTL_DISABLED]) {
            return Sent::NoTtl;
        }
        if error.is(&[code::MESSAGE_TOO_LARGE]) {
            let size = self.body.len();
            let limit = size.saturating_sub(1);
            return Sent::Refused(self.about.error(
                ErrorKind::TooLarge { size, limit },
                format!("the body has {size} bytes, and headers and body together are more than the stream takes; publish less, or a reference to where the data are kept"),
            ));
        }
        let transient = error.is_transient();
        let error = error.into_error(&self.about);
        if transient {
            return Sent::NotNow(error);
        }
        Sent::Refused(error)
    }

    fn contended(&self) -> Error {
        self.about.error(
            ErrorKind::Timeout,
            "other writers keep changing the schedule of this key; try again",
        )
    }

    /// Finds out what the key has: whether that is this message, stored by an earlier copy. If not,
    /// the next copy replaces it.
    async fn resolve(&mut self) -> Result<bool, Error> {
        let which = Which::LastOf(&self.subject);
        let stream = &self.layout.stream;
        let found = streams::message(self.context, &self.about, stream, &which).await?;
        let Some(found) = found else {
            // It has fired or was cancelled since.
            self.earlier = Earlier::NONE;
            return Ok(false);
        };
        if self.maybe_stored && self.is_same(&found) {
            return Ok(true);
        }
        let Some(at) = found.due() else {
            // A message of another client, which fires once: the next copy takes its place.
            self.earlier = Earlier::foreign(found.sequence);
            return Ok(false);
        };
        let info = streams::info(self.context, &self.about, stream).await?;
        let is_early = info
            .time
            .is_some_and(|now| at.duration_since(now) > NOT_FIRING);
        if is_early {
            self.earlier = Earlier::schedule(found.sequence);
            return Ok(false);
        }
        match withdraw(self.context, &self.about, self.layout, &found, at).await? {
            Withdrawn::InTime => {
                self.withdrawn = true;
                self.earlier = Earlier::schedule(0);
            }
            Withdrawn::TooLate => self.earlier = Earlier::NONE,
            // The next copy finds out.
            Withdrawn::Changed => {}
        }
        Ok(false)
    }

    /// Whether a schedule is the one that is to be stored.
    fn is_same(&self, found: &Found) -> bool {
        let Some(schedule) = &found.schedule else {
            return false;
        };
        schedule.at == schedule_at(self.at)
            && schedule.target == self.target
            && found.body == self.body
    }

    /// Asks whether the stream allows schedules, after a copy had no answer.
    async fn check_stream(&self) -> Result<(), Error> {
        match streams::info(self.context, &self.about, &self.layout.stream).await {
            Ok(info) if info.read(&self.about)?.schedules => Ok(()),
            Ok(_) => Err(self.failed(self.about.error(
                ErrorKind::InvalidOption,
                "the stream does not allow schedules; declare it with `schedules()`, and apply it",
            ))),
            // A cluster without a leader does not answer.
            Err(error) if error.is_transient() => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Refuses a schedule that the stream would drop before its time: where it takes no TTLs, its
    /// maximum age applies to schedules.
    async fn check_age(&self) -> Result<(), Error> {
        let info = streams::info(self.context, &self.about, &self.layout.stream).await?;
        let age = info.read(&self.about)?.limits.age;
        let now = info.time.unwrap_or_else(Timestamp::now);
        let wait = self.at.duration_since(now);
        match age {
            Some(age) if wait.unsigned_abs() >= age && wait.is_positive() => {
                let reason = format!(
                    "the stream drops messages after {age:?}, schedules too, which is before {}; apply it with `schedules()`, so that it keeps them",
                    self.at
                );
                Err(self.about.error(ErrorKind::InvalidOption, reason))
            }
            _ => Ok(()),
        }
    }
}

impl Found {
    /// When a stored schedule is due; `None` if it is no schedule for one time.
    pub(super) fn due(&self) -> Option<Timestamp> {
        time_of(&self.schedule.as_ref()?.at)
    }
}
