//! The files of `examples/deploy/nats`: nats-server accepts them, and the shop runs on a cluster of three
//! servers that have them, and users of another account see nothing of it.

mod cluster;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use event_sdk::transport::{ErrorKind, TransportExt as _};
use event_sdk::{EventBus, Pattern, Pii};
use event_sdk_test_servers::server_process::Port;
use event_sdk_test_servers::{Authority, programs};
use rustix::process::{Pid, Signal, kill_process};

use super::serving::until;
use crate::events::OrderPlaced;
use crate::topology::{CLUSTERED, users};
use cluster::{FILES, Secured};

/// Each runs as a process of its own, as a user of its own.
const SERVICES: [&str; 3] = ["orders", "billing", "audit"];

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn the_permissions_are_those_of_the_topology() {
    let committed = std::fs::read_to_string(FILES.to_owned() + "/permissions.conf").unwrap();
    let generated = users(&CLUSTERED).build().unwrap().to_string();
    assert_eq!(
        committed, generated,
        "write it again: cargo run --example shop -- permissions --replicas 3 > examples/deploy/nats/permissions.conf"
    );
}

#[test]
fn nats_server_accepts_each_file() {
    let authority = Authority::new().unwrap();
    let folder =
        cluster::configuration("$2a$04$VijQF6tzBEN/HiBOiIgk9u2/uCk.lRn/YqzA04.SYXEMDhFmhv/oO");
    for program in [programs::nats::current(), programs::nats::oldest()] {
        for file in ["development.conf", "hardened.conf"] {
            let mut check = Command::new(program.as_ref().unwrap().path());
            check.arg("-t").arg("-c").arg(folder.path().join(file));
            cluster::environment(&mut check, "nats-1", folder.path(), &authority);
            let said = check.output().unwrap();
            let text = String::from_utf8_lossy(&said.stderr);
            assert!(said.status.success(), "{text}");
        }
    }
}

/// It takes as long as three servers need to find each other.
#[tokio::test(flavor = "multi_thread")]
async fn the_shop_runs_on_the_hardened_cluster_while_its_passwords_are_rotated() {
    let secured = Secured::start().unwrap();
    let runs = tokio::time::timeout(PATIENCE, Box::pin(runs(&secured)));
    let ended = runs
        .await
        .unwrap_or_else(|_| Err(anyhow::anyhow!("it takes too long")));
    if let Err(error) = ended {
        panic!("{error:#}\n{}", secured.logs());
    }
}

async fn runs(secured: &Secured) -> anyhow::Result<()> {
    let ports = SERVICES.map(|_| Port::reserve());
    let mut listen = Vec::new();
    for port in &ports {
        let port = port.as_ref().map(Port::number);
        listen.push(SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap())));
    }
    // The servers may still be looking for a leader.
    let begun = Instant::now();
    loop {
        let ended = secured.shop("deploy", listen[0], "apply").ended().await;
        if ended.status.success() {
            break;
        }
        anyhow::ensure!(begun.elapsed() < PATIENCE, "{ended:?}");
    }
    let deploy = secured.bus("deploy").await?;
    let state = deploy.stream_state("SHOP").await?;
    assert_eq!(state.config.replicas, 3);
    let found = CLUSTERED.verify(&deploy).await?;
    assert!(found.is_clean(), "{found}");

    let mut services = Vec::new();
    for (service, listen) in SERVICES.into_iter().zip(&listen) {
        services.push(secured.shop(service, *listen, "serve"));
    }
    let taking = secured.bus("orders").await?;
    take(&taking, "early", 40).await?;
    handled(&deploy, 40).await?;
    secured.rotate()?;
    // What the old password had opened is closed, and nothing opens with it.
    let refused = secured.bus_with_old_password("billing").await;
    let refused = refused.err().context("the old password")?;
    let kind = refused
        .downcast_ref::<event_sdk::Error>()
        .map(event_sdk::Error::kind);
    anyhow::ensure!(kind == Some(&ErrorKind::Unauthenticated), "{refused:#}");
    // The services go on with the new one.
    take(&taking, "late", 40).await?;
    handled(&deploy, 80).await?;
    for (mut service, listen) in services.into_iter().zip(listen) {
        until(listen, "/ready", "HTTP/1.1 200").await;
        kill_process(Pid::from_child(&service.child), Signal::TERM)?;
        let said = service.ended().await.well();
        anyhow::ensure!(said.contains(" handled"), "{said}");
    }
    Ok(())
}

/// Waits until these orders are paid and confirmed, or declined and cancelled, and the services have handled all of it.
async fn handled(deploy: &EventBus, orders: u64) -> anyhow::Result<()> {
    let state = async || {
        let mut state = vec![deploy.stream_state("SHOP").await?.messages];
        for durable in ["billing", "audit"] {
            let info = deploy.transport().consumer_info("SHOP", durable).await?;
            state.extend([info.pending, info.ack_pending]);
        }
        anyhow::Ok(state)
    };
    let begun = Instant::now();
    loop {
        // The connection may be between two passwords.
        let state = state().await;
        if matches!(&state, Ok(state) if *state == [3 * orders, 0, 0, 0, 0]) {
            return Ok(());
        }
        anyhow::ensure!(begun.elapsed() < PATIENCE, "{state:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Makes the streams of the shop in the account of a user.
async fn apply(bus: &EventBus) -> anyhow::Result<()> {
    // The servers may still be looking for a leader.
    let begun = Instant::now();
    while let Err(error) = CLUSTERED.apply(bus).await {
        if begun.elapsed() > PATIENCE {
            return Err(error.into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// It takes as long as three servers need to find each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_another_account_sees_nothing_of_the_shop() {
    let secured = Secured::start().unwrap();
    let isolated = tokio::time::timeout(PATIENCE, Box::pin(isolated(&secured)));
    let ended = isolated
        .await
        .unwrap_or_else(|_| Err(anyhow::anyhow!("it takes too long")));
    if let Err(error) = ended {
        panic!("{error:#}\n{}", secured.logs());
    }
}

/// The user of the other account may do everything in it.
async fn isolated(secured: &Secured) -> anyhow::Result<()> {
    let deploy = secured.bus("deploy").await?;
    apply(&deploy).await?;
    let orders = secured.bus("orders").await?;
    take(&orders, "own", 3).await?;
    let messages = async |bus: &EventBus| anyhow::Ok(bus.stream_state("SHOP").await?.messages);
    assert_eq!(messages(&deploy).await?, 3);

    // There is no stream to see, to publish into and to receive from.
    let other = secured.bus(cluster::OTHER).await?;
    let streams = other.transport().streams_for(&Pattern::parse(">")?);
    assert!(streams.await?.is_empty());
    let seen = other.stream_state("SHOP").await;
    assert!(is_refused(seen, &ErrorKind::StreamNotFound));
    let event = || OrderPlaced {
        order: "foreign".to_owned(),
        customer: Pii::new("Ada".to_owned()),
        cents: 990,
    };
    let stored = other.publisher().publish(event()).await;
    assert!(is_refused(stored, &ErrorKind::NoStream));
    let received = other.subscribe::<OrderPlaced>().durable("billing").await;
    assert!(is_refused(received, &ErrorKind::StreamNotFound));
    assert_eq!(messages(&deploy).await?, 3);

    // Streams of the same names and subjects are others: each receives what its own account publishes.
    apply(&other).await?;
    assert_eq!(messages(&other).await?, 0);
    other.publisher().publish(event()).await?;
    take(&orders, "later", 2).await?;
    assert_eq!(messages(&other).await?, 1);
    assert_eq!(messages(&deploy).await?, 5);
    Ok(())
}

fn is_refused<T>(answer: Result<T, impl Into<event_sdk::Error>>, kind: &ErrorKind) -> bool {
    let error = answer.err().map(Into::into);
    error.is_some_and(|error| error.kind() == kind)
}

/// Takes orders, each until it is stored: the connection may be between two passwords.
async fn take(bus: &EventBus, batch: &str, number: u64) -> anyhow::Result<()> {
    let orders = bus.publisher::<OrderPlaced>();
    for number in 0..number {
        let order = orders.prepare(OrderPlaced {
            order: format!("{batch}-{number}"),
            customer: Pii::new("Ada".to_owned()),
            cents: 990,
        });
        let begun = Instant::now();
        while let Err(error) = orders.publish(&order).await {
            if begun.elapsed() > PATIENCE {
                return Err(error.into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}
