//! Broken promises of managing streams.

use event_sdk::stream::{Compression, StreamConfig};
use event_sdk::transport::{
    Capability, Completion, Error, ErrorKind, Operation, StreamChange, Transport, TransportExt as _,
};

use super::{Sabotage, blurred, only_pretended};

/// Applies a stream, or says so.
pub(super) fn broken_apply(
    inner: &impl Transport,
    sabotage: Sabotage,
    config: &StreamConfig,
) -> Completion<Result<StreamChange, Error>> {
    match sabotage {
        Sabotage::AppliesNothing => return Completion::ready(Ok(StreamChange::Unchanged)),
        Sabotage::Pretends(capability) => {
            let asked = match capability {
                Capability::StreamAdmin => true,
                Capability::Compression => config.compression != Compression::None,
                _ => false,
            };
            if asked {
                return Completion::ready(Err(only_pretended(capability, Operation::Manage)));
            }
        }
        _ => {}
    }
    let applied = inner.apply_stream(config);
    Completion::later(async move {
        match (sabotage, applied.await) {
            (Sabotage::CallsEachStreamNew, Ok(_)) => Ok(StreamChange::Created),
            (Sabotage::ConfirmsWhatCannotBe, Err(error))
                if *error.kind() == ErrorKind::InvalidOption =>
            {
                Ok(StreamChange::Unchanged)
            }
            (_, applied) => applied.map_err(|error| blurred(sabotage, error)),
        }
    })
}
