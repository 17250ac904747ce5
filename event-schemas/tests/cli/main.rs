//! The command line: what it says, and how it ends.

mod checking;
mod documents;
mod generating;
mod looking;
mod run;
