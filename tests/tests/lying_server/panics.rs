//! Counts the panics of each thread, in tasks too, which nobody else would see.

use std::panic;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

static PANICS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Begins to count.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let thread = thread::current();
            let name = thread.name().unwrap_or_default().to_owned();
            let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
            panics.push((name, info.to_string()));
            drop(panics);
            before(info);
        }));
    });
}

/// The panics of the threads with this name.
pub(crate) fn of(name: &str) -> Vec<String> {
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    let of = panics.iter().filter(|(thread, _)| thread == name);
    of.map(|(_, panic)| panic.clone()).collect()
}
