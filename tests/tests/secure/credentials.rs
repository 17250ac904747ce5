//! Credentials: accepted and refused ones, and secrets that must not be shown.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use event_sdk::transport::ErrorKind;
use event_sdk::transport::nats::{ConnectionState, DisconnectReason, Nats, NatsOptions};
use event_sdk_test_servers::{NKey, Operator, Server, User};

use crate::captured;
use crate::support::{assert_says, connect, eventually, everything_of, refused, within, works};

/// How often somebody has connected to a server.
async fn connections(server: &Server) -> u64 {
    let server = server.monitor("/varz").await.unwrap();
    server["total_connections"].as_u64().unwrap()
}

/// Connects in vain, once, and without showing any of the secrets.
async fn wrong(
    server: &Server,
    say: impl FnOnce(NatsOptions) -> NatsOptions,
    kind: ErrorKind,
    says: &[&str],
    secrets: &[&str],
) {
    let before = connections(server).await;
    // An attempt that can only fail is not repeated, for however long it may be.
    let options = Nats::options(server.url()).connect_within(Duration::from_mins(1));
    let options = say(options);
    let mut shown = format!("{options:?}");
    let error = refused(options).await;
    shown.push_str(&everything_of(&error));
    assert_says(&error, &kind, says);
    assert!(connections(server).await <= before + 1, "it tried again");
    assert_hidden(&shown, secrets);
}

/// Asserts that no secret is in what was shown, or in what was logged.
fn assert_hidden(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is in: {shown}");
        assert!(!captured::has(secret), "{secret} was logged");
    }
}

fn in_folder(server: &Server, name: &str, text: &str) -> PathBuf {
    let path = server.folder().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The seed of a credentials file, and its JWT.
fn secrets_of(credentials: &str) -> Vec<&str> {
    let mut lines = credentials.lines();
    let is_secret = |line: &&str| line.len() > 50 && !line.starts_with('-');
    lines.by_ref().filter(is_secret).collect()
}

#[tokio::test]
async fn users_and_their_passwords() {
    let server = Server::options()
        .users([User::password("anna", "right-9f2c@/:%")])
        .start()
        .await
        .unwrap();
    let url = |user: &str| format!("nats://{user}@127.0.0.1:{}", server.port());
    works(connect(Nats::options(server.url()).user("anna", "right-9f2c@/:%")).await).await;
    works(connect(Nats::options(url("anna:right-9f2c%40%2F%3A%25"))).await).await;

    let refusal = ErrorKind::Unauthenticated;
    let says = ["password", "anna"];
    let secrets = ["wrong-7d1e", "right-9f2c"];
    let say = |options: NatsOptions| options.user("anna", "wrong-7d1e");
    wrong(&server, say, refusal.clone(), &says, &secrets).await;
    let address = url("anna:wrong-7d1e");
    let say = |_| Nats::options(&address);
    wrong(&server, say, refusal.clone(), &says, &secrets).await;
    let say = |options: NatsOptions| options.user("bert", "right-9f2c@/:%");
    wrong(
        &server,
        say,
        refusal.clone(),
        &["password", "bert"],
        &secrets,
    )
    .await;
    let says = ["no credentials", "`user`"];
    wrong(&server, |options| options, refusal, &says, &secrets).await;
    // Neither does what is logged of connections that work.
    assert!(!captured::has("right-9f2c"));
}

#[tokio::test]
async fn a_token() {
    let server = Server::options().token("token-51c3").start().await.unwrap();
    works(connect(Nats::options(server.url()).token("token-51c3")).await).await;
    let url = format!("nats://token-51c3@127.0.0.1:{}", server.port());
    works(connect(Nats::options(url)).await).await;
    let say = |options: NatsOptions| options.token("wrong-token-8e");
    let secrets = ["token-51c3", "wrong-token-8e"];
    wrong(
        &server,
        say,
        ErrorKind::Unauthenticated,
        &["token"],
        &secrets,
    )
    .await;
    assert!(!captured::has("token-51c3"));
}

#[tokio::test]
async fn an_nkey() {
    let (known, unknown) = (NKey::new().unwrap(), NKey::new().unwrap());
    let server = Server::options()
        .users([User::nkey(&known)])
        .start()
        .await
        .unwrap();
    works(connect(Nats::options(server.url()).nkey(known.seed())).await).await;
    let secrets = [known.seed(), unknown.seed()];
    let say = |options: NatsOptions| options.nkey(unknown.seed());
    // The public half is what the server's users list has to have.
    let says = ["NKey", unknown.public()];
    wrong(&server, say, ErrorKind::Unauthenticated, &says, &secrets).await;
    let cut = &unknown.seed()[..40];
    let say = |options: NatsOptions| options.nkey(cut);
    wrong(&server, say, ErrorKind::InvalidOption, &["NKey"], &[cut]).await;
}

#[tokio::test]
async fn a_credentials_file() {
    let operator = Operator::new().unwrap();
    let server = Server::options().operator(&operator).start().await.unwrap();
    let good = operator.credentials("billing").text().unwrap();
    works(connect(Nats::options(server.url()).credentials(good.as_str())).await).await;
    let path = in_folder(&server, "good.creds", &good);
    works(connect(Nats::options(server.url()).credentials_file(&path)).await).await;

    let strange = Operator::new()
        .unwrap()
        .credentials("billing")
        .text()
        .unwrap();
    let path = in_folder(&server, "strange.creds", &strange);
    let (refusal, name) = (ErrorKind::Unauthenticated, path.to_str().unwrap());
    let say = |options: NatsOptions| options.credentials_file(&path);
    let secrets = secrets_of(&strange);
    wrong(
        &server,
        say,
        refusal.clone(),
        &["credentials file", name],
        &secrets,
    )
    .await;
    let say = |options: NatsOptions| options.credentials(strange.as_str());
    wrong(&server, say, refusal.clone(), &["credentials"], &secrets).await;
    wrong(
        &server,
        |options| options,
        refusal,
        &["no credentials", "`credentials_file`"],
        &[],
    )
    .await;

    let invalid = ErrorKind::InvalidOption;
    let say = |options: NatsOptions| options.credentials_file("/does/not/exist.creds");
    wrong(
        &server,
        say,
        invalid.clone(),
        &["/does/not/exist.creds"],
        &[],
    )
    .await;
    let secrets = secrets_of(&good);
    // A JWT alone, a seed alone, and both without what stands around them.
    for (name, text) in [
        (
            "jwt.creds",
            good.split("-----BEGIN USER").next().unwrap().to_owned(),
        ),
        (
            "seed.creds",
            format!("-----BEGIN USER NKEY SEED-----\n{}\n", secrets[1]),
        ),
        ("bare.creds", format!("{}\n{}\n", secrets[0], secrets[1])),
    ] {
        let path = in_folder(&server, name, &text);
        let say = |options: NatsOptions| options.credentials_file(&path);
        wrong(
            &server,
            say,
            invalid.clone(),
            &[path.to_str().unwrap()],
            &secrets,
        )
        .await;
    }
    for secret in secrets {
        assert!(!captured::has(secret), "{secret} was logged");
    }
}

#[tokio::test]
async fn credentials_that_expire() {
    let operator = Operator::new().unwrap();
    let server = Server::options().operator(&operator).start().await.unwrap();
    let short = operator
        .credentials("billing")
        .expires_in(Duration::from_secs(10));
    let short = short.text().unwrap();
    let path = in_folder(&server, "billing.creds", &short);
    let options = Nats::options(server.url()).credentials_file(&path);
    let nats = connect(options).await;
    let expired = ConnectionState::Disconnected {
        reason: DisconnectReason::Unauthenticated,
    };
    let mut watch = nats.connection();
    within("the end of the credentials", async {
        while watch.changed().await != expired {}
    })
    .await;
    // A server reckons in whole seconds, and may take them for a moment still.
    let options = || Nats::options(server.url()).credentials_file(&path);
    let error = eventually("a refusal", async || Nats::connect(options()).await.err()).await;
    let says = ["credentials file", path.to_str().unwrap(), "expired"];
    assert_says(&error, &ErrorKind::Unauthenticated, &says);
    assert_hidden(&everything_of(&error), &secrets_of(&short));
    // Renewed in place, they are read at the next attempt.
    fs::write(&path, operator.credentials("billing").text().unwrap()).unwrap();
    assert!(within("a connection", watch.connected()).await);
    works(nats).await;
}
