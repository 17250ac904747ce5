//! Aligns rows of text in columns.

use std::io::{self, Write};

use anstyle::Style;

use super::paint::{HEAD, styled};

/// Rows under a heading, each cell with its style.
pub(super) struct Table<const N: usize> {
    heading: [&'static str; N],
    rows: Vec<[(Style, String); N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub(super) fn new(heading: [&'static str; N]) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: [(Style, String); N]) {
        self.rows.push(cells);
    }

    /// Writes it with two spaces between its columns, each line after `indent`.
    pub(super) fn write(&self, out: &mut dyn Write, indent: &str) -> io::Result<()> {
        let mut widths = self.heading.map(str::len);
        for row in &self.rows {
            for (width, (_, text)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let heading = self.heading.map(|text| (HEAD, text.to_owned()));
        for row in std::iter::once(&heading).chain(&self.rows) {
            let mut line = indent.to_owned();
            let mut gap = 0;
            for ((style, text), width) in row.iter().zip(widths) {
                if !text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', gap));
                    line.push_str(&styled(*style, text));
                    gap = 0;
                }
                let used = text.chars().count();
                gap += width - used + 2;
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
