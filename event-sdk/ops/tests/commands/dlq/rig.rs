//! Letters in a stream of memory, in a stream of a server, and in tables.

use std::sync::Arc;

use bytes::Bytes;
use event_sdk::dead_letters::{
    DeadLetter, DeadLetterClass, DeadLetterStore, Origin, StreamDeadLetters,
};
use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::nats::Nats;
use event_sdk::{BusBuilder, EventBus};
use event_sdk_ops::Operations;
use event_sdk_sql::{Inbox, InboxDatabase, SqlDeadLetters};
use event_sdk_test_servers::Server;
use event_sdk_topology::{DeadLetterSpec, Topology};
use sqlx::Pool;

/// A mail address in events, headers and reasons: no command shows it unless it is told to.
pub(crate) const MAIL: &str = "ann@example.org";

pub(crate) const SHOP: Topology =
    Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"]).replicas(1)] })
        .dead_letters(const { &[DeadLetterSpec::new("DLQ", "DLQ_RETRY")] });

/// A program whose letters are in the stream `DLQ`, or in the store `table`.
pub(crate) struct Shop {
    pub(crate) operations: Operations,
    pub(crate) bus: EventBus,
    letters: Arc<dyn DeadLetterStore>,
    _server: Option<Server>,
}

impl Shop {
    /// On memory, where it is always the same time.
    pub(crate) fn memory() -> Self {
        let bus = on_memory();
        Self::in_stream(bus, None)
    }

    pub(crate) async fn server() -> Self {
        let server = Server::start().await.unwrap();
        let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
        let bus = SHOP.declare(EventBus::builder()).transport(nats).unwrap();
        bus.apply_streams().await.unwrap();
        Self::in_stream(bus, Some(server))
    }

    /// On memory, with the letters in a table.
    pub(crate) async fn table<DB: InboxDatabase>(pool: Pool<DB>) -> Self {
        let bus = on_memory();
        let inbox = Inbox::builder(pool.clone()).build();
        inbox.migrate().await.unwrap();
        let letters = SqlDeadLetters::new(pool);
        let operations = Operations::new("shop").bus(bus.clone());
        Self {
            operations: operations.letters("table", letters.queue(&bus, "DLQ")),
            bus,
            letters: Arc::new(letters),
            _server: None,
        }
    }

    fn in_stream(bus: EventBus, server: Option<Server>) -> Self {
        let operations = Operations::new("shop").topology(SHOP).bus(bus.clone());
        Self {
            operations,
            letters: Arc::new(StreamDeadLetters::new(&bus, "DLQ")),
            bus,
            _server: server,
        }
    }

    pub(crate) async fn put(&self, letter: &DeadLetter) {
        self.letters.put(letter).await.unwrap();
    }

    /// Puts five letters of three causes, with the ids 1 to 5 where they are the first.
    pub(crate) async fn put_five(&self) {
        for sequence in 1..=2 {
            let mut exhausted = order(sequence, DeadLetterClass::RetryExhausted);
            exhausted.errors = vec![
                "shop::PaymentError".to_owned(),
                "std::io::Error: timed out".to_owned(),
            ];
            exhausted.attempts = 5;
            exhausted.key = Some(MAIL.to_owned());
            exhausted.headers.insert("X-Customer", MAIL).unwrap();
            self.put(&exhausted).await;
        }
        for sequence in 3..=4 {
            let mut rejected = order(sequence, DeadLetterClass::Rejected);
            rejected.errors = vec!["shop::NoPrice".to_owned()];
            self.put(&rejected).await;
        }
        let mut unreadable = order(5, DeadLetterClass::Unreadable);
        unreadable.consumer = "shipping".into();
        unreadable.event_id = None;
        unreadable.event_type = None;
        unreadable.reason = Some(format!("who is {MAIL}?"));
        unreadable.body = Bytes::from(format!("no JSON, {MAIL}"));
        self.put(&unreadable).await;
    }
}

fn on_memory() -> EventBus {
    let start = "2026-05-01T08:00:00Z".parse().unwrap();
    let builder: BusBuilder = SHOP.declare(EventBus::builder());
    let builder = builder.clock(Arc::new(SteppedClock::starting_at(start)));
    builder.memory().unwrap()
}

/// The letter of an order, in the stream ORDERS.
pub(crate) fn order(sequence: u64, class: DeadLetterClass) -> DeadLetter {
    let subject = "events.orders.order.placed";
    let origin = Origin::new("ORDERS", sequence, subject, "events");
    let failed = "2026-05-01T07:30:00Z".parse().unwrap();
    let id = format!("0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b{sequence:02}");
    let body = envelope(&id, "EUR");
    let mut letter = DeadLetter::new("billing", origin, class, failed, Bytes::from(body));
    letter.event_id = Some(id.parse().unwrap());
    letter.event_type = Some("order.placed".into());
    letter
}

/// The envelope of an order.
pub(crate) fn envelope(id: &str, currency: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","event_type":"order.placed","event_version":"1.0","timestamp":"2026-05-01T07:00:00Z","source":"shop","data":{{"order":7,"mail":"{MAIL}","currency":"{currency}"}},"metadata":{{}}}}"#
    )
}
