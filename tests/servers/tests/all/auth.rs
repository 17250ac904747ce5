//! Authentication and permissions of test servers.

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use event_sdk_test_servers::{NKey, Operator, Permissions, Server, User};
use serde_json::json;

use crate::client::{
    api, connect, create_consumer, create_stream, events, open, pull, round_trip, store,
    until_event,
};

fn password(name: &str, password: &str) -> ConnectOptions {
    ConnectOptions::with_user_and_password(name.to_owned(), password.to_owned())
}

async fn accepted(options: ConnectOptions, server: &Server) -> Client {
    let client = connect(options, &server.url()).await.unwrap();
    round_trip(&client).await;
    client
}

async fn refused(options: ConnectOptions, server: &Server) {
    let error = connect(options, &server.url())
        .await
        .expect_err("a refusal");
    assert!(error.contains("authorization violation"), "{error}");
}

#[tokio::test]
async fn a_token() {
    let server = Server::options().token("s3cret").start().await.unwrap();
    accepted(ConnectOptions::with_token("s3cret".to_owned()), &server).await;
    refused(ConnectOptions::with_token("wrong".to_owned()), &server).await;
    refused(ConnectOptions::new(), &server).await;
}

#[tokio::test]
async fn passwords_and_nkeys() {
    let key = NKey::new().unwrap();
    let users = [User::password("anna", "p\"ss\\word"), User::nkey(&key)];
    let server = Server::options().users(users).start().await.unwrap();
    accepted(password("anna", "p\"ss\\word"), &server).await;
    accepted(ConnectOptions::with_nkey(key.seed().to_owned()), &server).await;
    refused(password("anna", "wrong"), &server).await;
    let other = NKey::new().unwrap();
    refused(ConnectOptions::with_nkey(other.seed().to_owned()), &server).await;
}

#[tokio::test]
async fn credentials_of_an_operators_account() {
    let operator = Operator::new().unwrap();
    let server = Server::options().operator(&operator).start().await.unwrap();
    let credentials = operator.credentials("billing").text().unwrap();
    let options = ConnectOptions::with_credentials(&credentials).unwrap();
    let client = accepted(options, &server).await;
    create_stream(&client, "s", 1).await;
    assert_eq!(store(&client, "s.a").await, Some(1));

    let strange = Operator::new()
        .unwrap()
        .credentials("billing")
        .text()
        .unwrap();
    refused(ConnectOptions::with_credentials(&strange).unwrap(), &server).await;
    refused(ConnectOptions::new(), &server).await;
}

#[tokio::test]
async fn credentials_that_expire_end_the_connection() {
    let operator = Operator::new().unwrap();
    let server = Server::options().operator(&operator).start().await.unwrap();
    let short = operator.credentials("billing").expires_in(Duration::ZERO);
    let options = ConnectOptions::with_credentials(&short.text().unwrap()).unwrap();
    let (options, mut events) = events(options);
    let _client = connect(options, &server.url()).await.unwrap();
    until_event(&mut events, "authentication expired").await;
}

#[tokio::test]
async fn credentials_carry_permissions() {
    let operator = Operator::new().unwrap();
    let server = Server::options().operator(&operator).start().await.unwrap();
    let limited = operator
        .credentials("billing")
        .permissions(Permissions::none().subscribe(&["_INBOX.>"]));
    let options = ConnectOptions::with_credentials(&limited.text().unwrap()).unwrap();
    let (options, mut events) = events(options);
    let client = connect(options, &server.url()).await.unwrap();
    client.publish("a.b", "".into()).await.unwrap();
    until_event(&mut events, "permissions violation for publish to \"a.b\"").await;
}

/// A server with a stream, a consumer and an event, whose user `limited` has these permissions.
async fn limited_to(permissions: Permissions) -> (Server, Client) {
    let users = [
        User::password("admin", "a"),
        User::password("limited", "l").permissions(permissions),
    ];
    let server = Server::options().users(users).start().await.unwrap();
    let admin = accepted(password("admin", "a"), &server).await;
    create_stream(&admin, "s", 1).await;
    create_consumer(&admin, "s", "c", 1).await;
    assert_eq!(store(&admin, "s.a").await, Some(1));
    (server, admin)
}

/// Pulls the one event, acks it, and sees that the consumer has the ack.
async fn pull_and_ack(client: &Client, admin: &Client) {
    let message = pull(client, "s", "c").await;
    assert_eq!(message.payload, "event");
    let ack = client.request(message.reply.unwrap(), "+ACK".into());
    ack.await.unwrap();
    let info = api(admin, "CONSUMER.INFO.s.c", &json!({})).await;
    assert_eq!(info["ack_floor"]["stream_seq"], 1, "{info}");
}

#[tokio::test]
async fn one_who_may_only_pull_and_ack() {
    let (server, admin) = limited_to(Permissions::pull_and_ack("s", "c")).await;
    let (options, mut events) = events(password("limited", "l"));
    let client = connect(options, &server.url()).await.unwrap();
    pull_and_ack(&client, &admin).await;
    for subject in ["$JS.API.CONSUMER.INFO.s.c", "$JS.API.STREAM.INFO.s", "s.a"] {
        client.publish(subject, "".into()).await.unwrap();
        let refusal = format!(
            "permissions violation for publish to \"{}\"",
            subject.to_lowercase()
        );
        until_event(&mut events, &refusal).await;
    }
    let _subscription = client.subscribe("s.>").await.unwrap();
    until_event(
        &mut events,
        "permissions violation for subscription to \"s.>\"",
    )
    .await;
}

#[tokio::test]
async fn the_minimum_of_jetstream_bridge() {
    let permissions = Permissions::jetstream_bridge()
        .publish(&["s.out"])
        .subscribe(&["s.in"]);
    let (server, admin) = limited_to(permissions).await;
    let (options, mut events) = events(password("limited", "l"));
    let client = connect(options, &server.url()).await.unwrap();
    pull_and_ack(&client, &admin).await;
    assert_eq!(store(&client, "s.out").await, Some(2));
    create_stream(&client, "t", 1).await;
    client.publish("s.in", "".into()).await.unwrap();
    until_event(&mut events, "permissions violation for publish to \"s.in\"").await;
}

#[tokio::test]
async fn an_open_server_asks_nobody() {
    let server = Server::start().await.unwrap();
    round_trip(&open(&server.url()).await).await;
}
