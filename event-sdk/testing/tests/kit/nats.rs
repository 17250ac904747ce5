//! Faults over a real server, and the real server itself.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk_testing::nats::NatsServer;
use event_sdk_testing::{Fault, Faults, Rates};

use crate::events::{OrderPlaced, placed};

async fn server() -> NatsServer {
    let program = event_sdk_test_programs::nats::current().unwrap();
    let options = NatsServer::options().program(program.path());
    options.start().await.unwrap()
}

/// A lost acknowledgement brings the event again, from the server itself.
#[tokio::test]
async fn faults_are_injected_over_a_real_server() {
    let server = server().await;
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let faults = Faults::from_seed(1).rates(Rates::none().lost_ack(1.0).publish_stored(1.0));
    let bus = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .transport(faults.around(nats))
        .unwrap();
    bus.apply_streams().await.unwrap();
    let subscribing = bus.subscribe::<OrderPlaced>().durable("billing");
    let mut orders = subscribing
        .ack_wait(Duration::from_millis(500))
        .await
        .unwrap();

    bus.publisher().publish(placed(7)).await.unwrap_err();

    for attempt in 1..=2 {
        let delivery = orders.next().await.unwrap().unwrap();
        assert_eq!(delivery.decode().unwrap(), placed(7));
        assert_eq!(delivery.attempt(), attempt);
        delivery.ack().await.unwrap();
    }
    let kinds: Vec<_> = faults.injected().iter().map(|one| one.fault).collect();
    assert_eq!(
        kinds,
        [Fault::PublishStored, Fault::LostAck, Fault::LostAck]
    );
}
