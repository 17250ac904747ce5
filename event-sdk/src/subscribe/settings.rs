//! Settings of a subscription to a declared durable: what is not given is as declared.

use event_sdk_core::transport::ConsumerConfig;

/// A setting that a subscription can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    Deliver,
    Ack,
    AckWait,
    MaxDeliver,
    MaxAckPending,
    Backoff,
}

/// Takes every setting that is not `given` from the declaration.
pub(super) fn inherit(config: &mut ConsumerConfig, declared: &ConsumerConfig, given: &[Setting]) {
    let inherits = |setting| !given.contains(&setting);
    if inherits(Setting::Deliver) {
        config.deliver = declared.deliver;
    }
    if inherits(Setting::Ack) {
        config.ack = declared.ack;
    }
    if inherits(Setting::AckWait) {
        config.ack_wait = declared.ack_wait;
    }
    if inherits(Setting::MaxDeliver) {
        config.max_deliver = declared.max_deliver;
    }
    if inherits(Setting::MaxAckPending) {
        config.max_ack_pending = declared.max_ack_pending;
    }
    if inherits(Setting::Backoff) {
        config.backoff.clone_from(&declared.backoff);
    }
}
