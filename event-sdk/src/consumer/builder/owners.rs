//! One owner for a consumer, or for each of its partitions.

use std::time::Duration;

use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::Consumer;
use crate::bus::ConsumerSpec;
use crate::consumer::options::Options;

/// Owners.
impl<S> Consumer<S> {
    /// Lets one instance at a time handle events: the *owner*. When the owner ends gracefully, another
    /// instance takes over at once. If the owner crashes or is frozen, another instance takes over 17
    /// seconds after the last renewal of the owner's lease.
    ///
    /// With [`ordered_by_key`](Self::ordered_by_key), the order of a key then holds across
    /// instances, also when the owner changes: a new owner handles events only after it has
    /// received all events that the previous owner had not settled. Two handlers never run at the
    /// same time for a key, with one exception: the process or machine of the previous owner may be
    /// frozen while a handler runs. When the process continues, this handler is dropped at its
    /// first poll, and its settlement is not sent.
    ///
    /// The owner has a lease in the [coordination bucket](crate::BusBuilder::coordination), which
    /// [`EventBus::apply`](crate::EventBus::apply) creates. The lease has the name of the consumer.
    /// So consumers of two services that share a bucket must have different names. An instance that
    /// waits to become the owner is [ready](Self::readiness).
    pub fn single_active(self) -> Self {
        self.single_active_for(Options::LEASE_TERM)
    }

    /// Like [`single_active`](Self::single_active), with `term` instead of 15 s as the term of the
    /// lease. If an owner crashes, it is replaced after nine eighths of the term. The owner renews
    /// the lease three times in each term.
    pub fn single_active_for(mut self, term: Duration) -> Self {
        self.options.single_active = Some(term);
        self
    }

    /// Divides the events by their keys into `number` partitions, at most 64. Each partition has
    /// one owner at a time. The instances share the partitions evenly. The order of a key holds
    /// across the instances, with the same guarantee as [`single_active`](Self::single_active).
    ///
    /// Implies [`ordered_by_key`](Self::ordered_by_key). The partition of an event is the FNV-1a hash
    /// of its key, modulo the number. For an event without a key, it is the hash of the last token of
    /// its subject.
    ///
    /// An instance that starts gets its share of the partitions from the other instances. These
    /// first let the running handlers of the partitions end, within the [drain
    /// time](Self::drain_within). If an instance ends, the other instances take over its partitions
    /// at once. If an instance crashes, they take over its partitions after 17 seconds.
    ///
    /// **Durables.** Partition *i* has the durable `<name>-p<i>`. All durables have the same
    /// subjects, so the owner of a partition receives the events of all partitions. It acknowledges
    /// events of other partitions without handling them ([`of_other_partitions`]). Use only a few
    /// partitions for each instance. [`max_ack_pending`](Self::max_ack_pending),
    /// [`delay_unknown`](Self::delay_unknown) and the circuit breaker apply to each partition
    /// separately. [`concurrency`](Self::concurrency) applies to the instance, over all its
    /// partitions. Declare the durables by
    /// [`ConsumerSpec::partitions`](crate::ConsumerSpec::partitions).
    ///
    /// **The number of partitions is fixed** by the durables that exist. With another number, the
    /// consumer does not start ([`InvalidOption`](crate::ErrorKind::InvalidOption)). It does not
    /// start either if there is a durable `<name>`, from the time before the consumer had
    /// partitions. `docs/ordering.md` says how to migrate.
    ///
    /// [`of_other_partitions`]: crate::consumer::ConsumerReport::of_other_partitions
    pub fn partitions(self, number: u32) -> Self {
        self.partitions_for(number, Options::LEASE_TERM)
    }

    /// Like [`partitions`](Self::partitions), with `term` instead of 15 s as the term of the
    /// leases. If an instance crashes, its partitions are taken over after nine eighths of the
    /// term. Each lease is renewed three times in each term.
    pub fn partitions_for(mut self, number: u32, term: Duration) -> Self {
        self.options.partitions = Some((number, term));
        self.options.ordered = true;
        self
    }
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOption`] if the bus declares another number of partitions.
    pub(super) fn check_declaration(&self) -> Result<(), Error> {
        let here = self.options.partitions.map(|(number, _)| number);
        let declared = self.bus.inner().declared_consumer(&self.name);
        let Some(declared) = declared.map(ConsumerSpec::partition_count) else {
            return Ok(());
        };
        if declared == here {
            return Ok(());
        }
        let shown = |number: Option<u32>| match number {
            Some(number) => format!("{number} partitions"),
            None => "no partitions".to_owned(),
        };
        let reason = format!(
            "the bus declares the consumer with {}, and it has {}; call `partitions` with the same number on `ConsumerSpec` and on the consumer",
            shown(declared),
            shown(here)
        );
        Err(Error::new(
            ErrorKind::InvalidOption,
            Operation::Configure,
            reason,
        ))
    }
}
