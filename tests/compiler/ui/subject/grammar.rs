//! A pattern is checked while compiling.

use event_sdk::{Pattern, subject};

const TAIL: Pattern = subject!("orders.>.placed");

fn main() {
    let _ = subject!("orders.pla*");
    let _ = subject!("orders..placed");
    let _ = subject!("");
    let _ = subject!("orders placed");
    let _ = subject!("$JS.API.>");
    let _: Pattern = subject!("orders.*.");
}
