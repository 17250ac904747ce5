//! README's program as it stood before the packages were split. What of it had to change since
//! is what CHANGELOG.md lists as renamed; `git diff d970b9d -- README.md` has the rest.

use event_sdk::{Event, EventBus, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

/// A flight has left its gate.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "flights", entity = "flight", action = "departed", version = "1.0")]
struct FlightDeparted {
    #[event(key)]
    flight: String,
    delay_minutes: i32,
}

/// A flight has landed.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "flights", entity = "flight", action = "arrived")]
struct FlightArrived {
    #[event(key)]
    flight: String,
}

#[derive(EventSet)]
#[event(pattern = "flights.>")]
enum FlightEvents {
    Departed(FlightDeparted),
    Arrived(FlightArrived),
    #[event(other)]
    Other(RawEvent),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bus = EventBus::memory();
    let mut board = bus.subscribe::<FlightEvents>().durable("board").await?;

    let departures = bus.publisher::<FlightDeparted>();
    departures.publish(FlightDeparted { flight: "UA1545".into(), delay_minutes: 2 }).await?;

    while let Some(delivery) = board.next().await {
        let delivery = delivery?;
        match delivery.decode() {
            Ok(FlightEvents::Departed(f)) => println!("{} left, {} minutes late", f.flight, f.delay_minutes),
            Ok(FlightEvents::Arrived(f)) => println!("{} landed", f.flight),
            Ok(FlightEvents::Other(raw)) => println!("something else: {}", raw.subject),
            Err(poison) => {
                // a newer major version is put back, anything else is terminated
                delivery.refuse(&poison, std::time::Duration::from_secs(30)).await?;
                continue;
            }
        }
        delivery.ack().await?;
    }
    Ok(())
}
