//! `Cursor`: reads the messages of one filter, forwards, or backwards in windows.

use std::collections::VecDeque;
use std::sync::Arc;

use super::source::{LARGEST_PAGE, Page, Source};
use crate::streams::Found;
use event_sdk_core::transport::{Error, Order};

/// What one filter selects, in one order.
pub(super) struct Cursor {
    source: Arc<Source>,
    filter: String,
    order: Order,
    /// What has still to be looked at: none beyond these two.
    first: u64,
    last: u64,
    /// What was read and not taken, in the order of sequences.
    read: VecDeque<Found>,
    /// How many messages followed each other in the page before.
    dense: usize,
    /// Backwards: how many sequences are looked at next. Zero: nothing was yet.
    window: u64,
}

/// How many sequences are looked at first, backwards.
const FIRST_WINDOW: u64 = 64;
/// A window with fewer messages is followed by a larger one.
const FEW: usize = 32;
/// A window with more messages is divided.
const MANY: usize = 2 * LARGEST_PAGE;
/// By what windows grow and shrink.
const STEP: u64 = 4;

impl Cursor {
    pub(super) fn new(
        source: Arc<Source>,
        filter: &str,
        order: Order,
        first: u64,
        last: u64,
    ) -> Self {
        Self {
            source,
            filter: filter.to_owned(),
            order,
            first,
            last,
            read: VecDeque::new(),
            dense: 1,
            window: 0,
        }
    }

    /// The sequence of the next message, if one was read.
    pub(super) fn next(&self) -> Option<u64> {
        let next = match self.order {
            Order::OldestFirst => self.read.front(),
            Order::NewestFirst => self.read.back(),
        };
        next.map(|found| found.sequence)
    }

    /// Takes the next message.
    pub(super) fn take(&mut self) -> Option<Found> {
        match self.order {
            Order::OldestFirst => self.read.pop_front(),
            Order::NewestFirst => self.read.pop_back(),
        }
    }

    /// Reads on if everything was taken that was read, until there is something
    /// or it is known that there is nothing. At most `wanted` will be taken.
    pub(super) async fn fill(&mut self, wanted: usize) -> Result<(), Error> {
        while self.read.is_empty() && self.first <= self.last {
            match self.order {
                Order::OldestFirst => self.forwards(wanted).await?,
                Order::NewestFirst => self.backwards(wanted).await?,
            }
        }
        Ok(())
    }

    async fn forwards(&mut self, wanted: usize) -> Result<(), Error> {
        let Page { messages, end } = self.page(self.first, wanted.min(LARGEST_PAGE)).await?;
        if end {
            self.first = self.last + 1;
        } else if let Some(newest) = messages.last() {
            self.first = newest.sequence + 1;
        }
        let last = self.last;
        self.read
            .extend(messages.into_iter().filter(|found| found.sequence <= last));
        Ok(())
    }

    async fn backwards(&mut self, wanted: usize) -> Result<(), Error> {
        if self.window == 0 {
            // Where nothing matches near the end, this is where it begins.
            match self.source.last_of(&self.filter).await? {
                None => self.last = 0,
                Some(found) => self.last = self.last.min(found.sequence),
            }
            let wanted = u64::try_from(wanted).unwrap_or(FIRST_WINDOW);
            self.window = FIRST_WINDOW.min(wanted).max(1);
            return Ok(());
        }
        let start = self.last.saturating_sub(self.window - 1).max(self.first);
        match self.window(start).await? {
            None => self.window = (self.window / STEP).max(1),
            Some(messages) => {
                self.last = start - 1;
                if messages.len() < FEW {
                    self.window = self.window.saturating_mul(STEP);
                }
                self.read.extend(messages);
            }
        }
        Ok(())
    }

    /// All messages from `start` to the last sequence; `None` if they are too
    /// many to be held at a time.
    async fn window(&mut self, start: u64) -> Result<Option<Vec<Found>>, Error> {
        let mut all: Vec<Found> = Vec::new();
        let mut from = start;
        // More come only if there are as many as sequences.
        let length = usize::try_from(self.last - start + 1).unwrap_or(usize::MAX);
        let mut most = length.min(FEW);
        loop {
            let Page { messages, end } = self.page(from, most).await?;
            let behind = messages
                .last()
                .is_none_or(|newest| newest.sequence >= self.last);
            from = messages.last().map_or(from, |newest| newest.sequence + 1);
            let last = self.last;
            all.extend(messages.into_iter().filter(|found| found.sequence <= last));
            if end || behind {
                return Ok(Some(all));
            }
            if all.len() > MANY && length > MANY {
                return Ok(None);
            }
            most = LARGEST_PAGE.min(length);
        }
    }

    async fn page(&mut self, from: u64, most: usize) -> Result<Page, Error> {
        let page = self
            .source
            .page(&self.filter, from, most, self.dense)
            .await?;
        let distances = page.messages.windows(2);
        let following = distances.filter(|pair| pair[0].sequence + 1 == pair[1].sequence);
        // Twice as many as followed each other now.
        self.dense = (following.count() + 1) * 2;
        Ok(page)
    }
}
