//! `Parking`: what the engine knows of the park: the keys of which events wait there (*lines*), and
//! the requests to the park that are not complete.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::Error;
use futures_util::stream::FuturesUnordered;

use super::Boxed;
use super::keys::Key;
use crate::consumer::options::ParkOptions;
use crate::dead_letters::{DeadKey, DeadLetter, Park, ParkedEvent, ReleaseRequest, Requests};

/// The park of an engine, as far as the engine knows it.
pub(super) struct Parking {
    /// `None` if the consumer has no park.
    pub(super) options: Option<ParkOptions>,
    /// How many events a key may take that waits for a retry, by stream: a quarter of
    /// `max_ack_pending`.
    quarters: HashMap<Text, usize>,
    /// The keys of which events are in the park, or are being appended.
    pub(super) lines: HashMap<Key, Line>,
    /// Whether the gates of the takeover are still closed: nothing of the park starts before.
    pub(super) waits_for_gates: bool,
    pub(super) pending: FuturesUnordered<Boxed<FromPark>>,
    /// Keys whose events are to be read; they are blocked.
    pub(super) to_read: Vec<Key>,
    pub(super) reading: bool,
    /// Up to which sequence of the dead-letter stream requests were read.
    pub(super) requests_up_to: u64,
    /// When requests are read next; [`Duration::MAX`] while they are read.
    pub(super) look_at: Duration,
    /// Whether a key without a park was reported.
    pub(super) warned: bool,
}

/// An answer of the park.
pub(super) enum FromPark {
    /// The events of keys.
    Read(Vec<Key>, Result<HashMap<DeadKey, Vec<ParkedEvent>>, Error>),
    /// An event with its body; `None` if it was purged.
    Loaded(Key, ParkedEvent, Result<Option<Box<DeadLetter>>, Error>),
    Requests(Result<Requests, Error>),
    /// A request is answered.
    Answered,
}

/// The events of one key in the park.
///
/// Events of the key that are held here go before, after or between these, by their sequences.
#[derive(Default)]
pub(super) struct Line {
    /// The first of them, as they were read.
    pub(super) events: VecDeque<ParkedEvent>,
    /// The lowest position that may be in the park beside `events`.
    beyond: Option<u64>,
    /// The same while `events` are read anew.
    asked: Option<u64>,
    /// The positions of events that are being appended.
    appending: BTreeSet<u64>,
    /// The position of the letter for which the key waits.
    pub(super) dead: Option<u64>,
    /// The request that is not answered.
    pub(super) request: Option<ReleaseRequest>,
    /// Whether the previous owner may have started the first event, and ended with it.
    pub(super) suspect: bool,
    /// Until when the park is not asked, after a failure.
    pub(super) paused_until: Option<Duration>,
    pub(super) failures: u32,
}

/// What is next in a line.
pub(super) enum Next {
    /// Nothing is in the park.
    Nothing,
    /// An event that is being appended.
    Appending,
    /// Events that have to be read.
    Unread,
    Event(ParkedEvent),
    /// The key is dead.
    Dead,
}

/// How many events of a key are kept here, without bodies, after they were read.
const KEPT: usize = 10_000;

impl Parking {
    pub(super) fn new(options: Option<ParkOptions>, quarters: HashMap<Text, usize>) -> Self {
        Self {
            options,
            quarters,
            lines: HashMap::new(),
            waits_for_gates: false,
            pending: FuturesUnordered::new(),
            to_read: Vec::new(),
            reading: false,
            requests_up_to: 0,
            look_at: Duration::ZERO,
            warned: false,
        }
    }

    pub(super) fn park(&self) -> Option<&Arc<Park>> {
        self.options.as_ref().map(|options| &options.park)
    }

    /// Whether a dead letter holds its key.
    pub(super) fn is_sequenced(&self) -> bool {
        self.options.as_ref().is_some_and(|it| it.sequenced)
    }

    /// How many events a key of this stream may take that waits for a retry.
    pub(super) fn quarter(&self, key: &Key) -> usize {
        let quarter = key.stream().and_then(|stream| self.quarters.get(stream));
        quarter.copied().unwrap_or(usize::MAX)
    }

    /// How many events a held key may take beside so many held events: nothing but the one that holds
    /// it, if half of all places are taken, since several keys may be held.
    pub(super) fn allowance(&self, key: &Key, held: usize) -> usize {
        let half = self.quarters.values().sum::<usize>().saturating_mul(2);
        if held > half { 1 } else { self.quarter(key) }
    }

    /// Starts nothing any more. The next owner reads what is in the park.
    pub(super) fn end(&mut self) {
        self.lines.clear();
        self.pending.clear();
        self.to_read.clear();
        self.reading = false;
        self.look_at = Duration::ZERO;
    }
}

impl Line {
    /// A line that the previous owner has left.
    pub(super) fn left(events: Vec<ParkedEvent>, request: Option<ReleaseRequest>) -> Self {
        let mut line = Self {
            suspect: true,
            request,
            ..Self::default()
        };
        line.read(events);
        line
    }

    /// The lowest position that may be in the park.
    pub(super) fn first(&self) -> Option<u64> {
        let read = self.events.front().map(|event| event.position);
        let appending = self.appending.first().copied();
        let known = [read, self.beyond, self.asked, appending, self.dead];
        known.into_iter().flatten().min()
    }

    pub(super) fn next(&self) -> Next {
        if self.dead.is_some() {
            return Next::Dead;
        }
        let Some(first) = self.first() else {
            return Next::Nothing;
        };
        match self.events.front() {
            Some(event) if event.position == first => Next::Event(event.clone()),
            _ if self.appending.first() == Some(&first) => Next::Appending,
            _ => Next::Unread,
        }
    }

    /// An event is being appended.
    pub(super) fn append(&mut self, position: u64) {
        self.appending.insert(position);
    }

    /// An event was appended, or is in the park since an earlier attempt.
    pub(super) fn appended(&mut self, position: u64) {
        self.appending.remove(&position);
        self.add(position);
    }

    /// An event that is being appended goes back to the stream instead.
    pub(super) fn not_appended(&mut self, position: u64) {
        self.appending.remove(&position);
    }

    /// Something at this position is in the park.
    pub(super) fn add(&mut self, position: u64) {
        self.beyond = Some(self.beyond.map_or(position, |it| it.min(position)));
    }

    /// The park has something else than what was read.
    pub(super) fn forget_events(&mut self) {
        if let Some(first) = self.first() {
            self.add(first);
        }
        self.events.clear();
    }

    /// The events are read anew.
    pub(super) fn ask(&mut self) {
        self.asked = self.beyond.take();
    }

    /// They could not be read.
    pub(super) fn not_read(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.add(asked);
        }
    }

    /// They were read.
    pub(super) fn read(&mut self, mut events: Vec<ParkedEvent>) {
        self.asked = None;
        if let Some(more) = events.get(KEPT) {
            self.add(more.position);
            events.truncate(KEPT);
        }
        self.events = events.into();
    }

    /// The event at this position does not wait any more.
    pub(super) fn leave(&mut self, position: u64) {
        self.suspect = false;
        self.failures = 0;
        if self
            .events
            .front()
            .is_some_and(|event| event.position == position)
        {
            self.events.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_unread(line: &Line) -> bool {
        matches!(line.next(), Next::Unread)
    }

    #[test]
    fn what_is_appended_is_read_before_the_line_ends() {
        let mut line = Line::default();
        assert!(matches!(line.next(), Next::Nothing));
        line.append(7);
        line.append(5);
        assert!(matches!(line.next(), Next::Appending));
        line.appended(7);
        assert_eq!(line.first(), Some(5));
        assert!(matches!(line.next(), Next::Appending));
        line.appended(5);
        assert!(is_unread(&line));
        line.ask();
        // One that arrives meanwhile may not be read.
        line.append(9);
        line.appended(9);
        assert_eq!(line.first(), Some(5));
        line.not_read();
        assert!(is_unread(&line));
        line.ask();
        line.read(Vec::new());
        assert!(matches!(line.next(), Next::Nothing));
        line.append(11);
        line.not_appended(11);
        assert!(matches!(line.next(), Next::Nothing));
    }

    #[test]
    fn a_dead_key_waits_whatever_is_in_the_park() {
        let mut line = Line::default();
        line.append(8);
        line.dead = Some(4);
        assert!(matches!(line.next(), Next::Dead));
        assert_eq!(line.first(), Some(4));
        line.appended(8);
        line.forget_events();
        line.dead = None;
        assert_eq!(line.first(), Some(4), "the letter is read again");
        assert!(is_unread(&line));
    }
}
