//! The catalogue page: one HTML file with search, versions and a flow diagram, for readers in
//! other teams.
//!
//! The page shows services, streams, events with their fields, versions and examples, and a drawing
//! of the flow from publishers through streams to consumers. It has a search, and an address for
//! each part:
//!
//! | address | shows |
//! |---|---|
//! | `#/` | the overview |
//! | `#/flow` | the flow of all events |
//! | `#/event/orders.order.placed` | an event in its newest version |
//! | `#/event/orders.order.placed@1.0` | an event in this version; if the event takes no prefix, an `@` precedes its subject |
//! | `#/service/billing` | a service |
//! | `#/stream/ORDERS` | a stream |
//!
//! The file loads nothing, and its Content-Security-Policy forbids loading. So it can be opened
//! from a disk, or served from anywhere. All texts of the catalogue are shown as text, never as
//! markup.

mod data;
mod html;

use std::collections::BTreeMap;

use crate::asyncapi;
use crate::catalogue::Catalogue;
use crate::lock::Lock;

/// Returns the page as HTML. It also shows versions that are in `history` and no longer in the
/// catalogue. The same catalogue and lock give the same bytes.
///
/// Invalid streams are left out; [`Catalogue::faults`] lists them.
#[must_use]
pub fn render(catalogue: &Catalogue, history: Option<&Lock>) -> String {
    render_dated(catalogue, history, &BTreeMap::new())
}

/// Returns the page with the day on which each version was first committed. Pass the days as
/// [`first_committed`](crate::check::git::first_committed) returns them: a date (`2026-11-30`) for
/// each file of the lock (`orders.order.placed/1.0.json`).
#[must_use]
pub fn render_dated(
    catalogue: &Catalogue,
    history: Option<&Lock>,
    dates: &BTreeMap<String, String>,
) -> String {
    let data = data::Data::of(catalogue, history, dates);
    html::page(catalogue.title(), &data, &asyncapi::data(catalogue))
}
