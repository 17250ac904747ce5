//! A service with outbox and inbox whose processes tests kill and stop: its events, streams and
//! settings. The program is `bin/outbox_service.rs`, the tests are in `tests/processes/`.
//!
//! - `form`: the role of a process, and the form of its consumer;
//! - `arguments`: what the program is told: these, addresses, the step at which it stands;
//! - `database`: plain SQL on SQLite and PostgreSQL, for the service and for the counts of the tests;
//! - `steps`: the steps at which a process announces itself and waits;
//! - `store_steps`, `inbox_steps`, `ack_steps`: those of the relay, of the inbox and of
//!   acknowledgements, around the public traits.

mod ack_steps;
mod arguments;
mod database;
mod form;
mod inbox_steps;
mod steps;
mod store_steps;

pub use ack_steps::AckSteps;
pub use arguments::Arguments;
pub use database::ServiceDatabase;
pub use form::{Form, LettersIn, Role};
pub use inbox_steps::{ConsumerSteps, HandlerWithSteps, LettersWithSteps};
pub use steps::{Step, Steps};
pub use store_steps::StoreWithSteps;

use std::time::Duration;

use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::{BusBuilder, Event, EventBus};
use serde::{Deserialize, Serialize};

/// The consumer that bills the orders.
pub const CONSUMER: &str = "billing";

/// The stream of the orders.
pub const ORDERS: &str = "ORDERS";

/// The stream of the events that the effects publish.
pub const BILLS: &str = "BILLS";

/// The stream of bookings.
pub const BOOKINGS: &str = "BOOKINGS";

/// The lease of a relay. A relay that is frozen for longer has lost its shards.
pub const LEASE: Duration = Duration::from_millis(1_500);

/// The publish timeout of a relay.
pub const PUBLISH_TIMEOUT: Duration = Duration::from_millis(400);

/// The ack wait of the consumer: when events of a killed process come again.
pub const ACK_WAIT: Duration = Duration::from_secs(1);

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub struct OrderPlaced {
    /// The customer.
    #[event(key)]
    pub customer: i64,
    /// The number of the order. It grows with each transaction.
    pub number: i64,
}

/// The bill of an order was written.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "bills")]
pub struct BillWritten {
    /// The customer.
    #[event(key)]
    pub customer: i64,
    /// The number of the order.
    pub number: i64,
}

/// An amount was booked on an account.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "bookings")]
pub struct AmountBooked {
    /// The account.
    #[event(key)]
    pub account: i64,
    /// How many bookings the account has with this one. The transaction locks the row of the account,
    /// so that this is the order of the commits.
    pub version: i64,
    /// Makes a message too large for the stream.
    pub padding: String,
}

/// Declares the streams of orders, bills and dead letters.
#[must_use]
pub fn builder() -> BusBuilder {
    EventBus::builder()
        .source("outbox-service")
        .stream(StreamSpec::new(ORDERS).subject("orders.>"))
        .stream(StreamSpec::new(BILLS).subject("bills.>"))
        .stream(letters().spec())
        .stream(letters().retry_spec())
        .coordination("OUTBOX_SERVICE")
}

/// Declares the stream of the bookings, which refuses messages that are larger than this, in bytes.
#[must_use]
pub fn bookings(largest: u64) -> BusBuilder {
    let stream = StreamSpec::new(BOOKINGS).subject("bookings.>");
    EventBus::builder()
        .source("outbox-service")
        .stream(stream.max_message_size(largest))
}

/// The streams of the dead letters.
#[must_use]
pub fn letters() -> DeadLetterStream {
    DeadLetterStream::new("DLQ")
}

/// Whether the process of this number refuses the order. The next process decides anew, so that an
/// event that is recorded as dead would be handled then, if the record did not count.
#[must_use]
pub const fn refuses(process: i64, number: i64) -> bool {
    (number + process) % 9 == 0
}
