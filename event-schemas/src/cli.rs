//! The command line `schemas`, mounted by a user's program with its own catalogue.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! # use event_schemas::Catalogue;
//! # fn catalogue() -> Catalogue { Catalogue::new("Shop") }
//! fn main() -> ExitCode {
//!     event_schemas::cli::run(catalogue())
//! }
//! ```
//!
//! # Exit codes
//!
//! | code | means |
//! |---|---|
//! | 0 | no error was found |
//! | 1 | the catalogue, the lock or the sources have an error, or they contradict each other; the errors are on the standard output |
//! | 2 | the command could not run (a wrong argument, a lock that cannot be read, a file that cannot be written); the reason is on the standard error |
//!
//! Colours are used only on a terminal, and not if `NO_COLOR` is set. The option `--color`
//! overrides this.

mod asyncapi;
mod check;
mod diff;
mod document;
mod explain;
mod generate;
mod list;
mod page;
mod paint;
mod show;
mod source;
mod table;

use std::borrow::Borrow;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{Parser, Subcommand};

use crate::Catalogue;

/// Runs the command given by the program's arguments, and returns its [exit code](self#exit-codes).
pub fn run(catalogue: impl Borrow<Catalogue>) -> ExitCode {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let colors = Colors {
        out: AutoStream::choice(&out),
        err: AutoStream::choice(&err),
        is_terminal: out.is_terminal(),
    };
    let args = std::env::args_os();
    ExitCode::from(execute(
        catalogue.borrow(),
        args,
        &mut out,
        &mut err,
        &colors,
    ))
}

/// Runs the command given by `args`, whose first is the program's name, and returns its [exit
/// code](self#exit-codes). For tests, and for programs that have other commands beside these. `out`
/// and `err` are treated as if they were not terminals.
pub fn run_from<T: Into<OsString> + Clone>(
    catalogue: impl Borrow<Catalogue>,
    args: impl IntoIterator<Item = T>,
    out: &mut (dyn Write + 'static),
    err: &mut (dyn Write + 'static),
) -> u8 {
    let colors = Colors {
        out: ColorChoice::Never,
        err: ColorChoice::Never,
        is_terminal: false,
    };
    execute(catalogue.borrow(), args, out, err, &colors)
}

/// Whether colours are used where the arguments do not say it.
struct Colors {
    out: ColorChoice,
    err: ColorChoice,
    /// Whether people see the output.
    is_terminal: bool,
}

fn execute<T: Into<OsString> + Clone>(
    catalogue: &Catalogue,
    args: impl IntoIterator<Item = T>,
    out: &mut (dyn Write + 'static),
    err: &mut (dyn Write + 'static),
    colors: &Colors,
) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(why) => {
            let wrong = why.use_stderr();
            let text = why.render();
            let (target, color) = if wrong {
                (err, colors.err)
            } else {
                (out, colors.out)
            };
            // There is nowhere else to say it.
            let _ = write!(AutoStream::new(target, color), "{}", text.ansi());
            return if wrong { 2 } else { 0 };
        }
    };
    let color = |auto| match cli.color {
        clap::ColorChoice::Auto => auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    let mut context = Context {
        catalogue,
        dir: cli.dir,
        out: &mut AutoStream::new(out, color(colors.out)),
        is_terminal: colors.is_terminal,
    };
    let outcome = match cli.command {
        Command::Generate(args) => generate::run(&mut context, &args),
        Command::Check(args) => check::run(&mut context, args),
        Command::Diff(args) => diff::run(&mut context, args),
        Command::Explain(args) => explain::run(&mut context, &args),
        Command::List(args) => list::run(&mut context, &args),
        Command::Show(args) => show::run(&mut context, &args),
        Command::Asyncapi(args) => asyncapi::run(&mut context, &args),
        Command::Page(args) => page::run(&mut context, &args),
    };
    match outcome.and_then(|outcome| Ok(context.out.flush().map(|()| outcome)?)) {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Found) => 1,
        // Who reads the output has seen enough.
        Err(CliError::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(why) => {
            let mut err = AutoStream::new(err, color(colors.err));
            // There is nowhere else to say it.
            let _ = paint::error(&mut err, &why);
            2
        }
    }
}

/// Contracts for other teams: the catalogue of events, their JSON Schemas, and what may change
#[derive(Parser)]
#[command(
    name = "schemas",
    version,
    after_help = "Exit codes: 0 all is well, 1 something was found, 2 the command could not do its work.\n\n\
        Start here:\n  \
        schemas generate     write the contracts into `contracts/`, to be committed\n  \
        schemas list         which events there are\n  \
        schemas show EVENT   what one of them has in it"
)]
struct Cli {
    /// The folder of the lock
    #[arg(
        long,
        global = true,
        default_value = "contracts",
        value_name = "FOLDER"
    )]
    dir: PathBuf,
    /// When to use colours; auto: on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN")]
    color: clap::ColorChoice,
    #[command(subcommand)]
    command: Command,
}

/// The commands, each in the file of its name.
#[derive(Subcommand)]
enum Command {
    /// Write the contracts of the catalogue into files, to be committed
    Generate(generate::Args),
    /// Check code against files, and versions against one another: what would break whom
    Check(check::Args),
    /// Show what differs between two versions of an event, field by field
    Diff(diff::Args),
    /// Say what a rule is about: what it means, why it matters, and the way out
    Explain(explain::Args),
    /// List the events of the catalogue, or those that are in the sources and not in it
    List(list::Args),
    /// Show one event: its fields, versions, publishers and consumers
    Show(show::Args),
    /// Write the catalogue as an AsyncAPI document
    Asyncapi(asyncapi::Args),
    /// Write the catalogue as a page for people: one HTML file
    Page(page::Args),
}

/// What a command works with.
struct Context<'a> {
    catalogue: &'a Catalogue,
    /// The folder of the lock.
    dir: PathBuf,
    /// What was asked for, and what was found.
    out: &'a mut dyn Write,
    /// Whether people see that.
    is_terminal: bool,
}

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Done,
    /// Something was found, and said.
    Found,
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// What was asked for is not there.
    #[error("{0}")]
    Usage(String),
    /// The output could not be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    /// Something else went wrong, as the source says.
    #[error("{what}")]
    Failed {
        /// What could not be done.
        what: String,
        /// The cause.
        source: Box<dyn std::error::Error>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_does_not_flood_a_terminal() {
        let run = |is_terminal: bool| {
            let colors = Colors {
                out: ColorChoice::Never,
                err: ColorChoice::Never,
                is_terminal,
            };
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let catalogue = Catalogue::new("Shop");
            let args = ["schemas", "--dir", "no/such/folder", "page"];
            let code = execute(&catalogue, args, &mut out, &mut err, &colors);
            (code, out.len(), String::from_utf8(err).unwrap())
        };
        let (code, written, why) = run(true);
        assert_eq!((code, written), (2, 0));
        assert!(why.contains("schemas page --output events.html"), "{why}");
        let (code, written, _) = run(false);
        assert!(code == 0 && written > 1_000);
    }
}
