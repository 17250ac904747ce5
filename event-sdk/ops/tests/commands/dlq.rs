//! `dlq`: its screens, and the workflow on letters of memory, a server and tables.

mod edit;
mod personal;
pub(crate) mod rig;
mod screens;
mod sequenced;
mod workflow;
