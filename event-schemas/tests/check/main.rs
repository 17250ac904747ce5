//! `schemas check`: findings, and errors where it cannot check.

mod bad_input;
mod git;
mod mutations;
mod report;
mod rules;
mod versions;
mod world;
