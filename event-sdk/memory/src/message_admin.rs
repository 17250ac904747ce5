//! `MessageAdmin` for memory: gets, deletes and purges stored messages by sequence.

use std::thread;

use super::MemoryTransport;
use super::deferred_actions::DeferredActions;
use super::log::{Log, Message};
use super::phase::Phase;
use super::state::State;
use super::stream::MemoryStream;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Completion, Deletion, Error, ErrorKind, FoundMessage, MessageAdmin, Operation, PurgeRequest,
    WhichMessage,
};

/// How many messages a purge drops under one lock, and how many it looks at.
const MAX_DROPPED: usize = 256;
const MAX_SCANNED: usize = 4096;

/// What a purge has still to look at: sequences from `from` and below `end`.
struct Left {
    from: u64,
    end: u64,
}

impl MessageAdmin for MemoryTransport {
    fn get(
        &self,
        stream: &str,
        which: WhichMessage,
    ) -> Completion<Result<Option<FoundMessage>, Error>> {
        let stream = self.stream(stream, Operation::Read);
        let phase = self.0.connection.phase();
        Completion::ready(stream.and_then(|stream| stream.get_message(phase, &which)))
    }

    /// A message in memory has no bytes on disk, so both forms are the same.
    fn delete(&self, stream: &str, sequence: u64, _: Deletion) -> Completion<Result<bool, Error>> {
        let stream = self.stream(stream, Operation::Manage);
        let phase = self.0.connection.phase();
        Completion::ready(stream.and_then(|stream| stream.delete_message(phase, sequence)))
    }

    fn purge(&self, request: PurgeRequest) -> Completion<Result<u64, Error>> {
        let stream = self.stream(&request.stream, Operation::Manage);
        let phase = self.0.connection.phase();
        Completion::ready(stream.and_then(|stream| stream.purge(phase, &request)))
    }
}

impl MemoryStream {
    /// The message, if the stream has it.
    pub(super) fn get_message(
        &self,
        through: &Phase,
        which: &WhichMessage,
    ) -> Result<Option<FoundMessage>, Error> {
        self.locked_fresh(through, Operation::Read, |state, _| {
            let sequence = match which {
                WhichMessage::Sequence(sequence) => Some(*sequence),
                WhichMessage::LastUnder(pattern) => state.log.subjects_mut().last_under(pattern),
            };
            let found = sequence.and_then(|sequence| Some((sequence, state.log.get(sequence)?)));
            Ok(found.map(|(sequence, (message, entry))| {
                FoundMessage::new(
                    Text::copy_of(entry.subject().as_str()),
                    Ok(message.headers.clone()),
                    message.body.clone(),
                    self.name().clone(),
                    sequence,
                    message.stored_at,
                )
            }))
        })
    }

    /// Deletes a message. Whether there was one.
    pub(super) fn delete_message(&self, through: &Phase, sequence: u64) -> Result<bool, Error> {
        self.locked_fresh(through, Operation::Manage, |state, after| {
            if self.settings().config.denies_delete() {
                return Err(self.denied("it denies that single messages are deleted"));
            }
            Ok(state.delete(sequence, after))
        })
    }

    /// Deletes what the request selects, piece by piece, so that publishers get the lock in
    /// between. The number of deleted messages.
    pub(super) fn purge(&self, through: &Phase, request: &PurgeRequest) -> Result<u64, Error> {
        request.check()?;
        let filter = request.filter.as_ref();
        let (mut left, mut purged) =
            self.locked_fresh(through, Operation::Manage, |state, _| {
                self.check_purge()?;
                let is_of_all =
                    filter.is_none() && request.before.is_none() && request.keep.is_none();
                let waiting = if is_of_all {
                    state.schedules.clear()
                } else {
                    0
                };
                let left = Left {
                    from: state.log.first_sequence(),
                    end: end(&state.log, request),
                };
                Ok((left, waiting))
            })?;
        while left.from < left.end {
            purged += self.locked_fresh(through, Operation::Manage, |state, after| {
                self.check_purge()?;
                Ok(state.purge_some(&mut left, filter, after))
            })?;
            thread::yield_now();
        }
        Ok(purged)
    }
}

impl MemoryStream {
    fn check_purge(&self) -> Result<(), Error> {
        if self.settings().config.denies_purge() {
            return Err(self.denied("it denies that messages are purged"));
        }
        Ok(())
    }

    fn denied(&self, why: &str) -> Error {
        let reason = format!("{why}, and goes on to; limits of the stream still drop messages");
        Error::new(ErrorKind::DeletionDenied, Operation::Manage, reason)
            .at_stream(self.name().clone())
    }
}

/// The sequence before which messages are purged, in what the stream has now.
fn end(log: &Log, request: &PurgeRequest) -> u64 {
    let behind_all = log.last_sequence() + 1;
    if let Some(before) = request.before {
        return before.min(behind_all);
    }
    let keep = match request.keep.map(usize::try_from) {
        None | Some(Ok(0)) => return behind_all,
        Some(keep) => keep.unwrap_or(usize::MAX),
    };
    let kept = log.messages().from(0).rev();
    let filter = request.filter.as_ref();
    let mut kept = kept.filter(|(_, message)| is_selected(log, message, filter));
    // With fewer messages than are to be kept, none is purged.
    kept.nth(keep - 1).map_or(0, |(sequence, _)| sequence)
}

fn is_selected(log: &Log, message: &Message, filter: Option<&Pattern>) -> bool {
    filter.is_none_or(|filter| {
        let subject = log.subject_of(message);
        subject.is_some_and(|subject| filter.matches(subject))
    })
}

impl State {
    /// Deletes a message wherever it lies. Whether there was one.
    fn delete(&mut self, sequence: u64, after: &mut DeferredActions) -> bool {
        let Some((message, entry)) = self.log.get(sequence) else {
            return false;
        };
        let (place, was_last) = (message.subject, entry.last() == sequence);
        self.drop_message(sequence, after);
        if was_last {
            self.log.find_last_again(place, sequence);
        }
        true
    }

    /// Deletes some of what is left of a purge. How many messages that were.
    ///
    /// Each is the oldest of its subject, since all before it were deleted.
    fn purge_some(
        &mut self,
        left: &mut Left,
        filter: Option<&Pattern>,
        after: &mut DeferredActions,
    ) -> u64 {
        let mut selected = Vec::new();
        let mut next = left.end;
        for (scanned, (sequence, message)) in self.log.messages().from(left.from).enumerate() {
            if sequence >= left.end {
                break;
            }
            if scanned == MAX_SCANNED || selected.len() == MAX_DROPPED {
                next = sequence;
                break;
            }
            if is_selected(&self.log, message, filter) {
                selected.push(sequence);
            }
        }
        left.from = next;
        for sequence in &selected {
            self.drop_message(*sequence, after);
        }
        selected.len() as u64
    }
}
