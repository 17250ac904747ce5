//! Compares the rounds of both sides: medians, spread, ratio.

use std::fmt;

use super::figures::Figure;

/// The rows in the order in which they were printed first.
#[derive(Default)]
pub(super) struct Comparison(Vec<Row>);

struct Row {
    bench: String,
    name: String,
    /// The figures of the old side and of the new one, one a round.
    sides: [Vec<f64>; 2],
}

impl Comparison {
    /// Adds what one run of a bench printed; `side` is 0 for the old one, 1 for the new one.
    pub(super) fn add(&mut self, side: usize, bench: &str, figures: Vec<Figure>) {
        for (name, figure) in figures {
            self.row(bench, name).sides[side].push(figure);
        }
    }

    fn row(&mut self, bench: &str, name: String) -> &mut Row {
        let known = |row: &Row| row.bench == bench && row.name == name;
        let index = self.0.iter().position(known).unwrap_or_else(|| {
            self.0.push(Row {
                bench: bench.to_owned(),
                name,
                sides: [Vec::new(), Vec::new()],
            });
            self.0.len() - 1
        });
        &mut self.0[index]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| bench | row | old, median | spread | new, median | spread | new / old |"
        )?;
        write!(f, "|---|---|---:|---:|---:|---:|---:|")?;
        for row in &self.0 {
            let [old, new] = row.sides.each_ref().map(|side| Summary::of(side));
            write!(f, "\n| {} | {} ", row.bench, row.name)?;
            for side in [&old, &new] {
                match side {
                    Some(side) => {
                        write!(
                            f,
                            "| {} | {:.0} % ",
                            shown(side.median),
                            side.spread * 100.0
                        )?;
                    }
                    // A row that the other side does not print.
                    None => write!(f, "| - | - ")?,
                }
            }
            match (old, new) {
                (Some(old), Some(new)) if old.median > 0.0 => {
                    write!(f, "| {:.2} |", new.median / old.median)?;
                }
                _ => write!(f, "| - |")?,
            }
        }
        Ok(())
    }
}

/// What becomes of the figures of one side.
#[derive(Debug, PartialEq)]
struct Summary {
    /// The middle one, or the mean of the two middle ones.
    median: f64,
    /// How far the largest is from the smallest, as a share of the median.
    spread: f64,
}

impl Summary {
    /// `None` where there are no figures.
    fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        let spread = if median > 0.0 {
            (last - first) / median
        } else {
            0.0
        };
        Some(Self { median, spread })
    }
}

fn shown(figure: f64) -> String {
    if figure < 100.0 {
        format!("{figure:.2}")
    } else {
        format!("{figure:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let summary = |median, spread| Some(Summary { median, spread });
        assert_eq!(Summary::of(&[300.0, 100.0, 200.0]), summary(200.0, 1.0));
        let even = [400.0, 100.0, 200.0, 300.0];
        assert_eq!(Summary::of(&even), summary(250.0, 1.2));
        assert_eq!(Summary::of(&[7.0]), summary(7.0, 0.0));
        assert_eq!(Summary::of(&[0.0, 0.0]), summary(0.0, 0.0));
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn the_table_has_both_sides_and_the_ratio() {
        let row = |name: &str, figure| (name.to_owned(), figure);
        let mut comparison = Comparison::default();
        comparison.add(0, "speed", vec![row("encode", 1000.0), row("gone", 5.0)]);
        comparison.add(1, "speed", vec![row("encode", 800.0)]);
        comparison.add(1, "speed", vec![row("encode", 820.0), row("made", 0.0)]);
        comparison.add(0, "speed", vec![row("encode", 1100.0), row("gone", 5.0)]);
        comparison.add(1, "nats", vec![row("encode", 1.0)]);
        assert_eq!(
            comparison.to_string(),
            "\
| bench | row | old, median | spread | new, median | spread | new / old |
|---|---|---:|---:|---:|---:|---:|
| speed | encode | 1050 | 10 % | 810 | 2 % | 0.77 |
| speed | gone | 5.00 | 0 % | - | - | - |
| speed | made | - | - | 0.00 | 0 % | - |
| nats | encode | - | - | 1.00 | 0 % | - |"
        );
    }
}
