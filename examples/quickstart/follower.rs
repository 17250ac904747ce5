//! Subscribes to the flight events until the bus is closed, and reports progress.

use std::io;
use std::time::Duration;

use event_sdk::Subscriber;
use tokio::sync::watch;

use crate::events::FlightEvents;

/// How long an event that this program is too old for is put back.
const TOO_EARLY: Duration = Duration::from_secs(30);

/// Hands each event to `observe`, acknowledges it, and notes its sequence.
///
/// # Errors
///
/// When the subscription fails, or an event cannot be acknowledged or observed.
pub(crate) async fn follow(
    mut flights: Subscriber<FlightEvents>,
    position: watch::Sender<u64>,
    mut observe: impl FnMut(&FlightEvents) -> io::Result<()>,
) -> anyhow::Result<()> {
    while let Some(delivery) = flights.next().await {
        let delivery = delivery?;
        match delivery.decode() {
            Ok(event) => {
                observe(&event)?;
                delivery.ack().await?;
            }
            Err(error) => delivery.refuse(&error, TOO_EARLY).await?,
        }
        if let Some(sequence) = delivery.sequence() {
            position.send_replace(sequence);
        }
    }
    Ok(())
}

/// How far several consumers are.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    positions: Vec<watch::Receiver<u64>>,
}

impl Followers {
    /// One more consumer, which is to note its position in what is returned.
    pub(crate) fn add(&mut self) -> watch::Sender<u64> {
        let (position, receiver) = watch::channel(0);
        self.positions.push(receiver);
        position
    }

    /// Waits until all of them have handled this sequence; `false` if one of
    /// them has ended before.
    pub(crate) async fn reach(&mut self, sequence: u64) -> bool {
        for position in &mut self.positions {
            if position
                .wait_for(|handled| *handled >= sequence)
                .await
                .is_err()
            {
                return false;
            }
        }
        true
    }
}
