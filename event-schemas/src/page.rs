//! The catalogue page: one HTML file with search, versions and a flow diagram, for readers in
//! other teams.
//!
//! It shows services, events with their fields, versions and examples, streams, and a drawn flow from
//! publishers through streams to consumers; it has a search, and an address for each thing:
//!
//! | address | shows |
//! |---|---|
//! | `#/` | the overview |
//! | `#/flow` | the flow of all events |
//! | `#/event/orders.order.placed` | an event in its newest version |
//! | `#/event/orders.order.placed@1.0` | an event in this version; one that takes no prefix has an `@` in front |
//! | `#/service/billing` | a service |
//! | `#/stream/ORDERS` | a stream |
//!
//! The file loads nothing, and its Content-Security-Policy forbids it to: it can be opened from a disk,
//! or served from anywhere. Whatever the catalogue says is text to it, and never markup.

mod data;
mod html;

use std::collections::BTreeMap;

use crate::asyncapi;
use crate::catalogue::Catalogue;
use crate::lock::Lock;

/// Writes the page. Versions that are in `history` and no longer in the catalogue are shown too.
/// The same catalogue and lock give the same bytes.
///
/// It leaves out invalid streams; [`Catalogue::faults`] lists them.
#[must_use]
pub fn render(catalogue: &Catalogue, history: Option<&Lock>) -> String {
    render_dated(catalogue, history, &BTreeMap::new())
}

/// Writes the page with the day on which each version was first committed, as
/// [`first_committed`](crate::check::git::first_committed) returns it: for each file of the lock
/// (`orders.order.placed/1.0.json`) a date (`2026-11-30`).
#[must_use]
pub fn render_dated(
    catalogue: &Catalogue,
    history: Option<&Lock>,
    dates: &BTreeMap<String, String>,
) -> String {
    let data = data::Data::of(catalogue, history, dates);
    html::page(catalogue.title(), &data, &asyncapi::data(catalogue))
}
