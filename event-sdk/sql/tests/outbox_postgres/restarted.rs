//! A server that is stopped, killed and started again: an outage for writers and relays, after which both go
//! on with the connections that they had.

use std::time::Duration;

use event_sdk_sql::{Outbox, Postgres};
use event_sdk_test_servers::postgres::Postgres as Server;
use sqlx::postgres::PgPoolOptions;

use crate::database::connect;
use crate::rig::{Rig, placed, wait_until};

#[tokio::test]
async fn a_server_that_is_stopped_or_killed_is_an_outage_and_nothing_is_lost() {
    let mut server = Server::start().await.expect("a server");
    let database = server.database().await.expect("a database");
    let pool = connect(&database.url()).await;
    // A pool waits this long for a server that is away.
    let impatient = PgPoolOptions::new().acquire_timeout(Duration::from_millis(200));
    let impatient = impatient.connect_lazy(&database.url()).expect("a pool");
    let rig = Rig::over(database, pool);
    rig.outbox.migrate().await.expect("migrate");
    let impatient = Outbox::<Postgres>::new(impatient, rig.bus.clone());
    let relay = rig.start();
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    for (n, is_killed) in [(2, false), (4, true)] {
        // Not committed when the server ends.
        let mut open = rig.outbox.begin().await.expect("begin");
        open.publish(placed("b", n)).await.expect("enqueue");
        if is_killed {
            server.kill().await.expect("killed");
        } else {
            server.stop().await.expect("stopped");
        }
        let lost = open.commit().await.expect_err("the connection is lost");
        assert!(lost.is_outage(), "{lost:?}");
        let refused = impatient.status().await.expect_err("the server is away");
        assert!(refused.is_outage(), "{refused:?}");
        server.restart().await.expect("restarted");
        wait_until("a transaction commits", async || {
            let Ok(mut tx) = rig.outbox.begin().await else {
                return false;
            };
            tx.publish(placed("a", n)).await.is_ok() && tx.commit().await.is_ok()
        })
        .await;
        rig.enqueue([placed("a", n + 1)]).await;
        let rows = i64::from(n) + 1;
        rig.wait_for_marks(rows).await;
    }
    rig.wait_for(&[("a", vec![1, 2, 3, 4, 5])]).await;
    assert_eq!(rig.count("true").await, 5);
    assert_eq!(relay.stop().await.parked, 0);
}
