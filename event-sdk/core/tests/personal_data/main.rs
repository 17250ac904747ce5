//! Errors and `Debug` show no event data: only paths, kinds, names and sizes.

mod data;
mod envelope;
mod person;

use std::error::Error;
use std::fmt::Debug;

/// What must never be seen.
const SECRET: &str = "ada@example.com";

/// Everything that a program prints of a value without asking for its contents.
fn printed(value: &(impl Debug + ?Sized)) -> String {
    format!("{value:?}\n{value:#?}")
}

/// The same of an error, with all that is behind it.
fn printed_error(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text += &error.to_string();
        text += &printed(error);
        next = error.source();
    }
    text
}
