//! The memory transport through the `Transport` trait, one file each for publishing, retention,
//! consumers, acks, draining, hand-over, history, buckets, schedules, wakeups and memory bounds.

mod acks;
mod advisories;
mod applying;
mod applying_durables;
mod bounds;
mod consumers;
mod coordinating;
mod draining;
mod handover;
mod history;
mod keeping;
mod message_admin;
mod publishing;
mod retention;
mod runtimes;
mod scheduling;
mod snapshots;
mod streams;
mod support;
mod threads;
mod waking;
