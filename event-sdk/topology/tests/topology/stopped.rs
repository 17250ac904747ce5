//! A topology whose application is stopped at every request is completed by the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_sdk::EventBus;
use event_sdk::transport::{Completion, Error, Transport as _};
use event_sdk_testing::intercept::{Intercept, Intercepted};
use event_sdk_topology::ApplyError;

use crate::support::{Place, SHOP, bus};

/// Lets so many requests that change something through, and then nothing more: the next one may or
/// may not be done, and nobody hears of it.
#[derive(Debug)]
struct StopsAfter {
    left: AtomicUsize,
    does_the_last: bool,
}

impl Intercept for StopsAfter {
    fn call<T: Send + 'static>(
        &self,
        name: &'static str,
        make: impl FnOnce() -> Completion<Result<T, Error>>,
    ) -> Completion<Result<T, Error>> {
        if name.rsplit('.').next() != Some("apply") {
            return make();
        }
        let left = self.left.load(Ordering::Relaxed);
        if left > 0 {
            self.left.store(left - 1, Ordering::Relaxed);
            return make();
        }
        let operation = event_sdk::transport::Operation::Manage;
        if self.does_the_last {
            let done = make();
            return Completion::later(async move {
                drop(done.await);
                Err(Error::closed(operation))
            });
        }
        Completion::ready(Err(Error::closed(operation)))
    }
}

#[tokio::test]
async fn each_stop_is_made_good() {
    // Four streams, a bucket, three durables.
    for left in 0..8 {
        for does_the_last in [false, true] {
            let place = Place::memory();
            let left = AtomicUsize::new(left);
            let stops = StopsAfter {
                left,
                does_the_last,
            };
            let inner = Arc::clone(place.bus.transport());
            let stopped: EventBus = bus(Intercepted::new(inner, stops));
            let error = SHOP.apply(&stopped).await.unwrap_err();
            assert!(matches!(error, ApplyError::Failed(_)), "{error}");
            SHOP.apply(&place.other).await.unwrap();
            let plan = SHOP.plan(&place.other).await.unwrap();
            assert!(plan.is_empty(), "{plan}");
            let streams = place.bus.transport().stream_admin().unwrap();
            let names = streams
                .find(&event_sdk::Pattern::everything())
                .await
                .unwrap();
            assert_eq!(names.len(), 4, "{names:?}");
        }
    }
}
