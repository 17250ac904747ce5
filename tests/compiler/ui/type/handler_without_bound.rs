//! A handler for any set says that it is one.

use event_sdk::{Batch, Delivery, Message, Subscriber};

async fn run<S>(mut subscriber: Subscriber<S>) {
    while let Some(Ok(delivery)) = subscriber.next().await {
        handle(delivery).await;
    }
}

async fn handle<S>(delivery: Delivery<S>) {
    // What every message has, needs nothing.
    println!("{} {:?}", delivery.subject(), delivery.event_id());
    let _ = delivery.decode();
    let _ = delivery.ack().await;
}

fn read<S>(message: &Message<S>) {
    let _ = message.decode();
}

async fn settle<S>(batch: Batch<S>) {
    let _ = batch.ack().await;
}

fn main() {}
