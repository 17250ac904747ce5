//! `Snapshots` for memory: a stream as JSON lines and bodies, and a stream made from them.

mod content;
mod described;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use self::content::{Reader, Record, StoredRecord};
use super::MemoryTransport;
use super::consumer::StoredConsumer;
use super::filters::Filters;
use super::phase::Phase;
use super::state::State;
use super::stream::MemoryStream;
use event_sdk_core::stream::Retention;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Body, Completion, ConsumerName, Error, ErrorKind, Operation, RestoreRequest, Snapshot,
    SnapshotContent, SnapshotInfo, SnapshotRequest, Snapshots, StreamState,
};

/// The format of the content.
const KIND: &str = "event-sdk-memory";

/// How many bytes a piece of the content has, or a few more.
const PIECE: usize = 64 * 1024;

/// A snapshot of this transport does not have scheduled messages, remembered message ids, and
/// consumers that are no durables. A delivery that was not settled is delivered again at once.
impl Snapshots for MemoryTransport {
    fn snapshot(&self, request: SnapshotRequest) -> Completion<Result<Snapshot, Error>> {
        let stream = self.stream(&request.stream, Operation::Read);
        let phase = self.0.connection.phase();
        Completion::ready(stream.and_then(|stream| stream.snapshot(phase, request.consumers)))
    }

    fn restore(&self, request: RestoreRequest) -> Completion<Result<StreamState, Error>> {
        let this = self.clone();
        Completion::later(async move { this.restored(request).await })
    }
}

impl MemoryTransport {
    async fn restored(&self, request: RestoreRequest) -> Result<StreamState, Error> {
        self.check_open(Operation::Manage)?;
        let stream = request.stream;
        let refuse = |reason: String| {
            Error::new(ErrorKind::InvalidSnapshot, Operation::Manage, reason)
                .at_stream(stream.clone())
        };
        if *request.kind != *KIND {
            return Err(refuse(format!(
                "its format is {:?}, and the memory transport reads {KIND:?}; restore it with the transport that wrote it",
                request.kind
            )));
        }
        let config = described::read(&request.description).map_err(refuse)?;
        if config.name != stream {
            let name = &config.name;
            return Err(refuse(format!("it is a snapshot of the stream {name}")));
        }
        self.streams().check_new(&config)?;
        let made = self.streams().make(&config);
        let mut state = State::new(&config);
        let mut reader = Reader::default();
        let mut content = request.content;
        while let Some(piece) = content.next().await {
            reader.push(&piece?);
            while let Some(record) = reader.next().map_err(refuse)? {
                made.add(&mut state, record).map_err(refuse)?;
            }
        }
        if !reader.is_complete() {
            return Err(refuse("it is incomplete".to_owned()));
        }
        self.check_open(Operation::Manage)?;
        made.begin_with(state);
        self.streams().add(Arc::clone(&made))?;
        made.state(self.phase())
    }
}

impl MemoryStream {
    fn snapshot(&self, through: &Phase, consumers: bool) -> Result<Snapshot, Error> {
        let (mut info, records) = self.locked_fresh(through, Operation::Read, |state, _| {
            let writer = concat!("event-sdk-memory ", env!("CARGO_PKG_VERSION"));
            let settings = self.settings();
            let description = described::write(&settings.config);
            let mut info = SnapshotInfo::new(KIND, writer, description.into());
            info.messages = state.log.len();
            info.bytes = state.log.bytes();
            info.first_sequence = state.log.first_sequence();
            info.last_sequence = state.log.last_sequence();
            Ok((info, records(state, consumers)))
        })?;
        let is_consumer = |record: &&Record| matches!(record, Record::Consumer(_));
        info.consumers = records.iter().filter(is_consumer).count();
        let records = records
            .into_iter()
            .map(|record| self.without_value(record))
            .collect::<Result<Vec<_>, _>>()?;
        let mut records = records.into_iter();
        let pieces = std::iter::from_fn(move || {
            let mut piece = Vec::new();
            while piece.len() < PIECE {
                let Some(record) = records.next() else {
                    break;
                };
                record.write(&mut piece);
            }
            (!piece.is_empty()).then(|| Ok(Bytes::from(piece)))
        });
        let content: SnapshotContent = Box::pin(stream::iter(pieces));
        Ok(Snapshot::new(info, content))
    }

    /// The record of a message whose value is encoded.
    fn without_value(&self, mut record: Record) -> Result<Record, Error> {
        if let Record::Message(message) = &mut record
            && let Body::Value(value) = &message.body
        {
            let encoded = self.encode(value, &mut message.headers, Operation::Read);
            let at = |error: Error| {
                error
                    .at_subject(&message.subject)
                    .at_stream(self.name().clone())
            };
            message.body = Body::Encoded(encoded.map_err(at)?);
        }
        Ok(record)
    }

    /// Adds what a record says to the state of a stream that is being made. The error is the reason
    /// why it cannot.
    fn add(&self, state: &mut State, record: Record) -> Result<(), String> {
        match record {
            Record::Message(message) => {
                let settings = self.settings();
                if !settings.stores(&message.subject) {
                    (state.holds_others, state.held_others) = (true, true);
                }
                let log = &mut state.log;
                let (sequence, last) = (message.sequence, log.last_sequence());
                if sequence <= last {
                    return Err(format!("message {sequence} comes behind message {last}"));
                }
                check_sequence(sequence)?;
                if log.bytes().checked_add(message.counted).is_none() {
                    return Err(format!("message {sequence} has an impossible size"));
                }
                let ran = state.elapsed.is(self.clock().monotonic());
                let age = self.clock().now().duration_since(message.stored_at);
                let age = u64::try_from(age.as_nanos()).unwrap_or(0);
                log.skip_to(sequence - 1);
                let (subject, stored_at) = (&message.subject, message.stored_at);
                let ran = ran.saturating_sub(age);
                let (headers, body) = (message.headers, message.body);
                log.push(subject, headers, body, message.counted, stored_at, ran);
            }
            Record::Consumer(consumer) => self.revive(state, consumer)?,
            Record::End { last } => {
                if last < state.log.last_sequence() {
                    return Err("it ends before its last message".to_owned());
                }
                check_sequence(last)?;
                state.log.skip_to(last);
            }
        }
        Ok(())
    }

    fn revive(&self, state: &mut State, consumer: StoredConsumer) -> Result<(), String> {
        if !consumer
            .unsettled
            .is_sorted_by(|(one, _), (next, _)| one < next)
        {
            return Err("the unsettled deliveries of a consumer are not in order".to_owned());
        }
        let config = &consumer.config;
        let name = config.name.as_str().map(Text::copy_of);
        let filters = Filters::new(&config.filters)
            .map_err(|[one, other]| format!("the filters {one} and {other} overlap"))?;
        let settings = self.settings();
        let everything = [Pattern::everything()];
        let stored = if state.holds_others {
            &everything[..]
        } else {
            &settings.config.subjects[..]
        };
        let owes = state.retention != Retention::Limits;
        let reporter = self.reporter(config.name.as_str());
        let key = state.add_consumer(&filters, |place, log| {
            let now = (self.clock().now(), self.clock().monotonic());
            consumer.revive(place, &filters, (stored, log), now, owes, reporter)
        });
        if let Some(name) = name {
            state.names.insert(name, key);
        }
        Ok(())
    }
}

/// Refuses a sequence behind which there is no room for others.
fn check_sequence(sequence: u64) -> Result<(), String> {
    if sequence <= u64::MAX / 2 {
        return Ok(());
    }
    Err(format!("sequence {sequence} is too high"))
}

/// What a stream holds: the messages in order, and the durables.
fn records(state: &State, consumers: bool) -> Vec<Record> {
    let messages = state.log.messages().from(0);
    let mut records: Vec<Record> = messages
        .filter_map(|(sequence, message)| {
            Some(Record::Message(StoredRecord {
                sequence,
                subject: state.log.subject_of(message)?.clone(),
                headers: message.headers.clone(),
                body: message.body.clone(),
                stored_at: message.stored_at,
                counted: message.size,
            }))
        })
        .collect();
    let durables = state
        .consumers
        .values()
        .filter(|consumer| consumers && matches!(consumer.config().name, ConsumerName::Durable(_)));
    records.extend(durables.map(|consumer| Record::Consumer(consumer.to_stored())));
    records.push(Record::End {
        last: state.log.last_sequence(),
    });
    records
}
