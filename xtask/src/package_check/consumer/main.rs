//! A service on the packaged crates: derives an event, publishes it, and checks that it arrives.

use std::error::Error;
use std::time::Duration;

use event_sdk::transport::nats::Nats;
use event_sdk::{Event, EventBus, EventSet};
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key)]
    id: u64,
}

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let bus = EventBus::memory();
    let mut orders = bus.subscribe::<OrderEvents>().durable("billing").await?;
    bus.publisher().publish(OrderPlaced { id: 7 }).await?;

    let next = tokio::time::timeout(Duration::from_secs(30), orders.next()).await?;
    let delivery = next.ok_or("the bus was closed")??;
    let OrderEvents::Placed(order) = delivery.decode()?;
    if order.id != 7 {
        return Err(format!("order 7 was published, and order {} arrived", order.id).into());
    }
    delivery.ack().await?;

    // The feature `nats` is in the package too; without a server there is nothing to connect to.
    let _ = Nats::options("nats://127.0.0.1:4222");
    println!("the packaged crates work: order {} arrived", order.id);
    Ok(())
}
