//! A program whose bus is that of its environment, for `tests/configuration/server.rs`: publishes an
//! order, receives it, and prints what it was.

use event_sdk::{Error, EventBus};
use event_sdk_tests::orders::{OrderPlaced, placed};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    match exchange().await {
        Ok(line) => println!("{line}"),
        Err(error) => println!("error {:?}: {error}", error.kind()),
    }
}

async fn exchange() -> Result<String, Error> {
    let bus = EventBus::from_env().await?;
    let mut orders = bus.subscribe::<OrderPlaced>().await?;
    bus.publisher().publish(placed(7)).await?;
    let Some(delivery) = orders.next().await else {
        return Ok("nothing".to_owned());
    };
    let delivery = delivery?;
    delivery.ack_confirmed().await?;
    let head = delivery.head();
    let source = head.map_or_else(|_| String::new(), |head| head.source.to_string());
    Ok(format!("received {} from {source}", delivery.subject()))
}
