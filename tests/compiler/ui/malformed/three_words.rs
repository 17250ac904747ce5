//! Entity and action come from a name of two words only.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "cicd")]
struct DeploymentRolledBack {
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
struct Placed;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "cicd", entity = "deployment")]
struct DeploymentTimedOut;

fn main() {}
