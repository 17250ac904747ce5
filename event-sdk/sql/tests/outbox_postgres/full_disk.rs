//! A full disk of PostgreSQL: triggers that refuse with its error (SQLSTATE 53100). If the disk of the log
//! (WAL) is full, PostgreSQL itself ends: see `restarted`.

use sqlx::AssertSqlSafe;

use crate::rig::{Rig, wait_until};

/// Counts the refused statements in a sequence, which no rollback sets back.
const FULL: &str = r#"
    create sequence refused;
    create function disk_is_full() returns trigger language plpgsql as $$ begin
        perform nextval('refused');
        raise exception 'could not extend file "base/16384/16385": No space left on device'
            using errcode = '53100', hint = 'Check free disk space.';
    end $$"#;

pub(crate) struct FullDisk;

impl FullDisk {
    /// A rig and its disk, which has room.
    pub(crate) async fn new() -> (Rig, Self) {
        let rig = Rig::new().await;
        rig.execute(FULL).await;
        (rig, Self)
    }

    /// From now on the disk has no room for this: `insert on event_outbox`.
    pub(crate) async fn refuse(&self, rig: &Rig, what: &str) {
        let sql = format!(
            "create trigger full_disk before {what} for each row execute function disk_is_full()"
        );
        let refused = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&rig.pool);
        refused.await.expect("a trigger");
    }

    /// The disk has room again.
    pub(crate) async fn accept(&self, rig: &Rig, what: &str) {
        let table = what.rsplit(' ').next().expect("a table");
        let sql = format!("drop trigger full_disk on {table}");
        let accepted = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&rig.pool);
        accepted.await.expect("no trigger");
    }

    /// Waits until statements were refused, the last one after a pause.
    pub(crate) async fn wait_for_refusals(&self, rig: &Rig) {
        wait_until("statements are refused", async || {
            let count = "select last_value from refused where is_called and last_value >= 2";
            let count = sqlx::query_scalar::<_, i64>(count).persistent(false);
            let count = count.fetch_optional(&rig.pool).await.expect("a count");
            count.is_some()
        })
        .await;
    }
}
