//! Summary: counts flights by carrier and airport from their events.

mod figures;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, TableStyle};

use self::figures::Figures;
use crate::airlines::Airlines;
use crate::events::FlightEvents;

/// What became of the flights.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    carriers: BTreeMap<String, Figures>,
    airports: BTreeMap<String, Figures>,
    total: Figures,
}

impl Summary {
    /// Counts an event.
    pub(crate) fn observe(&mut self, event: &FlightEvents) {
        let (carrier, origin) = match event {
            FlightEvents::Scheduled(e) => (&e.carrier, &e.origin),
            FlightEvents::Departed(e) => (&e.carrier, &e.origin),
            FlightEvents::Arrived(e) => (&e.carrier, &e.origin),
            FlightEvents::Cancelled(e) => (&e.carrier, &e.origin),
        };
        let carrier = self.carriers.entry(carrier.clone()).or_default();
        let airport = self.airports.entry(origin.clone()).or_default();
        carrier.observe(event);
        airport.observe(event);
        self.total.observe(event);
    }

    /// The figures by carrier, and their total, as a table.
    pub(crate) fn by_carrier(&self, airlines: &Airlines, style: TableStyle) -> Table {
        let rows = self.carriers.iter().map(|(code, figures)| {
            let labels = vec![code.clone(), airlines.name(code).to_owned()];
            (labels, figures)
        });
        let total = vec!["Total".to_owned(), String::new()];
        table(&["Carrier", "Airline"], rows, (total, &self.total), style)
    }

    /// The figures by the airport of departure, and their total, as a table.
    pub(crate) fn by_airport(&self, style: TableStyle) -> Table {
        let rows = self.airports.iter();
        let rows = rows.map(|(code, figures)| (vec![code.clone()], figures));
        let total = vec!["Total".to_owned()];
        table(&["Airport"], rows, (total, &self.total), style)
    }
}

/// A table of labels, on the left, and figures, on the right.
fn table<'a>(
    label_titles: &[&str],
    rows: impl Iterator<Item = (Vec<String>, &'a Figures)>,
    total: (Vec<String>, &'a Figures),
    style: TableStyle,
) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(label_titles.iter().chain(&Figures::TITLES).copied());
    for (mut cells, figures) in rows.chain([total]) {
        cells.extend(figures.cells());
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(label_titles.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
