//! `Keeper`: acquires, renews and releases the leases of a consumer in the coordination bucket, and
//! shares the partitions among the live instances.
//!
//! Entries of the bucket, under `owners.<consumer>` (escaped as keys are):
//!
//! - `lease.<n>`: the lease of partition n, from zero; `lease.0` alone with one owner;
//! - `member.<id>`: the heartbeat of an instance, where there are several partitions.
//!
//! Both have the value of a [`LeaseEntry`](super::entry::LeaseEntry).

mod denials;
mod requests;

pub(crate) use denials::Denied;
pub(in crate::consumer) use requests::prefix;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::time::Clock;
use event_sdk_core::transport::Bucket;
use futures_util::future::{Either, select};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use self::denials::Denial;
use self::requests::{Found, Reply, Requests};
use super::balance::{Balance, balance};
use super::entry::OwnerId;
use super::fence::{Fence, lease_time};
use super::lease::{Lease, ReadTicket, Step, Term};
use super::members::Members;

/// What a keeper keeps.
#[derive(Debug, Clone)]
pub(crate) struct KeeperConfig {
    /// The name of the consumer.
    pub(crate) consumer: Text,
    /// Number of partitions, at least one.
    pub(crate) partitions: usize,
    /// The term of the leases.
    pub(crate) term: Term,
}

/// What this process has of a partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Share {
    /// The fence of the ownership; `None` if another process is the owner.
    pub(crate) fence: Option<Arc<Fence>>,
    /// Whether the partition has to be given up: drain it, then call
    /// [`Handle::release`].
    pub(crate) give_up: bool,
}

/// The engine's side of a keeper. Clones are for the engines of other partitions.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    shares: watch::Receiver<Vec<Share>>,
    denied: watch::Receiver<Denied>,
    commands: mpsc::UnboundedSender<Command>,
}

#[derive(Debug, Clone, Copy)]
enum Command {
    Cleared(usize),
    Release(usize),
    Leave,
}

impl Handle {
    /// What this process has, by partition; it can be awaited for changes.
    pub(crate) fn shares(&mut self) -> &mut watch::Receiver<Vec<Share>> {
        &mut self.shares
    }

    /// The same, for another task.
    pub(crate) fn watch(&self) -> watch::Receiver<Vec<Share>> {
        self.shares.clone()
    }

    /// Follows which request of this process the server denies, as far as is known.
    pub(crate) fn denied(&self) -> watch::Receiver<Denied> {
        self.denied.clone()
    }

    /// Reports that no handler of an earlier ownership of the partition exists any more. Without
    /// it, a partition that was lost is not acquired again.
    pub(crate) fn cleared(&self, partition: usize) {
        let _ = self.commands.send(Command::Cleared(partition));
    }

    /// Gives the partition up. No handler of it may run, and each settlement must be confirmed.
    pub(crate) fn release(&self, partition: usize) {
        let _ = self.commands.send(Command::Release(partition));
    }

    /// Acquires nothing more, releases every partition, and ends the keeper. The same holds as for
    /// [`release`](Self::release).
    pub(crate) fn leave(&self) {
        let _ = self.commands.send(Command::Leave);
    }
}

/// Keeps the leases of one consumer.
#[derive(Debug)]
pub(crate) struct Keeper {
    me: OwnerId,
    term: Term,
    clock: Arc<dyn Clock>,
    requests: Requests,
    leases: Vec<Kept>,
    members: Members,
    /// When the entries were last read, whatever the answer was.
    read_at: Option<Duration>,
    /// Whether the leases were read.
    has_read: bool,
    /// When the last heartbeat was sent.
    beat_at: Option<Duration>,
    leaving: bool,
    /// Without heartbeats, this process acquires no partition, and others leave it none.
    heartbeat: Denial,
    /// Without reads, it does not see which partition has no owner.
    reads: Denial,
    shares: watch::Sender<Vec<Share>>,
    denied: watch::Sender<Denied>,
    commands: mpsc::UnboundedReceiver<Command>,
}

#[derive(Debug)]
struct Kept {
    lease: Lease,
    give_up: bool,
    /// That this process may not write the lease, while no other one owns it.
    denied: Denial,
}

impl Keeper {
    /// A keeper, and its handle. Nothing is requested before [`run`](Self::run).
    pub(crate) fn new(
        bucket: Bucket,
        clock: Arc<dyn Clock>,
        config: &KeeperConfig,
    ) -> (Self, Handle) {
        let me = OwnerId(Uuid::new_v4());
        let partitions = config.partitions.max(1);
        let kept = || {
            let mut lease = Lease::new(me, config.term);
            // With several partitions, `balance` says which ones are wanted.
            lease.want(partitions == 1);
            Kept {
                lease,
                give_up: false,
                denied: Denial::default(),
            }
        };
        let (shares, receiver) = watch::channel(vec![Share::default(); partitions]);
        let (denied, is_denied) = watch::channel(Denied::default());
        let (sender, commands) = mpsc::unbounded_channel();
        let keeper = Self {
            me,
            term: config.term,
            requests: Requests::new(bucket, Arc::clone(&clock), config),
            clock,
            leases: (0..partitions).map(|_| kept()).collect(),
            members: Members::default(),
            read_at: None,
            has_read: false,
            beat_at: None,
            leaving: false,
            heartbeat: Denial::default(),
            reads: Denial::default(),
            shares,
            denied,
            commands,
        };
        let handle = Handle {
            shares: receiver,
            denied: is_denied,
            commands: sender,
        };
        (keeper, handle)
    }

    /// Keeps the leases, until the handle [leaves](Handle::leave) or is dropped and everything is
    /// released, or cannot be released within a term.
    ///
    /// Cancel-safe, but the leases are then kept by nobody, and end after their term.
    pub(crate) async fn run(mut self) {
        let mut left_at = None;
        loop {
            let now = self.now();
            if self.leaving {
                let since = *left_at.get_or_insert(now);
                let over = now >= since.saturating_add(self.term.length());
                if over || self.has_left() {
                    break;
                }
            }
            let until = self.advance(now);
            self.publish(now);
            self.wait(until).await;
        }
        self.publish(Duration::MAX);
    }

    fn now(&self) -> Duration {
        lease_time(&self.clock)
    }

    /// Sends what is due. Returns when to look again.
    fn advance(&mut self, now: Duration) -> Duration {
        self.share_out(now);
        let mut until = self.heartbeat(now);
        let mut reads = false;
        for (partition, kept) in self.leases.iter_mut().enumerate() {
            match kept.lease.next(now) {
                Step::Write(expected, entry) => {
                    self.requests.write(partition, expected, &entry);
                }
                Step::Delete(revision) => self.requests.delete(partition, revision),
                Step::Read => reads = true,
                Step::Wait(time) => until = until.min(time),
            }
            // A standby looks for a release.
            reads |= kept.lease.epoch(now).is_none() && !self.leaving;
        }
        reads |= self.leases.len() > 1;
        if reads && !self.requests.is_reading() {
            let due = self
                .read_at
                .map_or(now, |at| at.saturating_add(self.poll()));
            if due <= now {
                self.read_at = Some(now);
                let tickets = self.leases.iter().map(|kept| kept.lease.read_ticket());
                self.requests.read(tickets.collect());
            } else {
                until = until.min(due);
            }
        }
        until
    }

    /// The pause between two reads.
    fn poll(&self) -> Duration {
        (self.term.length() / 15).clamp(Duration::from_millis(20), Duration::from_secs(1))
    }

    /// Sends a heartbeat if one is due, and returns when the next one is.
    fn heartbeat(&mut self, now: Duration) -> Duration {
        if self.leases.len() == 1 || self.leaving {
            return Duration::MAX;
        }
        let every = self.term.renew_after();
        let due = self.beat_at.map_or(now, |at| at.saturating_add(every));
        if now < due {
            return due;
        }
        self.beat_at = Some(now);
        self.requests.beat(self.me, self.term.length());
        for (id, revision) in self.members.forgotten(now) {
            self.requests.forget(id, revision);
        }
        now.saturating_add(every)
    }

    /// Decides which partition to acquire or to give up, one at a time.
    fn share_out(&mut self, now: Duration) {
        if self.leases.len() == 1 || self.leaving {
            return;
        }
        let mut busy = false;
        for kept in &mut self.leases {
            let owned = kept.lease.epoch(now).is_some();
            kept.give_up &= owned;
            // Another instance was faster.
            let taken = !owned && kept.lease.owner(now).is_some();
            if taken && kept.lease.is_wanted() {
                kept.lease.want(false);
            }
            busy |= kept.give_up || (kept.lease.is_wanted() && !owned && !kept.denied.is());
        }
        if busy || self.read_at.is_none() {
            return;
        }
        // One that is denied holds up no other one.
        let allowed = |kept: &&mut Kept| !kept.denied.is();
        let mut shared: Vec<_> = self.leases.iter_mut().filter(allowed).collect();
        let owners: Vec<_> = shared.iter().map(|kept| kept.lease.owner(now)).collect();
        match balance(self.me, &owners, &self.members.live(now)) {
            Balance::Acquire(place) => {
                if let Some(kept) = shared.get_mut(place)
                    && kept.lease.is_free(now)
                {
                    kept.lease.want(true);
                }
            }
            Balance::GiveUp(place) => {
                if let Some(kept) = shared.get_mut(place) {
                    kept.give_up = true;
                }
            }
            Balance::Stay => {}
        }
    }

    /// Tells the engine what has changed.
    fn publish(&mut self, now: Duration) {
        let leases = &mut self.leases;
        self.shares.send_if_modified(|shares| {
            let mut modified = false;
            for (share, kept) in shares.iter_mut().zip(leases) {
                kept.lease.expire(now);
                let (epoch, deadlines) = (kept.lease.epoch(now), kept.lease.deadlines());
                let before = share.fence.as_ref().map(|fence| fence.epoch());
                match (&share.fence, epoch.zip(deadlines)) {
                    (Some(fence), Some((epoch, deadlines))) if fence.epoch() == epoch => {
                        fence.extend(deadlines);
                    }
                    (fence, owned) => {
                        if let Some(fence) = fence {
                            fence.close();
                        }
                        let new = owned.map(|(epoch, times)| Arc::new(Fence::new(epoch, times)));
                        share.fence = new;
                    }
                }
                modified |= before != epoch || share.give_up != kept.give_up;
                share.give_up = kept.give_up;
            }
            modified
        });
    }

    /// Waits for an answer, a command, or a time.
    async fn wait(&mut self, until: Duration) {
        let pause = until.saturating_sub(lease_time(&self.clock));
        let deadline = self.clock.monotonic().saturating_add(pause);
        let time = self.clock.sleep_until(deadline);
        let event = {
            let command = std::pin::pin!(self.commands.recv());
            let reply = poll_fn(|cx| self.requests.poll_next(cx));
            match select(select(reply, command), time).await {
                Either::Left((Either::Left((reply, _)), _)) => Event::Reply(reply),
                Either::Left((Either::Right((command, _)), _)) => {
                    Event::Command(command.unwrap_or(Command::Leave))
                }
                Either::Right(_) => Event::Time,
            }
        };
        let now = self.now();
        match event {
            Event::Reply(reply) => self.replied(reply, now),
            Event::Command(command) => self.obey(command),
            Event::Time => {}
        }
    }

    fn replied(&mut self, reply: Reply, now: Duration) {
        match reply {
            Reply::Write(partition, answer, permission) => {
                let key = self.requests.lease(partition);
                if let Some(kept) = self.leases.get_mut(partition) {
                    let then = "it does not receive the events that need it";
                    kept.denied.learn(permission, "write its lease", &key, then);
                    kept.lease.answered(answer, now);
                }
                self.tell_denied(now);
            }
            Reply::Read(tickets, found, permission) => {
                let (what, then) = ("read leases", "it takes over none from other instances");
                self.reads
                    .learn(permission, what, self.requests.prefix(), then);
                match found {
                    Some(found) => self.observed(&tickets, found, now),
                    None => self.tell_denied(now),
                }
            }
            Reply::Beat(permission) => {
                let key = self.requests.member(self.me);
                let (what, then) = ("write its heartbeat", "it acquires no partition");
                self.heartbeat.learn(permission, what, &key, then);
                self.tell_denied(now);
            }
            Reply::Other => {}
        }
    }

    fn tell_denied(&self, now: Duration) {
        let of_leases = self.leases.iter().find_map(|kept| kept.denied.why());
        // Who owns what is known once it was read, unless that is denied.
        let (knows, cannot_read) = (self.has_read, self.reads.is());
        let cannot_acquire = cannot_read || self.heartbeat.is() && knows;
        let has_owner = |kept: &Kept| kept.lease.owner(now).is_some();
        let denied = Denied {
            unowned: of_leases.is_some() || cannot_acquire && !self.leases.iter().all(has_owner),
            why: of_leases
                .or(self.heartbeat.why())
                .or(self.reads.why())
                .cloned(),
        };
        self.denied
            .send_if_modified(|before| std::mem::replace(before, denied.clone()) != denied);
    }

    fn observed(&mut self, tickets: &[ReadTicket], mut found: Found, now: Duration) {
        self.has_read = true;
        for (partition, (kept, ticket)) in self.leases.iter_mut().zip(tickets).enumerate() {
            let read = found.leases.remove(&partition);
            kept.lease.observed(*ticket, read, now);
            // A standby is ready. Whether it may write turns out when it has to.
            if kept.lease.owner(now).is_some_and(|owner| owner != self.me) {
                kept.denied.forget();
            }
        }
        self.members.observed(found.members, now);
        self.tell_denied(now);
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Cleared(partition) => {
                if let Some(kept) = self.leases.get_mut(partition) {
                    kept.lease.cleared();
                }
            }
            Command::Release(partition) => {
                if let Some(kept) = self.leases.get_mut(partition) {
                    kept.lease.want(false);
                    kept.give_up = false;
                }
            }
            Command::Leave => {
                if !self.leaving {
                    self.leaving = true;
                    for kept in &mut self.leases {
                        kept.lease.want(false);
                        kept.give_up = false;
                    }
                    if self.leases.len() > 1 {
                        self.requests.stop_beating(self.me);
                    }
                }
            }
        }
    }

    /// Whether nothing is left to release.
    fn has_left(&self) -> bool {
        let released = |kept: &Kept| kept.lease.is_released();
        self.requests.is_idle() && self.leases.iter().all(released)
    }
}

enum Event {
    Reply(Reply),
    Command(Command),
    Time,
}

impl Drop for Keeper {
    /// Without its keeper, nothing is owned.
    fn drop(&mut self) {
        self.publish(Duration::MAX);
    }
}

#[cfg(test)]
mod tests;
