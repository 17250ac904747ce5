//! `Output`: tables and sentences for people, JSON for programs.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, presets};
use event_sdk::shown::Shown;
use event_sdk_subject::is_unseen;
use serde::Serialize;

/// No line of a table is longer, in characters: it fits terminals and tickets.
const WIDTH: u16 = 100;

/// How often progress is written, at most.
const PROGRESS: Duration = Duration::from_millis(100);

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
    /// What was asked for, and what was found. Bytes pass as they are: bodies, exports and JSON.
    pub(crate) out: &'a mut (dyn Write + Send + 'static),
    /// Whether lines for people keep their styles.
    pub(crate) out_color: ColorChoice,
    /// Progress and notices, which are not part of the result.
    pub(crate) err: &'a mut (dyn Write + Send),
    /// What people or programs write.
    pub(crate) input: &'a mut (dyn BufRead + Send),
    /// Whether the result is for a program.
    pub(crate) json: bool,
    /// Whether people see `out` as it is written.
    pub(crate) is_terminal: bool,
    /// Whether people see `err`, and can answer.
    pub(crate) is_interactive: bool,
    pub(crate) progress: Progress,
}

/// The line of progress on the terminal.
#[derive(Default)]
pub(crate) struct Progress {
    written: Option<Instant>,
    width: usize,
}

impl Output<'_> {
    /// Writes one JSON document.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> io::Result<()> {
        self.make_room();
        let document = serde_json::to_string_pretty(document)?;
        writeln!(self.out, "{}", escaped(&document))
    }

    /// Writes one JSON document in one line, for commands that go on.
    pub(crate) fn json_line(&mut self, document: &impl Serialize) -> io::Result<()> {
        self.make_room();
        let document = serde_json::to_string(document)?;
        writeln!(self.out, "{}", escaped(&document))?;
        self.out.flush()
    }

    /// Writes JSON as it is, but for characters that would act on a terminal.
    #[cfg(feature = "nats")]
    pub(crate) fn document(&mut self, document: &str) -> io::Result<()> {
        self.make_room();
        writeln!(self.out, "{}", escaped(document))
    }

    /// Writes a line for people.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        self.make_room();
        let mut out = AutoStream::new(&mut *self.out, self.out_color);
        writeln!(out, "{text}")
    }

    /// Writes a sentence for people in as many lines as it needs, all indented. What cannot be seen is
    /// escaped, since parts come from servers.
    pub(crate) fn indented(&mut self, text: &str) -> io::Result<()> {
        let text = Shown(text, usize::MAX);
        for line in wrapped(&format!("  {text}"), 2, false) {
            self.line(line)?;
        }
        Ok(())
    }

    /// Writes rows under headings, with two spaces between the columns. What cannot be seen is escaped,
    /// since names come from servers and other programs; long cells are continued in further lines.
    pub(crate) fn table<const N: usize>(
        &mut self,
        headings: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> io::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(WIDTH);
        table.set_header(headings);
        for row in rows {
            table.add_row(row.map(|cell| Shown(&cell, 1_000).to_string()));
        }
        for (index, line) in table.lines().enumerate() {
            // The preset puts a space before each row.
            let line = line.strip_prefix(' ').unwrap_or(&line).trim_end();
            let style = if index == 0 { DIM } else { Style::new() };
            self.line(styled(style, line))?;
        }
        Ok(())
    }

    /// Writes names with their values, one in a line, for one thing.
    pub(crate) fn fields(
        &mut self,
        fields: impl IntoIterator<Item = (&'static str, String)>,
    ) -> io::Result<()> {
        let fields: Vec<_> = fields.into_iter().collect();
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in fields {
            let name = styled(DIM, format_args!("{name:<width$}"));
            self.line(format_args!("{name}  {}", Shown(&value, 1_000)))?;
        }
        Ok(())
    }

    /// Writes a sentence for people. A long one is continued under its first words. What cannot be seen
    /// is escaped, line breaks too, since parts come from servers and messages.
    pub(crate) fn text(&mut self, text: impl Display) -> io::Result<()> {
        self.styled_text(Style::new(), text)
    }

    /// The same in a style.
    pub(crate) fn styled_text(&mut self, style: Style, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        let indent = text.len() - text.trim_start().len() + 4;
        let text = Shown(&text, usize::MAX).to_string();
        for line in wrapped(&text, indent, false) {
            self.line(styled(style, line))?;
        }
        Ok(())
    }

    /// Writes a text of several lines, each as by [`text`](Self::text).
    pub(crate) fn texts(&mut self, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        text.lines().try_for_each(|line| self.text(line))
    }

    /// Writes a sentence of parts in several styles, in which what comes from outside is escaped already.
    /// Lines are continued as by [`text`](Self::text).
    pub(crate) fn sentence(&mut self, text: impl Display) -> io::Result<()> {
        for line in wrapped(&text.to_string(), 4, false) {
            self.line(line)?;
        }
        Ok(())
    }

    /// Writes a text that may have no spaces, such as JSON, in as many lines as it takes.
    pub(crate) fn long(&mut self, text: impl Display) -> io::Result<()> {
        let text = Shown(&text.to_string(), usize::MAX).to_string();
        let indent = text.len() - text.trim_start().len();
        for line in wrapped(&text, indent, true) {
            self.line(line)?;
        }
        Ok(())
    }

    /// Says on a terminal how far the work is, in a line that the next progress replaces. In a pipe, it
    /// says nothing.
    pub(crate) fn progress(&mut self, text: impl Display) {
        let now = Instant::now();
        let recent = |written: Instant| now.duration_since(written) < PROGRESS;
        if !self.is_interactive || self.progress.written.is_some_and(recent) {
            return;
        }
        let text = Shown(&text.to_string(), 1_000).to_string();
        let width = std::mem::replace(&mut self.progress.width, text.chars().count());
        self.progress.written = Some(now);
        // Progress that cannot be shown stops no work.
        let _ = write!(self.err, "\r{text:<width$}").and_then(|()| self.err.flush());
    }

    /// Removes the line of progress, if the result is written to the same terminal.
    fn make_room(&mut self) {
        if self.is_terminal {
            self.end_progress();
        }
    }

    /// Removes the line of progress.
    pub(crate) fn end_progress(&mut self) {
        let Progress { written, width } = std::mem::take(&mut self.progress);
        if written.is_some() {
            let _ = write!(self.err, "\r{:width$}\r", "").and_then(|()| self.err.flush());
        }
    }

    /// Writes a notice that is not part of the result. What cannot be seen is escaped.
    pub(crate) fn notice(&mut self, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        self.styled_notice(Shown(&text, usize::MAX))
    }

    /// The same with styles, where what comes from outside is escaped already.
    pub(crate) fn styled_notice(&mut self, text: impl Display) -> io::Result<()> {
        self.end_progress();
        writeln!(self.err, "{text}")
    }
}

/// A line as lines of the greatest width, the further ones indented.
fn wrapped(line: &str, indent: usize, break_words: bool) -> Vec<String> {
    let indent = " ".repeat(indent);
    let options = textwrap::Options::new(WIDTH.into())
        .subsequent_indent(&indent)
        .break_words(break_words)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace);
    let lines = textwrap::wrap(line, options).into_iter();
    lines.map(|line| line.trim_end().to_owned()).collect()
}

/// JSON whose characters are all seen. Those that serde leaves as they are, such as C1 controls and
/// bidirectional overrides, stand in texts alone, where an escape means the same.
fn escaped(json: &str) -> Cow<'_, str> {
    let acts = |c: char| !c.is_ascii_graphic() && ![' ', '\n'].contains(&c) && is_unseen(c);
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    Cow::Owned(text)
}
