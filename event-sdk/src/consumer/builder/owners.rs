//! One owner for a consumer, or for each of its partitions.

use std::time::Duration;

use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::Consumer;
use crate::bus::ConsumerSpec;
use crate::consumer::options::Options;

/// Owners.
impl<S> Consumer<S> {
    /// Lets one instance at a time handle events: the owner. Another instance takes over as soon as
    /// the owner ends gracefully, or 17 seconds after the last renewal of the lease of an owner
    /// that crashed or is frozen.
    ///
    /// With [`ordered_by_key`](Self::ordered_by_key), the order of a key then holds across
    /// instances, also when the owner changes: a new owner handles events only after it has
    /// received everything that the previous owner had not settled. Two handlers never run at once
    /// for a key, with one exception: a handler that was running when its process or machine was
    /// frozen. When the process continues, the handler is dropped at its first poll, and its
    /// settlement is not sent.
    ///
    /// The owner has a lease in the [coordination bucket](crate::BusBuilder::coordination), which
    /// [`EventBus::apply`](crate::EventBus::apply) creates. The name of the consumer is the name of
    /// the lease, so two services with one bucket must not use the same name. An instance that
    /// waits to become the owner is [ready](Self::readiness).
    pub fn single_active(self) -> Self {
        self.single_active_for(Options::LEASE_TERM)
    }

    /// Like [`single_active`](Self::single_active), with `term` instead of 15 s as the term of the
    /// lease. An owner that crashed is replaced after the term and an eighth of it. The owner
    /// renews the lease three times in each term.
    pub fn single_active_for(mut self, term: Duration) -> Self {
        self.options.single_active = Some(term);
        self
    }

    /// Divides the events by their keys into `number` partitions, at most 64. Each partition has
    /// one owner at a time. The instances share the partitions evenly, and the order of a key holds
    /// across them, as [`single_active`](Self::single_active) promises it.
    ///
    /// Implies [`ordered_by_key`](Self::ordered_by_key). The partition of an event is the FNV-1a hash
    /// of its key, modulo the number. An event without a key is in the partition of the last token
    /// of its subject.
    ///
    /// An instance that starts gets its share from the others. They first finish the running
    /// handlers of these partitions, within the [drain time](Self::drain_within). If an instance
    /// ends, its partitions are taken over at once. If it crashes, they are taken over after 17
    /// seconds.
    ///
    /// **Durables.** Partition *i* has the durable `<name>-p<i>`. All durables have the same
    /// subjects, so each owner receives the events of all partitions. It acknowledges events of
    /// foreign partitions without handling them ([`of_other_partitions`]). A few partitions for
    /// each instance are enough. [`max_ack_pending`](Self::max_ack_pending),
    /// [`delay_unknown`](Self::delay_unknown) and the circuit breaker apply to each partition
    /// separately. [`concurrency`](Self::concurrency) applies to the instance, over all its
    /// partitions. Declare the durables by
    /// [`ConsumerSpec::partitions`](crate::ConsumerSpec::partitions).
    ///
    /// **The number is fixed** by the durables that exist. With another number, the consumer does
    /// not start ([`InvalidOption`](crate::ErrorKind::InvalidOption)). A durable `<name>`, from the
    /// time before the consumer had partitions, also prevents the start. `docs/ordering.md` says
    /// how to migrate.
    ///
    /// [`of_other_partitions`]: crate::consumer::ConsumerReport::of_other_partitions
    pub fn partitions(self, number: u32) -> Self {
        self.partitions_for(number, Options::LEASE_TERM)
    }

    /// Like [`partitions`](Self::partitions), with `term` instead of 15 s as the term of the
    /// leases. The partitions of an instance that crashed are taken over after the term and an
    /// eighth of it. Each lease is renewed three times in each term.
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
