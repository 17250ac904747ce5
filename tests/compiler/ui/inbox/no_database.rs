//! Databases that have no inbox, or whose feature is off.

use event_sdk_sql::{Inbox, Postgres};

struct Ledger;

fn inboxes(_: &Inbox<Postgres>, _: &Inbox<Ledger>) {}

fn main() {}
