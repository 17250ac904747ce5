//! Compares confirmed rows with what their streams have, before rows are published again, and notices
//! new connections and sequences that fall.

use std::collections::HashSet;

use event_sdk::text::Text;
use event_sdk::transport::{Error, Stored};

use super::super::check::{Check, CheckFailed, Checked, is_final};
use super::super::loss::{LossOutcome, StreamLoss};
use super::resending::Stage;
use super::upkeep::ends_relay;
use super::{Engine, Reading};
use crate::TRACING_TARGET;
use crate::stream_reader::StreamReader;

/// How often a check is made that fails at the server, before the relay goes on without it. With the
/// pauses that is half a minute by default: a cluster that comes back elects its leaders in that time,
/// and confirms nothing before.
const ATTEMPTS: u32 = 10;

/// The first pause after a failed check is this part of the publish timeout. Pauses are doubled up to
/// the publish timeout.
const FIRST_PAUSE: u32 = 5;

/// Losses in the report of a relay.
const MOST_REPORTED: usize = 100;

impl Engine {
    /// After a new connection, the stream may be another one.
    pub(super) fn notice_connection(&mut self) {
        let transport = self.bus.transport();
        // In this order: a connection that is made in between is seen by the next look.
        let connected = transport.is_connected();
        let connections = transport.connections();
        let was_connected = std::mem::replace(&mut self.connected, connected);
        let again = connected && !was_connected;
        if connections == self.connections && !again {
            return;
        }
        self.connections = connections;
        self.reading = Reading::Allowed;
        self.debug(
            "the transport has connected again: confirmed rows are compared and published again",
        );
        self.resend_all();
    }

    /// A stream has confirmed a new row: notices a sequence below an earlier one.
    pub(super) fn notice_sequence(&mut self, stored: &Stored, started: u64) {
        let (Some(stream), Some(sequence)) = (&stored.stream, stored.sequence) else {
            return;
        };
        let starts = self.breaker.starts();
        if stored.duplicate || !self.confirmed.confirmed(stream, sequence, started, starts) {
            return;
        }
        tracing::warn!(
            target: TRACING_TARGET,
            outbox = self.store.name(),
            stream = stream.as_str(),
            sequence,
            "a stream confirmed a sequence below an earlier one: confirmed rows are compared and published again"
        );
        let suspect = self.suspects.entry(stream.clone()).or_insert(sequence);
        *suspect = sequence.min(*suspect);
        self.resend_all();
    }

    fn resend_all(&mut self) {
        self.ignore_fetch();
        self.lanes.forget_unsent(None);
        let lanes = &self.lanes;
        self.resent.retain(|row, _| lanes.knows(*row));
        self.confirmed.clear();
        self.leases.resend_all(self.clock.now());
        self.resend = None;
        self.checks.clear();
        self.check += 1;
    }

    /// Begins to compare the rows of these shards. Returns whether there is something to wait for.
    pub(super) fn begin_check(&mut self, shards: &[u16]) -> bool {
        let reader = StreamReader::new(&self.bus);
        if self.reading == Reading::Impossible || !self.deduplicates || !reader.is_supported() {
            return false;
        }
        self.check += 1;
        let check = Check {
            store: std::sync::Arc::clone(&self.store),
            reader,
            shards: shards.to_vec(),
            page: self.options.batch.max(500),
            within: self.options.repair_within,
            marked_before: self.leases.marked_before(shards),
            suspects: self.suspects.clone(),
        };
        let number = self.check;
        self.checks
            .push(Box::pin(async move { (number, check.run().await) }));
        true
    }

    /// A check has ended.
    pub(super) fn checked(&mut self, check: u64, result: Result<Checked, CheckFailed>) {
        if check != self.check || self.ending || self.resend.is_none() {
            return;
        }
        match result {
            Ok(checked) => {
                for (stream, sequence) in &checked.known {
                    let starts = self.breaker.starts();
                    self.confirmed.known(stream, *sequence, starts);
                }
                if let Some(error) = &checked.unread {
                    self.reading_denied(error);
                }
                for loss in checked.losses {
                    self.report_loss(loss);
                }
                if let Some(resend) = &mut self.resend {
                    resend.compared(checked.lost, checked.since);
                }
                if self.leases.resending().len()
                    == self
                        .resend
                        .as_ref()
                        .map_or(0, super::resending::Resend::shards)
                {
                    self.suspects.clear();
                }
            }
            Err(failed) => self.check_failed(failed),
        }
    }

    fn check_failed(&mut self, failed: CheckFailed) {
        let now = self.now();
        let Some(resend) = &mut self.resend else {
            return;
        };
        let error = match failed {
            CheckFailed::Store(error) if ends_relay(&error) => {
                self.fatal.get_or_insert(error);
                return;
            }
            CheckFailed::Store(error) => {
                let at = now + self.options.publish_timeout / FIRST_PAUSE;
                resend.stage = Stage::Check { at };
                return self.store_failed(&error);
            }
            CheckFailed::Stream(error) => error,
        };
        resend.attempts += 1;
        let is_final = is_final(&error);
        if !is_final && resend.attempts < ATTEMPTS {
            let longest = self.options.publish_timeout;
            let doubled = 1_u32 << resend.attempts.min(5).saturating_sub(1);
            let pause = (longest / FIRST_PAUSE).saturating_mul(doubled).min(longest);
            resend.stage = Stage::Check { at: now + pause };
            return;
        }
        resend.compared(HashSet::new(), None);
        if is_final {
            self.reading = Reading::Impossible;
        }
        tracing::warn!(
            target: TRACING_TARGET,
            outbox = self.store.name(),
            error = %error,
            "confirmed rows could not be compared with their streams; only those confirmed within the duplicate window are published again"
        );
    }

    /// A stream cannot be read, which is told once for each connection.
    fn reading_denied(&mut self, error: &Error) {
        if std::mem::replace(&mut self.reading, Reading::Denied) == Reading::Allowed {
            tracing::info!(
                target: TRACING_TARGET,
                outbox = self.store.name(),
                error = %error,
                "a stream cannot be read, so after a new connection only its rows confirmed within the duplicate window are published again"
            );
        }
    }

    fn report_loss(&mut self, loss: StreamLoss) {
        if loss.outcome == LossOutcome::PublishedAgain {
            self.reported.remove(&loss.stream);
        } else {
            let stream: Text = loss.stream.clone();
            if self.reported.insert(stream, loss.confirmed) == Some(loss.confirmed) {
                return;
            }
        }
        loss.log(self.store.name());
        if let Some(report) = &self.options.on_stream_loss {
            (report.0)(&loss);
        }
        let losses = &mut self.report.stream_losses;
        if losses.len() >= MOST_REPORTED {
            losses.remove(0);
        }
        losses.push(loss);
    }
}
