//! Tests of the shop's services, on the test bus with virtual time.

mod deploy;
mod manifests;
mod permissions;
mod serving;

#[path = "../testing/process.rs"]
mod process;

#[path = "../testing/variables.rs"]
mod variables;

use std::process::ExitCode;

use clap::CommandFactory as _;
use event_sdk::EventBus;
use event_sdk::Pii;
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk_test_servers::{Server, User};
use event_sdk_testing::TestBus;

use crate::args::Args;
use crate::bank::Bank;
use crate::events::{InvoiceDeclined, InvoicePaid, OrderCancelled, OrderConfirmed, OrderPlaced};
use crate::topology::{DEAD_LETTERS, SINGLE};
use crate::{billing, config, orders, run};

fn test_bus() -> TestBus {
    let letters = DeadLetterStream::new(DEAD_LETTERS);
    TestBus::builder()
        .stream(
            StreamSpec::new("SHOP")
                .subject("orders.>")
                .subject("billing.>"),
        )
        .stream(letters.spec())
        .stream(letters.retry_spec())
        .build()
}

fn start(bus: &EventBus) {
    let (orders, billing) = (
        orders::consumer(bus),
        billing::consumer(bus, Bank::default()),
    );
    tokio::spawn(orders.run());
    tokio::spawn(billing.run());
}

fn placed(order: &str, cents: u64) -> OrderPlaced {
    OrderPlaced {
        order: order.to_owned(),
        customer: Pii::new("Ada".to_owned()),
        cents,
    }
}

#[tokio::test]
async fn an_order_that_is_paid_is_confirmed() {
    let bus = test_bus();
    start(&bus.connect("shop"));
    let order = bus.given(placed("order-1", 990)).await;
    let paid = bus
        .published::<InvoicePaid>()
        .caused_by(&order)
        .eventually()
        .one()
        .await;
    assert_eq!(paid.cents, 990);
    let confirmed = bus
        .published::<OrderConfirmed>()
        .caused_by(&paid)
        .eventually()
        .one()
        .await;
    assert_eq!(confirmed.order, "order-1");
    bus.nothing_else();
}

#[tokio::test]
async fn an_order_that_the_bank_declines_is_cancelled() {
    let bus = test_bus();
    start(&bus.connect("shop"));
    let order = bus.given(placed("order-1", 95_000)).await;
    let declined = bus
        .published::<InvoiceDeclined>()
        .caused_by(&order)
        .eventually()
        .one()
        .await;
    let cancelled = bus
        .published::<OrderCancelled>()
        .caused_by(&declined)
        .eventually()
        .one()
        .await;
    assert_eq!(cancelled.reason, "declined by the bank");
    bus.nothing_else();
}

#[tokio::test]
async fn orders_survive_a_bank_that_is_busy_or_away() {
    let bus = test_bus();
    start(&bus.connect("shop"));
    for number in 1..=60 {
        bus.given(placed(&format!("order-{number}"), 990)).await;
    }
    bus.published::<OrderConfirmed>()
        .eventually()
        .exactly(60)
        .await;
}

#[tokio::test]
async fn an_order_without_a_price_becomes_a_dead_letter() {
    let bus = test_bus();
    start(&bus.connect("shop"));
    bus.given(placed("order-1", 0)).await;
    let order = bus.given(placed("order-2", 990)).await;
    bus.published::<InvoicePaid>()
        .caused_by(&order)
        .eventually()
        .one()
        .await;
    let letters = bus.dead_letters(DEAD_LETTERS);
    let open = event_sdk::dead_letters::LetterFilter::open().consumer("billing");
    assert_eq!(letters.count(&open).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_program_runs_in_its_process_and_on_a_server_as_configured() {
    let users = [User::password("shop", "sesame")];
    let server = Server::options().users(users).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "sesame\n").unwrap();
    let (url, password) = (server.url(), password.to_str().unwrap());
    let on_server = [
        ("EVENT_SDK_TRANSPORT", "nats"),
        ("EVENT_SDK_NATS__URL", &url),
        ("EVENT_SDK_NATS__USER", "shop"),
        ("EVENT_SDK_NATS__PASSWORD_FILE", password),
    ];
    let (in_process, orders) = (&on_server[..0], 80);
    let mut histories = Vec::new();
    for variables in [in_process, &on_server] {
        let config = config().variables(variables.to_vec()).load().unwrap();
        let book = run(orders, &config, &SINGLE).await.unwrap();
        histories.push(book.histories());
    }
    // Two orders have no price.
    assert_eq!(histories[0]["placed"], 2);
    assert_eq!(histories[0].values().sum::<usize>(), 80);
    assert_eq!(histories[0], histories[1]);
}

#[test]
fn each_argument_has_a_variable() {
    variables::assert_each_has_one(&Args::command(), "SHOP_", &["config"]);
}

#[tokio::test]
async fn the_log_has_the_level_of_the_environment() {
    // Each 40th order becomes a dead letter, which is an error in the log.
    let variables = [("SHOP_ORDERS", "20")];
    process::assert_the_log_has_its_level(&variables, "confirmed paid placed").await;
}

/// The program, in a process that another test starts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that another test starts"]
async fn program() -> anyhow::Result<ExitCode> {
    crate::start(Args::read(process::arguments("shop"))?).await
}
