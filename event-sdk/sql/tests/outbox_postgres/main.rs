//! The tests of the outbox on a real PostgreSQL, and those of PostgreSQL alone.

mod beginning;
mod database;
mod full_disk;
mod pooled;
mod privileges;
mod restarted;
mod shares;
mod status;
mod stopped;
mod texts;
mod verified;

#[path = "../outbox/blocking.rs"]
mod blocking;
#[path = "../outbox/cleaning.rs"]
mod cleaning;
#[path = "../outbox/clock.rs"]
mod clock;
#[path = "../outbox/crashes.rs"]
mod crashes;
#[path = "../outbox/enqueueing.rs"]
mod enqueueing;
#[path = "../outbox/exhausted.rs"]
mod exhausted;
#[path = "../outbox/full.rs"]
mod full;
#[path = "../outbox/leaving.rs"]
mod leaving;
#[path = "../outbox/left.rs"]
mod left;
#[path = "../outbox/order.rs"]
mod order;
#[path = "../outbox/parked.rs"]
mod parked;
#[path = "../outbox/personal.rs"]
mod personal;
#[path = "../outbox/reasons.rs"]
mod reasons;
#[path = "../outbox/relays.rs"]
mod relays;
#[path = "../outbox/rig.rs"]
mod rig;
#[path = "../outbox/scheduled.rs"]
mod scheduled;
#[path = "../outbox/schema.rs"]
mod schema;
#[path = "../outbox/script.rs"]
mod script;
#[path = "../outbox/trouble.rs"]
mod trouble;
#[path = "../outbox/went_back.rs"]
mod went_back;
