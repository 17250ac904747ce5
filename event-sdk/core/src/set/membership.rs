//! `Contains` and `Visit`: which events belong to a set, checked by the compiler.

use std::sync::Arc;

use super::{Payload, RawEvent};
use crate::event::Readable;

/// Marks that the event `E` belongs to the set.
#[diagnostic::on_unimplemented(
    message = "`{E}` is not an event of the set `{Self}`",
    label = "not in `{Self}`",
    note = "add a variant that holds `{E}` to the enum, or name the set that has it"
)]
pub trait Contains<E> {}

impl<E: Readable> Contains<E> for E {}

impl<E: Readable> Contains<E> for Arc<E> {}

/// Runs generic code for each event type of a set.
///
/// ```
/// use event_sdk_core::{Event, Readable, Visit, Visitor};
///
/// /// Collects the subjects of a set.
/// struct Subjects(Vec<&'static str>);
///
/// impl<E: Readable> Visitor<E> for Subjects {
///     fn visit(&mut self) {
///         self.0.push(E::SPEC.subject());
///     }
/// }
///
/// fn subjects<S: Visit<Subjects>>() -> Vec<&'static str> {
///     let mut visitor = Subjects(Vec::new());
///     S::visit_all(&mut visitor);
///     visitor.0
/// }
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced;
/// assert_eq!(subjects::<OrderPlaced>(), ["orders.order.placed"]);
/// ```
///
/// An implementation may require more of the event types than [`Readable`] does, for example a JSON
/// Schema. All events of a visited set must then meet this requirement.
pub trait Visitor<E> {
    /// Visits the event `E`.
    fn visit(&mut self);
}

/// A set whose events a [`Visitor`] can visit, in the order of the variants.
pub trait Visit<V> {
    /// Calls [`Visitor::visit`] for each event of the set.
    fn visit_all(visitor: &mut V);
}

impl<V> Visit<V> for RawEvent {
    /// Visits nothing: the types of raw events are not known.
    fn visit_all(_: &mut V) {}
}

impl<P: Payload, V: Visitor<P::Event>> Visit<V> for P {
    fn visit_all(visitor: &mut V) {
        visitor.visit();
    }
}
