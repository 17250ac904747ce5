//! `run`: reads the arguments, runs the command, and returns the exit code.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use crate::command::Command;
use crate::context::{Context, Outcome};
use crate::error::{OpsError, shown};
use crate::operations::Operations;
use crate::output::{BAD, Output, Progress, styled};

/// Runs the command given by the program's arguments, and returns its
/// [exit code](crate#exit-codes).
///
/// Cancel-safe for commands that only read. If a command that changes something is dropped, it may
/// have made a part of its changes.
pub async fn run(operations: &Operations) -> ExitCode {
    run_with(operations, std::env::args_os()).await
}

/// Runs the command given by `args`, whose first is the program's name, and returns its
/// [exit code](crate#exit-codes). For programs that also have commands of their own: pass only the
/// arguments of a command of this crate.
///
/// Cancel-safe as [`run`].
pub async fn run_with<T: Into<OsString> + Clone>(
    operations: &Operations,
    args: impl IntoIterator<Item = T>,
) -> ExitCode {
    let (mut input, mut out, mut err) = (BufReader::new(io::stdin()), io::stdout(), io::stderr());
    let mut screen = Screen {
        is_interactive: err.is_terminal() && io::stdin().is_terminal(),
        out_color: AutoStream::choice(&out),
        err_color: AutoStream::choice(&err),
        is_terminal: out.is_terminal(),
        input: &mut input,
        out: &mut out,
        err: &mut err,
    };
    ExitCode::from(run_on(operations, args, &mut screen).await)
}

/// Runs the command given by `args` on this screen, and returns its [exit code](crate#exit-codes).
/// The first of `args` is the program's name. For tests, and for programs that show the output in
/// their own way.
///
/// Cancel-safe as [`run`].
pub async fn run_on<T: Into<OsString> + Clone>(
    operations: &Operations,
    args: impl IntoIterator<Item = T>,
    screen: &mut Screen<'_>,
) -> u8 {
    let cli = match parse(operations, args) {
        Ok(cli) => cli,
        Err(why) => return refuse(&why, screen),
    };
    let color = |auto| match cli.color {
        clap::ColorChoice::Auto => auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    let (out_color, err_color) = (color(screen.out_color), color(screen.err_color));
    let mut context = Context {
        operations,
        file: cli.config,
        output: Output {
            out: &mut *screen.out,
            out_color,
            err: &mut AutoStream::new(&mut *screen.err, err_color),
            input: &mut *screen.input,
            json: cli.json,
            is_terminal: screen.is_terminal,
            is_interactive: screen.is_interactive,
            progress: Progress::default(),
        },
    };
    let outcome = cli.command.run(&mut context).await;
    context.output.end_progress();
    match outcome.and_then(|outcome| Ok(context.output.out.flush().map(|()| outcome)?)) {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Found) => 1,
        Ok(Outcome::Cut) => 3,
        // The reader of the output has seen enough.
        Err(OpsError::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(why) => {
            // There is nowhere else to say it.
            let _ = writeln!(
                context.output.err,
                "{}: {}",
                styled(BAD, "error"),
                shown(&why)
            );
            2
        }
    }
}

/// The input and output of a command, and whether people see the output.
pub struct Screen<'a> {
    /// The input: answers to questions, and data for commands that are told to read data.
    pub input: &'a mut (dyn BufRead + Send),
    /// The results of the command.
    pub out: &'a mut (dyn Write + Send + 'static),
    /// Errors, notices, questions and progress.
    pub err: &'a mut (dyn Write + Send + 'static),
    /// Whether `out` gets colours if `--color` is not given.
    pub out_color: ColorChoice,
    /// Whether `err` gets colours if `--color` is not given.
    pub err_color: ColorChoice,
    /// Whether people see `out` while it is written.
    pub is_terminal: bool,
    /// Whether people see `err` while it is written, and can answer. If so, progress is shown, and
    /// a command that destroys data asks first. If not, such a command is refused without `--yes`.
    pub is_interactive: bool,
}

impl std::fmt::Debug for Screen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("is_terminal", &self.is_terminal)
            .field("is_interactive", &self.is_interactive)
            .finish_non_exhaustive()
    }
}

/// The heading of the options that all commands have.
const GLOBAL: &str = "All commands";

/// Operate services on event-sdk: streams, consumers, dead letters, outbox, events, diagnosis
#[derive(Parser)]
#[command(
    version,
    next_line_help = true,
    after_help = "Exit codes: 0 nothing needs attention, 1 something does, 2 the command could not do its work,\n\
    3 there is more than it was told to show."
)]
struct Cli {
    /// A TOML file of the configuration; the environment goes before it
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    config: Option<PathBuf>,
    /// Write JSON
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,
    /// When to use colours; auto: on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, default_value = "auto", value_name = "auto|always|never", hide_default_value = true, hide_possible_values = true, help_heading = GLOBAL)]
    color: clap::ColorChoice,
    #[command(subcommand)]
    command: Command,
}

/// Returns the full names of all commands, such as `streams ls`, in the order of the help.
#[must_use]
pub fn commands() -> Vec<String> {
    fn walk(command: &clap::Command, above: &str, found: &mut Vec<String>) {
        for command in command.get_subcommands() {
            let name = format!("{above}{}", command.get_name());
            if command.has_subcommands() {
                walk(command, &format!("{name} "), found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Cli::command(), "", &mut found);
    found
}

/// Checks arguments, the first of which is the program's name.
///
/// # Errors
///
/// The message of clap about the arguments.
pub fn check<T: Into<OsString> + Clone>(args: impl IntoIterator<Item = T>) -> Result<(), String> {
    let parsed = Cli::command().try_get_matches_from(args);
    parsed.map(drop).map_err(|why| why.to_string())
}

/// The arguments as a command, under the program's own name.
fn parse<T: Into<OsString> + Clone>(
    operations: &Operations,
    args: impl IntoIterator<Item = T>,
) -> Result<Cli, clap::Error> {
    let command = Cli::command()
        .name(operations.name)
        .bin_name(operations.name);
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

/// Writes what clap says: a wrong argument, or the help that was asked for.
fn refuse(why: &clap::Error, screen: &mut Screen<'_>) -> u8 {
    let text = why.render();
    // There is nowhere else to say it.
    if why.use_stderr() {
        let _ = write!(
            AutoStream::new(&mut *screen.err, screen.err_color),
            "{}",
            text.ansi()
        );
        2
    } else {
        let _ = write!(
            AutoStream::new(&mut *screen.out, screen.out_color),
            "{}",
            text.ansi()
        );
        0
    }
}
