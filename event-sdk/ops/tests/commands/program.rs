//! Runs commands, and keeps what they wrote.

use anstream::ColorChoice;
use event_sdk_ops::{Operations, Screen, run_on};

use crate::planted;

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command in a pipe.
pub(crate) async fn piped(operations: &Operations, args: &str) -> Ran {
    ran(operations, &words(args), b"", false).await
}

/// Runs a command on a terminal with colours.
pub(crate) async fn on_terminal(operations: &Operations, args: &str) -> Ran {
    ran(operations, &words(args), b"", true).await
}

/// Runs a command in a pipe or on a terminal, with what it reads from the standard input. An
/// argument can have spaces.
pub(crate) async fn ran(
    operations: &Operations,
    args: &[String],
    mut input: &[u8],
    is_terminal: bool,
) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let color = if is_terminal {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    };
    let mut screen = Screen {
        input: &mut input,
        out: &mut out,
        err: &mut err,
        out_color: color,
        err_color: color,
        is_terminal,
        is_interactive: is_terminal,
    };
    planted::begin();
    let all = std::iter::once("shop".to_owned()).chain(args.iter().cloned());
    let code = run_on(operations, all, &mut screen).await;
    let out = String::from_utf8(out).unwrap();
    let err = String::from_utf8(err).unwrap();
    planted::search(args, &out, &err);
    Ran { code, out, err }
}

/// The words of a command line; spaces between single quotes do not separate.
pub(crate) fn words(args: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in args.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
