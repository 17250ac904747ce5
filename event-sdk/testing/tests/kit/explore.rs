//! What the exploration of a scenario finds beside its checks, and how a run ends.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use event_sdk::{Error, EventBus};
use event_sdk_testing::{Explore, Failure, Rates, Seed};

use crate::events::{OrderInvoiced, OrderPlaced, placed};

async fn two_orders(bus: EventBus) {
    for order in 1..=2 {
        bus.publisher().publish(placed(order)).await.unwrap();
    }
}

/// Acknowledges orders up to this number.
async fn settles_up_to(last: u64, bus: EventBus) -> Result<(), Error> {
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some(delivery) = orders.next().await {
        let delivery = delivery?;
        if delivery.decode().unwrap().order <= last {
            delivery.ack().await?;
        }
    }
    Ok(())
}

fn failure<W: Send + Sync + 'static>(scenario: &Explore<W>) -> Failure {
    let explored = scenario.run();
    explored.failure().expect("nothing was found").clone()
}

#[test]
fn every_point_is_tried() {
    let explored = Explore::new(|| (), |bus, _| settles_up_to(2, bus))
        .given(two_orders)
        .faults(0..5, Rates::default())
        .run();
    explored.assert_holds();
    let points = explored.points();
    // The lookup of the stream, the subscription, and two orders.
    let of_order = |order: u64| {
        let message = format!("events.orders.order.placed (EVENTS {order}, billing, delivery 1)");
        [
            format!("before the delivery of {message}"),
            format!("before ack of {message}"),
            format!("after ack of {message}"),
        ]
    };
    let expected: Vec<_> = [1, 2].into_iter().flat_map(of_order).collect();
    let last: Vec<_> = points[points.len() - 6..]
        .iter()
        .map(|point| point.split_once(". ").unwrap().1.to_owned())
        .collect();
    assert_eq!(last, expected);
    assert_eq!(explored.runs(), 1 + points.len() + 5);
}

#[test]
fn a_point_that_is_not_reached_is_a_violation() {
    let scenario = || Explore::new(|| (), |bus, _| settles_up_to(2, bus)).given(two_orders);
    let points = scenario().run().points().len();
    let last = Seed::crash_at(u32::try_from(points).unwrap());
    scenario().replay(last).run().assert_holds();
    let beyond = Seed::crash_at(1000);
    let failure = failure(&scenario().replay(beyond));
    let text = format!("the run has {points} points and no point 1000");
    assert!(failure.violation.starts_with(&text), "{failure}");
}

#[test]
fn events_that_are_left_are_a_violation() {
    // It is delivered again and again for an hour of virtual time.
    let begun = Instant::now();
    let left = failure(&Explore::new(|| (), |bus, _| settles_up_to(1, bus)).given(two_orders));
    assert_eq!(left.seed, Seed::UNDISTURBED);
    let text = "billing has 0 events of EVENTS not delivered and 1 not settled after ";
    assert!(left.violation.starts_with(text), "{left}");
    assert!(
        left.trace
            .iter()
            .any(|line| line.contains("EVENTS 2, billing, delivery 100")),
        "{left}"
    );
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_service_that_waits_for_nothing_is_a_violation() {
    let service = |bus: EventBus, _| async move {
        let mut orders = bus
            .subscribe::<OrderPlaced>()
            .durable("billing")
            .await
            .unwrap();
        let _held = orders.next().await;
        std::future::pending::<()>().await;
    };
    let stuck = failure(&Explore::new(|| (), service).given(two_orders));
    assert!(
        stuck.violation.contains("1 events of EVENTS not delivered"),
        "{stuck}"
    );
    assert!(
        stuck.violation.ends_with("nothing waits for a time"),
        "{stuck}"
    );
}

#[test]
fn a_service_that_panics_is_started_again_and_not_for_ever() {
    let service = |bus: EventBus, starts: Arc<AtomicU32>| async move {
        let start = starts.fetch_add(1, Ordering::Relaxed);
        assert!(start >= 3, "not yet");
        settles_up_to(2, bus).await
    };
    let scenario = Explore::new(|| AtomicU32::new(0), service);
    scenario
        .given(two_orders)
        .without_crash_points()
        .run()
        .assert_holds();

    let never = |_: EventBus, _| async { panic!("never") };
    let scenario = Explore::new(|| (), never).given(two_orders);
    let failure = failure(&scenario);
    assert!(
        failure.violation.contains("was started 200 times"),
        "{failure}"
    );
    assert!(
        failure.trace[0].starts_with("the service has panicked: never; process 2 starts at 1s"),
        "{failure}"
    );
}

#[test]
fn tasks_of_a_process_end_with_it() {
    let service = |bus: EventBus, alive: Arc<AtomicU32>| async move {
        struct Alive(Arc<AtomicU32>);
        impl Drop for Alive {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        alive.fetch_add(1, Ordering::Relaxed);
        let task = Alive(alive);
        tokio::spawn(async move {
            let _task = task;
            std::future::pending::<()>().await;
        });
        settles_up_to(2, bus).await
    };
    let explored = Explore::new(|| AtomicU32::new(0), service)
        .given(two_orders)
        .always(|alive, _| assert_eq!(alive.load(Ordering::Relaxed), 0, "tasks"))
        .run();
    explored.assert_holds();
}

#[test]
fn timers_of_tokio_take_virtual_time_too() {
    let service = |bus: EventBus, _| async move {
        tokio::time::sleep(Duration::from_secs(40)).await;
        settles_up_to(2, bus).await
    };
    let scenario = Explore::new(|| (), service).given(two_orders);
    scenario
        .finally(|(), bus| bus.nothing_else())
        .run()
        .assert_holds();
}

#[test]
fn an_event_that_cannot_be_read_back_is_a_violation() {
    let service = |bus: EventBus, _| async move {
        let event = crate::read_back::priced();
        let _ = bus.publisher().publish(event).await;
    };
    let failure = failure(&Explore::new(|| (), service));
    assert!(failure.violation.contains("items[0].price"), "{failure}");
}

#[tokio::test]
async fn it_runs_within_a_runtime() {
    let scenario = Explore::new(|| (), |bus, _| settles_up_to(2, bus)).given(two_orders);
    scenario.run().assert_holds();
}

#[test]
#[cfg(target_os = "linux")]
fn a_service_that_blocks_for_ever_is_given_up() {
    let service = |bus: EventBus, _| async move {
        let mut orders = bus
            .subscribe::<OrderPlaced>()
            .durable("billing")
            .await
            .unwrap();
        let _delivery = orders.next().await;
        let (_answers, answer) = std::sync::mpsc::channel::<()>();
        let _ = answer.recv();
    };
    let failure = failure(&Explore::new(|| (), service).given(two_orders));
    assert!(
        failure.violation.contains("has blocked its thread"),
        "{failure}"
    );
    assert!(
        failure
            .trace
            .last()
            .unwrap()
            .contains("before the delivery"),
        "{failure}"
    );
}

/// The scenario of the next test, which fails at several points.
fn faulty() -> Explore<()> {
    let service = |bus: EventBus, _| async move {
        let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
        while let Some(delivery) = orders.next().await {
            let delivery = delivery?;
            let order = delivery.decode().unwrap().order;
            let _ = bus.publisher().publish(OrderInvoiced { order }).await;
            delivery.ack().await?;
        }
        Ok::<(), Error>(())
    };
    Explore::new(|| (), service)
        .given(two_orders)
        .finally(|(), bus| {
            bus.published::<OrderInvoiced>().exactly(2);
        })
}

#[test]
fn the_variable_replays_one_run() {
    let variable = Explore::<()>::REPLAY_VARIABLE;
    if std::env::var_os(variable).is_some() {
        let explored = faulty().run();
        let seed = explored.failure().map(|failure| failure.seed.to_string());
        println!("{} run, {seed:?}", explored.runs());
        return;
    }
    let last = failure(&faulty()).seed.crash_point().unwrap() + 1;
    let child = |seed: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "explore::the_variable_replays_one_run",
                "--nocapture",
            ])
            .env(variable, seed)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let output = child(&format!("crash:{last}"));
    assert!(
        output.contains(&format!("1 run, Some(\"crash:{last}\")")),
        "{output}"
    );
    assert!(child("undisturbed").contains("1 run, None"));
    assert!(child("nonsense").contains("FAILED"));
}
