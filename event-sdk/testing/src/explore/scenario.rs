//! `Scenario`: the parts of a scenario, shared by all of its runs.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;

use crate::test_bus::{TestBus, TestBusBuilder};

/// A future of one run, which stays in its thread.
pub(super) type Running<T> = Pin<Box<dyn Future<Output = T>>>;
type Service<W> = Arc<dyn Fn(EventBus, Arc<W>) -> Running<String> + Send + Sync>;
pub(super) type Check<W> = Arc<dyn Fn(&W, &TestBus) + Send + Sync>;

/// What all runs of a scenario share.
pub(super) struct Scenario<W> {
    pub(super) world: Arc<dyn Fn() -> W + Send + Sync>,
    /// Answers what the service has returned, as text.
    pub(super) service: Service<W>,
    pub(super) given: Arc<dyn Fn(EventBus) -> Running<()> + Send + Sync>,
    pub(super) bus: Arc<dyn Fn(TestBusBuilder) -> TestBusBuilder + Send + Sync>,
    pub(super) always: Vec<Check<W>>,
    pub(super) finally: Vec<Check<W>>,
    pub(super) within: Duration,
}

impl<W: 'static> Scenario<W> {
    pub(super) fn new<F, R>(
        world: impl Fn() -> W + Send + Sync + 'static,
        service: impl Fn(EventBus, Arc<W>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + 'static,
        R: fmt::Debug,
    {
        Self {
            world: Arc::new(world),
            service: Arc::new(move |bus, world| {
                let service = service(bus, world);
                Box::pin(async move { format!("{:?}", service.await) })
            }),
            given: Arc::new(|_| Box::pin(std::future::ready(()))),
            bus: Arc::new(|bus| bus),
            always: Vec::new(),
            finally: Vec::new(),
            within: Duration::from_secs(3600),
        }
    }

    pub(super) fn given<F>(&mut self, given: impl Fn(EventBus) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.given = Arc::new(move |bus| Box::pin(given(bus)));
    }

    pub(super) fn on_bus(
        &mut self,
        bus: impl Fn(TestBusBuilder) -> TestBusBuilder + Send + Sync + 'static,
    ) {
        self.bus = Arc::new(bus);
    }

    pub(super) fn always(&mut self, check: impl Fn(&W, &TestBus) + Send + Sync + 'static) {
        self.always.push(Arc::new(check));
    }

    pub(super) fn finally(&mut self, check: impl Fn(&W, &TestBus) + Send + Sync + 'static) {
        self.finally.push(Arc::new(check));
    }

    pub(super) fn within(&mut self, time: Duration) {
        self.within = time;
    }
}

/// Not derived, which would ask it of the world.
impl<W> Clone for Scenario<W> {
    fn clone(&self) -> Self {
        Self {
            world: Arc::clone(&self.world),
            service: Arc::clone(&self.service),
            given: Arc::clone(&self.given),
            bus: Arc::clone(&self.bus),
            always: self.always.clone(),
            finally: self.finally.clone(),
            within: self.within,
        }
    }
}
