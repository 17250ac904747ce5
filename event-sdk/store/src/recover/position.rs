//! `Position`: the durables of a consumer, and where they are in the stream.

use event_sdk::EventBus;
use event_sdk::stream::Retention;
use event_sdk::text::Text;
use event_sdk::transport::{ConsumerInfo, ErrorKind, TransportExt as _};

use super::divergence::Durable;
use super::error::RecoverError;
use super::reset;

/// The position of a consumer with one or several durables.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) durables: Vec<(Durable, ConsumerInfo)>,
    /// The lowest ack floor.
    pub(super) acknowledged: u64,
    /// The highest delivered sequence.
    pub(super) delivered: u64,
    /// Unsettled deliveries.
    pub(super) ack_pending: u64,
}

/// Why there is no position.
#[derive(Debug)]
pub(super) enum NoPosition {
    /// A durable does not exist.
    Missing,
    /// A reset was begun and not completed, of this durable.
    Unfinished(Text),
    /// It cannot be read.
    NotReadable(Text),
}

impl Position {
    /// Reads the position of a consumer.
    pub(super) async fn read(
        bus: &EventBus,
        stream: &str,
        names: &[Text],
        retention: Retention,
    ) -> Result<Result<Self, NoPosition>, RecoverError> {
        let mut position = Self {
            durables: Vec::new(),
            acknowledged: u64::MAX,
            delivered: 0,
            ack_pending: 0,
        };
        for name in names {
            if reset::is_unfinished(bus, stream, name).await? {
                return Ok(Err(NoPosition::Unfinished(name.clone())));
            }
            let info = match bus.transport().consumer_info(stream, name).await {
                Ok(info) => info,
                Err(error) => match error.kind() {
                    ErrorKind::ConsumerNotFound => return Ok(Err(NoPosition::Missing)),
                    ErrorKind::PermissionDenied | ErrorKind::Unsupported(_) => {
                        return Ok(Err(NoPosition::NotReadable(error.to_string().into())));
                    }
                    _ => return Err(error.into()),
                },
            };
            position.acknowledged = position.acknowledged.min(info.acknowledged);
            position.delivered = position.delivered.max(info.delivered);
            position.ack_pending += info.ack_pending;
            let durable = Durable {
                name: name.clone(),
                config: info.config.clone(),
                foreign: !info.foreign.is_empty(),
                work_queue: retention == Retention::WorkQueue,
            };
            position.durables.push((durable, info));
        }
        if position.durables.is_empty() {
            return Ok(Err(NoPosition::Missing));
        }
        Ok(Ok(position))
    }
}
