//! A relay that is frozen within a transaction does not keep the locks of its shards.

use crate::rig::{Rig, placed, wait_until};

/// Notes the time limit of each transaction that changes a lease or a row.
const NOTE_LIMITS: &str = "
create table limits (value text not null);
create function note_limit() returns trigger language plpgsql as $$
begin
    insert into limits values (current_setting('idle_in_transaction_session_timeout'));
    return new;
end $$;
create trigger note_lease before update on event_outbox_shards
    for each row execute function note_limit();
create trigger note_row before update on event_outbox
    for each row execute function note_limit();
";

#[tokio::test]
async fn the_server_ends_transactions_of_a_relay_that_is_stopped() {
    let rig = Rig::new().await;
    sqlx::raw_sql(NOTE_LIMITS)
        .execute(&rig.pool)
        .await
        .expect("triggers");
    let relay = rig.start();
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    wait_until("the marks", async || rig.count("state = 2").await == 2).await;
    relay.stop().await;
    let limits: Vec<(String,)> = sqlx::query_as("select distinct value from limits")
        .fetch_all(&rig.pool)
        .await
        .expect("limits");
    assert_eq!(limits, [("5s".to_owned(),)]);
}
