//! Reads the usage and the limits of the account of the connection.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::context::NatsContext;
use crate::error::ErrorContext;
use event_sdk_core::transport::{AccountUsage, Completion, Error, Operation, SpaceUsage};

/// Asks for the usage of the account.
pub(crate) fn account(context: Arc<NatsContext>) -> Completion<Result<AccountUsage, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Read, async move {
        let about = ErrorContext::new(Operation::Read);
        context.check_open(about.operation)?;
        let answer: Answer = context.request(&about, "INFO", &json!({})).await?;
        Ok(answer.read())
    })
}

/// The fields of the server's answer about an account that are read here.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(flatten)]
    usage: Tier,
    /// An account whose limits depend on the number of replicas has them here, and the numbers above
    /// are those of all tiers.
    #[serde(default)]
    tiers: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Usage and limits.
#[derive(Debug, Deserialize)]
struct Tier {
    memory: u64,
    storage: u64,
    // Servers omit zeros.
    #[serde(default)]
    reserved_memory: u64,
    #[serde(default)]
    reserved_storage: u64,
    streams: u64,
    limits: Limits,
}

/// Limits; a negative number is none.
#[derive(Debug, Deserialize)]
struct Limits {
    #[serde(rename = "max_memory")]
    memory: i64,
    #[serde(rename = "max_storage")]
    storage: i64,
    #[serde(rename = "max_streams")]
    streams: i64,
}

impl Answer {
    fn read(&self) -> AccountUsage {
        let tiered = self.tiers.as_ref().is_some_and(|tiers| !tiers.is_empty());
        let limit = |limit: i64| u64::try_from(limit).ok().filter(|_| !tiered);
        let space = |used, reserved: u64, most| {
            let mut space = SpaceUsage::default();
            space.used = used;
            // Server 2.10 counts a stream without a limit as -1, and may write a negative sum.
            space.reserved = u64::try_from(reserved.cast_signed()).unwrap_or(0);
            space.limit = limit(most);
            space
        };
        let Tier { limits, .. } = &self.usage;
        let mut usage = AccountUsage::default();
        usage.file = space(
            self.usage.storage,
            self.usage.reserved_storage,
            limits.storage,
        );
        usage.memory = space(self.usage.memory, self.usage.reserved_memory, limits.memory);
        usage.streams = self.usage.streams;
        // Zero streams would be an account without JetStream: servers mean "no limit".
        usage.max_streams = limit(limits.streams).filter(|most| *most > 0);
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> AccountUsage {
        serde_json::from_str::<Answer>(json).unwrap().read()
    }

    #[test]
    fn limits_are_those_of_the_account() {
        let usage = read(
            r#"{"type":"io.nats.jetstream.api.v1.account_info_response","memory":1,"storage":2,
            "reserved_memory":3,"reserved_storage":4,"streams":5,"consumers":6,
            "limits":{"max_memory":-1,"max_storage":700,"max_streams":8,"max_consumers":-1}}"#,
        );
        assert_eq!((usage.memory.used, usage.memory.reserved), (1, 3));
        assert_eq!((usage.file.used, usage.file.reserved), (2, 4));
        assert_eq!((usage.memory.limit, usage.file.limit), (None, Some(700)));
        assert_eq!((usage.streams, usage.max_streams), (5, Some(8)));
    }

    #[test]
    fn a_negative_sum_of_an_old_server_is_nothing() {
        let usage = read(
            r#"{"memory":0,"storage":0,"reserved_memory":0,"streams":2,
            "reserved_storage":18446744073709551614,
            "limits":{"max_memory":-1,"max_storage":-1,"max_streams":-1}}"#,
        );
        assert_eq!((usage.file.reserved, usage.file.limit), (0, None));
    }

    #[test]
    fn limits_by_tier_are_not_those_of_all() {
        let usage = read(
            r#"{"memory":0,"storage":0,"streams":0,"consumers":0,"tiers":{"R3":{}},
            "limits":{"max_memory":0,"max_storage":0,"max_streams":0}}"#,
        );
        assert_eq!((usage.file.limit, usage.max_streams), (None, None));
    }
}
