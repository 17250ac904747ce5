//! `Log`: the stored messages of a stream by sequence, with its total of bytes.

use jiff::Timestamp;

use super::sequenced::Sequenced;
use super::subjects::{Entry, Subjects};
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::Body;

/// The messages that a stream holds, by sequence and by subject.
#[derive(Debug)]
pub(super) struct Log {
    messages: Sequenced<Message>,
    subjects: Subjects,
    /// The sequence of the newest message ever stored.
    last: u64,
    bytes: u64,
    /// When the newest message was stored.
    newest: Timestamp,
}

/// A message in a stream.
#[derive(Debug)]
pub(super) struct Message {
    /// The place of its subject's entry.
    pub(super) subject: usize,
    pub(super) headers: Headers,
    pub(super) body: Body,
    /// What it counts against a limit in bytes.
    pub(super) size: u64,
    pub(super) stored_at: Timestamp,
    /// How long the stream had run then, in nanoseconds.
    pub(super) ran: u64,
    /// How many consumers have to settle it before it goes, where that is counted.
    pub(super) owed: usize,
}

impl Log {
    pub(super) fn new(keep_sequences: bool) -> Self {
        Self {
            messages: Sequenced::new(),
            subjects: Subjects::new(keep_sequences),
            last: 0,
            bytes: 0,
            newest: Timestamp::MIN,
        }
    }

    /// Stores a message under the next sequence, and returns that with the
    /// place of the subject's entry.
    ///
    /// Within a stream the time of storing does not go back: a message is stored
    /// no earlier than the one before it, whatever the time of day is.
    pub(super) fn push(
        &mut self,
        subject: &Subject,
        headers: Headers,
        body: Body,
        size: u64,
        now: Timestamp,
        ran: u64,
    ) -> (u64, usize) {
        let sequence = self.last + 1;
        let place = self.subjects.add(subject, sequence);
        self.newest = self.newest.max(now);
        self.messages.push(
            sequence,
            Message {
                subject: place,
                headers,
                body,
                size,
                stored_at: self.newest,
                ran,
                owed: 0,
            },
        );
        self.last = sequence;
        self.bytes += size;
        (sequence, place)
    }

    /// Gives the next sequence to a message that is not stored.
    pub(super) fn skip(&mut self, now: Timestamp) -> u64 {
        self.newest = self.newest.max(now);
        self.last += 1;
        self.last
    }

    /// Gives the sequences up to this one to messages that are not stored.
    pub(super) fn skip_to(&mut self, sequence: u64) {
        self.last = self.last.max(sequence);
    }

    /// Takes a message away. Its subject's entry stays until [`forget`](Self::forget).
    pub(super) fn remove(&mut self, sequence: u64) -> Option<Message> {
        let message = self.messages.remove(sequence)?;
        self.bytes -= message.size;
        Some(message)
    }

    /// Takes the oldest message away, as [`remove`](Self::remove) does.
    pub(super) fn remove_first(&mut self) -> Option<(u64, Message)> {
        let (sequence, message) = self.messages.pop_first()?;
        self.bytes -= message.size;
        Some((sequence, message))
    }

    /// The other half of [`remove`](Self::remove), of a message of the subject at `place`.
    pub(super) fn forget(&mut self, sequence: u64, place: usize) {
        self.subjects.remove(sequence, place);
    }

    /// Corrects the last sequence of the subject at `place`, whose last message was at
    /// `removed`.
    pub(super) fn find_last_again(&mut self, place: usize, removed: u64) {
        let mut before = self.messages.up_to(removed).rev();
        let last = before.find(|(_, message)| message.subject == place);
        if let Some((last, _)) = last {
            self.subjects.set_last(place, last);
        }
    }

    /// Keeps the sequences of each subject from now on, or not.
    pub(super) fn keep_sequences(&mut self, keep: bool) {
        let messages = self.messages.from(0);
        let places = messages.map(|(sequence, message)| (sequence, message.subject));
        self.subjects.keep_sequences(keep, places);
    }

    pub(super) fn messages(&self) -> &Sequenced<Message> {
        &self.messages
    }

    pub(super) fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    pub(super) fn subjects_mut(&mut self) -> &mut Subjects {
        &mut self.subjects
    }

    pub(super) fn get_mut(&mut self, sequence: u64) -> Option<&mut Message> {
        self.messages.get_mut(sequence)
    }

    pub(super) fn parts_mut(&mut self) -> (&Sequenced<Message>, &mut Subjects) {
        (&self.messages, &mut self.subjects)
    }

    /// A message and what is known of its subject.
    pub(super) fn get(&self, sequence: u64) -> Option<(&Message, &Entry)> {
        let message = self.messages.get(sequence)?;
        Some((message, self.subjects.at(message.subject)?))
    }

    pub(super) fn subject_of(&self, message: &Message) -> Option<&Subject> {
        Some(self.subjects.at(message.subject)?.subject())
    }

    /// The sequence of the oldest message, the next one's if there is none.
    pub(super) fn first_sequence(&self) -> u64 {
        self.messages.first_sequence().unwrap_or(self.last + 1)
    }

    /// The sequence of the newest message ever stored.
    pub(super) fn last_sequence(&self) -> u64 {
        self.last
    }

    /// What was dropped from `start` on: the first, the last and how many.
    pub(super) fn dropped_from(&self, start: u64) -> Option<(u64, u64, u64)> {
        let stored = (self.last + 1).saturating_sub(start);
        let dropped = stored - self.messages.count_from(start) as u64;
        if dropped == 0 {
            return None;
        }
        let messages = || self.messages.from(start).map(|(sequence, _)| sequence);
        let there_before = (start..).zip(messages()).take_while(|(a, b)| a == b);
        let there_behind = (start..=self.last).rev().zip(messages().rev());
        let there_behind = there_behind.take_while(|(a, b)| a == b);
        let first = start + there_before.count() as u64;
        let last = self.last - there_behind.count() as u64;
        Some((first, last, dropped))
    }

    pub(super) fn len(&self) -> u64 {
        self.messages.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the newest message was stored.
    pub(super) fn newest(&self) -> Timestamp {
        self.newest
    }
}
