//! Runs commands, and keeps what they wrote.

use anstream::ColorChoice;
use event_sdk_ops::{Operations, Screen, run_on};
use event_sdk_subject::is_unseen;

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
    // A body is written byte for byte.
    if !args.iter().any(|arg| arg == "--body-only") {
        acts_on_no_terminal(args, &out, is_terminal);
    }
    acts_on_no_terminal(args, &err, is_terminal);
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

/// Fails if a command has written what moves a cursor, rings, or turns a line, beside its own colours.
fn acts_on_no_terminal(args: &[String], text: &str, is_terminal: bool) {
    let may_style = is_terminal || args.iter().any(|arg| arg == "--color");
    let mut plain = String::new();
    let mut parts = text.split("\u{1b}[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .unwrap_or(part.len());
        match part[end..].strip_prefix('m') {
            Some(rest) if may_style => plain.push_str(rest),
            _ => plain.extend(["\u{1b}[", part]),
        }
    }
    let acts = |c: char| is_unseen(c) && ![' ', '\n', '\r'].contains(&c);
    assert!(!plain.contains(acts), "{args:?}: {text:?}");
    // Progress on a terminal replaces its own line.
    assert!(is_terminal || !plain.contains('\r'), "{args:?}: {text:?}");
}
