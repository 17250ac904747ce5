//! Handlers that are values of a type, such as those of stores; the class of their errors.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::{EventSet, Readable};

use super::Consumer;
use crate::consumer::batch::{BatchHandler, HandleBatch, call_by};
use crate::consumer::{FailureClass, Handle, Takes, handlers};

/// Handlers that are values.
impl<S: EventSet> Consumer<S> {
    /// Like [`on`](Self::on), with a value that implements [`Handle`] for the event `E` instead of
    /// a closure. [`handled_by`](Self::handled_by) takes one value for all events of the set.
    pub fn on_handler<E, H>(mut self, handler: H) -> Self
    where
        E: Readable,
        H: Handle<E> + Takes<S, E>,
    {
        self.handlers.note_inbox(handler.inbox());
        (self.handlers).add::<E>(handlers::of_value::<E, H>(&Arc::new(handler)));
        self
    }

    /// Like [`on_batches`](Self::on_batches), with a value that implements [`HandleBatch`] instead
    /// of a closure.
    pub fn batches_handled_by<H>(mut self, max: usize, within: Duration, handler: H) -> Self
    where
        H: HandleBatch<S>,
    {
        self.handlers.note_inbox(handler.inbox());
        self.handlers.set_batch(BatchHandler {
            call: call_by(handler),
            max,
            within,
            watch: None,
        });
        self
    }
}

/// The class of errors.
impl<S> Consumer<S> {
    /// Sets the class of errors that [`Failure::class_of`] does not know, such as errors of a
    /// database. `classify` is called with the error of a handler, and then with each of its
    /// sources, until it returns a class.
    ///
    /// If a handler sets the class by [`Failure::retry`], [`Failure::outage`] or
    /// [`Failure::reject`], the class does not change. Handlers of a store, such as the handlers of
    /// `event-sdk-sql`, classify the errors of their database without this method.
    ///
    /// [`Failure::class_of`]: crate::consumer::Failure::class_of
    /// [`Failure::retry`]: crate::consumer::Failure::retry
    /// [`Failure::outage`]: crate::consumer::Failure::outage
    /// [`Failure::reject`]: crate::consumer::Failure::reject
    pub fn classify<F>(mut self, classify: F) -> Self
    where
        F: Fn(&(dyn StdError + 'static)) -> Option<FailureClass> + Send + Sync + 'static,
    {
        self.handlers.classify = Some(Arc::new(classify));
        self
    }
}
