//! `Program`: runs commands, and keeps what they wrote.

use anstream::ColorChoice;
use event_sdk_ops::{Operations, Screen, run_on};

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command in a pipe.
pub(crate) async fn piped(operations: &Operations, args: &str) -> Ran {
    ran(operations, args, false).await
}

/// Runs a command on a terminal with colours.
pub(crate) async fn on_terminal(operations: &Operations, args: &str) -> Ran {
    ran(operations, args, true).await
}

async fn ran(operations: &Operations, args: &str, is_terminal: bool) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let color = if is_terminal {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    };
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
        out_color: color,
        err_color: color,
        is_terminal,
    };
    let args = std::iter::once("shop").chain(args.split_whitespace());
    let code = run_on(operations, args, &mut screen).await;
    Ran {
        code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}
