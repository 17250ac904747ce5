//! Deduplication: the message ids that a stream remembers for its duplicate window.

use std::collections::VecDeque;

use foldhash::{HashMap, HashMapExt};

use super::elapsed::nanos;
use event_sdk_core::envelope::LooseId;
use event_sdk_core::stream::Deduplication;
use event_sdk_core::text::Text;
use event_sdk_core::transport::MessageId;

/// Message ids with the sequence of their message, as long as they are younger
/// than the window and not more than the capacity; the oldest goes first.
///
/// Ids that are greater than all before them, as UUIDs of version 7 mostly are
/// when they come, are simply kept in a row: that a still greater one is new
/// needs no search. All others are found by their hash.
///
/// Those whose time has come do not count any more, and leave a few at a time,
/// when others come.
#[derive(Debug)]
pub(super) struct Dedup {
    /// In nanoseconds.
    window: u64,
    capacity: u64,
    /// How many ids were remembered in all.
    count: u64,
    /// How long the stream had run when it was last asked.
    now: u64,
    ascending: VecDeque<(u128, Seen)>,
    hashed: HashMap<Id, Seen>,
    /// The hashed ids in the order in which they were seen, and the count of each:
    /// one that was forgotten and seen again is there twice.
    order: VecDeque<(Id, u64)>,
}

/// How many ids leave when one comes: more than one, so that those that were
/// left over by a pause do not stay.
const LEAVING: usize = 8;

/// Room for fewer than this is not given back.
const FEW: usize = 1024;

/// When a message id was seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    sequence: u64,
    /// How many ids had been remembered with it.
    count: u64,
    /// How long the stream had run then.
    at: u64,
}

/// How far back is remembered.
#[derive(Clone, Copy)]
struct Horizon {
    count: u64,
    capacity: u64,
    now: u64,
    /// In nanoseconds.
    window: u64,
}

/// A message id as it is compared: by its text, as on a server, but without
/// writing out the ids of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Id {
    /// Any UUID in the form in which an event's id is written.
    Uuid(u128),
    /// Any other text.
    Text(Text),
}

impl From<MessageId> for Id {
    fn from(id: MessageId) -> Self {
        match id {
            MessageId::Event(id) => Self::Uuid(id.as_u128()),
            MessageId::Text(text) => match LooseId::from(&*text).as_uuid() {
                Some(id) => Self::Uuid(id.as_u128()),
                None => Self::Text(text),
            },
        }
    }
}

impl Dedup {
    pub(super) fn new(config: Deduplication) -> Self {
        Self {
            window: nanos(config.window),
            capacity: config.capacity as u64,
            count: 0,
            now: 0,
            ascending: VecDeque::new(),
            hashed: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Remembers for as long, and as many, as `config` says from now on; what is
    /// forgotten stays so.
    pub(super) fn change(&mut self, config: Deduplication, now: u64) {
        self.now = now;
        self.forget();
        let Self {
            window, capacity, ..
        } = Self::new(config);
        (self.window, self.capacity) = (window, capacity);
        self.forget();
    }

    /// Removes what does not count any more.
    fn forget(&mut self) {
        let horizon = self.horizon();
        self.ascending.retain(|(_, seen)| horizon.has(seen));
        self.hashed.retain(|_, seen| horizon.has(seen));
        let hashed = &self.hashed;
        self.order
            .retain(|(id, count)| hashed.get(id).is_some_and(|seen| seen.count == *count));
    }

    /// Removes some of what does not count any more.
    fn forget_some(&mut self) {
        let horizon = self.horizon();
        for _ in 0..LEAVING {
            let front = self.ascending.front();
            if front.is_none_or(|(_, seen)| horizon.has(seen)) {
                break;
            }
            self.ascending.pop_front();
        }
        for _ in 0..LEAVING {
            let Some((id, count)) = self.order.front() else {
                break;
            };
            if let Some(seen) = self.hashed.get(id)
                && seen.count == *count
            {
                if horizon.has(seen) {
                    break;
                }
                self.hashed.remove(id);
            }
            self.order.pop_front();
        }
        self.shrink();
    }

    /// Gives memory back of which little is used.
    #[inline]
    fn shrink(&mut self) {
        let little = |len, capacity| capacity > FEW && len < capacity / 8;
        let capacity = self.ascending.capacity();
        if little(self.ascending.len(), capacity) {
            self.ascending.shrink_to(capacity / 4);
        }
        let capacity = self.order.capacity();
        if little(self.order.len(), capacity) {
            self.order.shrink_to(capacity / 4);
            self.hashed.shrink_to(capacity / 4);
        }
    }

    /// Whether ids are remembered at all.
    pub(super) fn is_on(&self) -> bool {
        self.window > 0
    }

    /// The sequence of the message that had this id, when the stream has run for
    /// so long.
    pub(super) fn find(&mut self, id: &Id, now: u64) -> Option<u64> {
        self.now = now;
        if let Id::Uuid(id) = id
            && let Some(seen) = self.find_ascending(*id)
        {
            return Some(seen.sequence);
        }
        if self.hashed.is_empty() {
            return None;
        }
        let seen = self.hashed.get(id)?;
        self.counts(seen).then_some(seen.sequence)
    }

    /// Remembers an id that was not [found](Self::find).
    pub(super) fn remember(&mut self, id: Id, sequence: u64, now: u64) {
        self.count += 1;
        self.now = now;
        let seen = Seen {
            sequence,
            count: self.count,
            at: now,
        };
        match id {
            Id::Uuid(id) if self.ascending.back().is_none_or(|(last, _)| *last < id) => {
                self.ascending.push_back((id, seen));
            }
            id => {
                self.order.push_back((id.clone(), seen.count));
                self.hashed.insert(id, seen);
            }
        }
        self.forget_some();
    }

    fn find_ascending(&self, id: u128) -> Option<&Seen> {
        if self.ascending.back().is_none_or(|(last, _)| *last < id) {
            return None;
        }
        let index = self.ascending.binary_search_by_key(&id, |(id, _)| *id);
        let (_, seen) = self.ascending.get(index.ok()?)?;
        self.counts(seen).then_some(seen)
    }

    /// Whether what was seen then is remembered still.
    fn counts(&self, seen: &Seen) -> bool {
        self.horizon().has(seen)
    }

    fn horizon(&self) -> Horizon {
        Horizon {
            count: self.count,
            capacity: self.capacity,
            now: self.now,
            window: self.window,
        }
    }
}

impl Horizon {
    #[inline]
    fn has(&self, seen: &Seen) -> bool {
        self.count - seen.count < self.capacity && self.now.saturating_sub(seen.at) < self.window
    }
}

#[cfg(test)]
mod tests {

    use std::time::Duration;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    /// In nanoseconds.
    fn at(seconds: u64) -> u64 {
        nanos(Duration::from_secs(seconds))
    }

    fn id(text: &str) -> Id {
        MessageId::Text(text.to_owned().into()).into()
    }

    fn event_id() -> Id {
        MessageId::Event(Uuid::from_u128(0x0199_a4c3)).into()
    }

    fn window(seconds: u64, capacity: usize) -> Dedup {
        Dedup::new(Deduplication {
            window: Duration::from_secs(seconds),
            capacity,
        })
    }

    #[test]
    fn an_id_is_remembered_for_the_window_and_no_longer() {
        let mut dedup = window(10, 100);
        dedup.remember(id("a"), 7, at(0));
        dedup.remember(event_id(), 8, at(5));
        assert_eq!(dedup.find(&id("a"), at(9)), Some(7));
        assert_eq!(dedup.find(&id("a"), at(10)), None);
        assert_eq!(dedup.find(&event_id(), at(14)), Some(8));
        assert_eq!(dedup.find(&event_id(), at(15)), None);
        dedup.remember(id("a"), 9, at(16));
        assert_eq!(dedup.find(&id("a"), at(17)), Some(9));
    }

    /// What was remembered, in a list that is searched from its end.
    struct List {
        window: u64,
        capacity: usize,
        seen: Vec<(u8, u64, u64)>,
    }

    impl List {
        fn find(&self, id: u8, now: u64) -> Option<u64> {
            let counts = self.seen.iter().rev().take(self.capacity);
            let mut counts = counts.filter(|(_, _, seen)| now - seen < self.window);
            counts.find_map(|(seen, sequence, _)| (*seen == id).then_some(*sequence))
        }
    }

    fn any_id(number: u8) -> Id {
        if number.is_multiple_of(2) {
            Id::Uuid(number.into())
        } else {
            Id::Text(number.to_string().into())
        }
    }

    proptest! {
        #[test]
        fn it_is_a_list_of_the_youngest(
            capacity in 1_usize..10,
            steps in prop::collection::vec((0_u8..30, 0_u64..4), 0..200),
        ) {
            let mut dedup = window(12, capacity);
            let mut list = List { window: 12, capacity, seen: Vec::new() };
            let mut now = 0;
            for (sequence, (number, pause)) in (1..).zip(steps) {
                now += pause;
                for number in 0..30 {
                    prop_assert_eq!(dedup.find(&any_id(number), at(now)), list.find(number, now));
                }
                if list.find(number, now).is_none() {
                    dedup.remember(any_id(number), sequence, at(now));
                    list.seen.push((number, sequence, now));
                }
                prop_assert!(dedup.ascending.len() <= capacity + 1);
                prop_assert!(dedup.hashed.len() <= capacity);
                prop_assert!(dedup.order.len() <= capacity);
            }
        }
    }

    #[test]
    fn ids_in_their_order_are_not_hashed() {
        let mut dedup = window(10, 100);
        for number in 1..=1000_u32 {
            let id = Id::Uuid(number.into());
            assert_eq!(dedup.find(&id, at(0)), None);
            dedup.remember(id, number.into(), at(0));
        }
        assert!(dedup.hashed.is_empty() && dedup.ascending.len() <= 101);
        assert_eq!(dedup.find(&Id::Uuid(900), at(0)), None);
        assert_eq!(dedup.find(&Id::Uuid(901), at(0)), Some(901));
    }

    #[test]
    fn ids_leave_when_their_time_has_come_though_there_is_room() {
        for descending in [false, true] {
            let mut dedup = window(10, usize::MAX);
            for number in 0..10_000_u32 {
                let id = u128::from(if descending { 10_000 - number } else { number });
                dedup.remember(Id::Uuid(id), 1, at(0));
            }
            // Each that comes takes some with it, and not all.
            for number in 0..2000_u32 {
                let id = Id::Text(number.to_string().into());
                dedup.remember(id, 1, at(20));
                let left = dedup.ascending.len() + dedup.hashed.len();
                assert!(
                    left >= 9_000_usize.saturating_sub(20 * number as usize),
                    "{left}"
                );
            }
            assert!(dedup.ascending.len() <= 1);
            assert_eq!((dedup.hashed.len(), dedup.order.len()), (2000, 2000));
            assert!(dedup.ascending.capacity() <= 2048 && dedup.hashed.capacity() <= 20_000);
        }
    }

    #[test]
    fn an_event_id_is_the_same_as_its_text() {
        let mut dedup = window(1000, 10);
        dedup.remember(event_id(), 1, at(0));
        let text = Uuid::from_u128(0x0199_a4c3).to_string();
        assert_eq!(dedup.find(&id(&text), at(0)), Some(1));
        assert_eq!(dedup.find(&id(&text.to_uppercase()), at(0)), None);
    }
}
