//! When the certificates of the connection expire, in the report and as problems.

use std::fs;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk_observe::health::{Health, HealthReport, Status, Thresholds};
use event_sdk_test_servers::{Authority, Server, Tls};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

async fn health(options: NatsOptions, thresholds: Thresholds) -> Health {
    let nats = Nats::connect(options).await.unwrap();
    let bus = EventBus::builder().transport(nats).unwrap();
    let health = Health::builder(&bus).thresholds(thresholds);
    health.interval(Duration::ZERO).build()
}

async fn checked(options: NatsOptions, thresholds: Thresholds) -> std::sync::Arc<HealthReport> {
    health(options, thresholds).await.check().await
}

#[tokio::test]
async fn certificates_that_expire_soon_degrade() {
    let authority = Authority::new().unwrap();
    let now = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = now.checked_add(6.days()).unwrap();
    let of = |day: jiff::civil::Date| {
        let (month, of_month) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        (i32::from(day.year()), month, of_month)
    };
    let server = Server::options().tls(Tls::new(&authority).until(of(day)));
    let server = server.start().await.unwrap();
    let options = || Nats::options(server.url()).ca_file(authority.certificate());

    let report = checked(options(), Thresholds::default()).await;
    assert_eq!(report.status, Status::Degraded);
    let at = day.to_zoned(TimeZone::UTC).unwrap().timestamp();
    let [certificate] = &*report.connection.certificates else {
        panic!("{:?}", report.connection);
    };
    assert_eq!(
        (&*certificate.owner, certificate.expires_at),
        ("server", Some(at))
    );
    let shown = certificate.shown_at.unwrap();
    assert_eq!(
        report.problems[0].to_string(),
        format!(
            "certificate of the server expires at {at}, in 5 days; it was shown at the handshake of {shown}, and a server that was given a new one since shows it at the next connect"
        )
    );
    assert!(report.ready && report.healthy);

    let mut thresholds = Thresholds::default();
    thresholds.certificate_expiry = Some(Duration::from_secs(5 * 24 * 60 * 60));
    let report = checked(options(), thresholds).await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);

    // The server does not ask for it, so that the connection is made.
    let client = authority.expired_client("billing").unwrap();
    let options = options().client_certificate(client.certificate(), client.key());
    let mut thresholds = Thresholds::none();
    thresholds.certificate_expiry = Some(Duration::ZERO);
    let health = health(options, thresholds).await;
    let report = health.check().await;
    assert_eq!(
        report.problems[0].to_string(),
        "certificate of the client has expired at 2002-01-01T00:00:00Z; the next connection will be refused"
    );
    let shown = &report.connection.certificates[1];
    let over = date(2002, 1, 1)
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp();
    assert_eq!((&*shown.owner, shown.expires_at), ("client", Some(over)));

    // A new one counts before the next connect, which reads it.
    let renewed = authority.client("billing").unwrap();
    fs::copy(renewed.key(), client.key()).unwrap();
    fs::copy(renewed.certificate(), client.certificate()).unwrap();
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
}

#[tokio::test]
async fn a_connection_without_tls_has_none() {
    let server = Server::start().await.unwrap();
    let report = checked(Nats::options(server.url()), Thresholds::default()).await;
    assert_eq!(report.connection.certificates, []);
    assert!(report.connection.connected_at.is_some());
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
}
