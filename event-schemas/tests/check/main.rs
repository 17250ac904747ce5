//! `schemas check`: rules, versions, git refs, reports, bad input, and mutations of every
//! field.

mod bad_input;
mod causes;
mod git;
mod mutations;
mod reading;
mod receivers;
mod report;
mod rules;
mod versions;
mod webhooks;
mod world;
