//! `Rig`: a transport with one stream, and helpers that publish and subscribe.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::failure::{Failure, Outcome, ensure, ensure_eq, within};
use super::reader::Reader;
use super::settings::Settings;
use event_sdk_core::headers::Headers;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::{Pattern, Subject};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Body, Capability, Completion, Confirmation, ConsumerChange, ConsumerConfig, ConsumerInfo,
    ConsumerName, Drained, Error, Expectations, MessageId, Prefetch, PublishRequest, RollUp,
    Stored, StreamChange, StreamState, SubscribeRequest, Transport, TransportExt as _,
};

/// An ack wait that cases wait out, and that may end before they have handled what they received.
/// Where it must not, they use [`Rig::ack_wait`].
pub(super) const SHORT: Duration = Duration::from_millis(500);

/// A transport and the stream that a case uses.
#[derive(Debug, Clone)]
pub(super) struct Rig {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) stream: Text,
    prefix: String,
    settings: Settings,
}

/// A message that a case is about to publish.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) subject: Subject,
    pub(super) headers: Headers,
    pub(super) body: Body,
    pub(super) message_id: Option<MessageId>,
    pub(super) expect: Expectations,
    pub(super) roll_up: Option<RollUp>,
}

impl Draft {
    fn publish(self, transport: &dyn Transport) -> Completion<Result<Confirmation, Error>> {
        let mut request = PublishRequest::new(&self.subject, self.body);
        request.headers = self.headers;
        request.message_id = self.message_id;
        request.expect = self.expect;
        request.roll_up = self.roll_up;
        transport.publish(request)
    }

    /// The same, with this message id.
    pub(super) fn id(mut self, id: &str) -> Self {
        self.message_id = Some(MessageId::Text(id.to_owned().into()));
        self
    }

    /// The same, with another body.
    pub(super) fn bytes(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Encoded(body.into());
        self
    }

    /// The same, with one header more.
    pub(super) fn header(mut self, name: &str, value: &str) -> Outcome<Self> {
        self.headers.insert(name.to_owned(), value)?;
        Ok(self)
    }
}

impl Rig {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        stream: Text,
        prefix: String,
        settings: Settings,
    ) -> Self {
        Self {
            transport,
            stream,
            prefix,
            settings,
        }
    }

    /// Another stream of the same transport, whose subjects begin with `prefix`.
    pub(super) fn under(&self, config: &StreamConfig, prefix: &str) -> Self {
        let transport = Arc::clone(&self.transport);
        let (name, prefix) = (config.name.clone(), prefix.to_owned());
        Self::new(transport, name, prefix, self.settings)
    }

    pub(super) fn patience(&self) -> Duration {
        self.settings.patience
    }

    /// An ack wait that cases wait out after they have handled something within it: longer than a
    /// delivery and its settlement take.
    pub(super) fn ack_wait(&self) -> Duration {
        self.settings.ack_wait
    }

    pub(super) fn can(&self, capability: Capability) -> bool {
        self.transport.supports(capability)
    }

    /// The subject `relative` under the prefix of this case.
    pub(super) fn subject(&self, relative: &str) -> Outcome<Subject> {
        Ok(Subject::parse(format!("{}.{relative}", self.prefix))?)
    }

    /// The pattern `relative` under the prefix of this case.
    pub(super) fn pattern(&self, relative: &str) -> Outcome<Pattern> {
        Ok(Pattern::parse(format!("{}.{relative}", self.prefix))?)
    }

    /// A message to `relative` whose body is `number`.
    pub(super) fn draft(&self, relative: &str, number: u64) -> Outcome<Draft> {
        Ok(Draft {
            subject: self.subject(relative)?,
            headers: Headers::new(),
            body: Body::Encoded(number.to_string().into()),
            message_id: None,
            expect: Expectations::default(),
            roll_up: None,
        })
    }

    /// Publishes as far as the first answer.
    pub(super) async fn send(&self, draft: Draft) -> Outcome<Result<Confirmation, Error>> {
        let answer = draft.publish(&*self.transport);
        within(self.patience(), "the first answer to a publish", answer).await
    }

    /// Publishes and drops the first answer.
    pub(super) fn abandon(&self, draft: Draft) {
        drop(draft.publish(&*self.transport));
    }

    /// Publishes and waits for both answers.
    pub(super) async fn attempt(&self, draft: Draft) -> Outcome<Result<Stored, Error>> {
        match self.send(draft).await? {
            Ok(confirmation) => self.confirm(confirmation).await,
            Err(error) => Ok(Err(error)),
        }
    }

    pub(super) async fn confirm(
        &self,
        confirmation: Confirmation,
    ) -> Outcome<Result<Stored, Error>> {
        within(
            self.patience(),
            "the confirmation of a publish",
            confirmation,
        )
        .await
    }

    /// Publishes what has to be stored.
    pub(super) async fn store(&self, draft: Draft) -> Outcome<Stored> {
        Ok(self.attempt(draft).await??)
    }

    /// Publishes what has to be refused.
    pub(super) async fn refused(&self, draft: Draft, why: &str) -> Outcome<Error> {
        match self.attempt(draft).await? {
            Ok(stored) => Err(Failure::new(format!("{why} was stored: {stored:?}"))),
            Err(error) => Ok(error),
        }
    }

    /// Publishes one numbered message; its sequence.
    pub(super) async fn publish(&self, relative: &str, number: u64) -> Outcome<u64> {
        let stored = self.store(self.draft(relative, number)?).await?;
        ensure!(
            !stored.duplicate,
            "message {number} has no id and was called a duplicate"
        );
        sequence(&stored)
    }

    /// Publishes one numbered message after the other; their sequences.
    pub(super) async fn publish_all(
        &self,
        relative: &str,
        numbers: impl IntoIterator<Item = u64>,
    ) -> Outcome<Vec<u64>> {
        let mut sequences = Vec::new();
        for number in numbers {
            sequences.push(self.publish(relative, number).await?);
        }
        Ok(sequences)
    }

    /// A consumer of everything in the stream that ends with its subscription.
    pub(super) fn ephemeral(&self) -> Outcome<ConsumerConfig> {
        self.consumer(ConsumerName::Ephemeral)
    }

    /// A consumer of everything in the stream that stays.
    pub(super) fn durable(&self, name: &str) -> Outcome<ConsumerConfig> {
        self.consumer(ConsumerName::Durable(self.consumer_name(name)))
    }

    /// A consumer of everything in the stream that lives while it is used.
    pub(super) fn group(&self, name: &str) -> Outcome<ConsumerConfig> {
        self.consumer(ConsumerName::Group(self.consumer_name(name)))
    }

    /// What the consumer `name` of this case is called.
    pub(super) fn consumer_name(&self, name: &str) -> Text {
        format!("{}-{name}", self.prefix).into()
    }

    fn consumer(&self, name: ConsumerName) -> Outcome<ConsumerConfig> {
        Ok(ConsumerConfig::new(name, vec![self.pattern(">")?]))
    }

    /// Subscribes and takes up to 16 messages ahead.
    pub(super) async fn subscribe(&self, config: &ConsumerConfig) -> Outcome<Reader> {
        self.subscribe_ahead(config, Prefetch::Adaptive).await
    }

    /// Subscribes and takes up to `prefetch` messages ahead.
    pub(super) async fn subscribe_ahead(
        &self,
        config: &ConsumerConfig,
        prefetch: impl Into<Prefetch>,
    ) -> Outcome<Reader> {
        Ok(self.try_subscribe(config, prefetch).await??)
    }

    pub(super) async fn try_subscribe(
        &self,
        config: &ConsumerConfig,
        prefetch: impl Into<Prefetch>,
    ) -> Outcome<Result<Reader, Error>> {
        let mut request = SubscribeRequest::new(self.stream.clone(), config.clone());
        request.prefetch = prefetch.into();
        let answer = self.transport.subscribe(request);
        let subscribed = within(self.patience(), "the answer to a subscribe", answer).await?;
        Ok(subscribed.map(|subscription| Reader::new(subscription, self.patience())))
    }

    /// Subscribes where that has to be refused.
    pub(super) async fn subscribe_refused(
        &self,
        config: &ConsumerConfig,
        why: &str,
    ) -> Outcome<Error> {
        match self.try_subscribe(config, 16).await? {
            Ok(_) => Err(Failure::new(format!("subscribing to {why} was accepted"))),
            Err(error) => Ok(error),
        }
    }

    /// What the stream is and holds.
    pub(super) async fn state(&self) -> Outcome<StreamState> {
        Ok(self.try_state().await??)
    }

    pub(super) async fn try_state(&self) -> Outcome<Result<StreamState, Error>> {
        let answer = self.transport.stream_state(&self.stream);
        within(self.patience(), "the state of the stream", answer).await
    }

    /// Creates a stream, or changes it.
    pub(super) async fn apply(&self, config: &StreamConfig) -> Outcome<StreamChange> {
        Ok(self.try_apply(config).await??)
    }

    pub(super) async fn try_apply(
        &self,
        config: &StreamConfig,
    ) -> Outcome<Result<StreamChange, Error>> {
        let answer = self.transport.apply_stream(config);
        within(self.patience(), "the answer to applying a stream", answer).await
    }

    /// How many copies the streams of this case have.
    pub(super) fn copies(&self) -> u8 {
        self.settings.replicas
    }

    /// The stream has so many consumers. Where several servers keep it, it soon will:
    /// another one may have created them than the one that counts.
    pub(super) async fn has_consumers(&self, wanted: usize) -> Outcome {
        if self.copies() > 1 {
            return self.comes_to_have_consumers(wanted).await;
        }
        ensure_eq!(self.state().await?.consumers, wanted, "consumers");
        Ok(())
    }

    /// The stream has so many consumers, or soon will.
    pub(super) async fn comes_to_have_consumers(&self, wanted: usize) -> Outcome {
        let what = format!("a stream with {wanted} consumers");
        self.eventually(&what, async |rig: Self| {
            Ok((rig.state().await?.consumers == wanted).then_some(()))
        })
        .await
    }

    /// The streams that store some of `relative`.
    pub(super) async fn streams_for(&self, relative: &str) -> Outcome<Vec<Text>> {
        Ok(self.try_streams_for(relative).await??)
    }

    pub(super) async fn try_streams_for(
        &self,
        relative: &str,
    ) -> Outcome<Result<Vec<Text>, Error>> {
        let pattern = self.pattern(relative)?;
        let answer = self.transport.streams_for(&pattern);
        within(self.patience(), "the streams for a pattern", answer).await
    }

    /// Creates a durable, or changes it.
    pub(super) async fn apply_consumer(&self, config: &ConsumerConfig) -> Outcome<ConsumerChange> {
        Ok(self.try_apply_consumer(config).await??)
    }

    pub(super) async fn try_apply_consumer(
        &self,
        config: &ConsumerConfig,
    ) -> Outcome<Result<ConsumerChange, Error>> {
        let answer = self.transport.apply_consumer(&self.stream, config);
        within(self.patience(), "applying a consumer", answer).await
    }

    /// What the consumer `name` of this case is, and where.
    pub(super) async fn consumer_info(&self, name: &str) -> Outcome<Result<ConsumerInfo, Error>> {
        let name = self.consumer_name(name);
        let answer = self.transport.consumer_info(&self.stream, &name);
        within(self.patience(), "the info of a consumer", answer).await
    }

    /// The consumers of the stream, by the names of this case.
    pub(super) async fn list_consumers(&self) -> Outcome<Result<Vec<ConsumerInfo>, Error>> {
        let answer = self.transport.list_consumers(&self.stream);
        within(self.patience(), "the list of consumers", answer).await
    }

    /// Pauses the consumer `name` of this case, or lets it go on.
    pub(super) async fn pause_consumer(
        &self,
        name: &str,
        until: Option<Timestamp>,
    ) -> Outcome<Result<(), Error>> {
        let name = self.consumer_name(name);
        let answer = self.transport.pause_consumer(&self.stream, &name, until);
        within(self.patience(), "the pause of a consumer", answer).await
    }

    /// Resets the consumer `name` of this case.
    pub(super) async fn reset_consumer(
        &self,
        name: &str,
        sequence: u64,
    ) -> Outcome<Result<(), Error>> {
        let name = self.consumer_name(name);
        let answer = self.transport.reset_consumer(&self.stream, &name, sequence);
        within(self.patience(), "the reset of a consumer", answer).await
    }

    /// Removes the consumer `name` of this case.
    pub(super) async fn delete_consumer(&self, name: &str) -> Outcome<Result<(), Error>> {
        let name = self.consumer_name(name);
        let answer = self.transport.delete_consumer(&self.stream, &name);
        within(self.patience(), "the deletion of a consumer", answer).await
    }

    pub(super) async fn drain(&self, time: Duration) -> Outcome<Result<Drained, Error>> {
        within(self.patience(), "draining", self.transport.drain(time)).await
    }

    pub(super) async fn close(&self) -> Outcome<Result<(), Error>> {
        within(self.patience(), "closing", self.transport.close()).await
    }

    /// Asks until the answer is there: for what a transport does in its own time.
    pub(super) async fn eventually<T, F>(
        &self,
        what: &str,
        mut ask: impl FnMut(Self) -> F,
    ) -> Outcome<T>
    where
        F: Future<Output = Outcome<Option<T>>>,
    {
        let asking = async {
            let mut pace = tokio::time::interval(Duration::from_millis(10));
            loop {
                pace.tick().await;
                if let Some(answer) = ask(self.clone()).await? {
                    return Ok(answer);
                }
            }
        };
        within(self.patience(), what, asking).await?
    }
}

/// The sequence that a transport which stores has to name.
#[track_caller]
pub(super) fn sequence(stored: &Stored) -> Outcome<u64> {
    stored
        .sequence
        .ok_or_else(|| Failure::new(format!("the confirmation has no sequence: {stored:?}")))
}
