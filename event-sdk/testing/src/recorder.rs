//! `Recorder`: an intercept that notes every message which a stream has stored.

mod record;

pub(crate) use record::Record;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use event_sdk::Subject;
use event_sdk::codec::Codec;
use event_sdk::headers::Headers;
use event_sdk::text::Text;
use event_sdk::transport::{
    Body, Completion, Confirmation, Error, PublishRequest, Stored, SubscribeRequest, Subscription,
    Transport,
};

use crate::intercept::Intercept;

/// The messages that were stored, in order, over all connections of a test bus.
pub(crate) struct Log {
    codec: Arc<dyn Codec>,
    entries: Mutex<Vec<Arc<Record>>>,
    /// Stream and name of each durable or group that was subscribed to, in order.
    subscriptions: Mutex<Vec<(Text, String)>>,
}

impl Log {
    pub(crate) fn new(codec: Arc<dyn Codec>) -> Self {
        Self {
            codec,
            entries: Mutex::default(),
            subscriptions: Mutex::default(),
        }
    }

    /// All records so far.
    pub(crate) fn records(&self) -> Vec<Arc<Record>> {
        self.lock().clone()
    }

    /// Number of records so far.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Number of subscriptions of durables and groups so far.
    pub(crate) fn subscriptions(&self) -> usize {
        self.subscribed().len()
    }

    /// Stream and name of each consumer that was subscribed to since then.
    pub(crate) fn consumers_since(&self, first: usize) -> BTreeSet<(Text, String)> {
        self.subscribed().iter().skip(first).cloned().collect()
    }

    fn subscribed(&self) -> MutexGuard<'_, Vec<(Text, String)>> {
        let subscriptions = self.subscriptions.lock();
        subscriptions.unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, draft: Draft, stored: &Stored) {
        // The stream has the message already: it is not a second event.
        if stored.duplicate {
            return;
        }
        let mut entries = self.lock();
        let number = entries.len() + 1;
        let envelope = self.codec.decode(&draft.body, &draft.headers);
        entries.push(Arc::new(Record::new(number, draft, stored, envelope)));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Record>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().iter()).finish()
    }
}

/// A message before its stream has confirmed it.
pub(crate) struct Draft {
    pub(crate) subject: Subject,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// Notes what is stored through one connection.
#[derive(Debug)]
pub(crate) struct Recorder(pub(crate) Arc<Log>);

impl Intercept for Recorder {
    fn subscribe(
        &self,
        inner: &dyn Transport,
        request: SubscribeRequest,
    ) -> Completion<Result<Subscription, Error>> {
        if let Some(name) = request.config.name.as_str() {
            let consumer = (request.stream.clone(), name.to_owned());
            self.0.subscribed().push(consumer);
        }
        inner.subscribe(request)
    }

    fn publish(
        &self,
        inner: &dyn Transport,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        // The test bus hands no values over, so every event is encoded.
        let Body::Encoded(body) = &message.body else {
            return inner.publish(message);
        };
        let draft = Draft {
            subject: message.subject.clone(),
            headers: message.headers.clone(),
            body: body.clone(),
        };
        let log = Arc::clone(&self.0);
        match inner.publish(message).try_into_ready() {
            Ok(Ok(confirmation)) => Completion::ready(Ok(noted(confirmation, draft, log))),
            Ok(Err(error)) => Completion::ready(Err(error)),
            Err(accepting) => {
                Completion::later(async move { Ok(noted(accepting.await?, draft, log)) })
            }
        }
    }
}

/// Notes the message when it is confirmed: at once where the transport knows at once.
fn noted(confirmation: Confirmation, draft: Draft, log: Arc<Log>) -> Confirmation {
    match confirmation.try_into_ready() {
        Ok(result) => {
            if let Ok(stored) = &result {
                log.add(draft, stored);
            }
            Completion::ready(result)
        }
        Err(confirmation) => Completion::later(async move {
            let result = confirmation.await;
            if let Ok(stored) = &result {
                log.add(draft, stored);
            }
            result
        }),
    }
}
