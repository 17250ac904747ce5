//! Many probes cost one check in each interval, counted by the requests that reach the transport.

use std::sync::Arc;
use std::time::Duration;

use event_sdk_observe::health::{Health, Status};
use futures_util::future::join_all;
use futures_util::poll;

use crate::rig::{Running, Service, gated, until};

/// Waits until that many requests were made.
async fn asked(service: &Service, requests: usize) {
    until("the requests are made", async || {
        service.server.requests() >= requests
    })
    .await;
}

#[tokio::test]
async fn a_thousand_probes_a_second_cost_one_check_in_five_seconds() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let health = Health::builder(&service.bus)
        .stream("ORDERS")
        .consumer(&consumer);
    let health = health.dead_letters("DLQ").build();
    let _running = Running::start(consumer).await;

    let before = service.server.requests();
    let mut reports = Vec::new();
    // A probe each millisecond for five seconds.
    for _ in 0..5_000 {
        reports.push(health.check().await);
        service.clock.advance(Duration::from_millis(1));
    }
    // The stream, the dead-letter stream and the durable, once each.
    assert_eq!(service.server.requests() - before, 3);
    assert!(
        reports
            .iter()
            .all(|report| Arc::ptr_eq(report, &reports[0]))
    );

    let next = health.check().await;
    assert_eq!(service.server.requests() - before, 6);
    assert!(!Arc::ptr_eq(&next, &reports[0]));
}

#[tokio::test]
async fn probes_that_arrive_during_a_check_wait_for_it() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus).stream("ORDERS").build();
    service.server.silent(true);
    let mut probes: Vec<_> = (0..1_000).map(|_| Box::pin(health.check())).collect();
    for probe in &mut probes {
        assert!(poll!(probe).is_pending());
    }
    asked(&service, 1).await;
    assert_eq!(service.server.requests(), 1);
    service.clock.advance(Duration::from_secs(2));
    let reports = join_all(probes).await;
    assert_eq!(service.server.requests(), 1);
    assert!(
        reports
            .iter()
            .all(|report| Arc::ptr_eq(report, &reports[0]))
    );
    assert_eq!(reports[0].status, Status::Down);
}

#[tokio::test]
async fn probes_that_give_up_begin_no_further_check() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus).stream("ORDERS").build();
    service.server.silent(true);
    for _ in 0..1_000 {
        let mut probe = Box::pin(health.check());
        assert!(poll!(&mut probe).is_pending());
        // The prober has closed its connection.
        drop(probe);
    }
    asked(&service, 1).await;
    assert_eq!(service.server.requests(), 1);
    service.clock.advance(Duration::from_secs(2));
    assert_eq!(health.check().await.status, Status::Down);
    assert_eq!(service.server.requests(), 1);
}

#[tokio::test]
async fn a_check_that_was_abandoned_long_ago_is_begun_anew() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus).stream("ORDERS").build();
    service.server.silent(true);
    let mut probe = Box::pin(health.check());
    assert!(poll!(&mut probe).is_pending());
    drop(probe);
    asked(&service, 1).await;
    service.server.silent(false);
    service.clock.advance(Duration::from_secs(60));
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok);
    assert_eq!(report.checked_at.to_string(), "2025-01-01T00:01:00Z");
    assert_eq!(service.server.requests(), 2);
}

#[tokio::test]
async fn a_check_that_nobody_waits_for_ends_and_its_report_stays() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus).stream("ORDERS").build();
    let mut probe = Box::pin(health.check());
    assert!(poll!(&mut probe).is_pending());
    drop(probe);
    asked(&service, 1).await;
    // Beyond the timeout: a check that had been left halfway would be `down` when it goes on.
    service.clock.advance(Duration::from_secs(3));
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
    assert_eq!(report.checked_at.to_string(), "2025-01-01T00:00:00Z");
    assert_eq!(service.server.requests(), 1);
}

#[tokio::test]
async fn a_check_that_panics_is_down_and_the_next_one_is_made() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus).stream("ORDERS");
    let health = health.interval(Duration::ZERO).build();
    service.server.panicking(true);
    for _ in 0..2 {
        let report = health.check().await;
        assert_eq!(report.status, Status::Down);
        assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        assert_eq!(report.problems[0].part, "check");
        assert!(report.connection.connected && report.streams.is_empty());
    }
    service.server.panicking(false);
    assert_eq!(health.check().await.status, Status::Ok);
}
