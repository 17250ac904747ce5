//! Outside of a tokio runtime, and after it has ended: no panic, on both transports.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::ErrorKind;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::nats::{ConnectionState, Nats};
use event_sdk_test_servers::Server;
use event_sdk_tests::orders::{AllOrderEvents, OrderPlaced, placed};
use tokio::runtime::Runtime;

/// Runs a future on this thread, without tokio.
fn run<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, begun) = (pin!(future), Instant::now());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let left = Duration::from_mins(1).checked_sub(begun.elapsed());
        std::thread::park_timeout(left.expect("waited in vain"));
    }
}

fn builder() -> event_sdk::BusBuilder {
    let stream = StreamSpec::new("ORDERS").subject("orders.>");
    EventBus::builder().source("tests").stream(stream)
}

/// Everything that a bus can do.
async fn all_of(bus: EventBus) {
    bus.apply_streams().await.unwrap();
    let confirmed = bus.publisher().publish(placed(1)).await.unwrap();
    assert_eq!(confirmed.sequence(), Some(1));
    let sent = bus
        .publisher::<OrderPlaced>()
        .publish_all((2..=5).map(placed))
        .await;
    sent.unwrap();
    let mut orders = bus
        .subscribe::<AllOrderEvents>()
        .durable("all")
        .await
        .unwrap();
    for _ in 1..=3 {
        let delivery = orders.next().await.unwrap().unwrap();
        delivery.ack_confirmed().await.unwrap();
    }
    let delivery = orders.next().await.unwrap().unwrap();
    delivery.nak(Duration::from_millis(20)).await.unwrap();
    for _ in 4..=5 {
        let delivery = orders.next().await.unwrap().unwrap();
        delivery.ack().await.unwrap();
    }
    let mut history = bus.history::<AllOrderEvents>().await.unwrap();
    for _ in 1..=5 {
        history.next().await.unwrap().unwrap();
    }
    assert!(history.next().await.is_none());
    drop(orders);
    bus.drain(Duration::from_secs(20)).await.unwrap();
    bus.close().await.unwrap();
}

#[test]
fn memory_needs_no_runtime() {
    let transport = MemoryTransport::builder().without_default_stream();
    run(all_of(
        builder().transport(transport.build().unwrap()).unwrap(),
    ));
}

#[test]
fn nats_uses_the_runtime_of_its_connection() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(Server::start()).unwrap();
    let nats = runtime
        .block_on(Nats::connect(Nats::options(server.url())))
        .unwrap();
    run(all_of(builder().transport(nats).unwrap()));
}

#[test]
fn connecting_without_a_runtime_is_an_error_that_says_so() {
    let error = run(Nats::connect(Nats::options("nats://127.0.0.1:1")))
        .err()
        .unwrap();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

/// A runtime on which neither `enable_io` nor `enable_time` was called.
fn without_drivers() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

#[test]
fn memory_needs_no_drivers() {
    let transport = MemoryTransport::builder().without_default_stream();
    let bus = builder().transport(transport.build().unwrap()).unwrap();
    without_drivers().block_on(all_of(bus));
}

#[test]
fn nats_needs_no_drivers_beside_those_of_its_connection() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(Server::start()).unwrap();
    let nats = runtime
        .block_on(Nats::connect(Nats::options(server.url())))
        .unwrap();
    without_drivers().block_on(all_of(builder().transport(nats).unwrap()));
}

#[test]
fn connecting_in_a_runtime_without_drivers_is_an_error_that_says_so() {
    let one = tokio::runtime::Builder::new_current_thread;
    let many = tokio::runtime::Builder::new_multi_thread;
    for (what, runtime) in [
        ("neither", one().build()),
        ("neither, multi-threaded", many().worker_threads(1).build()),
        ("no timers", one().enable_io().build()),
        ("no I/O", one().enable_time().build()),
    ] {
        let runtime = runtime.unwrap();
        let connecting = Nats::connect(Nats::options("nats://127.0.0.1:1"));
        let error = runtime.block_on(connecting).err().unwrap();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{what}: {error}");
        assert!(error.to_string().contains("enable_all"), "{what}: {error}");
    }
}

#[test]
fn a_runtime_that_has_ended_is_the_reason() {
    let of_server = Runtime::new().unwrap();
    let server = of_server.block_on(Server::start()).unwrap();
    let runtime = Runtime::new().unwrap();
    let nats = runtime
        .block_on(Nats::connect(Nats::options(server.url())))
        .unwrap();
    let bus = builder().transport(nats.clone()).unwrap();
    let (mut orders, mut history, delivery) = runtime.block_on(async {
        bus.apply_streams().await.unwrap();
        bus.publisher().publish(placed(1)).await.unwrap();
        let mut orders = bus
            .subscribe::<AllOrderEvents>()
            .durable("all")
            .await
            .unwrap();
        let delivery = orders.next().await.unwrap().unwrap();
        let history = bus.history::<AllOrderEvents>().await.unwrap();
        (orders, history, delivery)
    });
    let mut watch = nats.connection();
    assert_eq!(watch.current(), ConnectionState::Connected);
    drop(runtime);
    assert_eq!(watch.current(), ConnectionState::Closed);
    assert!(!run(watch.connected()));
    let ended = |what: &str, error: event_sdk::Error| {
        assert_eq!(*error.kind(), ErrorKind::Closed, "{what}: {error}");
        assert!(
            error.to_string().contains("tokio runtime"),
            "{what}: {error}"
        );
    };
    run(async {
        ended(
            "publish",
            bus.publisher()
                .publish(placed(2))
                .await
                .unwrap_err()
                .into_error(),
        );
        ended("apply", bus.apply_streams().await.unwrap_err());
        ended("next", orders.next().await.unwrap().unwrap_err());
        assert!(orders.next().await.is_none());
        ended(
            "subscribe",
            bus.subscribe::<AllOrderEvents>().await.unwrap_err(),
        );
        ended(
            "history",
            bus.history::<AllOrderEvents>().await.unwrap_err(),
        );
        let read = history.next().await.unwrap();
        ended("read", read.unwrap_err());
        delivery.ack_confirmed().await.unwrap_err();
        drop(orders);
        bus.drain(Duration::from_secs(1)).await.ok();
        bus.close().await.unwrap();
        nats.core();
    });
}
