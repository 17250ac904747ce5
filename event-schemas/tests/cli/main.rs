//! The command line `schemas`: output and exit codes of every command.

mod checking;
mod documents;
mod generating;
mod looking;
mod personal;
mod run;
