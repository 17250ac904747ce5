//! `Changeable`: a value that is read without a lock until it is changed for the first time.

use std::ops::Deref;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// A value that is read all the time and changed hardly ever.
///
/// Until it is first changed, reading it takes no lock and counts no
/// references: most transports keep the streams that they were built with.
#[derive(Debug)]
pub(super) struct Changeable<T> {
    first: T,
    changed: OnceLock<RwLock<Arc<T>>>,
}

/// The value as it was when it was asked for.
#[derive(Debug)]
pub(super) enum Current<'a, T> {
    First(&'a T),
    Changed(Arc<T>),
}

impl<T> Changeable<T> {
    pub(super) const fn new(first: T) -> Self {
        Self {
            first,
            changed: OnceLock::new(),
        }
    }

    pub(super) fn get(&self) -> Current<'_, T> {
        match self.changed.get() {
            None => Current::First(&self.first),
            Some(changed) => {
                let changed = changed.read().unwrap_or_else(PoisonError::into_inner);
                Current::Changed(Arc::clone(&changed))
            }
        }
    }

    /// Changes it; later reads return `value`.
    pub(super) fn set(&self, value: T) {
        let value = Arc::new(value);
        let changed = self.changed.get_or_init(|| RwLock::new(Arc::clone(&value)));
        *changed.write().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

impl<T> Deref for Current<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::First(value) => value,
            Self::Changed(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Changeable;

    #[test]
    fn whoever_has_it_keeps_what_it_was() {
        let value = Changeable::new(1);
        let first = value.get();
        value.set(2);
        let second = value.get();
        value.set(3);
        assert_eq!((*first, *second, *value.get()), (1, 2, 3));
    }
}
