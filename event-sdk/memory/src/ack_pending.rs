//! Counts unsettled deliveries of each connection, so that a drain knows what it waits for.

/// Which connection, of all that a transport ever had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionId(pub(super) u64);

/// How many deliveries of one consumer each connection has outstanding, and what
/// became of the others: mostly there is one connection.
#[derive(Debug, Default)]
pub(super) struct AckPending(Vec<PendingAck>);

#[derive(Debug)]
struct PendingAck {
    connection: ConnectionId,
    now: usize,
    counts: Counts,
}

/// What became of deliveries that a connection had outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Its handlers settled them.
    pub(super) settled: u64,
    /// They came back without that.
    pub(super) lapsed: u64,
}

/// How a delivery got out of hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Settled,
    Lapsed,
}

impl AckPending {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// A delivery is handed to `connection`.
    #[inline]
    pub(super) fn take(&mut self, connection: ConnectionId) {
        match self.find(connection) {
            Some(ack_pending) => ack_pending.now += 1,
            None => self.0.push(PendingAck {
                connection,
                now: 1,
                counts: Counts::default(),
            }),
        }
    }

    /// A delivery that `connection` had is in its hand again, unless it was
    /// forgotten.
    pub(super) fn take_again(&mut self, connection: ConnectionId) {
        if let Some(ack_pending) = self.find(connection) {
            ack_pending.now += 1;
        }
    }

    /// It is outstanding no more.
    #[inline]
    pub(super) fn leave(&mut self, connection: ConnectionId, how: Left) {
        if let Some(ack_pending) = self.find(connection) {
            ack_pending.now = ack_pending.now.saturating_sub(1);
            match how {
                Left::Settled => ack_pending.counts.settled += 1,
                Left::Lapsed => ack_pending.counts.lapsed += 1,
            }
        }
    }

    /// How many `connection` has outstanding.
    pub(super) fn now(&self, connection: ConnectionId) -> usize {
        let mut ack_pending = self.0.iter();
        let found = ack_pending.find(|ack_pending| ack_pending.connection == connection);
        found.map_or(0, |ack_pending| ack_pending.now)
    }

    /// Counts what becomes of them from now on.
    pub(super) fn count_anew(&mut self, connection: ConnectionId) {
        if let Some(ack_pending) = self.find(connection) {
            ack_pending.counts = Counts::default();
        }
    }

    /// Forgets the connection, and says what was counted.
    pub(super) fn forget(&mut self, connection: ConnectionId) -> Counts {
        let place = self
            .0
            .iter()
            .position(|ack_pending| ack_pending.connection == connection);
        place.map_or(Counts::default(), |place| self.0.swap_remove(place).counts)
    }

    #[inline]
    fn find(&mut self, connection: ConnectionId) -> Option<&mut PendingAck> {
        self.0
            .iter_mut()
            .find(|ack_pending| ack_pending.connection == connection)
    }
}
