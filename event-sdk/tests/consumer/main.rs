//! Consumers through the public API, on the memory transport with virtual time.

mod attempts;
mod away;
mod batches;
mod ending;
mod failures;
mod filters;
mod giving_back;
mod handlers;
mod inbox;
mod journal;
mod layers;
mod letters;
mod order;
mod outage;
mod presets;
mod process;
mod publishing;
mod readiness;
mod registry;
mod single_active;
mod standing;
mod suspects;
