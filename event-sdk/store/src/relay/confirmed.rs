//! `ConfirmedSequences`: the highest sequences that streams have confirmed, to see an acknowledgement
//! that is lower than an earlier one.

use std::collections::{HashMap, VecDeque};

use event_sdk::text::Text;

/// How many confirmations are remembered for each stream: several times the rows in flight.
const REMEMBERED: usize = 1_024;

/// The highest sequence of each stream, with the number of the last start before its confirmation.
///
/// Publishes overtake each other, so that a lower sequence may come later. Only a publish that was
/// started after a confirmation has to get a higher sequence than that one.
#[derive(Debug, Default)]
pub(super) struct ConfirmedSequences(HashMap<Text, VecDeque<(u64, u64)>>);

impl ConfirmedSequences {
    /// A stream has confirmed a publish that was the `start`th, when `starts` had begun. Returns
    /// whether the sequence is below one that was confirmed before that start; it is then not
    /// remembered, and the stream is forgotten.
    pub(super) fn confirmed(
        &mut self,
        stream: &Text,
        sequence: u64,
        start: u64,
        starts: u64,
    ) -> bool {
        if !self.0.contains_key(stream) {
            self.0.insert(stream.clone(), VecDeque::new());
        }
        let Some(highest) = self.0.get_mut(stream) else {
            return false;
        };
        let earlier = highest.partition_point(|(starts, _)| *starts < start);
        let before = earlier.checked_sub(1).and_then(|at| highest.get(at));
        if before.is_some_and(|(_, before)| sequence <= *before) {
            self.0.remove(stream);
            return true;
        }
        match highest.back_mut() {
            Some((_, last)) if sequence <= *last => {}
            Some((at, last)) if *at == starts => *last = sequence,
            _ => highest.push_back((starts, sequence)),
        }
        if highest.len() > REMEMBERED {
            highest.pop_front();
        }
        false
    }

    /// The stream is known to have this sequence, when `starts` publishes had begun.
    pub(super) fn known(&mut self, stream: &Text, sequence: u64, starts: u64) {
        let highest = self.0.entry(stream.clone()).or_default();
        if highest.back().is_none_or(|(_, last)| *last < sequence) {
            highest.push_back((starts, sequence));
        }
    }

    /// Forgets everything: the streams may be others.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishes_may_overtake_each_other() {
        let stream = Text::from("S");
        let mut confirmed = ConfirmedSequences::default();
        // Three are in flight; the last one is confirmed first.
        assert!(!confirmed.confirmed(&stream, 12, 3, 3));
        assert!(!confirmed.confirmed(&stream, 10, 1, 3));
        assert!(!confirmed.confirmed(&stream, 11, 2, 3));
        assert!(!confirmed.confirmed(&stream, 13, 4, 4));
    }

    #[test]
    fn a_later_publish_below_a_confirmed_sequence_is_seen_once() {
        let stream = Text::from("S");
        let mut confirmed = ConfirmedSequences::default();
        confirmed.known(&stream, 100, 0);
        assert!(!confirmed.confirmed(&stream, 101, 1, 1));
        assert!(confirmed.confirmed(&stream, 81, 2, 2));
        assert!(!confirmed.confirmed(&stream, 82, 3, 3));
        assert!(!confirmed.confirmed(&Text::from("OTHER"), 1, 4, 4));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let stream = Text::from("S");
        let mut confirmed = ConfirmedSequences::default();
        for at in 1..=5_000 {
            assert!(!confirmed.confirmed(&stream, at, at, at));
        }
        assert!(confirmed.0[&stream].len() <= REMEMBERED);
        assert!(confirmed.confirmed(&stream, 4_999, 5_001, 5_001));
    }
}
