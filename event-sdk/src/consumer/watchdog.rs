//! Names handlers that block their thread: a thread of its own looks at what the threads of the
//! runtime are polling.
//!
//! A handler that blocks a thread of the runtime also blocks the other tasks of the thread: timers,
//! the keep-alive of held events, and in the end the whole service. Only another thread can see it.
//! Marking a poll takes three stores in a cell of the polling thread, and no reading of a clock.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

/// A handler is named when one poll of it takes this long.
const BLOCKED_AFTER: Duration = Duration::from_millis(500);
/// How often the threads are looked at.
const INTERVAL: Duration = Duration::from_millis(250);
/// Looks that find the same poll, until it has taken long enough.
const LOOKS: u32 = 2;

/// A handler as the watchdog knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WatchId(u64);

/// What one thread is polling.
#[derive(Debug, Default)]
struct Mark {
    /// The handler, or zero.
    handler: AtomicU64,
    /// Counts polls.
    polls: AtomicU64,
}

/// What the watchdog looks at.
#[derive(Default)]
struct Known {
    threads: Mutex<Vec<Seen>>,
    /// The names of handlers; `WatchId` is the index plus one.
    names: Mutex<Vec<String>>,
}

/// A thread, and what it was polling at the last look.
struct Seen {
    mark: Weak<Mark>,
    poll: u64,
    looks: u32,
}

thread_local! {
    static MARK: OnceCell<Arc<Mark>> = const { OnceCell::new() };
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(Known::default)
}

/// Adds a handler, and starts the watchdog with the first one.
pub(super) fn register(name: String) -> WatchId {
    static STARTED: OnceLock<bool> = OnceLock::new();
    STARTED.get_or_init(|| {
        let thread = std::thread::Builder::new().name("event-sdk-watchdog".to_owned());
        let started = thread.spawn(|| {
            loop {
                std::thread::sleep(INTERVAL);
                look(known());
            }
        });
        if let Err(error) = &started {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                "handlers that block their thread are not named: {error}"
            );
        }
        started.is_ok()
    });
    let mut names = known().names.lock().unwrap_or_else(PoisonError::into_inner);
    // A service that adds and removes consumers registers the same names again.
    let known = names.iter().position(|known| *known == name);
    let index = known.unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    });
    WatchId(index as u64 + 1)
}

/// Looks once at all threads, and names those handlers that block one.
fn look(known: &Known) {
    let mut blocked = Vec::new();
    let mut threads = known.threads.lock().unwrap_or_else(PoisonError::into_inner);
    threads.retain_mut(|seen| {
        let Some(mark) = seen.mark.upgrade() else {
            return false;
        };
        let (poll, handler) = (
            mark.polls.load(Ordering::Acquire),
            mark.handler.load(Ordering::Acquire),
        );
        if handler == 0 || poll != seen.poll {
            seen.poll = poll;
            seen.looks = 0;
            return true;
        }
        seen.looks = seen.looks.saturating_add(1);
        if seen.looks == LOOKS {
            blocked.push(handler);
        }
        true
    });
    drop(threads);
    let names = known.names.lock().unwrap_or_else(PoisonError::into_inner);
    for handler in blocked {
        let index = usize::try_from(handler).unwrap_or(usize::MAX);
        let name = names.get(index.wrapping_sub(1)).map_or("?", String::as_str);
        tracing::warn!(
            target: crate::TRACING_TARGET,
            handler = name,
            "the handler blocks its thread for {BLOCKED_AFTER:?} or more, and with it the timers and other tasks there; use `on_blocking`, or an asynchronous client"
        );
    }
}

/// Shows the watchdog that this thread polls a handler, until the result is dropped, also by a panic.
pub(super) fn watch(id: Option<WatchId>) -> Option<Watched> {
    let id = id?;
    // While a thread ends, it has no mark.
    let marked = MARK.try_with(|mark| {
        let mark = mark.get_or_init(|| {
            let mark = Arc::new(Mark::default());
            let mut threads = known()
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            threads.push(Seen {
                mark: Arc::downgrade(&mark),
                poll: 0,
                looks: 0,
            });
            mark
        });
        // Only this thread writes.
        let polls = mark.polls.load(Ordering::Relaxed).wrapping_add(1);
        mark.polls.store(polls, Ordering::Release);
        mark.handler.store(id.0, Ordering::Release);
    });
    marked.is_ok().then_some(Watched)
}

/// This thread polls a handler.
pub(super) struct Watched;

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = MARK.try_with(|mark| {
            if let Some(mark) = mark.get() {
                mark.handler.store(0, Ordering::Release);
            }
        });
    }
}

pin_project_lite::pin_project! {
    /// A future whose polls the watchdog sees.
    pub(super) struct Watch<F> {
        id: Option<WatchId>,
        #[pin]
        future: F,
    }
}

impl<F> Watch<F> {
    pub(super) fn new(id: Option<WatchId>, future: F) -> Self {
        Self { id, future }
    }
}

impl<F: Future> Future for Watch<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _watched = watch(*this.id);
        this.future.poll(cx)
    }
}
