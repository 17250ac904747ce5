//! Broken promises of getting, deleting and purging messages.

use event_sdk::transport::{
    Capability, Completion, Deletion, Error, ErrorKind, FoundMessage, MessageAdmin, Operation,
    PurgeRequest, Transport, TransportExt as _, WhichMessage,
};

use super::{Broken, Sabotage, blurred, only_pretended};

const PRETENDED: Sabotage = Sabotage::Pretends(Capability::MessageAdmin);

/// Whether a deletion that the stream denies is confirmed.
fn is_confirmed<T>(sabotage: Sabotage, answer: &Result<T, Error>) -> bool {
    let denied = |error: &Error| *error.kind() == ErrorKind::DeletionDenied;
    sabotage == Sabotage::ConfirmsDeniedDeletions && answer.as_ref().is_err_and(denied)
}

impl<T: Transport> MessageAdmin for Broken<T> {
    fn get(
        &self,
        stream: &str,
        mut which: WhichMessage,
    ) -> Completion<Result<Option<FoundMessage>, Error>> {
        if self.is(PRETENDED) {
            let error = only_pretended(Capability::MessageAdmin, Operation::Read);
            return Completion::ready(Err(error));
        }
        if let (Sabotage::GetsTheNeighbour, WhichMessage::Sequence(sequence)) =
            (self.sabotage, &mut which)
        {
            *sequence += 1;
        }
        let (got, sabotage) = (self.inner.get_message(stream, which), self.sabotage);
        Completion::later(async move { got.await.map_err(|error| blurred(sabotage, error)) })
    }

    fn delete(
        &self,
        stream: &str,
        sequence: u64,
        deletion: Deletion,
    ) -> Completion<Result<bool, Error>> {
        match self.sabotage {
            PRETENDED => {
                let error = only_pretended(Capability::MessageAdmin, Operation::Manage);
                return Completion::ready(Err(error));
            }
            Sabotage::DeletesNoMessages => return Completion::ready(Ok(true)),
            _ => {}
        }
        let deleted = self.inner.delete_message(stream, sequence, deletion);
        let sabotage = self.sabotage;
        Completion::later(async move {
            let deleted = deleted.await;
            if is_confirmed(sabotage, &deleted) {
                return Ok(true);
            }
            let deleted = deleted.map_err(|error| blurred(sabotage, error))?;
            Ok(deleted || sabotage == Sabotage::CallsTheMissingDeleted)
        })
    }

    fn purge(&self, mut request: PurgeRequest) -> Completion<Result<u64, Error>> {
        match self.sabotage {
            PRETENDED => {
                let error = only_pretended(Capability::MessageAdmin, Operation::Manage);
                return Completion::ready(Err(error));
            }
            Sabotage::PurgesEverything => {
                let checked = request.check();
                request = PurgeRequest::all(request.stream);
                if let Err(error) = checked {
                    return Completion::ready(Err(error));
                }
            }
            Sabotage::PurgesWithTwoEnds => {
                request.keep = request.keep.filter(|_| request.before.is_none());
            }
            _ => {}
        }
        let (purged, sabotage) = (self.inner.purge_messages(request), self.sabotage);
        Completion::later(async move {
            let purged = purged.await;
            if is_confirmed(sabotage, &purged) {
                return Ok(1);
            }
            let purged = purged.map_err(|error| blurred(sabotage, error))?;
            Ok(match sabotage {
                Sabotage::CountsNothingPurged => 0,
                _ => purged,
            })
        })
    }
}
