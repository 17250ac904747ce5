//! Streams of a real server that lost what they had confirmed: what the relay publishes again, what it
//! only reports, what a consumer says, and that a planned migration publishes nothing again.
//!
//! Each test runs on the oldest and on the newest supported server.

mod connected;
mod consumers;
mod files;
mod losses;
mod moved;
mod permissions;
mod rig;
