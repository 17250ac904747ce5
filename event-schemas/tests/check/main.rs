//! What `check` finds, and what it does where there is nothing to check with.

mod git;
mod mutations;
// mod rules;
mod versions;
mod world;
