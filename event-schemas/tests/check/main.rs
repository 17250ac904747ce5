//! What `check` finds, and what it does where there is nothing to check with.

mod bad_input;
mod git;
mod golden;
mod kept;
mod rules;
mod versions;
mod waivers;
mod world;
