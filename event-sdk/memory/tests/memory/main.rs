//! What the memory transport does, seen through the `Transport` trait.

mod acks;
mod applying;
mod applying_durables;
mod bounds;
mod consumers;
mod draining;
mod handover;
mod history;
mod keeping;
mod publishing;
mod retention;
mod runtimes;
mod streams;
mod support;
mod threads;
mod waking;
