//! Structs of every form are events; entity and action come from two words.

use event_sdk::{Event, Readable};
use serde::{Deserialize, Serialize};

/// A window was opened.
///
/// By hand or by the wind.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct WindowOpened {
    window: String,
}

/** A window was shut.
 *
 * Tight.
 */
#[doc = concat!("By", " hand.")]
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house", version = "3.14")]
struct WindowShut(String, bool);

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house", entity = "roof")]
struct WindowBroken;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house", entity = "roof-2", action = "torn_off")]
struct DeploymentRolledBack(());

fn main() {
    assert_eq!(WindowOpened::SPEC.name(), "WindowOpened");
    assert_eq!(WindowOpened::SPEC.subject(), "house.window.opened");
    assert_eq!(WindowOpened::SPEC.filter(), "house.window.opened");
    assert_eq!(WindowOpened::SPEC.event_type(), "window.opened");
    assert_eq!(WindowOpened::SPEC.version().to_string(), "1.0");
    assert_eq!(
        WindowOpened::SPEC.description(),
        "A window was opened.\n\nBy hand or by the wind."
    );
    assert_eq!(WindowOpened::SPEC.domain(), Some("house"));
    assert_eq!(WindowShut::SPEC.description(), "A window was shut.\n\nTight.\nBy hand.");
    assert_eq!(WindowShut::SPEC.version().to_string(), "3.14");
    assert_eq!(WindowBroken::SPEC.subject(), "house.roof.broken");
    assert_eq!(WindowBroken::SPEC.description(), "");
    assert_eq!(DeploymentRolledBack::SPEC.event_type(), "roof-2.torn_off");
    assert!(WindowOpened { window: String::new() }.key().is_none());
    assert!(WindowShut(String::new(), true).key().is_none());
}
