//! `Consumer::ack_all`: one acknowledgement for many events.

use super::Consumer;

impl<S> Consumer<S> {
    /// Acknowledges an event and all events before it with one message. It requires a consumer with
    /// one owner ([`single_active`](Self::single_active)). The durable has the ack policy
    /// [`All`](crate::transport::AckPolicy::All): a new durable is created with it, and an existing
    /// durable with another policy is refused
    /// ([`ConsumerMismatch`](crate::transport::ErrorKind::ConsumerMismatch)), because a server
    /// cannot change the policy.
    ///
    /// `ack_all` saves most of the acknowledgements. With [batches](Self::on_batches), the consumer
    /// sends one for each batch. Otherwise it sends one for all events that are done when it sends,
    /// at most 128.
    ///
    /// **What waits.** An acknowledgement is sent only for events before the first event of the
    /// stream that is not done. An event is not done while its handler runs, while it waits for
    /// another attempt or for an unavailable dependency, or if it is unknown and was given back.
    /// Later events that are done keep their places in [`max_ack_pending`](Self::max_ack_pending)
    /// until then, so one event that fails for long stops the consumer as soon as later done events
    /// fill `max_ack_pending`. Use short [retries](Self::retry) and [dead
    /// letters](Self::dead_letters), and do not use `ack_all` if one event may wait for minutes.
    ///
    /// **What is repeated.** If the process ends, everything after the last acknowledgement is
    /// handled again. If a consumer ends gracefully and gives an event back, it also gives back the
    /// later events that are done
    /// ([`ConsumerReport::repeated`](super::super::ConsumerReport::repeated)).
    ///
    /// **Streams.** On NATS, the server treats the removal of one unsettled message from the stream
    /// as a term. With this ack policy a term settles everything before it, also events that were
    /// not handled. The consumer still handles the events that it has received, unless its process
    /// ends before. A stream that is declared with
    /// [`max_messages_per_subject`](crate::stream::StreamSpec::max_messages_per_subject) is
    /// refused, because it removes messages in this way. Do not delete or purge single messages
    /// that are not handled. A stream with [work-queue
    /// retention](crate::stream::Retention::WorkQueue) does not accept such a consumer.
    ///
    /// It cannot be combined with [`accept_max_deliver`](Self::accept_max_deliver).
    pub fn ack_all(mut self) -> Self {
        self.options.ack_all = true;
        self.subscribe = self.subscribe.ack_all();
        self
    }
}
