//! Finds a message that ran out of deliveries before a subscription began.
//!
//! The server reports such a message once, when it happens, and keeps no record. But an
//! acknowledgement that leaves nothing pending moves the ack floor to the last delivery. So if
//! nothing is pending and the floor is lower than the last delivery, the last message that stopped
//! being pending was not acknowledged. The first message above the floor was not acknowledged
//! either: it ran out of deliveries. Messages above it may have been acknowledged; this cannot be
//! determined. In a replicated consumer, the ack floor counts an acknowledgement later than the
//! other numbers do, so it is trusted only some time after the last acknowledgement.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::super::ack_context::AckContext;
use super::super::bind::{self, AGREED};
use crate::streams::{Which, message};
use event_sdk_core::subject::Subject;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{ConsumerConfig, Error, Exhausted, Operation};

/// The message, where it is certain.
pub(super) async fn find(
    ack_context: Arc<AckContext>,
    consumer: Text,
    config: Arc<ConsumerConfig>,
) -> Option<Exhausted> {
    let mut found = first_above_floor(&ack_context, &consumer, &config).await;
    if let Ok(Floor::Late) = found {
        tokio::time::sleep(AGREED.unsigned_abs()).await;
        found = first_above_floor(&ack_context, &consumer, &config).await;
    }
    match found {
        Ok(Floor::Below(found)) => found,
        // Messages are acknowledged all the time.
        Ok(Floor::Late) => None,
        Err(error) => {
            tracing::debug!(target: crate::TRACING_TARGET,
                stream = %ack_context.stream,
                %consumer,
                %error,
                "it cannot be told whether a message ran out of deliveries before"
            );
            None
        }
    }
}

/// What an ack floor says that lies lower than the last delivery.
enum Floor {
    /// The message above it ran out, if there is one.
    Below(Option<Exhausted>),
    /// Nothing yet: it may not count what was acknowledged lately.
    Late,
}

async fn first_above_floor(
    ack_context: &AckContext,
    consumer: &Text,
    config: &ConsumerConfig,
) -> Result<Floor, Error> {
    let about = ack_context.about(Operation::Subscribe);
    let (context, stream) = (&ack_context.context, &ack_context.stream);
    let info = bind::info(context, stream, consumer, &about).await?;
    let info = info.map_err(|error| error.into_error(&about))?;
    let Some(below) = info.floor_below_delivered() else {
        return Ok(Floor::Below(None));
    };
    if !below.is_agreed {
        return Ok(Floor::Late);
    }
    let from = below.floor.saturating_add(1);
    let mut first = None;
    for filter in &config.filters {
        let found = message(context, &about, stream, &Which::Next(filter.as_str(), from)).await?;
        let found = found.map(|found| (found.sequence, found.subject));
        first = match (first, found) {
            (Some(first), Some(found)) => Some(found.min(first)),
            (first, found) => first.or(found),
        };
    }
    let first = first.filter(|(sequence, _)| *sequence <= below.delivered);
    let Some((sequence, subject)) = first else {
        return Ok(Floor::Below(None));
    };
    // One that was removed from the stream may have been the first.
    if sequence != from && !is_complete(ack_context, from).await? {
        return Ok(Floor::Below(None));
    }
    Ok(Floor::Below(Some(Exhausted {
        subject: Subject::parse(subject).ok(),
        sequence,
        attempts: config.max_deliver.map_or(0, std::num::NonZeroU32::get),
    })))
}

/// Whether no message was removed from the stream since this one was stored.
async fn is_complete(ack_context: &AckContext, from: u64) -> Result<bool, Error> {
    #[derive(Deserialize)]
    struct Info {
        state: State,
    }
    #[derive(Deserialize)]
    struct State {
        first_seq: u64,
        #[serde(default)]
        num_deleted: u64,
    }
    let about = ack_context.about(Operation::Subscribe);
    let call = format!("STREAM.INFO.{}", ack_context.stream);
    let Info { state } = ack_context
        .context
        .request(&about, &call, &json!({}))
        .await?;
    Ok(state.num_deleted == 0 && state.first_seq <= from)
}
