//! What `check` finds, and what it does where there is nothing to check with.

mod bad_input;
mod causes;
mod git;
mod mutations;
mod reading;
mod report;
mod rules;
mod versions;
mod world;
