//! The summary agrees with a second count of the file.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};

use super::Summary;
use crate::airlines::Airlines;
use crate::flights_file::FlightsFile;
use crate::replay::Replay;

const REAL: &str = include_str!("../../data/flights-2013-01-01-to-03.csv");
const CARRIER: usize = 9;
const ORIGIN: usize = 12;

fn summary_of(text: &str) -> Summary {
    let mut summary = Summary::default();
    let file = FlightsFile::new(text.as_bytes()).unwrap();
    for chunk in Replay::new(file, |bad| panic!("{bad}")) {
        for moment in chunk.unwrap() {
            summary.observe(&moment.event);
        }
    }
    summary
}

/// The figures of the rows whose column has the value, from the text itself.
fn count(text: &str, column: usize, value: Option<&str>) -> Vec<String> {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .filter(|row: &Vec<&str>| value.is_none_or(|value| row[column] == value))
        .collect();
    let known = |column: usize| -> Vec<f64> {
        rows.iter()
            .filter(|row| row[column] != "NA")
            .map(|row| row[column].parse().unwrap())
            .collect()
    };
    let length = |numbers: &[f64]| f64::from(u32::try_from(numbers.len()).unwrap());
    let mean = |numbers: &[f64]| {
        if numbers.is_empty() {
            return "-".to_owned();
        }
        format!("{:.1}", numbers.iter().sum::<f64>() / length(numbers))
    };
    let (departures, arrivals) = (known(3), known(6));
    let departure_delays = known(5);
    let late: Vec<f64> = departure_delays
        .iter()
        .copied()
        .filter(|d| *d > 15.0)
        .collect();
    let late_share = 100.0 * length(&late) / length(&departures);
    vec![
        rows.len().to_string(),
        departures.len().to_string(),
        (rows.len() - departures.len()).to_string(),
        arrivals.len().to_string(),
        mean(&departure_delays),
        mean(&known(8)),
        format!("{late_share:.1} %"),
    ]
}

/// What the tables must show, from the text itself.
fn recount(text: &str, column: usize, names: &BTreeMap<&str, &str>) -> Vec<Vec<String>> {
    let mut values: Vec<&str> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(column).unwrap())
        .collect();
    values.sort_unstable();
    values.dedup();
    let label = |value: &str, name: &str| {
        let mut labels = vec![value.to_owned()];
        if !names.is_empty() {
            labels.push(name.to_owned());
        }
        labels
    };
    let rows = values.iter().map(|value| {
        let name = names.get(value).copied().unwrap_or("-");
        [label(value, name), count(text, column, Some(value))].concat()
    });
    let total = [label("Total", ""), count(text, column, None)].concat();
    rows.chain([total]).collect()
}

fn cells(table: &Table) -> Vec<Vec<String>> {
    table
        .row_iter()
        .map(|row| row.cell_iter().map(comfy_table::Cell::content).collect())
        .collect()
}

#[test]
fn the_tables_agree_with_the_file() {
    let airlines_text = include_str!("../../data/airlines.csv");
    let names: BTreeMap<&str, &str> = airlines_text
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .collect();
    let airlines = concat!(env!("CARGO_MANIFEST_DIR"), "/data/airlines.csv");
    let airlines = Airlines::open(airlines.as_ref()).unwrap();

    let summary = summary_of(REAL);
    let by_carrier = cells(&summary.by_carrier(&airlines, presets::NOTHING));
    assert_eq!(by_carrier.len(), 16, "15 carriers and the total");
    assert_eq!(by_carrier, recount(REAL, CARRIER, &names));

    let by_airport = cells(&summary.by_airport(presets::NOTHING));
    assert_eq!(by_airport.len(), 4, "3 airports and the total");
    assert_eq!(by_airport, recount(REAL, ORIGIN, &BTreeMap::new()));
}

#[test]
fn the_total_is_what_awk_counts() {
    // awk -F, 'NR>1 {n++; if ($4!="NA") {d++; s+=$6; if ($6>15) l++}
    //   if ($7!="NA") a++; if ($9!="NA") {k++; t+=$9}}
    //   END {printf "%d %d %d %d %.1f %.1f %.1f %%\n",n,d,n-d,a,s/d,t/k,100*l/d}'
    let by_airport = cells(&summary_of(REAL).by_airport(presets::NOTHING));
    let total = [
        "Total", "2699", "2677", "22", "2674", "12.2", "10.3", "20.9 %",
    ];
    assert_eq!(by_airport.last().unwrap()[..], total);
}

#[test]
fn the_same_file_gives_the_same_text_each_time() {
    let shown = || {
        let summary = summary_of(REAL);
        let airlines = Airlines::default();
        let style = presets::ASCII_MARKDOWN;
        let by_carrier = summary.by_carrier(&airlines, style).to_string();
        by_carrier + &summary.by_airport(style).to_string()
    };
    assert_eq!(shown(), shown());
}

#[test]
fn where_nothing_departed_there_is_no_mean() {
    let cancelled: Vec<&str> = REAL
        .lines()
        .filter(|line| line.starts_with("year") || line.split(',').nth(3) == Some("NA"))
        .collect();
    let by_airport = cells(&summary_of(&cancelled.join("\n")).by_airport(presets::NOTHING));
    let total = ["Total", "22", "0", "22", "0", "-", "-", "-"];
    assert_eq!(by_airport.last().unwrap()[..], total);

    let header = REAL.lines().next().unwrap();
    let nothing = cells(&summary_of(header).by_airport(presets::NOTHING));
    assert_eq!(nothing, [["Total", "0", "0", "0", "0", "-", "-", "-"]]);
}
