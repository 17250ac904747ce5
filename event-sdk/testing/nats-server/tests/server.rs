//! The server of a test: it starts, keeps its port and store, and ends with the test.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use event_sdk_nats_server::{Error, NatsServer, Options};

fn options() -> Options {
    let program = event_sdk_test_programs::nats::current().unwrap();
    NatsServer::options().program(program.path())
}

#[tokio::test]
async fn it_has_jetstream_and_ends_when_it_is_dropped() {
    let server = options().start().await.unwrap();
    let jetstream = server.monitor("/jsz").await.unwrap();
    assert_eq!(jetstream["config"]["max_storage"], 8_u64 << 30);
    assert_eq!(server.url(), format!("nats://127.0.0.1:{}", server.port()));
    let (port, folder) = (server.port(), server.folder().to_owned());
    assert!(folder.join("store").is_dir());
    drop(server);
    assert!(!folder.exists());
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
}

#[tokio::test]
async fn a_restart_keeps_the_port_and_the_store() {
    let mut server = options().start().await.unwrap();
    let (url, folder) = (server.url(), server.folder().to_owned());
    server.kill().await.unwrap();
    assert!(!server.is_running());
    server.restart().await.unwrap();
    assert_eq!((server.url(), server.folder()), (url, &*folder));
    server.stop().await.unwrap();
    assert!(matches!(server.stop().await, Err(Error::State { .. })));
}

#[tokio::test]
async fn lines_of_the_configuration_are_the_servers() {
    let options = options().without_jetstream().config("max_payload: 4096");
    let server = options.start().await.unwrap();
    assert_eq!(server.monitor("/varz").await.unwrap()["max_payload"], 4096);
    let wrong = self::options()
        .config("no_such_setting: true")
        .start()
        .await;
    let error = wrong.unwrap_err().to_string();
    assert!(
        error.contains("no_such_setting") && error.contains("its log ends"),
        "{error}"
    );
}

#[tokio::test]
async fn a_new_configuration_is_read_while_it_runs_and_a_wrong_one_is_refused() {
    let mut server = options().config("max_payload: 4096").start().await.unwrap();
    let id = |varz: &serde_json::Value| (varz["server_id"].clone(), varz["max_payload"].clone());
    let before = id(&server.monitor("/varz").await.unwrap());
    let change = |text: String| text.replace("4096", "8192");
    server.reconfigure(change).await.unwrap();
    let after = id(&server.monitor("/varz").await.unwrap());
    assert_eq!(after, (before.0, 8192.into()));
    let wrong = server.reconfigure(|text| text + "no_such_setting: true\n");
    let error = wrong.await.unwrap_err().to_string();
    assert!(error.contains("no_such_setting"), "{error}");
    // The file has what the server accepted.
    server.restart().await.unwrap();
    server.reconfigure(|text| text).await.unwrap();
    server.stop().await.unwrap();
    let stopped = server.reconfigure(|text| text).await;
    assert!(matches!(stopped, Err(Error::State { .. })), "{stopped:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let gone = PathBuf::from("/no/such/nats-server");
    let error = NatsServer::options()
        .program(&gone)
        .start()
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the test names /no/such/nats-server"),
        "{error}"
    );
}
