//! TLS between client and server, in both directions.

use async_nats::ConnectOptions;
use event_sdk_test_servers::{Authority, Identity, Server, Tls};

use crate::client::{connect, round_trip};

/// A client that trusts this authority and has this certificate.
fn trusting(authority: &Authority, own: Option<&Identity>) -> ConnectOptions {
    let options = ConnectOptions::new()
        .require_tls(true)
        .add_root_certificates(authority.certificate().to_path_buf());
    match own {
        Some(own) => {
            options.add_client_certificate(own.certificate().to_path_buf(), own.key().to_path_buf())
        }
        None => options,
    }
}

async fn refusal(options: ConnectOptions, server: &Server) -> String {
    connect(options, &server.url())
        .await
        .expect_err("a refusal")
}

#[tokio::test]
async fn a_client_trusts_the_authority() {
    let authority = Authority::new().unwrap();
    let server = Server::options()
        .tls(Tls::new(&authority))
        .start()
        .await
        .unwrap();
    assert!(server.url().starts_with("tls://127.0.0.1:"));
    let client = connect(trusting(&authority, None), &server.url())
        .await
        .unwrap();
    round_trip(&client).await;
    let other = Authority::new().unwrap();
    let error = refusal(trusting(&other, None), &server).await;
    assert!(
        error.contains("UnknownIssuer") || error.contains("BadSignature"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_asks_for_a_client_certificate_of_the_authority() {
    let authority = Authority::new().unwrap();
    let tls = Tls::new(&authority).require_client_certificate();
    let server = Server::options().tls(tls).start().await.unwrap();
    let own = authority.client("billing").unwrap();
    let client = connect(trusting(&authority, Some(&own)), &server.url())
        .await
        .unwrap();
    round_trip(&client).await;

    let strange = Authority::new().unwrap().client("billing").unwrap();
    let expired = authority.expired_client("billing").unwrap();
    for wrong in [None, Some(&strange), Some(&expired)] {
        refusal(trusting(&authority, wrong), &server).await;
    }
    let log = server.log();
    for reason in [
        "client didn't provide a certificate",
        "unknown authority",
        "expired",
    ] {
        assert!(log.contains(reason), "{reason}: {log}");
    }
}

#[tokio::test]
async fn the_handshake_can_come_first() {
    let authority = Authority::new().unwrap();
    let tls = Tls::new(&authority).handshake_first();
    let server = Server::options().tls(tls).start().await.unwrap();
    let options = trusting(&authority, None).tls_first();
    round_trip(&connect(options, &server.url()).await.unwrap()).await;
}

#[tokio::test]
async fn a_certificate_can_be_wrong() {
    let authority = Authority::new().unwrap();
    let wrong = [
        (
            Tls::new(&authority).for_host("elsewhere.example"),
            "not valid for name",
        ),
        (Tls::new(&authority).expired(), "expired"),
    ];
    for (tls, reason) in wrong {
        let server = Server::options().tls(tls).start().await.unwrap();
        let error = refusal(trusting(&authority, None), &server).await;
        assert!(error.contains(reason), "{error}");
    }
}
