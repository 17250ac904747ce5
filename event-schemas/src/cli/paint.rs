//! Colours of the command line, and errors printed with their sources.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::CatalogueFault;

/// What is wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is as it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Names of things.
pub(super) const NAME: Style = AnsiColor::Cyan.on_default();
/// Headings.
pub(super) const HEAD: Style = Style::new().bold();
/// What is said beside.
pub(super) const DIM: Style = Style::new().dimmed();

/// A text in a style.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes an error and what is behind it, on one line.
pub(super) fn error(out: &mut dyn Write, why: &dyn Error) -> io::Result<()> {
    writeln!(out, "{}: {}", styled(BAD, "error"), chain(why))
}

/// Writes what is wrong with a catalogue, a line each.
pub(super) fn faults(out: &mut dyn Write, faults: &[CatalogueFault]) -> io::Result<()> {
    for fault in faults {
        writeln!(out, "{}: {}", styled(BAD, "fault"), chain(fault))?;
    }
    Ok(())
}

/// An error and all that is behind it, as one text.
pub(super) fn chain(why: &dyn Error) -> String {
    let mut text = why.to_string();
    let mut next = why.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
