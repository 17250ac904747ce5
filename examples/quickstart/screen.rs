//! Output of the board: redrawn on a terminal, lines in a pipe.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use comfy_table::{TableStyle, presets};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::board::{Board, Report};

/// How often the board is drawn on a terminal, at most.
const REDRAW: Duration = Duration::from_millis(100);

/// A terminal or a pipe.
#[derive(Debug)]
pub(crate) struct Screen {
    live: Option<Live>,
}

/// What is drawn in place: the board, and progress bars below it.
#[derive(Debug)]
struct Live {
    area: MultiProgress,
    board: ProgressBar,
    drawn: Option<Instant>,
}

impl Screen {
    /// The live board where there is a terminal to draw on; lines elsewhere,
    /// and where `plain` asks for them.
    pub(crate) fn new(plain: bool) -> Self {
        let has_terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
        let live = (has_terminal && !plain).then(|| {
            let area = MultiProgress::new();
            let board = area.add(ProgressBar::no_length());
            board.set_style(style_of("{msg}"));
            Live {
                area,
                board,
                drawn: None,
            }
        });
        Self { live }
    }

    /// A bar below the board for something of so many bytes, or of unknown
    /// size. In a pipe it is hidden.
    pub(crate) fn progress_bar(&self, bytes: Option<u64>) -> ProgressBar {
        let Some(live) = &self.live else {
            return ProgressBar::hidden();
        };
        let bar = live.area.add(ProgressBar::no_length());
        match bytes {
            Some(bytes) => {
                bar.set_length(bytes);
                bar.set_style(style_of("{bar:40} {percent:>3} % of the file"));
            }
            None => bar.set_style(style_of("{bytes} read")),
        }
        bar
    }

    /// A way to write warnings that does not disturb what is drawn.
    pub(crate) fn warnings(&self) -> Warnings {
        Warnings {
            area: self.live.as_ref().map(|live| live.area.clone()),
        }
    }

    /// How tables look: with lines on a terminal, as Markdown in a pipe.
    pub(crate) fn table_style(&self) -> TableStyle {
        match self.live {
            Some(_) => presets::UTF8_FULL_CONDENSED,
            None => presets::ASCII_MARKDOWN,
        }
    }

    /// Shows the board after an event, and the report that the event closed.
    ///
    /// # Errors
    ///
    /// When a line cannot be written, as to a closed pipe.
    pub(crate) fn show(&mut self, board: &Board, report: Option<&Report>) -> io::Result<()> {
        let style = self.table_style();
        match (&mut self.live, report) {
            (Some(live), _) => {
                if live.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
                    live.board.set_message(text_of(board, style));
                    live.drawn = Some(Instant::now());
                }
                Ok(())
            }
            (None, Some(report)) => writeln!(io::stdout(), "{report}"),
            (None, None) => Ok(()),
        }
    }

    /// Leaves the board as it was at last, or the last report.
    ///
    /// # Errors
    ///
    /// When it cannot be written, as to a closed pipe.
    pub(crate) fn finish(self, mut board: Board) -> io::Result<()> {
        let style = self.table_style();
        match self.live {
            Some(live) => {
                live.area.clear()?;
                writeln!(io::stdout(), "{}", text_of(&board, style))
            }
            None => match board.close() {
                Some(report) => writeln!(io::stdout(), "{report}"),
                None => Ok(()),
            },
        }
    }
}

/// Writes warnings to the standard error.
#[derive(Debug, Clone)]
pub(crate) struct Warnings {
    area: Option<MultiProgress>,
}

impl Warnings {
    /// Writes one line. That it cannot be written is no reason to stop.
    pub(crate) fn warn(&self, message: &str) {
        let write = || {
            let _ = writeln!(io::stderr(), "warning: {message}");
        };
        match &self.area {
            Some(area) => area.suspend(write),
            None => write(),
        }
    }
}

fn text_of(board: &Board, style: TableStyle) -> String {
    format!("{}\n{}", board.title(), board.table(style))
}

/// The style of a template; the default one if indicatif cannot read it.
fn style_of(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
