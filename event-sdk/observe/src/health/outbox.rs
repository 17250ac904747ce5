//! Outboxes of a check: reads the status of an `OutboxStore`.

use std::sync::Arc;

use event_sdk_store::outbox::OutboxStore;

use super::parts::Outbox;
use super::{HealthBuilder, OutboxHealth};

impl HealthBuilder {
    /// Adds an outbox. Its name in the report is the name of the store.
    pub fn outbox(mut self, store: Arc<dyn OutboxStore>) -> Self {
        let name = store.name().to_owned();
        self.outboxes.push(Outbox {
            name: name.clone(),
            read: Box::new(move |now| {
                let (store, name) = (Arc::clone(&store), name.clone());
                Box::pin(async move {
                    let status = store.status(now).await.map_err(|why| why.to_string())?;
                    let age = status.oldest_age.unwrap_or_default();
                    Ok(OutboxHealth {
                        name,
                        depth: Some(status.depth.rows()),
                        oldest_age_seconds: Some(age.as_secs_f64()),
                        scheduled: Some(status.scheduled.rows()),
                        parked: Some(status.parked_rows.rows()),
                        published_per_second: Some(status.rate()),
                        relays: Some(status.relays),
                        error: None,
                    })
                })
            }),
        });
        self
    }
}
