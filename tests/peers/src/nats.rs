//! Consuming from a real nats-server, with everything at its defaults: streams on disk, durable
//! consumers, an envelope of 600 bytes.
//!
//! Each side has a connection of its own, decodes each event, and acknowledges it by itself or in
//! batches.

mod by_hand;
mod latency;
mod ours;
mod rates;
mod ruststream_handler;
mod setting;

use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Runtime;

use setting::{Setting, Stream};

/// What is measured of it, by name: all without a name.
pub(crate) fn run(words: &[&str]) {
    let runtime = runtime();
    let setting = runtime.block_on(Setting::new());
    match *words {
        [] => {
            println!("\n{}\n", setting.describe());
            rates::run(&runtime, &setting);
            latency::run(&runtime, &setting);
        }
        ["rates"] => rates::run(&runtime, &setting),
        ["latency"] => latency::run(&runtime, &setting),
        // For a profiler: one side alone, once.
        ["side", name, events] => {
            let events = events.parse().expect("a number of events");
            rates::one(&runtime, &setting, name, events);
        }
        _ => {
            eprintln!("there are `rates`, `latency`, and `side <name> <events>`");
            std::process::exit(2);
        }
    }
}

/// One way to consume.
struct Side {
    name: &'static str,
    start: Start,
}

/// Starts a subscription with this durable name. It calls [`Handled`] for each event that it has
/// decoded.
type Start = for<'a> fn(&'a Setting, &'a Stream, &'a str, Handled) -> Future<'a, Running>;

/// What a handler does.
type Handled = Arc<dyn Fn() + Send + Sync>;

/// Stops the subscription.
type Running = Box<dyn FnOnce() -> Future<'static, ()>>;

type Future<'a, T> = Pin<Box<dyn core::future::Future<Output = T> + 'a>>;

const OURS: Side = Side {
    name: "event-sdk, `ack()`",
    start: ours::single,
};

const OURS_IN_BATCHES: Side = Side {
    name: "event-sdk, `next_batch` and `ack()`",
    start: ours::in_batches,
};

const OUR_CONSUMER: Side = Side {
    name: "event-sdk, a consumer",
    start: ours::consumer,
};

const OUR_CONSUMER_ACK_ALL: Side = Side {
    name: "event-sdk, a consumer with `single_active` and `ack_all`",
    start: ours::ack_all,
};

const OUR_CONSUMER_IN_BATCHES: Side = Side {
    name: "event-sdk, a consumer with `single_active`, `ack_all` and `on_batches`",
    start: ours::ack_all_in_batches,
};

const BY_HAND: Side = Side {
    name: "async-nats 0.51 by hand",
    start: by_hand::start,
};

const RUSTSTREAM: Side = Side {
    name: "RustStream 0.7.7, a handler of ruststream-nats 0.7.1",
    start: ruststream_handler::start,
};

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

/// How a task that consumes is stopped: at its next event, or now if it waits for one.
fn stops(task: tokio::task::JoinHandle<()>) -> Running {
    Box::new(move || {
        Box::pin(async move {
            task.abort();
            if let Err(error) = task.await {
                assert!(error.is_cancelled(), "{error}");
            }
        })
    })
}
