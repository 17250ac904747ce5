//! Publishes a prepared event until it is stored, also while the server is unavailable.

use std::time::Duration;

use event_sdk::transport::Error;
use event_sdk::{Event, Prepared, Published, Publisher};

/// How long to wait before the same event is published again.
const PAUSE: Duration = Duration::from_millis(200);

/// The message id of the outcome of a job. It is the same for each outcome, so that the
/// stream takes the first: a job is done, or fails, or is cancelled.
pub(crate) fn outcome(job: &str) -> String {
    format!("outcome of {job}")
}

/// Publishes an event that was prepared, again and again while the failure may
/// pass: it is the same event each time, so a stream that has it already says so.
///
/// # Errors
///
/// The first failure that will not pass by itself.
pub(crate) async fn store<E: Event>(
    publisher: &Publisher<E>,
    mut prepared: Prepared<E>,
) -> Result<Published, Error> {
    loop {
        match publisher.publish(prepared).await {
            Ok(stored) => return Ok(stored),
            Err(error) if error.is_transient() => {
                prepared = error.into_prepared();
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into_error()),
        }
    }
}
