//! What must hold in the database, in plain SQL: after each kill, and at the end.

use std::collections::BTreeMap;

use event_sdk::EventBus;
use event_sdk::dead_letters::{LetterFilter, LetterSummary, Page};
use event_sdk_test_stores::service::{
    BILLS, Form, LettersIn, ORDERS, OrderPlaced, ServiceDatabase, Step, letters,
};
use uuid::Uuid;

use crate::rig::{Database, within};

/// Numbers that are zero in each state of the database, whatever was killed: what they mean, and the
/// statement.
const ALWAYS_ZERO: &[(&str, &str)] = &[
    (
        "orders without their events, or events without their orders",
        "select (select count(*) from orders)
            - (select count(*) from event_outbox where subject like '%.orders.%')",
    ),
    (
        "effects without their events, or events without their effects",
        "select (select count(*) from effects)
            - (select count(*) from event_outbox where subject like '%.bills.%')",
    ),
    (
        "effects without records, or records without effects",
        "select (select count(*) from effects)
            - (select count(*) from event_inbox where outcome = 'done')",
    ),
    (
        "doubled effects",
        "select count(*) from
            (select event_id from effects group by event_id having count(*) > 1) doubled",
    ),
    (
        "handled and recorded as dead",
        "select count(*) from effects join event_inbox on event_inbox.event_id = effects.event_id
            where outcome = 'dead'",
    ),
    (
        "handled, and a letter",
        "select count(*) from effects
            join event_dead_letter on event_dead_letter.event_id = effects.event_id",
    ),
    (
        "effects of orders that were rolled back",
        "select count(*) from effects
            where not exists (select 1 from orders where orders.event_id = effects.event_id)",
    ),
    (
        "published and not in a stream",
        "select count(*) from event_outbox where state = 2 and sequence is null",
    ),
];

/// Numbers that are zero when everything is done.
const ZERO_AT_THE_END: &[(&str, &str)] = &[
    (
        "not published",
        "select count(*) from event_outbox where state <> 2",
    ),
    (
        "neither handled nor dead",
        "select count(*) from orders
            where not exists (select 1 from effects where effects.event_id = orders.event_id)
            and not exists (select 1 from event_inbox
                where event_inbox.event_id = orders.event_id and outcome = 'dead')",
    ),
];

const DEAD: &str = "select count(*) from event_inbox where outcome = 'dead'";

/// Checks what holds always.
pub(crate) async fn check_always<DB: ServiceDatabase>(database: &Database<DB>, form: Form) {
    for (what, sql) in ALWAYS_ZERO {
        assert_eq!(database.number(*sql).await, 0, "{what}");
    }
    if form.letters == LettersIn::Table {
        let letters = format!("select ({DEAD}) - (select count(*) from event_dead_letter)");
        assert_eq!(database.number(letters).await, 0, "dead without letters");
    }
}

/// Whether everything is published, and each order is handled or dead.
pub(crate) async fn is_done<DB: ServiceDatabase>(database: &Database<DB>) -> bool {
    for (_, sql) in ZERO_AT_THE_END {
        if database.number(*sql).await != 0 {
            return false;
        }
    }
    true
}

/// Checks that a process was killed at its step: what was done is there, and what was not is not.
pub(crate) async fn check_step<DB: ServiceDatabase>(
    database: &Database<DB>,
    bus: &EventBus,
    form: Form,
    step: Step,
    about: &str,
) {
    let is = async |table: &str, condition: String| database.count(table, condition).await;
    let of_event = || {
        let event = about.parse::<Uuid>().expect("an event id");
        format!("event_id = {}", DB::id(event))
    };
    match step {
        Step::BeforeCommit => assert_eq!(is("orders", format!("number = {about}")).await, 0),
        Step::AfterCommit => assert_eq!(is("orders", format!("number = {about}")).await, 1),
        Step::Claimed => {
            let owned = format!("shard >= 0 and cast(owner as text) = '{about}'");
            assert!(is("event_outbox_shards", owned).await > 0);
        }
        Step::Read => {
            let unpublished = format!("id = {about} and state <> 2");
            assert_eq!(is("event_outbox", unpublished).await, 1);
        }
        Step::Published => {
            let unpublished = format!("id = {about} and state <> 2");
            assert_eq!(is("event_outbox", unpublished).await, 1);
            let marked = is("event_outbox", "state = 2".to_owned()).await;
            assert!(stored(bus).await > marked);
        }
        Step::Marked => {
            let marked = format!("id = {about} and state = 2");
            assert_eq!(is("event_outbox", marked).await, 1);
        }
        Step::BeforeMove | Step::Released => unreachable!("no row is refused: {step}"),
        // Before a record, another process may have recorded the same.
        Step::EffectWritten | Step::BeforeRecord => {
            assert_eq!(is("effects", of_event()).await, 0);
        }
        Step::EffectCommitted => assert_eq!(is("effects", of_event()).await, 1),
        Step::RecordedDead => {
            let dead = format!("{} and outcome = 'dead'", of_event());
            assert_eq!(is("event_inbox", dead).await, 1);
        }
        Step::LetterStored => {
            let of_order = format!("stream = '{ORDERS}' and sequence = {about}");
            let dead = format!("{of_order} and outcome = 'dead'");
            assert_eq!(is("event_inbox", dead).await, 1);
            let stored = match form.letters {
                LettersIn::Table => is("event_dead_letter", of_order).await,
                LettersIn::Stream => letters_in_stream(bus, about).await,
            };
            assert_eq!(stored, 1);
        }
        Step::Acknowledged => {
            let record = format!("stream = '{ORDERS}' and sequence = {about}");
            assert_eq!(is("event_inbox", record).await, 1);
        }
    }
}

/// How many events the streams have.
async fn stored(bus: &EventBus) -> i64 {
    let mut stored = 0;
    for stream in [ORDERS, BILLS] {
        let state = within("a state", bus.stream_state(stream)).await.unwrap();
        stored += i64::try_from(state.messages).unwrap();
    }
    stored
}

/// How many letters the stream has of the event with this sequence.
async fn letters_in_stream(bus: &EventBus, sequence: &str) -> i64 {
    let sequence: u64 = sequence.parse().unwrap();
    let list = all_letters(bus).await;
    let found = list
        .iter()
        .filter(|letter| letter.origin.sequence == sequence);
    i64::try_from(found.count()).unwrap()
}

async fn all_letters(bus: &EventBus) -> Vec<LetterSummary> {
    let (queue, all) = (bus.dead_letters(letters()), LetterFilter::all());
    let list = within("letters", queue.list(&all, Page::ALL)).await;
    list.unwrap()
}

/// What there is at the end.
pub(crate) struct Totals {
    pub(crate) orders: i64,
    pub(crate) effects: i64,
    pub(crate) dead: i64,
}

/// Checks everything, in the database and in the streams, when everything is done.
pub(crate) async fn check_end<DB: ServiceDatabase>(
    database: &Database<DB>,
    bus: &EventBus,
    form: Form,
) -> Totals {
    check_always(database, form).await;
    for (what, sql) in ZERO_AT_THE_END {
        assert_eq!(database.number(*sql).await, 0, "{what}");
    }
    let totals = Totals {
        orders: database.number("select count(*) from orders").await,
        effects: database.number("select count(*) from effects").await,
        dead: database.number(DEAD).await,
    };
    assert_eq!(totals.orders, totals.effects + totals.dead);
    let state = async |stream: &str| {
        let state = within("a state", bus.stream_state(stream)).await.unwrap();
        i64::try_from(state.messages).unwrap()
    };
    assert_eq!(state(ORDERS).await, totals.orders, "events of orders");
    assert_eq!(state(BILLS).await, totals.effects, "events of effects");
    if form.letters == LettersIn::Stream {
        let list = all_letters(bus).await;
        let mut events: Vec<_> = list.iter().map(|letter| letter.event_id).collect();
        events.sort_unstable();
        events.dedup();
        assert_eq!(events.len(), list.len(), "an event has two letters");
        assert_eq!(i64::try_from(list.len()).unwrap(), totals.dead, "letters");
    }
    check_order(bus).await;
    totals
}

/// The orders of each customer are in the stream in the order of their transactions.
async fn check_order(bus: &EventBus) {
    let mut last = BTreeMap::<i64, i64>::new();
    let mut stored = within("the orders", bus.history::<OrderPlaced>())
        .await
        .unwrap();
    while let Some(event) = within("an order", stored.next()).await {
        let order = event.unwrap().decode().unwrap();
        let before = last.insert(order.customer, order.number);
        assert!(before < Some(order.number), "{order:?} is after {before:?}");
    }
}
