//! Runs the CI steps in order, and prints the table of results.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Runs the steps in order, up to the first failure unless told to go on, and prints the table.
pub(super) fn run(steps: Vec<Step<'_>>, keep_going: bool) -> Result<()> {
    let start = Instant::now();
    let mut report = Report::default();
    for step in steps {
        if report.failed.is_empty() || keep_going {
            report.run(step);
        } else {
            report.skip(step);
        }
    }
    println!("\n{}", report.table(start.elapsed()));
    match report.failed.as_slice() {
        [] => Ok(()),
        failed => bail!("failed: {}", failed.join(", ")),
    }
}

/// One thing to check, with the name that stands above its output and in the table.
pub(super) struct Step<'a> {
    name: String,
    action: Action<'a>,
}

type Action<'a> = Box<dyn FnOnce(&mut Notices) -> Result<Status> + 'a>;

impl<'a> Step<'a> {
    pub(super) fn new(
        name: impl Into<String>,
        action: impl FnOnce(&mut Notices) -> Result<Status> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            action: Box::new(action),
        }
    }
}

/// What a step leaves to be read at the end, where it cannot be overlooked.
pub(super) type Notices = Vec<String>;

/// How a step that did not fail came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// All of it was checked.
    Passed,
    /// A part could not be checked here; a notice says which and why.
    Incomplete,
}

#[derive(Default)]
struct Report {
    rows: Vec<Row>,
    notices: Vec<String>,
    failed: Vec<String>,
}

struct Row {
    name: String,
    result: &'static str,
    took: Option<Duration>,
}

impl Report {
    fn run(&mut self, step: Step<'_>) {
        println!("\n=== {} ===", step.name);
        let start = Instant::now();
        let mut notices = Notices::new();
        let result = match (step.action)(&mut notices) {
            Ok(Status::Passed) => "ok",
            Ok(Status::Incomplete) => "incomplete",
            Err(error) => {
                eprintln!("error: {error:#}");
                self.failed.push(step.name.clone());
                "FAILED"
            }
        };
        for notice in notices {
            println!("notice: {notice}");
            self.notices.push(format!("{}: {notice}", step.name));
        }
        self.rows.push(Row {
            name: step.name,
            result,
            took: Some(start.elapsed()),
        });
    }

    fn skip(&mut self, step: Step<'_>) {
        self.rows.push(Row {
            name: step.name,
            result: "not run",
            took: None,
        });
    }

    fn table(&self, total: Duration) -> String {
        let names = self.rows.iter().map(|row| row.name.len());
        let width = names.chain(["step".len()]).max().unwrap_or_default();
        let mut text = format!("{:width$}  {:10}  {:>9}\n", "step", "result", "time");
        for row in &self.rows {
            let took = row.took.map_or("-".to_owned(), seconds);
            let _ = writeln!(text, "{:width$}  {:10}  {took:>9}", row.name, row.result);
        }
        let _ = writeln!(text, "{:width$}  {:10}  {:>9}", "total", "", seconds(total));
        for notice in &self.notices {
            let _ = write!(text, "\nnotice: {notice}\n");
        }
        text
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn steps<'a>(ran: &'a RefCell<Vec<&'static str>>) -> Vec<Step<'a>> {
        let step = |name: &'static str, result: fn() -> Result<Status>| {
            Step::new(name, move |_| {
                ran.borrow_mut().push(name);
                result()
            })
        };
        vec![
            step("first", || Ok(Status::Passed)),
            step("second", || bail!("broken")),
            step("third", || Ok(Status::Incomplete)),
        ]
    }

    #[test]
    fn the_first_failure_ends_the_run_and_is_named() {
        let ran = RefCell::default();
        let error = run(steps(&ran), false).unwrap_err();
        assert_eq!(error.to_string(), "failed: second");
        assert_eq!(*ran.borrow(), ["first", "second"]);
    }

    #[test]
    fn keep_going_runs_all_and_still_fails() {
        let ran = RefCell::default();
        let error = run(steps(&ran), true).unwrap_err();
        assert_eq!(error.to_string(), "failed: second");
        assert_eq!(*ran.borrow(), ["first", "second", "third"]);
    }

    #[test]
    fn an_incomplete_step_is_no_failure() {
        let step = Step::new("deny", |_| Ok(Status::Incomplete));
        assert!(run(vec![step], false).is_ok());
    }

    #[test]
    fn the_table_shows_each_result_and_every_notice() {
        let mut report = Report::default();
        report.run(Step::new("passes", |_| Ok(Status::Passed)));
        report.run(Step::new("in part", |notices| {
            notices.push("the rest is missing".to_owned());
            Ok(Status::Incomplete)
        }));
        report.run(Step::new("breaks", |notices| {
            notices.push("seen before it broke".to_owned());
            bail!("reason")
        }));
        report.skip(Step::new("later", |_| Ok(Status::Passed)));
        let table = report.table(Duration::from_millis(83_210));
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| {
                line.split("  ")
                    .filter(|cell| !cell.is_empty())
                    .map(str::trim)
                    .collect()
            })
            .collect();
        assert_eq!(rows[0], ["step", "result", "time"]);
        assert_eq!(rows[1][..2], ["passes", "ok"]);
        assert_eq!(rows[2][..2], ["in part", "incomplete"]);
        assert_eq!(rows[3][..2], ["breaks", "FAILED"]);
        assert_eq!(rows[4], ["later", "not run", "-"]);
        assert_eq!(rows[5], ["total", "83.2 s"]);
        assert!(table.contains("notice: in part: the rest is missing"));
        assert!(table.contains("notice: breaks: seen before it broke"));
    }
}
