//! A server that violates the protocol: each violation gives a typed error or is recovered from,
//! without a panic, a busy loop, or a wait beyond its timeout.
//!
//! The violations are rows of a table, in the modules `connecting`, `delivering`, `publishing`,
//! `asking`, `receiving`, `reading` and `coordinating`. Each row has upper bounds for the connections and the
//! requests for messages that the client may make. `cargo test -p event-sdk-tests --test lying_server
//! -- --nocapture` shows what came of each; `LYING_SERVER_ROW=<part of a name>` runs only some.

mod asking;
mod connecting;
mod coordinating;
mod delivering;
mod panics;
mod publishing;
mod reading;
mod receiving;
mod row;
mod server;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread;

use self::row::Row;

/// Rows that fail, each with the reason. One that passes must leave this list.
const FAILING: &[(&str, &str)] = &[];

/// How many rows run at a time: they mostly wait.
const AT_A_TIME: usize = 12;

fn rows() -> Vec<Row> {
    let groups = [
        connecting::rows(),
        delivering::rows(),
        publishing::rows(),
        asking::rows(),
        receiving::rows(),
        reading::rows(),
        coordinating::rows(),
    ];
    groups.into_iter().flatten().collect()
}

#[test]
fn each_violation_is_an_error_or_is_recovered_from() {
    panics::watch();
    let only = std::env::var("LYING_SERVER_ROW").unwrap_or_default();
    let mut all = rows();
    all.retain(|row| row.name().contains(&only));
    let (waiting, wrong) = (Mutex::new(all), Mutex::new(Vec::new()));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(row) = next() {
                    let name = row.name();
                    let listed = FAILING.iter().any(|(failing, _)| *failing == name);
                    let problem = match row.run() {
                        Ok(()) if listed => "it passes now: take it from the list".to_owned(),
                        Err(_) if listed => continue,
                        Ok(()) => continue,
                        Err(problem) => problem,
                    };
                    let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                    wrong.push(format!("{name}: {problem}"));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(
        wrong.is_empty(),
        "{} rows fail:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn rows_are_many_and_have_names_of_their_own() {
    let names: Vec<_> = rows().iter().map(Row::name).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    assert!(names.len() >= 40, "{} rows", names.len());
    for (failing, _) in FAILING {
        assert!(names.contains(failing), "no row is called {failing:?}");
    }
}
