//! `Recover::plan`: what the passes over the streams mean.

mod consumers;
mod letters;
mod outbox;

use std::collections::BTreeSet;
use std::pin::pin;

use event_sdk::Pattern;
use event_sdk::stream::Retention;
use event_sdk::text::Text;
use event_sdk::transport::{Error, ErrorKind, StreamState, TransportExt as _};
use futures_util::stream::{self, StreamExt as _};

use super::Recover;
use super::divergence::{Divergence, ResetUnfinished, StreamMissing, count};
use super::error::RecoverError;
use super::known::{KnownRecords, KnownRows};
use super::plan::RecoverPlan;
use super::position::{NoPosition, Position};
use super::reset::is_unreadable;
use super::scan::Compared;
use super::unknown::{Unknown, UnknownReason};

/// Streams whose states are asked for at the same time.
const CONCURRENT: usize = 32;

/// Subjects that are asked for one by one, at most.
const MOST_ASKED: usize = 256;

/// What the databases know.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) rows: Option<KnownRows>,
    pub(super) records: Vec<KnownRecords>,
}

impl Recover {
    /// Compares outbox, inboxes and consumers with the streams.
    ///
    /// First stop the relays and the consumers. Otherwise messages and records that are being
    /// written at this time look like divergences.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`RecoverError::Store`] if a database fails, [`RecoverError::Bus`] if the connection fails.
    /// A missing permission, stream or consumer is not an error: the plan contains it.
    pub async fn plan(&self) -> Result<RecoverPlan, RecoverError> {
        let mut plan = RecoverPlan::default();
        let known = self.load(&mut plan).await?;
        let mut streams = self.streams(&known);
        self.add_unseen(&known, &mut streams, &mut plan).await?;
        for stream in streams {
            self.compare(&stream, &known, &mut plan).await?;
        }
        self.judge_letters(&known, &mut plan).await?;
        plan.sort();
        Ok(plan)
    }

    /// Reads the databases.
    async fn load(&self, plan: &mut RecoverPlan) -> Result<Known, RecoverError> {
        let mut known = Known::default();
        let mut unknown = |reason| plan.unknown.push(Unknown::of(None, reason));
        let too_many = UnknownReason::TooMany {
            limit: self.at_most,
        };
        if let Some(outbox) = &self.outbox {
            let relays = outbox.relays().await;
            let relays = relays.map_err(RecoverError::store(outbox.name()))?;
            if relays > 0 {
                unknown(UnknownReason::RelaysRunning { relays });
            } else {
                known.rows = KnownRows::load(outbox.as_ref(), self.at_most).await?;
                match &known.rows {
                    None => unknown(too_many.clone()),
                    // No stream is compared with such rows, since their subjects are not known.
                    Some(rows) if rows.is_nowhere() => {
                        unknown(UnknownReason::NothingKept);
                    }
                    Some(_) => {}
                }
            }
        }
        for (index, inbox) in self.inboxes.iter().enumerate() {
            match KnownRecords::load(inbox.as_ref(), index, self.at_most).await? {
                Some(records) => known.records.extend(records),
                None => unknown(too_many.clone()),
            }
        }
        Ok(known)
    }

    /// The streams that are compared.
    fn streams(&self, known: &Known) -> BTreeSet<Text> {
        let rows = known.rows.iter().flat_map(KnownRows::streams);
        let records = (known.records.iter()).filter_map(|known| known.source.stream.as_ref());
        let plain = self.plain.iter().map(|(stream, _)| stream);
        rows.chain(records).chain(plain).cloned().collect()
    }

    /// Adds the streams that store what the outbox publishes, also if it has kept no row that was
    /// published there.
    async fn add_unseen(
        &self,
        known: &Known,
        streams: &mut BTreeSet<Text>,
        plan: &mut RecoverPlan,
    ) -> Result<(), RecoverError> {
        let Some(rows) = &known.rows else {
            return Ok(());
        };
        let subjects = (rows.unpublished.iter()).filter_map(|it| Pattern::parse(it.clone()).ok());
        let mut wanted: Vec<Pattern> = self.owned.iter().cloned().chain(subjects).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let Some(all) = self.find(&Pattern::everything(), plan).await? else {
            return Ok(());
        };
        let states = stream::iter(all).map(async |name| {
            let state = self.bus.transport().stream_state(&name).await;
            (name, state)
        });
        let mut states = pin!(states.buffered(CONCURRENT));
        let mut unread = Vec::new();
        while !wanted.is_empty()
            && let Some((name, state)) = states.next().await
        {
            let stored = match state {
                Ok(state) => state.config.subjects,
                // Deleted meanwhile.
                Err(error) if *error.kind() == ErrorKind::StreamNotFound => continue,
                // A newer server may have settings that cannot be read.
                Err(error) if is_unreadable(&error) || *error.kind() == ErrorKind::Other => {
                    unread.push(name);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if (wanted.iter()).any(|it| stored.iter().any(|stored| stored.overlaps(it))) {
                streams.insert(name);
            }
            wanted.retain(|it| !stored.iter().any(|stored| stored.covers(it)));
        }
        if unread.is_empty() {
            return Ok(());
        }
        if wanted.len() > MOST_ASKED {
            // Each of them may store some: the comparison says that they cannot be read.
            streams.extend(unread);
            return Ok(());
        }
        // Which subjects these streams store can be asked for only one by one.
        for pattern in wanted {
            let Some(found) = self.find(&pattern, plan).await? else {
                break;
            };
            streams.extend(found);
        }
        Ok(())
    }

    /// The streams that store some of a pattern; `None` if they may not be listed, which is unknown then.
    async fn find(
        &self,
        pattern: &Pattern,
        plan: &mut RecoverPlan,
    ) -> Result<Option<Vec<Text>>, RecoverError> {
        match self.bus.transport().streams_for(pattern).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_unreadable(&error) => {
                let reason = UnknownReason::NotReadable(error.to_string().into());
                plan.unknown.push(Unknown::of(None, reason));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn compare(
        &self,
        stream: &Text,
        known: &Known,
        plan: &mut RecoverPlan,
    ) -> Result<(), RecoverError> {
        let state = match self.bus.transport().stream_state(stream).await {
            Ok(state) => state,
            Err(error) => return no_stream(stream, known, error, plan),
        };
        let retention = state.config.retention;
        let positions = self.positions((stream, retention), known, plan).await?;
        let compared = Compared {
            bus: &self.bus,
            stream,
            rows: known.rows.as_ref(),
            owned: &self.owned,
            records: &known.records,
            since: self.since,
            clock_skew: self.clock_skew,
        };
        let scan = match compared.scan(state, positions).await {
            Ok(scan) => scan,
            Err(error) => return not_readable(stream, error, plan),
        };
        let outbox = outbox::judge(stream, known.rows.as_ref(), &scan, plan);
        outbox::judge_database(stream, known.rows.as_ref(), &self.owned, &scan, plan);
        consumers::judge(self, stream, known, &scan, &outbox, plan);
        self.judge_plain(stream, &scan.state, &outbox, plan).await
    }

    /// The positions of the consumers that have records of the stream.
    async fn positions(
        &self,
        (stream, retention): (&Text, Retention),
        known: &Known,
        plan: &mut RecoverPlan,
    ) -> Result<Vec<(usize, Option<Position>)>, RecoverError> {
        let mut positions = Vec::new();
        for (index, records) in known.records.iter().enumerate() {
            let source = &records.source;
            if source.stream.as_ref() != Some(stream) {
                continue;
            }
            let own = [source.consumer.clone()];
            let durables = self.durables.get(&source.consumer);
            let durables = durables.map_or(&own[..], |it| it);
            let of = (stream, retention);
            let position = self.position(of, &source.consumer, durables, plan);
            positions.push((index, position.await?));
        }
        Ok(positions)
    }

    /// The position of a consumer; otherwise the plan says why there is none.
    async fn position(
        &self,
        (stream, retention): (&Text, Retention),
        consumer: &Text,
        durables: &[Text],
        plan: &mut RecoverPlan,
    ) -> Result<Option<Position>, RecoverError> {
        let reason = match Position::read(&self.bus, stream, durables, retention).await? {
            Ok(position) => return Ok(Some(position)),
            Err(NoPosition::Unfinished(durable)) => {
                let unfinished = ResetUnfinished {
                    stream: stream.clone(),
                    consumer: durable,
                };
                (plan.divergences).push(Divergence::ResetUnfinished(unfinished));
                return Ok(None);
            }
            Err(NoPosition::Missing) => UnknownReason::NoConsumer,
            Err(NoPosition::NotReadable(error)) => UnknownReason::NotReadable(error),
        };
        let mut unknown = Unknown::of(Some(stream.clone()), reason);
        unknown.consumer = Some(consumer.clone());
        plan.unknown.push(unknown);
        Ok(None)
    }

    /// Compares the positions of durables without an inbox.
    async fn judge_plain(
        &self,
        stream: &Text,
        state: &StreamState,
        outbox: &outbox::Agreement,
        plan: &mut RecoverPlan,
    ) -> Result<(), RecoverError> {
        for (of, durable) in &self.plain {
            if of != stream {
                continue;
            }
            let names = [durable.clone()];
            let of = (stream, state.config.retention);
            let position = self.position(of, durable, &names, plan).await?;
            if let Some(position) = position {
                let ahead = consumers::ahead(stream, &position, state, outbox);
                plan.divergences.extend(ahead);
            }
        }
        Ok(())
    }
}

/// A stream that does not exist diverges, if something belongs to it.
fn no_stream(
    stream: &Text,
    known: &Known,
    error: Error,
    plan: &mut RecoverPlan,
) -> Result<(), RecoverError> {
    if *error.kind() != ErrorKind::StreamNotFound {
        return not_readable(stream, error, plan);
    }
    let rows = known.rows.as_ref().map_or(0, |known| {
        let rows = known.streams().filter(|it| *it == stream);
        count(rows.count())
    });
    let records = (known.records.iter())
        .filter(|known| known.source.stream.as_ref() == Some(stream))
        .map(|known| count(known.records.len()))
        .sum();
    let missing = StreamMissing {
        stream: stream.clone(),
        rows,
        records,
    };
    plan.divergences.push(Divergence::StreamMissing(missing));
    Ok(())
}

/// A stream that cannot be read is unknown; other errors end the comparison.
fn not_readable(stream: &Text, error: Error, plan: &mut RecoverPlan) -> Result<(), RecoverError> {
    if !is_unreadable(&error) {
        return Err(error.into());
    }
    let reason = UnknownReason::NotReadable(error.to_string().into());
    let unknown = Unknown::of(Some(stream.clone()), reason);
    plan.unknown.push(unknown);
    Ok(())
}
