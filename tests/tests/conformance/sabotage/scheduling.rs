//! Broken promises of schedules.

use std::sync::atomic::{AtomicU64, Ordering};

use event_sdk::headers::Headers;
use event_sdk::transport::{
    CancelRequest, Cancellation, Capability, Completion, Error, ErrorKind, Operation,
    ScheduleRequest, Scheduled, ScheduledMessage, Scheduler, Transport, TransportExt as _,
};
use jiff::Timestamp;

use super::{Broken, Sabotage, blurred, only_pretended};

const PRETENDED: Sabotage = Sabotage::Pretends(Capability::Scheduler);

/// How many schedules had a key of their own.
static KEYS: AtomicU64 = AtomicU64::new(0);

impl<T: Transport> Broken<T> {
    /// Why nothing is scheduled, cancelled or listed now.
    fn refuses_schedules(&self) -> Result<(), Error> {
        if self.is(PRETENDED) {
            return Err(only_pretended(Capability::Scheduler, Operation::Schedule));
        }
        let draining = self.draining.load(Ordering::Relaxed);
        if draining && self.is(Sabotage::RefusesToScheduleWhileDraining) {
            return Err(Error::draining(Operation::Schedule));
        }
        Ok(())
    }
}

impl<T: Transport> Scheduler for Broken<T> {
    fn schedule(&self, mut request: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        if let Err(error) = self.refuses_schedules() {
            return Completion::ready(Err(error));
        }
        match self.sabotage {
            Sabotage::FiresAtOnce if request.check().is_ok() => request.at = Timestamp::MIN,
            Sabotage::SchedulesNothing if request.check().is_ok() => {
                return Completion::ready(Ok(Scheduled::new(false)));
            }
            Sabotage::ReplacesNothing if request.check().is_ok() => {
                let number = KEYS.fetch_add(1, Ordering::Relaxed);
                request.key = format!("{}.{number}", request.key).into();
            }
            Sabotage::DropsScheduledHeaders => request.headers = Headers::new(),
            _ => {}
        }
        let (scheduled, sabotage) = (self.inner.schedule_message(request), self.sabotage);
        Completion::later(async move {
            match (sabotage, scheduled.await) {
                (Sabotage::CallsEachScheduleAReplacement, Ok(_)) => Ok(Scheduled::new(true)),
                (Sabotage::ConfirmsSchedulesThatCannotBe, Err(error))
                    if *error.kind() != ErrorKind::Closed =>
                {
                    Ok(Scheduled::new(false))
                }
                (_, scheduled) => scheduled.map_err(|error| blurred(sabotage, error)),
            }
        })
    }

    fn cancel(&self, request: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        if let Err(error) = self.refuses_schedules() {
            return Completion::ready(Err(error));
        }
        if self.is(Sabotage::CancelsNothing) && request.check().is_ok() {
            return Completion::ready(Ok(Cancellation::InTime));
        }
        let (cancelled, sabotage) = (self.inner.cancel_schedule(request), self.sabotage);
        Completion::later(async move {
            match (sabotage, cancelled.await) {
                (Sabotage::CallsEachCancellationInTime, Ok(_)) => Ok(Cancellation::InTime),
                (_, cancelled) => cancelled.map_err(|error| blurred(sabotage, error)),
            }
        })
    }

    fn list(&self, stream: &str, prefix: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        if let Err(error) = self.refuses_schedules() {
            return Completion::ready(Err(error));
        }
        let all =
            self.is(Sabotage::ListsAllSchedules) && CancelRequest::check_prefix(prefix).is_ok();
        let listed = self
            .inner
            .list_schedules(stream, if all { "" } else { prefix });
        let sabotage = self.sabotage;
        Completion::later(async move {
            let mut listed = listed.await.map_err(|error| blurred(sabotage, error))?;
            if sabotage == Sabotage::ListsFewSchedules {
                listed.truncate(100);
            }
            Ok(listed)
        })
    }
}
