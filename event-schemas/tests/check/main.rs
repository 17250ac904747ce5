//! `schemas check`: findings, and errors where it cannot check.

mod bad_input;
mod causes;
mod git;
mod mutations;
mod reading;
mod report;
mod rules;
mod versions;
mod world;
