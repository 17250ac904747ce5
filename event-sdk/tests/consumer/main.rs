//! Consumers through the public API, on the memory transport with virtual time.

mod ack_all;
mod attempts;
mod away;
mod batches;
mod ending;
mod failures;
mod filters;
mod giving_back;
mod handlers;
mod journal;
mod layers;
mod letters;
mod order;
mod outage;
mod parking;
mod parking_killed;
mod parking_sequenced;
mod presets;
mod process;
mod publishing;
mod readiness;
mod registry;
mod single_active;
mod slow;
mod standing;
mod suspects;
