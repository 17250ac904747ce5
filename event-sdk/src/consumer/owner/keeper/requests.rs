//! `Requests`: the requests of a keeper that are in flight.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::subject::grammar::escape_key;
use event_sdk_core::time::Clock;
use event_sdk_core::transport::{Bucket, CoordinationEntry, Error, ErrorKind, Revision};
use futures_util::Stream;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;

use super::KeeperConfig;
use super::denials::Permission;
use crate::consumer::owner::entry::{LeaseEntry, OwnerId};
use crate::consumer::owner::lease::{Answer, Expected, ReadTicket};

/// The answer to a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// To a write or deletion of a partition's lease.
    Write(usize, Answer, Permission),
    /// To a read, with the tickets of all leases; `None` if it failed.
    Read(Vec<ReadTicket>, Option<Found>, Permission),
    /// To a heartbeat.
    Beat(Permission),
    /// To anything else.
    Other,
}

/// What a read found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The leases, by partition: revision and value.
    pub(super) leases: HashMap<usize, (u64, Option<LeaseEntry>)>,
    /// The heartbeats: instance, revision and term.
    pub(super) members: Vec<(OwnerId, u64, Duration)>,
}

/// Requests in flight, each with a time limit.
pub(super) struct Requests {
    bucket: Bucket,
    clock: Arc<dyn Clock>,
    prefix: String,
    timeout: Duration,
    in_flight: FuturesUnordered<InFlight>,
    is_reading: bool,
}

type InFlight = Pin<Box<dyn Future<Output = Reply> + Send>>;

impl Requests {
    pub(super) fn new(bucket: Bucket, clock: Arc<dyn Clock>, config: &KeeperConfig) -> Self {
        Self {
            bucket,
            clock,
            prefix: prefix(config),
            timeout: config.term.length() / 6,
            in_flight: FuturesUnordered::new(),
            is_reading: false,
        }
    }

    pub(super) fn is_reading(&self) -> bool {
        self.is_reading
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Waits for the next answer; for ever if nothing is in flight.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        let next = Pin::new(&mut self.in_flight).poll_next(cx);
        let Poll::Ready(Some(reply)) = next else {
            return Poll::Pending;
        };
        self.is_reading &= !matches!(reply, Reply::Read(..));
        Poll::Ready(reply)
    }

    pub(super) fn write(&self, partition: usize, expected: Expected, entry: &LeaseEntry) {
        let expected = match expected {
            Expected::Absent => Revision::Absent,
            Expected::Exactly(revision) => Revision::Exactly(revision),
        };
        let key = self.lease(partition);
        let put = self.bucket.put(key, entry.encode(), expected, None);
        self.send(put, move |result| written(partition, result));
    }

    pub(super) fn delete(&self, partition: usize, revision: u64) {
        let key = self.lease(partition);
        let delete = self.bucket.delete(&key, Revision::Exactly(revision));
        self.send(delete, move |result| {
            let result = result.map(|result| result.map(|()| revision));
            written(partition, result)
        });
    }

    pub(super) fn read(&mut self, tickets: Vec<ReadTicket>) {
        self.is_reading = true;
        let list = self.bucket.list(&self.prefix);
        let prefix = format!("{}.", self.prefix);
        self.send(list, move |result| {
            let permission = Permission::of(result.as_ref());
            let entries = match result {
                Some(Ok(entries)) => Some(entries),
                Some(Err(error)) => {
                    // The keeper reports once that it is denied.
                    if !matches!(permission, Permission::Denied(_)) {
                        warn("reading the leases of a consumer failed", &error);
                    }
                    None
                }
                None => None,
            };
            let found = entries.map(|entries| found(&prefix, entries));
            Reply::Read(tickets, found, permission)
        });
    }

    pub(super) fn beat(&self, me: OwnerId, term: Duration) {
        let entry = LeaseEntry {
            owner: me,
            term,
            counter: 0,
        };
        let put = self
            .bucket
            .put(self.member(me), entry.encode(), Revision::Any, None);
        self.send(put, |result| Reply::Beat(Permission::of(result.as_ref())));
    }

    pub(super) fn stop_beating(&self, me: OwnerId) {
        let delete = self.bucket.delete(&self.member(me), Revision::Any);
        self.send(delete, |_| Reply::Other);
    }

    /// Deletes the heartbeat of an instance that has ended long ago.
    pub(super) fn forget(&self, id: OwnerId, revision: u64) {
        let expected = Revision::Exactly(revision);
        let delete = self.bucket.delete(&self.member(id), expected);
        self.send(delete, |_| Reply::Other);
    }

    /// Under what the entries of the consumer lie.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key of the lease of a partition.
    pub(super) fn lease(&self, partition: usize) -> String {
        format!("{}.lease.{partition}", self.prefix)
    }

    /// The key of the heartbeat of an instance.
    pub(super) fn member(&self, id: OwnerId) -> String {
        format!("{}.member.{}", self.prefix, id.0.simple())
    }

    /// Awaits a request within the time limit; `None` is given to `reply` after that.
    fn send<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, Error>> + Send + Unpin + 'static,
        reply: impl FnOnce(Option<Result<T, Error>>) -> Reply + Send + 'static,
    ) {
        let deadline = self.clock.monotonic().saturating_add(self.timeout);
        let time = self.clock.sleep_until(deadline);
        self.in_flight.push(Box::pin(async move {
            match select(request, time).await {
                Either::Left((result, _)) => reply(Some(result)),
                Either::Right(_) => reply(None),
            }
        }));
    }
}

/// Under what the entries of a consumer lie.
pub(in crate::consumer) fn prefix(config: &KeeperConfig) -> String {
    // A name that cannot be escaped is no name of a consumer; the bucket refuses it.
    let consumer = escape_key(&config.consumer).unwrap_or_else(|_| config.consumer.to_string());
    format!("owners.{consumer}")
}

fn written(partition: usize, result: Option<Result<u64, Error>>) -> Reply {
    let permission = Permission::of(result.as_ref());
    let answer = match result {
        Some(Ok(revision)) => Answer::Done(revision),
        Some(Err(error)) if matches!(error.kind(), ErrorKind::WrongRevision { .. }) => {
            Answer::WrongRevision
        }
        Some(Err(error)) => {
            // The keeper reports once that it is denied.
            if !matches!(permission, Permission::Denied(_)) {
                warn("writing the lease of a consumer failed", &error);
            }
            Answer::Unknown
        }
        None => Answer::Unknown,
    };
    Reply::Write(partition, answer, permission)
}

fn warn(what: &str, error: &Error) {
    tracing::warn!(target: crate::TRACING_TARGET, %error, "{what}; it is tried again");
}

fn found(prefix: &str, entries: Vec<CoordinationEntry>) -> Found {
    let mut found = Found::default();
    for entry in entries {
        let Some(name) = entry.key.strip_prefix(prefix) else {
            continue;
        };
        let value = LeaseEntry::decode(&entry.value);
        if let Some(partition) = name.strip_prefix("lease.") {
            if let Ok(partition) = partition.parse() {
                found.leases.insert(partition, (entry.revision, value));
            }
        } else if name.starts_with("member.")
            && let Some(value) = value
        {
            found
                .members
                .push((value.owner, entry.revision, value.term));
        }
    }
    found
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests")
            .field("prefix", &self.prefix)
            .field("in_flight", &self.in_flight.len())
            .finish_non_exhaustive()
    }
}
