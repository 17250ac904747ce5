//! A full disk of SQLite: a limit of pages, and triggers that need more than it allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::rig::{PATIENCE, Rig, wait_until};

/// The most pages that the file may have. The tables of a test need less than a tenth of them.
const PAGES: &str = "pragma max_page_count = 1000";

pub(crate) struct FullDisk(Arc<AtomicU32>);

impl FullDisk {
    /// A rig and its disk, which has room.
    pub(crate) async fn new() -> (Rig, Self) {
        let home = tempfile::tempdir().expect("a folder");
        let options = SqliteConnectOptions::new()
            .filename(home.path().join("shop.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(PATIENCE);
        let disk = Self(Arc::default());
        let refused = Arc::clone(&disk.0);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                let refused = Arc::clone(&refused);
                Box::pin(async move {
                    sqlx::raw_sql(PAGES).execute(&mut *connection).await?;
                    // It is called while the statement runs, so no rollback takes the count back.
                    connection.lock_handle().await?.set_update_hook(move |row| {
                        if row.table == "refused" {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .expect("a database");
        let rig = Rig::over(home, pool);
        rig.outbox.migrate().await.expect("migrate");
        rig.execute("create table refused (n integer); create table ballast (data blob)")
            .await;
        (rig, disk)
    }

    /// From now on the disk has no room for this: `insert on event_outbox`.
    pub(crate) async fn refuse(&self, rig: &Rig, what: &str) {
        let sql = format!(
            "create trigger full_disk before {what} begin
                insert into refused (n) values (1);
                insert into ballast (data) values (zeroblob(100000000));
            end"
        );
        let refused = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&rig.pool);
        refused.await.expect("a trigger");
    }

    /// The disk has room again.
    pub(crate) async fn accept(&self, rig: &Rig, _what: &str) {
        rig.execute("drop trigger full_disk").await;
    }

    /// Waits until statements were refused, the last one after a pause.
    pub(crate) async fn wait_for_refusals(&self, _rig: &Rig) {
        wait_until("statements are refused", async || {
            self.0.load(Ordering::Relaxed) >= 2
        })
        .await;
    }
}
