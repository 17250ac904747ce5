//! PostgreSQL: sessions, databases of tests, stop, kill, restart in place.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use event_sdk_test_servers::Postgres;
use event_sdk_test_servers::postgres::{Database, Error, Session};
use event_sdk_test_servers::server_process::Error as ServerError;

/// A table with one row.
async fn with_a_row(database: &Database) -> Session {
    let mut session = database.session().await.unwrap();
    session
        .query("create table t (n int); insert into t values (1)")
        .await
        .unwrap();
    session
}

async fn count(database: &Database) -> String {
    let mut session = database.session().await.unwrap();
    session.value("select count(*) from t").await.unwrap()
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own_on_the_shared_server() {
    let server = Postgres::shared().await.unwrap();
    let (first, second) = (server.database().await, server.database().await);
    let (first, second) = (first.unwrap(), second.unwrap());
    with_a_row(&first).await;
    let mut session = second.session().await.unwrap();
    let error = session.query("select * from t").await.unwrap_err();
    assert_eq!(error.code(), Some("42P01"), "{error}"); // undefined table
    assert_eq!(Postgres::shared().await.unwrap().port(), server.port());
}

#[tokio::test]
async fn a_session_reads_rows_nulls_and_errors_and_goes_on() {
    let server = Postgres::shared().await.unwrap();
    let database = server.database().await.unwrap();
    let mut session = database.session().await.unwrap();
    let rows = session.query("select 1, null, 'a;b' union all select 2, 'x', ''");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows.await.unwrap(),
        [
            vec![text("1"), None, text("a;b")],
            vec![text("2"), text("x"), text("")],
        ]
    );
    let error = session.query("select 1/0").await.unwrap_err();
    assert_eq!(error.code(), Some("22012"), "{error}");
    assert!(error.to_string().contains("division by zero"), "{error}");
    assert_eq!(session.value("select 7").await.unwrap(), "7");
    for sql in [
        "select null",
        "select 1, 2",
        "values (1), (2)",
        "select 1 limit 0",
    ] {
        assert!(session.value(sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn however_it_ends_a_restart_keeps_the_port_and_what_was_committed() {
    let mut server = Postgres::start().await.unwrap();
    let database = server.database().await.unwrap();
    let mut session = with_a_row(&database).await;
    for kill in [false, true] {
        session
            .query("begin; insert into t values (2)")
            .await
            .unwrap();
        if kill {
            server.kill().await.unwrap();
        } else {
            server.stop().await.unwrap();
        }
        assert!(!server.is_running());
        assert!(session.query("commit").await.is_err());
        assert!(database.session().await.is_err());
        server.restart().await.unwrap();
        assert!(server.is_running());
        assert_eq!(count(&database).await, "1");
        session = database.session().await.unwrap();
    }
    server.restart().await.unwrap();
    assert_eq!(count(&database).await, "1");
}

#[tokio::test]
async fn a_kill_ends_what_its_processes_were_doing() {
    let mut server = Postgres::start().await.unwrap();
    let database = server.database().await.unwrap();
    let mut session = with_a_row(&database).await;
    // Runs for minutes, and never looks whether the server is still there.
    let busy = "insert into t select generate_series(1, 1000000000)";
    let mut busy = Box::pin(session.query(busy));
    let mut other = database.session().await.unwrap();
    let sizes = "select pg_relation_size('t') > 100000";
    let deadline = Instant::now() + Duration::from_mins(1);
    while other.value(sizes).await.unwrap() == "f" {
        assert!(Instant::now() < deadline, "it inserts nothing");
        let pause = Duration::from_millis(1);
        let ended = tokio::time::timeout(pause, &mut busy).await;
        assert!(ended.is_err(), "it has ended");
    }
    server.kill().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_mins(1), busy).await;
    assert!(ended.expect("it still inserts").is_err());
    server.restart().await.unwrap();
    assert_eq!(count(&database).await, "1");
}

#[tokio::test]
async fn its_settings_are_those_that_were_asked_for() {
    let server = Postgres::options()
        .durable()
        .setting("max_connections", "21")
        .setting("default_transaction_isolation", "serializable")
        .start()
        .await
        .unwrap();
    let database = server.database().await.unwrap();
    let mut session = database.session().await.unwrap();
    for (name, value) in [
        ("fsync", "on"),
        ("max_connections", "21"),
        ("transaction_isolation", "serializable"),
        ("server_encoding", "UTF8"),
        ("timezone", "UTC"),
        ("listen_addresses", "127.0.0.1"),
    ] {
        let shown = session.value(&format!("show {name}")).await.unwrap();
        assert_eq!(shown, value, "{name}");
    }
    let version = session.value("show server_version").await.unwrap();
    let major = server.program().version().major().to_string();
    assert!(version.starts_with(&major), "{version}");
}

#[tokio::test]
async fn a_server_that_ends_at_once_shows_its_log() {
    let outcome = Postgres::options().setting("no_such_setting", "1");
    let error = outcome.start().await.unwrap_err();
    assert!(
        matches!(error, Error::Server(ServerError::Ended { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let mut server = Postgres::start().await.unwrap();
    server.stop().await.unwrap();
    for outcome in [server.stop().await, server.kill().await] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("is not running, so"), "{error}");
    }
}

#[tokio::test]
async fn dropping_it_ends_the_process_and_removes_the_folder() {
    let server = Postgres::start().await.unwrap();
    let (folder, port) = (server.folder().to_path_buf(), server.port());
    assert!(folder.join("data").is_dir());
    drop(server);
    assert!(!folder.exists());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}

/// PostgreSQL itself refuses it; so this shows that root's tests run it as somebody else.
#[tokio::test]
async fn it_never_runs_as_root() {
    let server = Postgres::shared().await.unwrap();
    let owner = server.folder().join("data").metadata().unwrap().uid();
    assert_ne!(owner, 0);
}
