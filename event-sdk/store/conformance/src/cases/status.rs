//! Cases of the status: depth, age, parked rows, rate, relays.

use std::time::Duration;

use event_sdk_store::outbox::{OutboxStatus, RelayId};

use crate::case::cases;
use crate::failure::{Outcome, ensure_eq};
use crate::rig::{LONG, Rig, at, keyed, row, scheduled};

cases! { "status":
    an_empty_outbox_has_nothing_to_report []
        "The status of an empty outbox has zeros, and no age.";
    rows_are_counted_by_their_states []
        "Ready, scheduled and parked rows and parked keys are counted apart.";
    the_oldest_ready_row_gives_the_age []
        "The age is that of the oldest ready row; published, parked and scheduled rows have none.";
    the_rate_counts_the_last_seconds []
        "Rows that were published within the window of the rate are counted, and older ones are not.";
}

async fn an_empty_outbox_has_nothing_to_report(rig: Rig) -> Outcome {
    let status = rig.store.status(at(0)).await?;
    ensure_eq!(status, OutboxStatus::default(), "the status");
    Ok(())
}

async fn rows_are_counted_by_their_states(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(|name| keyed(name, "k")))
        .await?;
    rig.write([row("d"), row("e"), row("f"), scheduled("g", at(99))])
        .await?;
    rig.park(&owner, "a").await?;
    rig.park(&owner, "d").await?;
    let published = rig.find("e").await?;
    rig.publish(&owner, &[&published], at(1)).await?;
    rig.store.renew(RelayId::random(), LONG).await?;
    let status = rig.store.status(at(1)).await?;
    ensure_eq!(status.depth.rows(), 1, "the ready rows");
    ensure_eq!(status.scheduled.rows(), 1, "the scheduled rows");
    ensure_eq!(status.parked_rows.rows(), 4, "the parked rows");
    ensure_eq!(status.parked_keys.rows(), 2, "the parked keys");
    ensure_eq!(status.published_lately.rows(), 1, "the published rows");
    ensure_eq!(status.relays, 2, "the relays");
    Ok(())
}

async fn the_oldest_ready_row_gives_the_age(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    let created = |name: &str, seconds| {
        let mut message = keyed(name, name);
        message.created_at = at(seconds);
        message
    };
    rig.write([created("a", 10), created("b", 20), created("c", 30)])
        .await?;
    let mut later = scheduled("later", at(500));
    later.created_at = at(1);
    rig.write([later]).await?;
    let mut ages = vec![rig.store.status(at(100)).await?.oldest_age];
    let first = rig.find("a").await?;
    rig.publish(&owner, &[&first], at(40)).await?;
    ages.push(rig.store.status(at(100)).await?.oldest_age);
    rig.park(&owner, "b").await?;
    ages.push(rig.store.status(at(100)).await?.oldest_age);
    let expected = [90, 80, 70].map(|age| Some(Duration::from_secs(age)));
    ensure_eq!(ages, expected, "the ages");
    let early = rig.store.status(at(0)).await?.oldest_age;
    ensure_eq!(early, Some(Duration::ZERO), "the age by an earlier clock");
    Ok(())
}

async fn the_rate_counts_the_last_seconds(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(row)).await?;
    let rows = rig.ready().await?;
    for (row, time) in rows.iter().zip([1, 5, 12]) {
        rig.publish(&owner, &[row], at(time)).await?;
    }
    let status = rig.store.status(at(12)).await?;
    ensure_eq!(status.published_lately.rows(), 2, "the published rows");
    Ok(())
}
