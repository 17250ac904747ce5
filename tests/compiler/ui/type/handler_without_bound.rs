//! A handler for any set says that it is one.

use event_sdk::{Delivery, Message};

async fn handle<S>(delivery: Delivery<S>) {
    // What every message has, needs nothing.
    println!("{} {:?}", delivery.subject(), delivery.event_id());
    let _ = delivery.decode();
    let _ = delivery.ack().await;
}

fn read<S>(message: &Message<S>) {
    let _ = message.decode();
}

fn main() {}
