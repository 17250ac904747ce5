//! A handler that blocks its thread is named in a warning, while it blocks.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use event_sdk::consumer::Ctx;
use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    number: u64,
}

/// Sends the text of each warning.
struct Warnings(Mutex<mpsc::Sender<String>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "event_sdk" && *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let _ = self.0.lock().unwrap().send(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

#[tokio::test]
async fn a_handler_that_blocks_its_thread_is_named_while_it_blocks() {
    let (sender, warnings) = mpsc::channel();
    tracing::subscriber::set_global_default(Warnings(Mutex::new(sender))).unwrap();
    let bus = EventBus::memory();
    for number in 1..=3 {
        bus.publisher()
            .publish(OrderPlaced { number })
            .await
            .unwrap();
    }
    let warnings = Arc::new(Mutex::new(warnings));
    let (done, mut end) = tokio::sync::mpsc::channel(1);
    let seen = Arc::clone(&warnings);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(move |order: OrderPlaced, _: Ctx| {
            let (seen, done) = (Arc::clone(&seen), done.clone());
            async move {
                if order.number == 2 {
                    // Blocks the thread until the warning is there.
                    let text = seen
                        .lock()
                        .unwrap()
                        .recv_timeout(Duration::from_secs(60))
                        .unwrap();
                    assert!(text.contains("billing: OrderPlaced"), "{text}");
                    assert!(text.contains("on_blocking"), "{text}");
                }
                if order.number == 3 {
                    done.send(()).await.unwrap();
                }
                Ok(())
            }
        });
    let report = consumer.run_until(async move { end.recv().await.unwrap_or_default() });
    assert_eq!(report.await.unwrap().handled, 3);
    let more = warnings.lock().unwrap().try_recv();
    assert!(more.is_err(), "only one is named: {more:?}");
}
