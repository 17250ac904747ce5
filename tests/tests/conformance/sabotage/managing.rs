//! Managing of streams that breaks a promise.

use std::sync::Arc;

use event_sdk::stream::{Compression, StreamConfig};
use event_sdk::transport::{
    Capability, Completion, ConsumerChange, ConsumerConfig, Error, ErrorKind, Operation,
    StreamChange, Transport, TransportExt as _,
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

/// Applies a durable, or says so.
pub(super) fn broken_apply_consumer<T: Transport>(
    inner: &Arc<T>,
    sabotage: Sabotage,
    stream: &str,
    config: &ConsumerConfig,
) -> Completion<Result<ConsumerChange, Error>> {
    if sabotage == Sabotage::AppliesNoDurables {
        return Completion::ready(Ok(ConsumerChange::Unchanged));
    }
    let (inner, stream, config) = (Arc::clone(inner), stream.to_owned(), config.clone());
    Completion::later(async move {
        let applied = inner.apply_consumer(&stream, &config).await;
        match (sabotage, applied) {
            (Sabotage::MakesDurablesAnew, Ok(change @ ConsumerChange::Updated { .. })) => {
                let name = config.name.as_str().unwrap_or_default();
                inner.delete_consumer(&stream, name).await?;
                inner.apply_consumer(&stream, &config).await?;
                Ok(change)
            }
            (Sabotage::ConfirmsDurablesThatCannotBe, Err(_)) => Ok(ConsumerChange::Unchanged),
            (_, applied) => applied.map_err(|error| blurred(sabotage, error)),
        }
    })
}
