//! The command line: what it says, and how it ends.

mod checking;
mod generating;
mod looking;
mod run;
