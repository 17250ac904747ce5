//! `Output`: tables and sentences for people, JSON for programs.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::presets;
use serde::Serialize;

/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What needs attention.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// Names of things.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// What is said beside.
pub(crate) const DIM: Style = Style::new().dimmed();

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Where a command writes what was asked for.
pub(crate) struct Output<'a> {
    /// What was asked for, and what was found.
    pub(crate) out: &'a mut (dyn Write + Send),
    /// Progress and notices, which are not part of the result.
    pub(crate) err: &'a mut (dyn Write + Send),
    /// Whether the result is for a program.
    pub(crate) json: bool,
    /// Whether people see `out` as it is written.
    pub(crate) is_terminal: bool,
}

impl Output<'_> {
    /// Writes one JSON document.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *self.out, document)?;
        writeln!(self.out)
    }

    /// Writes one JSON document in one line, for commands that go on.
    pub(crate) fn json_line(&mut self, document: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, document)?;
        writeln!(self.out)?;
        self.out.flush()
    }

    /// Writes a line for people.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Writes rows under headings, with two spaces between the columns.
    pub(crate) fn table<const N: usize>(
        &mut self,
        headings: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> io::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(headings);
        table.add_rows(rows);
        for line in table.lines() {
            // The preset puts a space before each row.
            writeln!(
                self.out,
                "{}",
                line.strip_prefix(' ').unwrap_or(&line).trim_end()
            )?;
        }
        Ok(())
    }

    /// Writes a notice that is not part of the result.
    pub(crate) fn notice(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.err, "{text}")
    }
}
