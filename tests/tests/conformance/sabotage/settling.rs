//! Broken promises of settling.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::transport::{
    Completion, DeliveryInfo, Error, ErrorKind, Operation, Settle, SettleCompletions, Settlement,
    Settler, Unsettled as NotSettled,
};

use super::Sabotage;

/// The attempt of the last delivery of each message, by sequence.
#[derive(Debug, Default)]
pub(super) struct Settled(Mutex<HashMap<u64, u32>>);

/// A delivery that is not settled as its handler wants it to be.
pub(super) struct Unsettled {
    sabotage: Sabotage,
    settler: Settler,
    sequence: u64,
    attempt: u32,
    last: Arc<Settled>,
    settled: AtomicBool,
}

impl Unsettled {
    pub(super) fn new(
        sabotage: Sabotage,
        settler: Settler,
        info: &DeliveryInfo,
        last: Arc<Settled>,
    ) -> Self {
        let sequence = info.sequence.unwrap_or(0);
        last.0.lock().unwrap().insert(sequence, info.attempt);
        Self {
            sabotage,
            settler,
            sequence,
            attempt: info.attempt,
            last,
            settled: AtomicBool::new(false),
        }
    }

    fn is_late(&self) -> bool {
        self.last.0.lock().unwrap().get(&self.sequence) != Some(&self.attempt)
    }
}

impl Settle for Unsettled {
    fn settle(&self, _token: u64, settlement: Settlement) -> Completion<Result<(), Error>> {
        let second = self.settled.swap(true, Ordering::SeqCst);
        let nothing = || Completion::ready(Ok(()));
        match (self.sabotage, settlement) {
            (Sabotage::ForgetsAcks, Settlement::Ack)
            | (Sabotage::ForgetsConfirmedAcks, Settlement::AckConfirmed)
            | (Sabotage::ForgetsConfirmedTerms, Settlement::TermConfirmed(_))
            | (Sabotage::IgnoresInProgress, Settlement::InProgress) => nothing(),
            (Sabotage::ForgetsLateAcks, Settlement::Ack) if self.is_late() => nothing(),
            (Sabotage::PutsBackTheTerminated, Settlement::Term(_))
            | (Sabotage::IgnoresNakDelay, Settlement::Nak(_)) => {
                self.settler.settle(Settlement::Nak(Duration::ZERO))
            }
            (Sabotage::RefusesTheSecondSettlement, _) if second => {
                Completion::ready(Err(Error::new(
                    ErrorKind::Other,
                    Operation::Settle,
                    "the delivery was settled already",
                )))
            }
            (_, settlement) => self.settler.settle(settlement),
        }
    }

    fn settle_all(
        &self,
        deliveries: &[&Settler],
        settlement: &Settlement,
    ) -> Completion<Result<(), NotSettled>> {
        let (sabotage, of, first) = (self.sabotage, deliveries.len(), deliveries[0].clone());
        let (rest, settlement) = (deliveries[1..].iter(), settlement.clone());
        let rest: Vec<Settler> = rest.map(|settler| (*settler).clone()).collect();
        match sabotage {
            Sabotage::SettlesOnlyTheFirst => Completion::later(async move {
                let settled = first.settle(settlement).await;
                NotSettled::check(
                    settled.err().map(|error| (0, error)).into_iter().collect(),
                    of,
                )
            }),
            Sabotage::EndsABatchAtTheFirstError | Sabotage::HidesTheUnsettled => {
                Completion::later(async move {
                    let mut failed = Vec::new();
                    for (place, settler) in std::iter::once(first).chain(rest).enumerate() {
                        match settler.settle(settlement.clone()).await {
                            Err(_) if sabotage == Sabotage::HidesTheUnsettled => {}
                            Ok(()) => {}
                            Err(error) => {
                                failed.push((place, error));
                                break;
                            }
                        }
                    }
                    NotSettled::check(failed, of)
                })
            }
            _ => {
                let mut answers = SettleCompletions::new(of);
                for (place, settler) in deliveries.iter().enumerate() {
                    answers.add(place, settler.settle(settlement.clone()));
                }
                answers.answer()
            }
        }
    }
}
