//! TLS: accepted certificates, and errors for wrong ones.

use std::path::Path;
use std::time::Duration;

use event_sdk::transport::ErrorKind;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk_test_servers::{Authority, Identity, Server, Tls};

use crate::support::{assert_says, connect, refused, works};

async fn start(tls: Tls) -> Server {
    Server::options().tls(tls).start().await.unwrap()
}

/// The options of who trusts this authority.
fn trusting(server: &Server, authority: &Authority) -> NatsOptions {
    Nats::options(server.url()).ca_file(authority.certificate())
}

fn showing(options: NatsOptions, own: &Identity) -> NatsOptions {
    options.client_certificate(own.certificate(), own.key())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted() {
    let authority = Authority::new().unwrap();
    let server = start(Tls::new(&authority)).await;
    works(connect(trusting(&server, &authority)).await).await;
    // Others may be trusted beside it, and the scheme need not say it.
    let other = Authority::new().unwrap();
    let options = Nats::options(format!("localhost:{}", server.port()))
        .ca_file(other.certificate())
        .ca_file(authority.certificate());
    works(connect(options).await).await;
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let authority = Authority::new().unwrap();
    let server = start(Tls::new(&authority).require_client_certificate()).await;
    let own = authority.client("billing").unwrap();
    works(connect(showing(trusting(&server, &authority), &own)).await).await;
}

#[tokio::test]
async fn the_handshake_comes_first() {
    let authority = Authority::new().unwrap();
    let tls = Tls::new(&authority).handshake_first();
    let server = start(tls.require_client_certificate()).await;
    let own = authority.client("billing").unwrap();
    let options = showing(trusting(&server, &authority), &own).tls_first();
    works(connect(options).await).await;
}

#[tokio::test]
async fn a_wrong_certificate_of_the_server_is_described() {
    let authority = Authority::new().unwrap();
    let other = Authority::new().unwrap();
    let server = start(Tls::new(&authority)).await;
    let error = refused(trusting(&server, &other)).await;
    let other = text(other.certificate());
    assert_says(
        &error,
        &ErrorKind::Tls,
        &["server's certificate", other, "`ca_file`"],
    );
    let error = refused(Nats::options(server.url())).await;
    let system = ["server's certificate", "operating system", "`ca_file`"];
    assert_says(&error, &ErrorKind::Tls, &system);

    let elsewhere = start(Tls::new(&authority).for_host("elsewhere.example")).await;
    let error = refused(trusting(&elsewhere, &authority)).await;
    let says = ["server's certificate", "127.0.0.1", "elsewhere.example"];
    assert_says(&error, &ErrorKind::Tls, &says);

    let expired = start(Tls::new(&authority).expired()).await;
    let error = refused(trusting(&expired, &authority)).await;
    assert_says(
        &error,
        &ErrorKind::Tls,
        &["server's certificate", "expired", "renew"],
    );
}

#[tokio::test]
async fn a_wrong_certificate_of_the_client_is_described() {
    let authority = Authority::new().unwrap();
    let server = start(Tls::new(&authority).require_client_certificate()).await;
    let strange = Authority::new().unwrap().client("billing").unwrap();
    let expired = authority.expired_client("billing").unwrap();
    let own = authority.client("billing").unwrap();
    // What a server sends before it ends the connection must not be lost on the way.
    for _ in 0..5 {
        let trusting = || trusting(&server, &authority);
        let error = refused(trusting()).await;
        let says = ["client certificate", "`client_certificate`"];
        assert_says(&error, &ErrorKind::Tls, &says);
        let error = refused(showing(trusting(), &strange)).await;
        let says = [
            "client certificate",
            text(strange.certificate()),
            "authority",
        ];
        assert_says(&error, &ErrorKind::Tls, &says);
        let error = refused(showing(trusting(), &expired)).await;
        let says = ["client certificate", text(expired.certificate()), "expired"];
        assert_says(&error, &ErrorKind::Tls, &says);
    }
    let mixed = trusting(&server, &authority).client_certificate(own.certificate(), expired.key());
    let error = refused(mixed).await;
    let says = [
        "client certificate",
        text(own.certificate()),
        text(expired.key()),
    ];
    assert_says(&error, &ErrorKind::Tls, &says);
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named() {
    let authority = Authority::new().unwrap();
    let own = authority.client("billing").unwrap();
    let (certificate, key) = (own.certificate(), own.key());
    let options = || Nats::options("tls://127.0.0.1:1");
    let missing = Path::new("/does/not/exist.pem");
    for (options, path) in [
        (options().ca_file(missing), missing),
        (options().ca_file(key), key),
        (options().client_certificate(missing, key), missing),
        (options().client_certificate(certificate, missing), missing),
        (
            options().client_certificate(certificate, certificate),
            certificate,
        ),
    ] {
        assert_says(&refused(options).await, &ErrorKind::Tls, &[text(path)]);
    }
}

#[tokio::test]
async fn who_speaks_tls_and_who_does_not_is_told() {
    let plain = Server::start().await.unwrap();
    let error = refused(Nats::options(plain.url()).tls()).await;
    assert_says(&error, &ErrorKind::Tls, &["does not speak TLS"]);

    let authority = Authority::new().unwrap();
    let later = start(Tls::new(&authority)).await;
    let error = refused(trusting(&later, &authority).tls_first()).await;
    assert_says(&error, &ErrorKind::Tls, &["`tls_first`"]);

    let first = start(Tls::new(&authority).handshake_first()).await;
    let options = trusting(&first, &authority).connect_timeout(Duration::from_secs(1));
    assert_says(
        &refused(options).await,
        &ErrorKind::Timeout,
        &["`tls_first`"],
    );
}
