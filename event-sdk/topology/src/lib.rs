//! The streams, consumers, dead-letter streams and the bucket of an application, as constants.
//!
//! A [`Topology`] is a constant that services and the deployment share. [`covers!`] checks while
//! compiling that each event lies in exactly one stream. [`Topology::plan`] compares the topology
//! with the server and changes nothing, [`Topology::apply`] carries out the plan, and
//! [`Topology::verify`] finds what was changed by hand.
//!
//! ```
//! use event_sdk::stream::StreamSpec;
//! use event_sdk::{Event, EventBus};
//! use event_sdk_topology::{DurableSpec, RetentionTier, Topology, covers};
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "orders")]
//! struct OrderPlaced { #[event(key)] order: String }
//!
//! const SHOP: Topology = Topology::new(const {
//!     &[StreamSpec::constant("ORDERS", &["orders.>"]).max_age(RetentionTier::Long.max_age())]
//! })
//! .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing")] });
//! covers!(SHOP, OrderPlaced);
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A service declares it; a deployment step plans and applies it.
//! let bus = SHOP.declare(EventBus::builder()).memory()?;
//! println!("{}", SHOP.plan(&bus).await?);
//! SHOP.apply(&bus).await?;
//! assert!(SHOP.verify(&bus).await?.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! - `topology`: [`Topology`], and how a bus declares it;
//! - `durable`: [`DurableSpec`], a consumer as a constant;
//! - `dead_letters`: [`DeadLetterSpec`], a dead-letter stream and its retry stream;
//! - `covers`: the checks of [`covers!`];
//! - `tier`, `profile`: named retention tiers, and the limits of three environments;
//! - [`deltran`]: the topology of a payments platform, ready-made;
//! - `plan`: [`Plan`], what applying a topology would change;
//! - `planner`, `durables`: read the server, and make the plan;
//! - `lookup`: asks for a part that may not exist;
//! - `losses`: changes that can delete stored events at once;
//! - `migration`: the steps of a change that a server refuses;
//! - `limits`: limits of each stream and consumer of the account;
//! - `copies`: mirrors and streams with sources: originals that are missing, and messages that go round;
//! - `swaps`: streams that take subjects of each other;
//! - `reservation`: bytes that streams reserve, and the limits of the account;
//! - `apply`: [`ApplyError`];
//! - `verify`: names what differs;
//! - `backup` (feature of this name): writes streams into files, and restores them;
//! - [`permissions`]: the least permissions of each user of a server.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod topology;

mod durable;

mod dead_letters;

mod covers;

mod tier;

mod profile;

pub mod deltran;

mod plan;

mod reservation;

mod migration;

mod lookup;

mod losses;

mod limits;

mod copies;

mod swaps;

mod durables;

mod planner;

mod apply;

mod verify;

#[cfg(feature = "backup")]
pub mod backup;

pub mod permissions;

pub use apply::ApplyError;
pub use dead_letters::DeadLetterSpec;
pub use durable::DurableSpec;
pub use plan::{Action, Item, Overlap, Plan, Planned, Refusal};
pub use profile::Profile;
pub use reservation::{Reservation, Reservations, TierReservations};
pub use tier::{RetentionTier, UnknownTier};
pub use topology::Topology;
pub use verify::{Finding, Verification};

/// What [`covers!`] expands to; not public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::covers::{check, check_set, streams};
}

/// The README's example has to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So have those of the page on topology.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/topology.md")]
struct Page;

/// So have those of the page on rolling deploys.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/rolling-deploys.md")]
struct RollingDeploys;

/// So have those of the page on several regions.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/multi-region.md")]
struct Regions;

/// So have those of the page on backups.
#[cfg(all(doctest, feature = "backup"))]
#[doc = include_str!("../../../docs/backup.md")]
struct BackupPage;
