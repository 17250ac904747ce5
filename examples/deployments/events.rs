//! The events of deployments, health checks, databases and measurements, and the sets that
//! handlers consume.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

/// Events whose key is the deployment that they belong to, and the set of all of them.
macro_rules! events {
    ($($(#[$attribute:meta])* $name:ident { $($field:ident: $type:ty),* })*) => {
        $(#[derive(Debug, Event, Serialize, Deserialize)]
        $(#[$attribute])*
        pub(crate) struct $name {
            #[event(key)]
            pub(crate) deployment: u32,
            $(pub(crate) $field: $type),*
        })*

        /// Every event.
        #[derive(EventSet)]
        pub(crate) enum Everything { $($name($name)),* }
    };
}

events! {
    /// A deployment was requested.
    #[event(domain = "deployments")]
    DeploymentTriggered { version: String }
    /// A deployment has begun.
    #[event(domain = "deployments")]
    DeploymentStarted {}
    /// The new version runs.
    #[event(domain = "deployments")]
    DeploymentCompleted {}
    /// The new version does not run.
    #[event(domain = "deployments")]
    DeploymentFailed { reason: String }
    /// The version before runs again.
    #[event(domain = "deployments", entity = "deployment", action = "rolled_back")]
    DeploymentRolledBack {}
    /// How long a deployment took.
    #[event(domain = "deployments")]
    DeploymentMeasured { millis: u64 }

    /// A health check has begun.
    #[event(domain = "health")]
    CheckStarted {}
    /// The service is healthy.
    #[event(domain = "health")]
    CheckPassed {}
    /// The service is not healthy.
    #[event(domain = "health")]
    CheckFailed { status: u16 }
    /// The service did not answer.
    #[event(domain = "health", entity = "check", action = "timed_out")]
    CheckTimedOut {}
    /// The check is made again.
    #[event(domain = "health")]
    CheckRetried {}

    /// The migration of a database has begun.
    #[event(domain = "databases")]
    MigrationStarted {}
    /// The database is migrated.
    #[event(domain = "databases")]
    MigrationCompleted {}
    /// The database is as it was before.
    #[event(domain = "databases")]
    MigrationFailed { reason: String }
    /// The tables of a service have changed.
    #[event(domain = "databases")]
    SchemaChanged { schema: u32 }

    /// How long the start of a service took.
    #[event(domain = "metrics")]
    DurationMeasured { millis: u64 }
    /// How many of a thousand requests failed.
    #[event(domain = "metrics")]
    ErrorsMeasured { errors: u32 }
    /// How many bytes of memory a service uses.
    #[event(domain = "metrics")]
    ResourcesMeasured { memory: u64 }
}

/// What people are told of.
#[derive(EventSet)]
pub(crate) enum Alarms {
    Failed(DeploymentFailed),
    RolledBack(DeploymentRolledBack),
    Migration(MigrationFailed),
}
