//! Events in a crate of their own, depending on event-sdk-core only; their sets are in other
//! crates.

use event_sdk_core::{Event, EventSet, Pattern, RawEvent, subject};
use serde::{Deserialize, Serialize};

/// A window was opened.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "house")]
pub struct WindowOpened {
    /// Which window.
    #[event(key, in_subject)]
    pub window: String,
}

/// A window was shut, by hand or by the wind.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "house", version = "1.2")]
pub struct WindowShut {
    /// Which window.
    #[event(key, in_subject)]
    pub window: String,
    /// Whether it was the wind.
    pub by_wind: bool,
}

/// Everything in the house.
#[derive(Debug, EventSet)]
#[event(pattern = "house.>")]
pub enum HouseEvents {
    /// A window was opened.
    Opened(WindowOpened),
    /// A window was shut.
    Shut(WindowShut),
    /// Anything else.
    #[event(other)]
    Other(RawEvent),
}

/// Everything about windows.
pub const WINDOWS: Pattern = subject!("house.window.>");
