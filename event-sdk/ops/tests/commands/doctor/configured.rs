//! Configurations that are wrong, and connections that are refused; no output has a secret.

use std::fs;
use std::time::Duration;

use event_sdk_ops::Operations;
use event_sdk_test_servers::server_process::Port;
use event_sdk_test_servers::{Authority, Server, Tls, User};
use tempfile::TempDir;

use super::Diagnosis;
use crate::program::piped;

/// It is in no output.
const SECRET: &str = "a-planted-password";

/// A folder with a configuration file.
struct File(TempDir);

impl File {
    fn of(toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shop.toml"), toml).unwrap();
        Self(folder)
    }

    async fn diagnose(&self, args: &str) -> Diagnosis {
        let path = self.0.path().join("shop.toml");
        let args = format!("{args} --config {}", path.display());
        let shop = Operations::new("shop");
        for args in [format!("doctor {args}"), format!("doctor --json {args}")] {
            let ran = piped(&shop, &args).await;
            assert!(
                !ran.out.contains(SECRET) && !ran.err.contains(SECRET),
                "{ran:?}"
            );
        }
        Diagnosis::of(&shop, &args).await
    }
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let unknown = File::of("transport = 'nats'\nnats.url = 'nats://x'\nnats.pasword = 'y'\n");
    let found = unknown.diagnose("--config-only").await;
    found.names("config-unknown-key", "", "nats.password");

    let invalid = File::of("transport = 'nats'\nnats.url = 'nats://x'\npublish_timeout = '5'\n");
    let found = invalid.diagnose("--config-only").await;
    found.names("config-invalid", "setting publish_timeout", "");

    let missing = File::of("application = 'shop'\n")
        .diagnose("--config-only")
        .await;
    missing.names("config-missing", "setting transport", "is not set");

    let no_file = Diagnosis::of(&Operations::new("shop"), "--config /nowhere/shop.toml").await;
    no_file.names("config-unreadable", "configuration", "/nowhere/shop.toml");

    let memory = File::of("transport = 'memory'\n")
        .diagnose("--config-only")
        .await;
    memory.names("no-transport", "setting transport", "`memory`");
}

#[tokio::test]
async fn a_wrong_port_is_an_unreachable_server() {
    let port = Port::reserve().unwrap().number();
    let url = format!("nats://shop:{SECRET}@127.0.0.1:{port}");
    let file = File::of(&format!("transport = 'nats'\nnats.url = '{url}'\n"));
    let begun = std::time::Instant::now();
    let found = file.diagnose("").await;
    found.names("server-unreachable", "connection", &port.to_string());
    assert!(begun.elapsed() < Duration::from_secs(30), "it retries");
}

#[tokio::test]
async fn a_wrong_password_is_a_refused_login() {
    let user = User::password("shop", "another-password");
    let server = Server::options().users([user]).start().await.unwrap();
    let file = File::of(&format!(
        "transport = 'nats'\nnats.url = '{}'\nnats.user = 'shop'\nnats.password = '{SECRET}'\n",
        server.url()
    ));
    file.diagnose("")
        .await
        .names("credentials-refused", "connection", "");
}

#[tokio::test]
async fn a_server_without_jetstream_is_named() {
    let server = Server::options().without_jetstream().start().await.unwrap();
    let url = server.url();
    let file = File::of(&format!("transport = 'nats'\nnats.url = '{url}'\n"));
    file.diagnose("")
        .await
        .names("jetstream-missing", "", "JetStream");
}

#[tokio::test]
async fn certificates_of_another_authority_or_that_expire_are_named() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let soon = jiff::Timestamp::now() + Duration::from_secs(5 * 24 * 60 * 60);
    let soon = soon.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (month, day) = (soon.month().unsigned_abs(), soon.day().unsigned_abs());
    let tls = Tls::new(&authority).until((i32::from(soon.year()), month, day));
    let server = Server::options().tls(tls).start().await.unwrap();
    let configured = |authority: &Authority, more: &str| {
        File::of(&format!(
            "transport = 'nats'\nnats.url = '{}'\nnats.ca_file = '{}'\n{more}",
            server.url(),
            authority.certificate().display()
        ))
    };
    let found = configured(&other, "").diagnose("").await;
    found.names("tls-failed", "connection", "");

    let found = configured(&authority, "").diagnose("--connect-only").await;
    found.names(
        "certificate-expiring",
        "certificate of the server",
        "expires at",
    );

    let client = authority.expired_client("shop").unwrap();
    let files = format!(
        "nats.client_certificate_file = '{}'\nnats.client_key_file = '{}'\n",
        client.certificate().display(),
        client.key().display()
    );
    let found = configured(&authority, &files)
        .diagnose("--connect-only")
        .await;
    found.names(
        "certificate-expired",
        "certificate of the client",
        "2002-01-01",
    );
}
