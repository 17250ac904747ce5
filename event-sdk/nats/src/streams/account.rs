//! Reads the usage and the limits of the account of the connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::context::NatsContext;
use crate::error::ErrorContext;
use event_sdk_core::transport::{
    AccountLimits, AccountTier, AccountUsage, Completion, Error, Operation, SpaceUsage,
};

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
    /// An account whose limits depend on the number of replicas has them here, by `R` and this number; the
    /// numbers above are those of all tiers.
    #[serde(default)]
    tiers: Option<BTreeMap<String, Tier>>,
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
    // Here zero is none, too.
    #[serde(default)]
    max_ack_pending: i64,
    #[serde(default)]
    memory_max_stream_bytes: i64,
    #[serde(default)]
    storage_max_stream_bytes: i64,
    #[serde(default)]
    max_bytes_required: bool,
}

impl Answer {
    fn read(&self) -> AccountUsage {
        let tiers = self.tiers.iter().flatten();
        let tiers: Vec<_> = tiers.filter_map(|(name, tier)| tier.read(name)).collect();
        let limit = |limit| self::limit(limit).filter(|_| tiers.is_empty());
        let Tier { limits, .. } = &self.usage;
        let mut usage = AccountUsage::default();
        usage.file = self.usage.file();
        usage.file.limit = limit(limits.storage);
        usage.memory = self.usage.memory();
        usage.memory.limit = limit(limits.memory);
        usage.streams = self.usage.streams;
        // Zero streams would be an account without JetStream: servers mean "no limit".
        usage.max_streams = limit(limits.streams).filter(|most| *most > 0);
        if tiers.is_empty() {
            usage.limits = limits.read();
        }
        usage.tiers = tiers;
        usage
    }
}

impl Tier {
    /// That of streams with as many replicas as its name says.
    fn read(&self, name: &str) -> Option<AccountTier> {
        let mut tier = AccountTier::default();
        tier.replicas = name.strip_prefix('R')?.parse().ok()?;
        tier.file = self.file();
        tier.memory = self.memory();
        tier.streams = self.streams;
        tier.max_streams = limit(self.limits.streams).filter(|most| *most > 0);
        tier.limits = self.limits.read();
        Some(tier)
    }

    fn file(&self) -> SpaceUsage {
        space(self.storage, self.reserved_storage, self.limits.storage)
    }

    fn memory(&self) -> SpaceUsage {
        space(self.memory, self.reserved_memory, self.limits.memory)
    }
}

impl Limits {
    fn read(&self) -> AccountLimits {
        let positive = |number| limit(number).filter(|most| *most > 0);
        let mut limits = AccountLimits::default();
        limits.max_bytes_required = self.max_bytes_required;
        limits.file_stream_bytes = positive(self.storage_max_stream_bytes);
        limits.memory_stream_bytes = positive(self.memory_max_stream_bytes);
        limits.max_ack_pending = positive(self.max_ack_pending);
        limits
    }
}

fn limit(limit: i64) -> Option<u64> {
    u64::try_from(limit).ok()
}

fn space(used: u64, reserved: u64, most: i64) -> SpaceUsage {
    let mut space = SpaceUsage::default();
    space.used = used;
    // Server 2.10 counts a stream without a limit as -1, and may write a negative sum.
    space.reserved = u64::try_from(reserved.cast_signed()).unwrap_or(0);
    space.limit = limit(most);
    space
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
    fn limits_by_tier_are_those_of_the_tier() {
        let usage = read(
            r#"{"memory":0,"storage":20,"streams":2,"consumers":0,"tiers":{
            "R3":{"memory":0,"storage":20,"reserved_storage":7,"streams":2,"consumers":0,"limits":{
            "max_memory":0,"max_storage":700,"max_streams":-1,"max_ack_pending":9,
            "memory_max_stream_bytes":-1,"storage_max_stream_bytes":70,"max_bytes_required":true}}},
            "limits":{"max_memory":0,"max_storage":0,"max_streams":0}}"#,
        );
        assert_eq!((usage.file.limit, usage.max_streams), (None, None));
        let [tier] = &usage.tiers[..] else {
            panic!("{usage:?}");
        };
        assert_eq!((tier.file.reserved, tier.file.limit), (7, Some(700)));
        assert_eq!((tier.memory.limit, tier.max_streams), (Some(0), None));
        let limits = usage.limits_of(3).unwrap();
        assert!(limits.max_bytes_required);
        assert_eq!(limits.file_stream_bytes, Some(70));
        assert_eq!(limits.memory_stream_bytes, None);
        assert_eq!(limits.max_ack_pending, Some(9));
        assert_eq!(usage.limits_of(1), None);
    }
}
