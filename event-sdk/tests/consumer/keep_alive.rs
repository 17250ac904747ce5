//! How long a consumer keeps an event alive, and who handles an event that is held longer.

use std::time::Duration;

use event_sdk::EventBus;

use crate::journal::{Journal, left, place};
use crate::process::{Does, consumer, crash, run, secs, wait};

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test(start_paused = true)]
async fn the_instance_that_holds_an_event_does_not_start_it_a_second_time() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let works = consumer(&bus, "billing", &journal, |_, _| Does::Work);
    let works = run(works.ack_wait(millis(300)).keep_alive_for(millis(100)));
    wait(&journal, 2).await;
    while left(&bus, "billing").await != (0, 0) {
        tokio::time::sleep(millis(10)).await;
    }
    tokio::time::sleep(secs(10)).await;
    assert_eq!(journal.notes(), ["billing 1/1", "billing 1/1 ended"]);
    crash(works).await;
}
