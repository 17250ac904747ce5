//! `Consumer::ack_all`: one acknowledgement for many events.

use super::Consumer;

impl<S> Consumer<S> {
    /// Acknowledges an event and all events before it with one message. This requires a consumer
    /// with one owner ([`single_active`](Self::single_active)). The durable has the ack policy
    /// [`All`](crate::transport::AckPolicy::All): a new durable is created with it, and an existing
    /// durable with another policy is refused
    /// ([`ConsumerMismatch`](crate::transport::ErrorKind::ConsumerMismatch)), because a server
    /// cannot change the policy.
    ///
    /// `ack_all` saves most of the acknowledgements. With [batches](Self::on_batches), the consumer
    /// sends one for each batch. Otherwise one acknowledgement covers all events that are done when
    /// it is sent, at most 128.
    ///
    /// **What waits.** An acknowledgement covers only the events before the first event of the
    /// stream that is not *done*. An event is not done while its handler runs, while it waits for
    /// another attempt or for an unavailable dependency, or if it is unknown and was given back.
    /// Until this event is done, later events keep their places in
    /// [`max_ack_pending`](Self::max_ack_pending), even if they are done. So if one event fails for
    /// a long time, the consumer stops receiving as soon as later events fill `max_ack_pending`.
    /// Use short [retries](Self::retry) and [dead letters](Self::dead_letters). Do not use
    /// `ack_all` if an event may wait for minutes.
    ///
    /// **What is repeated.** If the process ends, all events after the last acknowledgement are
    /// handled again. If a consumer ends gracefully and gives an event back, it also gives back the
    /// later events that are done
    /// ([`ConsumerReport::repeated`](super::super::ConsumerReport::repeated)).
    ///
    /// **Streams.** If an unsettled message is removed from the stream, a NATS server treats this
    /// like a term of the message. With this ack policy, a term settles all events before the
    /// message, also events that were not handled. The consumer still handles those that it has
    /// received, unless its process ends before. Therefore do not delete or purge single messages
    /// that are not handled. A stream that is declared with
    /// [`max_messages_per_subject`](crate::stream::StreamSpec::max_messages_per_subject) is
    /// refused, because such a stream removes single messages. A stream with [work-queue
    /// retention](crate::stream::Retention::WorkQueue) does not accept such a consumer.
    ///
    /// `ack_all` cannot be combined with [`accept_max_deliver`](Self::accept_max_deliver).
    pub fn ack_all(mut self) -> Self {
        self.options.ack_all = true;
        self.subscribe = self.subscribe.ack_all();
        self
    }
}
