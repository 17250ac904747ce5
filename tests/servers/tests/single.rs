//! One server: it answers, and it can be stopped, killed, paused and restarted where it was.

use event_sdk_test_servers::{Error, Server};

#[tokio::test]
async fn a_restart_keeps_the_port() {
    let mut server = Server::start().await.unwrap();
    let url = server.url();
    server.stop().await.unwrap();
    assert!(!server.is_running());
    server.restart().await.unwrap();
    assert!(server.is_running());
    assert_eq!(server.url(), url);
    server.kill().await.unwrap();
    assert!(!server.is_running());
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    server.lame_duck().await.unwrap();
    assert!(server.log().contains("Entering lame duck mode"));
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
async fn dropping_it_ends_the_process_and_removes_the_folder() {
    let mut server = Server::start().await.unwrap();
    let folder = server.folder().to_path_buf();
    let port = server.port();
    assert!(folder.join("store").is_dir());
    server.pause().unwrap();
    drop(server);
    assert!(!folder.exists());
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
}
