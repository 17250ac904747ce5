//! `tail` goes on when a server comes back or a stream is created again, and says what it cannot show.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::{EventBus, Pii};
use event_sdk_ops::{Operations, Screen, run_on};
use event_sdk_test_servers::{Permissions, Server, User};
use tokio::task::LocalSet;

use crate::raw::Raw;
use crate::shop::{OrderPlaced, operations};
use crate::until;

/// What a command has written so far.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    async fn has(&self, text: &str) {
        until(async || self.text().contains(text)).await;
    }
}

/// `tail` in a pipe, on a local task of its own. Returns what it writes, and its exit code.
fn tail(shop: &Operations, args: &'static str) -> (Written, Written, tokio::task::JoinHandle<u8>) {
    let (out, err) = (Written::default(), Written::default());
    let (mut to, mut to_err, shop) = (out.clone(), err.clone(), shop.clone());
    let task = tokio::task::spawn_local(async move {
        let mut screen = Screen {
            input: &mut &b""[..],
            out: &mut to,
            err: &mut to_err,
            out_color: anstream::ColorChoice::Never,
            err_color: anstream::ColorChoice::Never,
            is_terminal: false,
            is_interactive: false,
        };
        run_on(&shop, args.split(' '), &mut screen).await
    });
    (out, err, task)
}

async fn connect(server: &Server, spec: StreamSpec, request_timeout: Duration) -> EventBus {
    let options = Nats::options(server.url())
        .request_timeout(request_timeout)
        .reconnect_delay(Duration::from_millis(20), Duration::from_millis(100));
    let nats = Nats::connect(options).await.unwrap();
    EventBus::builder().stream(spec).transport(nats).unwrap()
}

fn orders() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>").replicas(1)
}

async fn place(bus: &EventBus, order: &str) {
    let placed = OrderPlaced {
        order: order.to_owned(),
        cents: 1,
        customer: Pii::new("c".to_owned()),
    };
    bus.publisher().publish(placed).await.unwrap();
}

#[tokio::test]
async fn it_goes_on_when_the_server_comes_back_and_the_stream_is_created_again() {
    LocalSet::new()
        .run_until(async {
            let mut server = Server::start().await.unwrap();
            let bus = connect(&server, orders(), Duration::from_secs(60)).await;
            let soon_failing = connect(&server, orders(), Duration::from_secs(1)).await;
            bus.apply_streams().await.unwrap();
            for order in ["o-1", "o-2", "o-3"] {
                place(&bus, order).await;
            }
            let shop = operations(soon_failing);
            let (out, err, task) = tail(&shop, "shop tail --last 1 --count 6");
            out.has("o-3").await;

            server.kill().await.unwrap();
            err.has("a request failed, and is tried again:").await;
            server.restart().await.unwrap();
            err.has("the server answers again").await;
            place(&bus, "o-4").await;
            out.has("o-4").await;

            let mut raw = Raw::connect(&server).await;
            raw.ask("$JS.API.STREAM.DELETE.ORDERS", "").await;
            err.has("the stream ORDERS was deleted").await;
            bus.apply_streams().await.unwrap();
            err.has("the stream ORDERS was created again").await;
            for order in ["o-5", "o-6", "o-7"] {
                place(&bus, order).await;
                out.has(order).await;
            }

            // Created again between two looks: it ends before what was shown, as if it went back.
            raw.ask("$JS.API.STREAM.DELETE.ORDERS", "").await;
            bus.apply_streams().await.unwrap();
            place(&bus, "o-old").await;
            let noticed = |err: &str| {
                // A look may have come in between.
                let twice = err.matches("ORDERS was created again").count() == 2;
                twice || err.contains("ORDERS went back")
            };
            until(async || noticed(&err.text())).await;
            place(&bus, "o-8").await;
            assert_eq!(task.await.unwrap(), 0, "{}", err.text());
            let (shown, went_back) = (
                out.text().contains("o-old"),
                err.text().contains("went back"),
            );
            assert_ne!(shown, went_back, "{}", err.text());
            assert!(!err.text().contains("not shown"), "{}", err.text());
            assert!(!out.text().contains("o-2"), "{}", out.text());
            let said = |what| err.text().matches(what).count();
            let (failed, answers) = (said("is tried again"), said("answers again"));
            assert_eq!(failed, answers, "once an outage: {}", err.text());
        })
        .await;
}

#[tokio::test]
async fn it_goes_on_with_known_streams_when_it_may_not_list_streams_any_more() {
    LocalSet::new()
        .run_until(async {
            let names = "$JS.API.STREAM.NAMES";
            let reads = ["STREAM.INFO", "DIRECT.GET", "STREAM.MSG.GET"];
            let [info, direct, get] = reads.map(|call| format!("$JS.API.{call}.ORDERS"));
            let may = Permissions::none().publish(&[names, &info, &direct, &get]);
            let users = [
                User::password("admin", "a-planted-password"),
                User::password("viewer", "a-planted-password")
                    .permissions(may.subscribe(&["_INBOX.>"])),
            ];
            let mut server = Server::options().users(users).start().await.unwrap();
            let connect = async |user: &str| {
                let options = Nats::options(server.url()).user(user, "a-planted-password");
                let nats = Nats::connect(options).await.unwrap();
                let bus = EventBus::builder().stream(orders());
                bus.transport(nats).unwrap()
            };
            let (admin, viewer) = (connect("admin").await, connect("viewer").await);
            admin.apply_streams().await.unwrap();
            place(&admin, "o-1").await;
            let shop = operations(viewer);
            let (out, err, task) = tail(&shop, "shop tail --last 1 --count 3");
            out.has("o-1").await;

            let revoke = |text: String| text.replace(names, "$JS.API.STREAM.NONE");
            server.reconfigure(revoke).await.unwrap();
            err.has("new streams are not followed any more: ").await;
            place(&admin, "o-2").await;
            out.has("o-2").await;
            place(&admin, "o-3").await;
            assert_eq!(task.await.unwrap(), 0, "{}", err.text());
            assert!(err.text().contains(names), "{}", err.text());
            assert_eq!(err.text().matches("not followed").count(), 1);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn it_follows_streams_that_are_created_later_and_store_such_subjects() {
    LocalSet::new()
        .run_until(async {
            let bus = EventBus::builder().stream(orders()).memory().unwrap();
            let create = async |name: &str, subject: &str| {
                let spec = StreamSpec::new(name.to_owned()).subject(subject.to_owned());
                let declaring = EventBus::builder().stream(spec);
                let bus = declaring.transport(Arc::clone(bus.transport())).unwrap();
                bus.apply_streams().await.unwrap();
            };
            let args = "shop tail --subject events.*.order.* --last 1 --count 3";
            place(&bus, "o-1").await;
            let (out, err, task) = tail(&operations(bus.clone()), args);
            out.has("o-1").await;
            create("BILLING", "billing.order.*").await;
            create("CRM", "crm.client.*").await;
            bus.raw()
                .publish("billing.order.billed", "b-1")
                .await
                .unwrap();
            bus.raw().publish("crm.client.called", "c-1").await.unwrap();
            out.has("BILLING#1").await;
            // It is not shown twice.
            place(&bus, "o-2").await;
            assert_eq!(task.await.unwrap(), 0, "{}", err.text());
            assert_eq!(
                err.text(),
                "the stream BILLING is new, and is followed too\n"
            );
            assert!(!out.text().contains("CRM"), "{}", out.text());
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn it_names_what_was_deleted_before_it_could_be_shown() {
    LocalSet::new().run_until(async {
    let builder = EventBus::builder().stream(orders().max_messages(2));
    let bus = builder.memory().unwrap();
    place(&bus, "o-1").await;
    let (out, err, task) = tail(&operations(bus.clone()), "shop tail --last 1 --count 3");
    out.has("o-1").await;
    // Between two looks, since the time stands still.
    for order in ["o-2", "o-3", "o-4", "o-5"] {
        place(&bus, order).await;
    }
    assert_eq!(task.await.unwrap(), 0, "{}", err.text());
    assert_eq!(
        err.text(),
        "not shown: messages 2 to 3 of the stream ORDERS, deleted before they could be read\n"
    );
    assert!(out.text().contains("o-4") && !out.text().contains("o-3"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_may_have_what_was_not_asked_for() {
    LocalSet::new().run_until(async {
    let builder = EventBus::builder().stream(orders().max_messages(2));
    let bus = builder.memory().unwrap();
    place(&bus, "o-1").await;
    let args = "shop tail --last 1 --subject events.orders.order.placed --count 2";
    let (out, err, task) = tail(&operations(bus.clone()), args);
    out.has("o-1").await;
    for _ in 0..3 {
        bus.raw().publish("orders.order.returned", "x").await.unwrap();
    }
    place(&bus, "o-2").await;
    assert_eq!(task.await.unwrap(), 0, "{}", err.text());
    assert_eq!(
        err.text(),
        "not shown: at most 2 events among messages 2 to 3 of the stream ORDERS, deleted before they could be read\n"
    );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_asked_for_is_no_gap() {
    LocalSet::new().run_until(async {
    let builder = EventBus::builder().stream(orders().max_messages(2));
    let bus = builder.memory().unwrap();
    place(&bus, "o-1").await;
    let args = "shop tail --last 1 --type order.placed --subject events.orders.order.placed --count 2";
    let (out, err, task) = tail(&operations(bus.clone()), args);
    out.has("o-1").await;
    for _ in 0..5 {
        bus.raw().publish("orders.order.returned", "x").await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    place(&bus, "o-2").await;
    assert_eq!(task.await.unwrap(), 0, "{}", err.text());
    assert_eq!(err.text(), "");
    })
    .await;
}
