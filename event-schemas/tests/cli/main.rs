//! The command line: output and exit codes.

mod checking;
mod documents;
mod generating;
mod looking;
mod run;
