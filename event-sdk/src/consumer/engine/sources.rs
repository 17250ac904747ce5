//! `Sources`: the subscriptions of an engine: to the events, and to those that were redriven.

use std::collections::HashMap;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use event_sdk_core::Subject;
use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{BoundConsumer, DeliveryInfo, Error, Notice, Settler};

use crate::raw::Untyped;
use crate::subscribe::{Delivery, Incoming, Subscriber};

/// The subscriptions of a consumer.
pub(in crate::consumer) struct Sources {
    events: Subscriber<Untyped>,
    /// The events that were dead letters, and were sent again.
    redriven: Option<Subscriber<Untyped>>,
    /// Whether the redriven ones are asked first, in turn.
    redriven_first: bool,
}

/// What a subscription returned.
pub(super) enum Source {
    Event(Delivery<Untyped>),
    Redriven(Delivery<Untyped>),
    /// A notice, which was logged.
    Notice,
    /// A message that cannot be read was delivered.
    Unreadable {
        info: Box<DeliveryInfo>,
        /// Where the transport does not settle it.
        settler: Option<Settler>,
    },
    /// A subscription has ended.
    End(Option<Error>),
}

/// How many events are held where the server sets no limit.
const UNLIMITED: usize = 10_000;

impl Sources {
    pub(in crate::consumer) fn new(
        events: Subscriber<Untyped>,
        redriven: Option<Subscriber<Untyped>>,
    ) -> Self {
        Self {
            events,
            redriven,
            redriven_first: false,
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Source> {
        let Some(redriven) = &mut self.redriven else {
            return self
                .events
                .poll_incoming(cx)
                .map(|item| taken(item, Source::Event));
        };
        self.redriven_first = !self.redriven_first;
        if self.redriven_first
            && let Poll::Ready(item) = redriven.poll_incoming(cx)
        {
            return Poll::Ready(taken(item, Source::Redriven));
        }
        if let Poll::Ready(item) = self.events.poll_incoming(cx) {
            return Poll::Ready(taken(item, Source::Event));
        }
        redriven
            .poll_incoming(cx)
            .map(|item| taken(item, Source::Redriven))
    }

    /// The streams with the durables on them.
    pub(in crate::consumer) fn bound(&self) -> impl Iterator<Item = (&str, &BoundConsumer)> {
        let redriven = self.redriven.iter().flat_map(Subscriber::bound);
        self.events.bound().chain(redriven)
    }

    /// The longest ack wait.
    pub(in crate::consumer) fn longest_ack_wait(&self) -> Duration {
        let waits = self.bound().flat_map(|(_, bound)| {
            let backoff = bound.config.backoff.iter().copied();
            backoff.chain([bound.config.ack_wait])
        });
        waits.max().unwrap_or_default()
    }

    /// A quarter of `max_ack_pending`, by stream: how many events a key may take that waits for a
    /// retry.
    pub(super) fn quarters(&self) -> HashMap<Text, usize> {
        let bound = self.events.bound();
        let quarter = |(stream, bound): (&str, &BoundConsumer)| {
            let limit = bound.config.max_ack_pending;
            let limit = limit.map_or(UNLIMITED, |it| {
                usize::try_from(it.get()).unwrap_or(UNLIMITED)
            });
            (Text::copy_of(stream), (limit / 4).max(1))
        };
        bound.map(quarter).collect()
    }

    /// An event of the park, as if it had been received.
    pub(super) fn restored(
        &self,
        subject: Subject,
        headers: Headers,
        body: Bytes,
        info: DeliveryInfo,
    ) -> Option<Delivery<Untyped>> {
        self.events.restored(subject, headers, body, info)
    }

    /// The shortest ack wait, and how many events the consumer may hold.
    pub(super) fn limits(&self) -> (Duration, usize) {
        let mut shortest = Duration::MAX;
        let mut pending = 0_usize;
        for (_, bound) in self.bound() {
            let config = &bound.config;
            let waits = config.backoff.iter().copied().chain([config.ack_wait]);
            shortest = waits.fold(shortest, Duration::min);
            pending = pending.saturating_add(match config.max_ack_pending {
                Some(limit) => usize::try_from(limit.get()).unwrap_or(usize::MAX),
                None => UNLIMITED,
            });
        }
        (shortest, pending.max(1))
    }
}

type Item = Option<Result<Incoming<Untyped>, Error>>;

#[inline]
fn taken(item: Item, source: impl FnOnce(Delivery<Untyped>) -> Source) -> Source {
    match item {
        Some(Ok(Incoming::Delivery(delivery))) => source(delivery),
        // The subscriber has logged it.
        Some(Ok(Incoming::Notice(notice))) => unreadable(&notice).unwrap_or(Source::Notice),
        Some(Err(error)) => Source::End(Some(error)),
        None => Source::End(None),
    }
}

fn unreadable(notice: &Notice) -> Option<Source> {
    Some(Source::Unreadable {
        info: Box::new(notice.delivery()?.clone()),
        settler: notice.settler().cloned(),
    })
}
