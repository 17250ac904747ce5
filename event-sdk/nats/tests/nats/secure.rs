//! TLS and credentials: accepted ones, and errors for wrong ones.

use std::time::Duration;

use event_sdk::transport::nats::{ConnectionState, DisconnectReason, Nats, NatsOptions};
use event_sdk::transport::{Error, ErrorKind};
use event_sdk_test_servers::{Authority, Operator, Server, Tls};

use crate::support::{apply, draft, eventually, publish, receives, stream, within};

async fn start(tls: Tls) -> Server {
    Server::options().tls(tls).start().await.unwrap()
}

/// Where a server is, without saying how.
fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

async fn works(options: NatsOptions) {
    let nats = within(Nats::connect(options)).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    publish(&nats, draft("s.a")).await.unwrap();
    receives(&nats).await;
}

async fn refused_as_tls(options: NatsOptions, hint: &str) -> Error {
    let error = within(Nats::connect(options)).await.err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains(hint), "{error}");
    error
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_connected_to() {
    let authority = Authority::new().unwrap();
    let server = start(Tls::new(&authority)).await;
    let ca = authority.certificate();
    works(Nats::options(address(&server)).ca_file(ca)).await;
    works(Nats::options(format!("tls://{}", address(&server))).ca_file(ca)).await;
    works(Nats::options(format!("tls://localhost:{}", server.port())).ca_file(ca)).await;
}

#[tokio::test]
async fn a_server_that_begins_with_tls_is_connected_to() {
    let authority = Authority::new().unwrap();
    let server = start(Tls::new(&authority).handshake_first()).await;
    let options = Nats::options(address(&server)).ca_file(authority.certificate());
    works(options.tls_first()).await;
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let authority = Authority::new().unwrap();
    let server = start(Tls::new(&authority).require_client_certificate()).await;
    let client = authority.client("me").unwrap();
    let options = || Nats::options(address(&server)).ca_file(authority.certificate());
    works(options().client_certificate(client.certificate(), client.key())).await;
    refused_as_tls(options(), "client certificate").await;
    let expired = authority.expired_client("me").unwrap();
    let options = options().client_certificate(expired.certificate(), expired.key());
    refused_as_tls(options, "client certificate").await;
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_shown_next_time() {
    let authority = Authority::new().unwrap();
    let mut server = start(Tls::new(&authority).require_client_certificate()).await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("me.pem"), folder.path().join("me.key"));
    let put = |identity: &event_sdk_test_servers::Identity| {
        std::fs::copy(identity.certificate(), &certificate).unwrap();
        std::fs::copy(identity.key(), &key).unwrap();
    };
    put(&authority.client("me").unwrap());
    let options = Nats::options(address(&server))
        .ca_file(authority.certificate())
        .client_certificate(&certificate, &key);
    let nats = within(Nats::connect(options)).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    // With this one no connection is made anew.
    put(&authority.expired_client("me").unwrap());
    server.restart().await.unwrap();
    let mut watch = nats.connection();
    within(async {
        while watch.current() == ConnectionState::Connected {
            watch.changed().await;
        }
    })
    .await;
    put(&authority.client("me").unwrap());
    eventually("the connection", async || {
        publish(&nats, draft("s.a")).await.ok()
    })
    .await;
}

#[tokio::test]
async fn wrong_certificates_are_told_apart() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let ca = authority.certificate();
    let untrusted = start(Tls::new(&other)).await;
    refused_as_tls(
        Nats::options(address(&untrusted)).ca_file(ca),
        "not trusted",
    )
    .await;
    // The authorities of the operating system do not know it either.
    refused_as_tls(Nats::options(address(&untrusted)).tls(), "not trusted").await;
    let expired = start(Tls::new(&authority).expired()).await;
    refused_as_tls(Nats::options(address(&expired)).ca_file(ca), "expired").await;
    let elsewhere = start(Tls::new(&authority).for_host("elsewhere.example")).await;
    refused_as_tls(
        Nats::options(address(&elsewhere)).ca_file(ca),
        "another host",
    )
    .await;
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new().unwrap();
    let (one, two) = (
        authority.client("one").unwrap(),
        authority.client("two").unwrap(),
    );
    let options = || Nats::options("127.0.0.1:1");
    refused_as_tls(
        options().ca_file("/does/not/exist.pem"),
        "/does/not/exist.pem",
    )
    .await;
    let key = one.key().display().to_string();
    refused_as_tls(options().ca_file(one.key()), &key).await;
    let no_key = options().client_certificate(one.certificate(), one.certificate());
    refused_as_tls(no_key, &one.certificate().display().to_string()).await;
    let mixed = options().client_certificate(one.certificate(), two.key());
    refused_as_tls(mixed, "cannot be used together").await;
}

#[tokio::test]
async fn a_credentials_file_is_read_for_each_connection() {
    let operator = Operator::new().unwrap();
    let mut server = Server::options().operator(&operator).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("me.creds");
    let write = |within: Duration| {
        let credentials = operator.credentials("me").expires_in(within);
        std::fs::write(&file, credentials.text().unwrap()).unwrap();
    };
    write(Duration::from_secs(10));
    let options = Nats::options(server.url())
        .credentials_file(&file)
        .ack_timeout(Duration::from_millis(500))
        .connection_wait(Duration::from_millis(200));
    let nats = within(Nats::connect(options)).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    // The server ends the connection when the time is over.
    let mut watch = nats.connection();
    let expired = ConnectionState::Disconnected {
        reason: DisconnectReason::Unauthenticated,
    };
    within(async {
        while watch.current() != expired {
            watch.changed().await;
        }
    })
    .await;
    // Within the second in which they expire, a server may take them once more.
    eventually("the reason", async || {
        let error = publish(&nats, draft("s.a")).await.err()?;
        (*error.kind() == ErrorKind::Unauthenticated).then_some(())
    })
    .await;
    write(Duration::from_secs(600));
    eventually("the connection", async || {
        publish(&nats, draft("s.a")).await.ok()
    })
    .await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn credentials_of_another_operator_are_refused() {
    let (operator, other) = (Operator::new().unwrap(), Operator::new().unwrap());
    let server = Server::options().operator(&operator).start().await.unwrap();
    let text = operator.credentials("me").text().unwrap();
    works(Nats::options(server.url()).credentials(text)).await;
    let text = other.credentials("me").text().unwrap();
    let error = within(Nats::connect(Nats::options(server.url()).credentials(text)))
        .await
        .err()
        .unwrap();
    assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
}
