//! Eight services with a planted fault each, in which the kit finds it, and their corrections, in
//! which it finds nothing.

mod ack_before_effect;
mod blocking_call;
mod database;
mod events;
mod handlers;
mod lost_correlation;
mod no_idempotence;
mod order_across_keys;
mod publish_before_commit;
mod search;
mod state_in_the_process;
mod swallowed_error;
