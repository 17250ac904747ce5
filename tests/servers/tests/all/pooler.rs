//! The pooler: each transaction has another connection, and what belongs to one does not follow.

use std::time::{Duration, Instant};

use event_sdk_test_servers::Postgres;
use event_sdk_test_servers::postgres::{Database, Pooler, Session};

async fn pooled() -> (Pooler, Database, Session) {
    let server = Postgres::shared().await.unwrap();
    let database = server.database().await.unwrap();
    let pooler = Pooler::start(server).await.unwrap();
    let session = pooler.session(&database).await.unwrap();
    (pooler, database, session)
}

const CONNECTION: &str = "select pg_backend_pid()";

#[tokio::test]
async fn each_transaction_has_another_connection_than_the_one_before() {
    let (pooler, _, mut session) = pooled().await;
    let mut last = String::new();
    for _ in 0..20 {
        let connection = session.value(CONNECTION).await.unwrap();
        assert_ne!(connection, last);
        last = connection;
    }
    assert_eq!(pooler.transactions(), 20);
}

#[tokio::test]
async fn a_transaction_keeps_its_connection() {
    let (pooler, _, mut session) = pooled().await;
    for end in ["commit", "rollback"] {
        session.query("begin").await.unwrap();
        let connection = session.value(CONNECTION).await.unwrap();
        assert_eq!(session.value(CONNECTION).await.unwrap(), connection);
        session.query(end).await.unwrap();
        assert_ne!(session.value(CONNECTION).await.unwrap(), connection);
    }
    session.query("begin").await.unwrap();
    assert!(session.query("select 1/0").await.is_err());
    let error = session.query(CONNECTION).await.unwrap_err();
    assert_eq!(error.code(), Some("25P02"), "{error}"); // the transaction has failed
    session.query("rollback").await.unwrap();
    assert_eq!(pooler.transactions(), 5);
}

#[tokio::test]
async fn what_belongs_to_a_connection_is_not_there_in_the_next_transaction() {
    let (_pooler, _, mut session) = pooled().await;
    session.query("prepare s as select 1").await.unwrap();
    let error = session.query("execute s").await.unwrap_err();
    assert_eq!(error.code(), Some("26000"), "{error}"); // no such statement
    session
        .query("set application_name = 'mine'")
        .await
        .unwrap();
    let name = session.value("show application_name").await.unwrap();
    assert_ne!(name, "mine");
    session.query("select pg_advisory_lock(1)").await.unwrap();
    let unlocked = session.value("select pg_advisory_unlock(1)").await.unwrap();
    assert_eq!(unlocked, "f");
}

#[tokio::test]
async fn clients_share_connections_and_not_transactions() {
    let (pooler, database, mut first) = pooled().await;
    let mut second = pooler.session(&database).await.unwrap();
    first.query("create table t (n int)").await.unwrap();
    first
        .query("begin; insert into t values (1)")
        .await
        .unwrap();
    let count = "select count(*) from t";
    assert_eq!(second.value(count).await.unwrap(), "0");
    first.query("commit").await.unwrap();
    assert_eq!(second.value(count).await.unwrap(), "1");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let (pooler, database, mut first) = pooled().await;
    first.query("create table t (n int)").await.unwrap();
    first
        .query("begin; insert into t values (1)")
        .await
        .unwrap();
    drop(first);
    let mut second = pooler.session(&database).await.unwrap();
    // Waits for the end of the other transaction, which has a lock.
    second
        .query("begin; lock table t in exclusive mode; commit")
        .await
        .unwrap();
    assert_eq!(second.value("select count(*) from t").await.unwrap(), "0");
}

#[tokio::test]
async fn after_its_last_client_a_database_has_no_connection() {
    let (pooler, database, first) = pooled().await;
    let second = pooler.session(&database).await.unwrap();
    let mut direct = database.session().await.unwrap();
    let count = "select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    drop(first);
    assert_ne!(direct.value(count).await.unwrap(), "0");
    drop(second);
    let deadline = Instant::now() + Duration::from_mins(1);
    while direct.value(count).await.unwrap() != "0" {
        assert!(Instant::now() < deadline, "a connection is left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_refusal_of_the_server_reaches_the_client() {
    let (pooler, database, _) = pooled().await;
    let server = Postgres::shared().await.unwrap();
    let other = server.database().await.unwrap();
    let drop = format!("drop database {} with (force)", database.name());
    other.session().await.unwrap().query(&drop).await.unwrap();
    let error = pooler.session(&database).await.unwrap_err();
    assert_eq!(error.code(), Some("3D000"), "{error}"); // no such database
}

#[tokio::test]
async fn after_a_restart_of_the_server_new_connections_are_opened() {
    let mut server = Postgres::start().await.unwrap();
    let database = server.database().await.unwrap();
    let pooler = Pooler::start(&server).await.unwrap();
    let mut session = pooler.session(&database).await.unwrap();
    session.query("create table t (n int)").await.unwrap();
    session.query("begin").await.unwrap();
    server.kill().await.unwrap();
    assert!(session.query("commit").await.is_err());
    server.restart().await.unwrap();
    let mut session = pooler.session(&database).await.unwrap();
    let count = session.value("select count(*) from t").await.unwrap();
    assert_eq!(count, "0");
}
