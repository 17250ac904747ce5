//! What `verify` compares on PostgreSQL beside tables, columns and indexes.

use crate::rig::Rig;

async fn differences(rig: &Rig) -> Vec<String> {
    let found = rig.outbox.verify().await.expect("a comparison");
    found.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_function_that_was_changed_or_dropped_is_named() {
    let rig = Rig::new().await;
    assert_eq!(differences(&rig).await, [""; 0]);
    rig.execute(
        "create or replace function event_outbox_enqueue (
            subject text, message_id text, body bytea, key text default null,
            headers text default null, not_before timestamptz default null,
            cancel_key text default null
        ) returns bigint language sql as $$ select 1::bigint $$",
    )
    .await;
    let found = differences(&rig).await;
    let [changed] = &*found else {
        panic!("one difference, not {found:?}");
    };
    assert!(
        changed.starts_with("function event_outbox_enqueue(subject text, message_id text,")
            && changed.contains("select 1::bigint")
            && changed.contains("insert into \"event_outbox\""),
        "{changed}"
    );

    rig.execute(
        "drop function event_outbox_enqueue;
        create function event_outbox_enqueue (subject text) returns bigint
            language sql as $$ select 2::bigint $$;
        create function event_other () returns bigint language sql as $$ select 3::bigint $$",
    )
    .await;
    let found = differences(&rig).await;
    assert_eq!(found.len(), 2, "{found:?}");
    let begins = |start: &str| found.iter().any(|text| text.starts_with(start));
    assert!(
        begins("function event_outbox_enqueue(subject text) is not ours"),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|text| text.contains("cancel_key text) is missing")),
        "{found:?}"
    );
}

#[tokio::test]
async fn triggers_and_rules_are_named() {
    let rig = Rig::new().await;
    rig.execute(
        "create function nothing () returns trigger language plpgsql as $$ begin return null; end $$;
        create trigger drops before insert on event_outbox for each row execute function nothing();
        create rule keeps as on delete to event_dead_letter do instead nothing",
    )
    .await;
    let found = differences(&rig).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("rule event_dead_letter.keeps is not ours: CREATE RULE keeps"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("trigger event_outbox.drops is not ours: CREATE TRIGGER drops"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_default_that_an_older_postgresql_stored_is_no_difference() {
    let rig = Rig::new().await;
    // What versions 12 and 13 make of the migration, and an upgrade keeps.
    rig.execute(
        "alter table event_outbox alter created_at
            set default ((date_part('epoch', clock_timestamp()) * 1000000)::bigint)",
    )
    .await;
    assert_eq!(differences(&rig).await, [""; 0]);
    rig.execute(
        "alter table event_outbox alter created_at
            set default ((date_part('epoch', clock_timestamp()) * 1000)::bigint)",
    )
    .await;
    let found = differences(&rig).await;
    let [changed] = &*found else {
        panic!("one difference, not {found:?}");
    };
    assert!(
        changed.starts_with("column event_outbox.created_at is "),
        "{changed}"
    );
}
