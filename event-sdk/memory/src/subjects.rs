//! `Subjects`: the subjects in a stream, each with its count, its last sequence and the
//! consumers that match it.

use std::collections::VecDeque;

use foldhash::{HashMap, HashMapExt};

use super::filters::Filters;
use super::interest::{Interest, Wanted};
use super::slab::Slab;
use super::token_tree::TokenTree;
use event_sdk_core::subject::{Pattern, Subject};

/// Each subject of which the stream holds a message, with what is known of its
/// messages. A message refers to its subject by the place of the entry.
#[derive(Debug)]
pub(super) struct Subjects {
    places: HashMap<Subject, usize>,
    entries: Slab<Entry>,
    /// Places of subjects that were found of late, by the address of their text:
    /// a publisher comes again with the text that its first message left here.
    recent: [usize; RECENT],
    next_id: u64,
    /// Made when it is first asked for: most streams never need it.
    tree: Option<TokenTree<usize>>,
    /// Whether the sequences of each subject are kept.
    keep_sequences: bool,
}

const RECENT: usize = 16;

#[derive(Debug)]
pub(super) struct Entry {
    subject: Subject,
    /// Another for each entry that there ever was.
    id: u64,
    count: u64,
    last: u64,
    /// In order; only where the oldest of a subject may have to go, or any of them.
    sequences: VecDeque<u64>,
    /// Where the set of the consumers that want it is.
    wanted: Wanted,
}

impl Entry {
    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// A number that no other entry has, nor any before it.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// How many messages of it the stream holds.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The sequence of the last of them.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The sequence of the first of them, where that is kept.
    pub(super) fn first(&self) -> Option<u64> {
        self.sequences.front().copied()
    }

    /// The sequences of the messages before `sequence`, where they are kept.
    pub(super) fn before(&self, sequence: u64) -> Vec<u64> {
        let earlier = self.sequences.iter().copied();
        earlier.take_while(|earlier| *earlier < sequence).collect()
    }

    fn forget(&mut self, sequence: u64) {
        if self.first() == Some(sequence) {
            self.sequences.pop_front();
            if self.sequences.len() < self.sequences.capacity() / 4 {
                self.sequences.shrink_to(self.sequences.len() * 2);
            }
        } else if let Ok(index) = self.sequences.binary_search(&sequence) {
            self.sequences.remove(index);
        }
        if let Some(last) = self.sequences.back() {
            self.last = *last;
        }
    }
}

impl Subjects {
    pub(super) fn new(keep_sequences: bool) -> Self {
        Self {
            places: HashMap::new(),
            entries: Slab::new(),
            recent: [0; RECENT],
            next_id: 0,
            tree: None,
            keep_sequences,
        }
    }

    /// Keeps the sequences of each subject from now on, or not; `messages` are
    /// those that there are, with the places of their subjects.
    pub(super) fn keep_sequences(
        &mut self,
        keep: bool,
        messages: impl Iterator<Item = (u64, usize)>,
    ) {
        if self.keep_sequences == keep {
            return;
        }
        self.keep_sequences = keep;
        if !keep {
            for entry in self.entries.values_mut() {
                entry.sequences = VecDeque::new();
            }
            return;
        }
        for (sequence, place) in messages {
            if let Some(entry) = self.entries.at_mut(place) {
                entry.sequences.push_back(sequence);
            }
        }
    }

    /// The sequences of the messages of which there are more than `max` of one
    /// subject, in order; only where sequences are kept.
    pub(super) fn beyond(&self, max: u64) -> Vec<u64> {
        let mut beyond = Vec::new();
        for (_, entry) in self.entries.iter() {
            let excess = usize::try_from(entry.count.saturating_sub(max)).unwrap_or(usize::MAX);
            beyond.extend(entry.sequences.iter().take(excess));
        }
        beyond.sort_unstable();
        beyond
    }

    /// Whether there is a subject of which this is not true.
    pub(super) fn any_not(&self, is: impl Fn(&Subject) -> bool) -> bool {
        self.entries.iter().any(|(_, entry)| !is(&entry.subject))
    }

    /// The entry of `subject`, if the stream holds a message of it.
    pub(super) fn find(&self, subject: &Subject) -> Option<&Entry> {
        self.entries.at(*self.places.get(subject)?)
    }

    /// Notes a message, and says where the entry of its subject is.
    pub(super) fn add(&mut self, subject: &Subject, sequence: u64) -> usize {
        let place = self.place_of(subject);
        if let Some(entry) = self.entries.at_mut(place) {
            entry.count += 1;
            entry.last = sequence;
            if self.keep_sequences {
                entry.sequences.push_back(sequence);
            }
        }
        place
    }

    /// Notes that a message of a subject is gone. If it was the last of several and sequences are
    /// not kept, the caller [sets](Self::set_last) which one is the last now.
    pub(super) fn remove(&mut self, sequence: u64, place: usize) {
        let Some(entry) = self.entries.at_mut(place) else {
            return;
        };
        entry.count -= 1;
        if self.keep_sequences {
            entry.forget(sequence);
        }
        if entry.count == 0
            && let Some(entry) = self.entries.remove_at(place)
        {
            self.places.remove(&entry.subject);
            if let Some(tree) = &mut self.tree {
                tree.change(entry.subject.as_str(), |place| *place = None);
            }
        }
    }

    /// The last message of the subject at `place` is this one, since the one behind it is gone.
    pub(super) fn set_last(&mut self, place: usize, last: u64) {
        if let Some(entry) = self.entries.at_mut(place) {
            entry.last = last;
        }
    }

    pub(super) fn at(&self, place: usize) -> Option<&Entry> {
        self.entries.at(place)
    }

    /// The consumers that want the subject at `place`, in order.
    #[inline]
    pub(super) fn interested<'a>(
        &mut self,
        place: usize,
        interest: &'a mut Interest,
    ) -> &'a [usize] {
        let Some(entry) = self.entries.at_mut(place) else {
            return &[];
        };
        interest.of(&entry.subject, &mut entry.wanted, self.places.len())
    }

    /// The consumers that want `subject`, whether there is a message of it or not.
    pub(super) fn wanting<'a>(
        &mut self,
        subject: &Subject,
        interest: &'a mut Interest,
    ) -> &'a [usize] {
        match self.places.get(subject).copied() {
            Some(place) => self.interested(place, interest),
            None => interest.of(subject, &mut Wanted::default(), self.places.len()),
        }
    }

    /// Whether `consumer` wants the subject at `place`.
    pub(super) fn wants(&mut self, place: usize, consumer: usize, interest: &mut Interest) -> bool {
        let interested = self.interested(place, interest);
        interested.binary_search(&consumer).is_ok()
    }

    /// Calls `f` with the place and the entry of each subject that `filters`
    /// match. Looks at each subject once, whatever the number of filters.
    pub(super) fn matching<'a>(&'a self, filters: &Filters, mut f: impl FnMut(usize, &'a Entry)) {
        let patterns = filters.patterns();
        if patterns.iter().all(is_literal) {
            for place in patterns.iter().filter_map(|pattern| self.literal(pattern)) {
                if let Some(entry) = self.entries.at(place) {
                    f(place, entry);
                }
            }
            return;
        }
        for (place, entry) in self.entries.iter() {
            if filters.matches(&entry.subject) {
                f(place, entry);
            }
        }
    }

    /// The last sequence of all subjects that `pattern` matches. What is asked
    /// once is asked again, so this makes the tree.
    pub(super) fn last_under(&mut self, pattern: &Pattern) -> Option<u64> {
        if is_literal(pattern) {
            return Some(self.entries.at(self.literal(pattern)?)?.last);
        }
        let entries = &self.entries;
        let tree = self.tree.get_or_insert_with(|| {
            let mut tree = TokenTree::new();
            for (place, entry) in entries.iter() {
                tree.change(entry.subject.as_str(), |value| *value = Some(place));
            }
            tree
        });
        let mut last = None;
        tree.each_overlapping(pattern.as_str(), |place| {
            last = last.max(entries.at(*place).map(|entry| entry.last));
        });
        last
    }

    /// The place of the only subject that `pattern` matches.
    fn literal(&self, pattern: &Pattern) -> Option<usize> {
        let subject = Subject::parse(pattern.as_str().to_owned()).ok()?;
        self.places.get(&subject).copied()
    }

    /// No entry has this place or one behind it.
    pub(super) fn places(&self) -> usize {
        self.entries.places()
    }

    fn place_of(&mut self, subject: &Subject) -> usize {
        let text = subject.as_str();
        // Texts are a few words long: their addresses differ in these bits.
        let slot = (text.as_ptr().addr() >> 5) % RECENT;
        let place = self.recent[slot];
        let found = self.entries.at(place);
        // One text cannot be where another is: what is equal here is the same.
        if found.is_some_and(|entry| std::ptr::eq(entry.subject.as_str(), text)) {
            return place;
        }
        let place = match self.places.get(subject) {
            Some(place) => *place,
            None => self.insert(subject),
        };
        self.recent[slot] = place;
        place
    }

    fn insert(&mut self, subject: &Subject) -> usize {
        self.next_id += 1;
        let key = self.entries.insert(Entry {
            subject: subject.clone(),
            id: self.next_id,
            count: 0,
            last: 0,
            sequences: VecDeque::new(),
            wanted: Wanted::default(),
        });
        self.places.insert(subject.clone(), key.index());
        if let Some(tree) = &mut self.tree {
            tree.change(subject.as_str(), |place| *place = Some(key.index()));
        }
        key.index()
    }
}

/// Whether `pattern` matches one subject only.
fn is_literal(pattern: &Pattern) -> bool {
    !pattern
        .as_str()
        .split('.')
        .any(|token| matches!(token, "*" | ">"))
}
