//! Limits of size, nesting and metadata are the same for publishing and for reading.

use event_sdk::transport::ErrorKind;
use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, Debug)]
#[event(domain = "files")]
struct FileStored {
    contents: String,
}

/// A bus whose transport takes more than it reads.
fn bus(reads: usize) -> EventBus {
    EventBus::builder()
        .max_payload(reads)
        .memory_with(|memory| memory.max_payload(64 * 1024).hand_over(false))
        .unwrap()
}

#[tokio::test]
async fn a_body_that_is_not_read_is_not_published() {
    let reads = 2_000;
    let bus = bus(reads);
    let publisher = bus.publisher::<FileStored>();
    let mut files = bus.subscribe::<FileStored>().await.unwrap();
    let mut sizes = (0, 0);
    for length in (1_000..3_000).step_by(50) {
        let contents = "x".repeat(length);
        match publisher.publish(FileStored { contents }).await {
            Ok(_) => {
                let delivery = files.next().await.unwrap().unwrap();
                assert_eq!(delivery.decode().unwrap().contents.len(), length);
                sizes.0 = delivery.body().unwrap().len();
            }
            Err(error) => {
                let ErrorKind::TooLarge { size, limit } = *error.kind() else {
                    panic!("{error}");
                };
                assert!(size > limit && limit == reads, "{error}");
                let error = error.into_error();
                assert!(
                    error.to_string().contains("`max_payload` of the bus"),
                    "{error}"
                );
                sizes.1 += 1;
            }
        }
    }
    // Some fitted, and some did not.
    assert!(
        (reads - 50..=reads).contains(&sizes.0) && sizes.1 > 10,
        "{sizes:?}"
    );
}

#[tokio::test]
async fn metadata_that_is_not_read_is_not_published() {
    let bus = bus(1024 * 1024);
    let publisher = bus.publisher::<FileStored>();
    let mut files = bus.subscribe::<FileStored>().await.unwrap();
    // The story is one entry more.
    for (entries, fits) in [(255, true), (256, false)] {
        let event = FileStored {
            contents: String::new(),
        };
        let mut prepared = publisher.prepare(event);
        for entry in 0..entries {
            prepared = prepared.metadata(format!("entry {entry}"), "x");
        }
        let outcome = publisher.publish(prepared).await;
        assert_eq!(outcome.is_ok(), fits, "{entries}: {outcome:?}");
        if fits {
            let delivery = files.next().await.unwrap().unwrap();
            assert_eq!(delivery.head().unwrap().metadata.len(), entries + 1);
        } else {
            assert_eq!(*outcome.unwrap_err().kind(), ErrorKind::Encode);
        }
    }
}
