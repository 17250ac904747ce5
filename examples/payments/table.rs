//! The tables at the end: the domains, the money, and the two sides of the comparison.

use comfy_table::{CellAlignment, Table, presets};

use crate::chaos::Compared;
use crate::money::Money;
use crate::services::Service;
use crate::tally::Tally;

/// The eight domains: what their streams keep, and what their services did.
pub(crate) fn domains(tally: &Tally, events: &[u64; 8]) -> Table {
    let mut table = table([
        "Service", "Stream", "Keeps", "Events", "Consumer", "Effects",
    ]);
    for (service, events) in Service::ALL.into_iter().zip(events) {
        let domain = service.domain();
        table.add_row([
            service.name().to_owned(),
            domain.stream.to_owned(),
            format!("{} days", domain.days),
            events.to_string(),
            service.consumer().to_owned(),
            tally
                .effects
                .get(&service)
                .copied()
                .unwrap_or(0)
                .to_string(),
        ]);
    }
    align_right(&mut table, [2, 3, 5]);
    table
}

/// What became of the money, by currency.
pub(crate) fn money(tally: &Tally) -> Table {
    let mut table = table([
        "Submitted",
        "Refused",
        "Debited",
        "Credited",
        "Fees",
        "Reported",
        "Adds up",
    ]);
    for (currency, sums) in &tally.money {
        let amounts = [
            sums.submitted,
            sums.refused,
            sums.debited,
            sums.credited,
            sums.fees,
            sums.reported,
        ];
        let amounts = amounts.map(|minor| Money::from_minor(minor, *currency).to_string());
        let add_up = if sums.add_up() { "yes" } else { "no" };
        table.add_row(amounts.into_iter().chain([add_up.to_owned()]));
    }
    align_right(&mut table, [0, 1, 2, 3, 4, 5]);
    table
}

/// Both sides of the comparison.
pub(crate) fn compared(sides: &[Compared]) -> Table {
    let mut table = table([
        "",
        "Kills",
        "Payments",
        "Published",
        "Repeated",
        "Lost",
        "Doubled",
        "Cents off",
    ]);
    for Compared { name, kills, tally } in sides {
        let figures = [
            u64::from(*kills),
            tally.payments,
            tally.published,
            tally.repeated,
            tally.lost,
            tally.doubled,
            tally.cents_off,
        ];
        let figures = figures.iter().map(ToString::to_string);
        table.add_row([(*name).to_owned()].into_iter().chain(figures));
    }
    align_right(&mut table, [1, 2, 3, 4, 5, 6, 7]);
    table
}

fn table<const N: usize>(titles: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(titles);
    table
}

fn align_right<const N: usize>(table: &mut Table, columns: [usize; N]) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
