//! RustStream: a handler on a JetStream consumer of `ruststream-nats`, run by an app of its own.
//!
//! Its handler returns, and the framework decodes before it and acknowledges after it.

use std::hint::black_box;

use ruststream_nats::prelude::{
    AppInfo, Context, Handle, HandlerOutcome, JetStreamSubject, NatsBroker, RustStream, subscriber,
};

use super::{Future, Handled, Running, Setting, Stream};
use crate::events::{BookingMade, ByHand};

pub(crate) fn start<'a>(
    setting: &'a Setting,
    stream: &'a Stream,
    durable: &'a str,
    handled: Handled,
) -> Future<'a, Running> {
    Box::pin(async move {
        let broker = NatsBroker::new(setting.url());
        let subject = JetStreamSubject::new(stream.subject.clone(), stream.name.clone());
        let subject = subject.durable(durable.to_owned());
        let app = RustStream::new(AppInfo::new("bench", "0.1.0")).with_broker(broker, |broker| {
            broker.include(subscriber(subject, Handler(handled)).build());
        });
        let app = app.start().await.expect("it starts");
        let stop: Running = Box::new(|| {
            Box::pin(async move {
                app.shutdown().await.expect("it stops");
            })
        });
        stop
    })
}

struct Handler(Handled);

impl Handle<ByHand<BookingMade>> for Handler {
    async fn handle(
        &self,
        envelope: &ByHand<BookingMade>,
        _: &(),
        _: &mut Context<'_>,
    ) -> Result<(), HandlerOutcome> {
        black_box(&envelope.data);
        (self.0)();
        Ok(())
    }
}
