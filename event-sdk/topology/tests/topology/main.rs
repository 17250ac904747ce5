//! `plan`, `apply`, `verify` and backups on memory and on real servers.

mod backups;
mod cluster;
mod config_files;
mod copies;
mod cycles;
mod generated;
mod in_tables;
mod limits;
mod permissions;
mod ready_made;
mod refusals;
mod regions;
mod stopped;
mod stories;
mod support;
mod swaps;
