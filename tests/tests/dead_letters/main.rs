//! Dead letters: stores, the page `docs/dead-letters.md`, the queue and redrive, on memory and on a
//! real server.

mod rig;
mod stepwise;

mod large;
mod misplaced;
mod page;
mod purging;
mod storing;

mod listing;
mod redriving;

mod advisories;
mod archiving;
mod consuming;
mod export;
mod killed;
#[cfg(unix)]
mod processes;

mod cluster;
mod park;
mod sequenced;
mod servers;
mod takeover;
