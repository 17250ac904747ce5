//! One server: stop, kill, pause, restart in place.

use std::net::TcpListener;
use std::time::Duration;

use async_nats::ConnectOptions;
use event_sdk_test_servers::server_process::Error;
use event_sdk_test_servers::{Server, programs};
use serde_json::json;

use crate::client::{
    api, connect, create_stream, events, open, round_trip, store, stored, until_event,
};

#[tokio::test]
async fn it_answers_with_jetstream() {
    let server = Server::start().await.unwrap();
    let client = open(&server.url()).await;
    round_trip(&client).await;
    create_stream(&client, "s", 1).await;
    assert_eq!(store(&client, "s.a").await, Some(1));
    assert_eq!(client.server_info().server_name, server.name());
}

#[tokio::test]
async fn however_it_ends_a_restart_keeps_the_port_and_the_store() {
    let mut server = Server::start().await.unwrap();
    let url = server.url();
    create_stream(&open(&url).await, "s", 1).await;
    for sequence in 1..=3 {
        assert_eq!(store(&open(&url).await, "s.a").await, Some(sequence));
        match sequence {
            1 => server.stop().await.unwrap(),
            2 => server.kill().await.unwrap(),
            _ => server.lame_duck().await.unwrap(),
        }
        assert!(!server.is_running());
        assert!(connect(ConnectOptions::new(), &url).await.is_err());
        server.restart().await.unwrap();
        assert!(server.is_running());
        assert_eq!(server.url(), url);
        assert_eq!(stored(&open(&url).await, "s").await, sequence);
    }
    server.restart().await.unwrap();
    assert_eq!(stored(&open(&url).await, "s").await, 3);
    assert_eq!(server.log().matches("Server is ready").count(), 5);
}

#[tokio::test]
async fn lame_duck_mode_tells_the_clients() {
    let mut server = Server::start().await.unwrap();
    let (options, mut events) = events(ConnectOptions::new());
    let _client = connect(options, &server.url()).await.unwrap();
    server.lame_duck().await.unwrap();
    until_event(&mut events, "lame duck").await;
}

#[tokio::test]
async fn paused_it_keeps_connections_and_answers_nothing() {
    let mut server = Server::start().await.unwrap();
    let client = open(&server.url()).await;
    server.pause().unwrap();
    assert!(server.is_running() && server.is_paused());
    let flush = client.flush();
    let mut round = Box::pin(round_trip(&client));
    flush.await.unwrap(); // into the socket, which is still there
    let paused = tokio::time::timeout(Duration::from_millis(200), &mut round).await;
    assert!(paused.is_err(), "a paused server has answered");
    assert!(server.monitor("/varz").await.is_err());
    server.resume().unwrap();
    round.await;
    server.monitor("/varz").await.unwrap();
}

#[tokio::test]
async fn a_paused_server_can_be_killed() {
    let mut server = Server::start().await.unwrap();
    server.pause().unwrap();
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    assert!(!server.is_paused());
    round_trip(&open(&server.url()).await).await;
}

#[tokio::test]
async fn two_at_once_have_nothing_in_common() {
    let (first, second) = tokio::join!(Server::start(), Server::start());
    let (first, second) = (first.unwrap(), second.unwrap());
    create_stream(&open(&first.url()).await, "s", 1).await;
    let answer = api(&open(&second.url()).await, "STREAM.INFO.s", &json!({})).await;
    assert_eq!(answer["error"]["err_code"], 10059, "{answer}"); // stream not found
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let mut server = Server::start().await.unwrap();
    assert!(matches!(server.resume(), Err(Error::State { .. })));
    server.pause().unwrap();
    assert!(matches!(server.pause(), Err(Error::State { .. })));
    assert!(matches!(server.stop().await, Err(Error::State { .. })));
    server.resume().unwrap();
    server.stop().await.unwrap();
    let error = server.kill().await.unwrap_err().to_string();
    assert!(
        error.contains("is not running, so kill makes no sense"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_ends_at_once_shows_its_log() {
    let outcome = Server::options().config("no_such_option: 1").start().await;
    let error = outcome.unwrap_err().to_string();
    assert!(
        error.contains("unknown field \"no_such_option\""),
        "{error}"
    );
}

#[tokio::test]
async fn its_limits_are_those_that_were_asked_for() {
    let server = Server::options()
        .max_payload(2_000)
        .max_file_store(10_000_000)
        .domain("hub")
        .config("max_pending: 100000")
        .start()
        .await
        .unwrap();
    assert_eq!(open(&server.url()).await.server_info().max_payload, 2_000);
    let varz = server.monitor("/varz").await.unwrap();
    assert_eq!(varz["max_pending"], 100_000);
    assert_eq!(varz["jetstream"]["config"]["max_storage"], 10_000_000);
    assert_eq!(varz["jetstream"]["config"]["domain"], "hub");
}

#[tokio::test]
async fn without_jetstream_nobody_answers_its_requests() {
    let server = Server::options().without_jetstream().start().await.unwrap();
    let client = open(&server.url()).await;
    round_trip(&client).await;
    let outcome = client.request("$JS.API.INFO", "".into()).await;
    let error = outcome.unwrap_err().kind();
    assert_eq!(error, async_nats::RequestErrorKind::NoResponders);
}

#[tokio::test]
async fn the_oldest_server_does_the_same() {
    let program = programs::nats::oldest().unwrap();
    let mut server = Server::options().program(program).start().await.unwrap();
    let client = open(&server.url()).await;
    assert_eq!(
        client.server_info().version,
        programs::nats::OLDEST.to_string()
    );
    create_stream(&client, "s", 1).await;
    assert_eq!(store(&client, "s.a").await, Some(1));
    server.lame_duck().await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(stored(&open(&server.url()).await, "s").await, 1);
}

#[tokio::test]
async fn dropping_it_ends_the_process_and_removes_the_folder() {
    let mut server = Server::start().await.unwrap();
    let folder = server.folder().to_path_buf();
    let port = server.port();
    assert!(folder.join("store").is_dir());
    server.pause().unwrap();
    drop(server);
    assert!(!folder.exists());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[tokio::test]
async fn so_does_a_panic() {
    let started = tokio::spawn(async {
        let server = Server::start().await.unwrap();
        let left = (server.folder().to_path_buf(), server.port());
        std::panic::panic_any(left);
    });
    let panic = started.await.unwrap_err().into_panic();
    let (folder, port) = *panic.downcast::<(std::path::PathBuf, u16)>().unwrap();
    assert!(!folder.exists());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}
