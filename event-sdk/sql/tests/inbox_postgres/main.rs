//! The inbox on PostgreSQL: the tests of SQLite that do not depend on the database, through a proxy that
//! gives each transaction another connection, those of locks and of transactions that have ended, and
//! one whose server is killed.

#[path = "../inbox/batches.rs"]
mod batches;
#[path = "../inbox/crash.rs"]
mod crash;
mod database;
#[path = "../inbox/dead.rs"]
mod dead;
#[path = "../inbox/effects.rs"]
mod effects;
#[path = "../inbox/exhausted.rs"]
mod exhausted;
mod full;
mod killed;
mod locks;
#[path = "../inbox/owners.rs"]
mod owners;
mod privileges;
#[path = "../inbox/publishing.rs"]
mod publishing;
#[path = "../inbox/retention.rs"]
mod retention;
#[path = "../inbox/rig.rs"]
mod rig;
#[path = "../inbox/schema.rs"]
mod schema;
mod schemas;
