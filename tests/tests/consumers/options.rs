//! Every option of a consumer, with the same code on memory and on a real server, in real time: what
//! the server does because of it. `event-sdk/tests/consumer` has the options in more combinations, on
//! memory and virtual time.

mod binding;
mod effects;
mod ending;
mod failing;
mod handling;
mod order;
mod rig;
