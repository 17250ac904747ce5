//! Monitor: prints events, using subscriptions filtered by the server.

use std::io::{self, Write};

use event_sdk::transport::{DeliverPolicy, Error};
use event_sdk::{EventBus, Pattern, Subscriber};

use crate::bus::ACK_WAIT;
use crate::events::Everything;

/// What a monitor shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The events on these subjects …
    pub(crate) subjects: Pattern,
    /// … of this run …
    pub(crate) run: String,
    /// … until so many pipelines have ended; `None`: until the bus is closed.
    pub(crate) ends: Option<u32>,
}

/// Prints a line for each event.
#[derive(Debug)]
pub(crate) struct Monitor {
    events: Subscriber<Everything>,
    shown: Shown,
}

/// Subscribes: what is published from now on is shown.
///
/// # Errors
///
/// When it cannot be subscribed to.
pub(crate) async fn open(bus: &EventBus, shown: Shown) -> Result<Monitor, Error> {
    let events = bus
        .subscribe::<Everything>()
        .deliver(DeliverPolicy::New)
        .ack_wait(ACK_WAIT)
        .subject(shown.subjects.clone())
        .await?;
    Ok(Monitor { events, shown })
}

impl Monitor {
    /// Prints what happens.
    ///
    /// # Errors
    ///
    /// When an event cannot be received.
    pub(crate) async fn print(mut self) -> Result<(), Error> {
        let mut ends = 0;
        while self.shown.ends.is_none_or(|wanted| ends < wanted) {
            let Some(delivery) = self.events.next().await else {
                break;
            };
            let delivery = delivery?;
            // What cannot be read is not shown; the consumers report it.
            if let Ok(event) = delivery.decode()
                && event.run() == self.shown.run
            {
                ends += u32::from(matches!(event, Everything::PipelineCompleted(_)));
                if let Some(line) = line(&event) {
                    // The reader of the output may have read enough.
                    let _ = writeln!(io::stdout(), "{line}");
                }
            }
            // Not acknowledged, it is shown twice.
            let _ = delivery.ack().await;
        }
        Ok(())
    }
}

/// Bytes of another program for the terminal: what moves the cursor or is no text is escaped, and
/// what is long is cut.
fn visible(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes[..bytes.len().min(200)].utf8_chunks() {
        shown.extend(chunk.valid().chars().flat_map(char::escape_debug));
        shown.extend(chunk.invalid().escape_ascii().map(char::from));
    }
    shown
}

fn line(event: &Everything) -> Option<String> {
    Some(match event {
        Everything::PipelineExecutionStarted(execution) => format!(
            "pipeline {}: execution {} started",
            execution.pipeline, execution.execution
        ),
        Everything::PipelineStarted(started) => {
            format!("pipeline {} begins its first job", started.pipeline)
        }
        Everything::PipelineCompleted(end) => format!(
            "pipeline {} ended: {} jobs completed, {} failed, {} cancelled",
            end.pipeline, end.completed, end.failed, end.cancelled
        ),
        Everything::WorkerConnected(worker) => format!("{} is there", worker.worker),
        Everything::WorkerHeartbeat(beat) => format!("{} has done {}", beat.worker, beat.jobs),
        Everything::WorkerDisconnected(worker) => {
            format!("{} leaves after {} jobs", worker.worker, worker.jobs)
        }
        Everything::LogChunk(log) => format!("{} | {}", log.job, visible(&log.data)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn bytes_are_shown_without_control_of_the_terminal() {
        assert_eq!(visible("naïve\n".as_bytes()), r"naïve\n");
        assert_eq!(visible(b"\x1b[2J\xff\x8b!"), r"\u{1b}[2J\xff\x8b!");
        // A character that the cut goes through.
        assert_eq!(visible("é".repeat(101).as_bytes()), "é".repeat(100));
    }
}
