//! Limits of each stream and consumer of an account, which a server enforces.

use event_sdk::stream::{Storage, StreamConfig};
use event_sdk::transport::{AccountLimits, AccountUsage, BucketConfig, ConsumerConfig};

/// Why the account cannot have such a stream; `None` if nothing is in the way.
pub(crate) fn of_stream(usage: &AccountUsage, wanted: &StreamConfig) -> Option<String> {
    let limits = match limits_of(usage, wanted.replicas) {
        Ok(limits) => limits,
        Err(why) => return Some(why),
    };
    let most = match wanted.storage {
        Storage::File => limits.file_stream_bytes,
        Storage::Memory => limits.memory_stream_bytes,
    };
    match (wanted.limits.bytes, most) {
        (None, _) if limits.max_bytes_required => Some(
            "the account takes only streams with a maximum of bytes, and this one declares none"
                .to_owned(),
        ),
        (Some(bytes), Some(most)) if bytes.get() > most => Some(format!(
            "its maximum of {bytes} bytes is more than the {most} that a stream of the account may have"
        )),
        _ => None,
    }
}

/// Why the account cannot have such a bucket; `None` if nothing is in the way.
pub(crate) fn of_bucket(usage: &AccountUsage, wanted: &BucketConfig) -> Option<String> {
    match limits_of(usage, wanted.replicas) {
        Err(why) => Some(why),
        Ok(limits) => limits.max_bytes_required.then(|| {
            "the account takes only streams with a maximum of bytes, and a bucket has none"
                .to_owned()
        }),
    }
}

/// Why the account cannot have such a durable in a stream with this number of replicas; `None` if
/// nothing is in the way.
pub(crate) fn of_durable(
    usage: &AccountUsage,
    replicas: u8,
    wanted: &ConsumerConfig,
) -> Option<String> {
    let most = limits_of(usage, replicas).ok()?.max_ack_pending?;
    let wants = u64::from(wanted.max_ack_pending?.get());
    (wants > most).then(|| {
        format!(
            "its maximum of {wants} unsettled deliveries is more than the {most} that a consumer of the account may have"
        )
    })
}

fn limits_of(usage: &AccountUsage, replicas: u8) -> Result<&AccountLimits, String> {
    usage.limits_of(replicas).ok_or_else(|| {
        let tiers = usage.tiers.iter().map(|tier| format!("R{}", tier.replicas));
        let tiers: Vec<_> = tiers.collect();
        format!(
            "the account has no tier for streams with {replicas} replicas; it has {}",
            tiers.join(", ")
        )
    })
}
