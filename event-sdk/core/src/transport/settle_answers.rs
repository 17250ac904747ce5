//! The answers to settlements that were made together, as one.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use super::{Answer, Error, Unsettled};

/// The answers to the settlements of a batch, for a transport that gives one answer to
/// all of them. An answer that is known and no error takes no room.
#[derive(Debug, Default)]
pub struct SettleAnswers {
    of: usize,
    failed: Vec<(usize, Error)>,
    waiting: Vec<(usize, Answer<Result<(), Error>>)>,
}

impl SettleAnswers {
    /// For a batch of so many deliveries.
    #[must_use]
    pub fn new(of: usize) -> Self {
        Self {
            of,
            ..Self::default()
        }
    }

    /// The answer to the settlement of the delivery at `place` of the batch.
    pub fn add(&mut self, place: usize, answer: Answer<Result<(), Error>>) {
        match answer.try_into_ready() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.failed.push((place, error)),
            Err(answer) => self.waiting.push((place, answer)),
        }
    }

    /// The answer when all are known.
    ///
    /// # Errors
    ///
    /// The deliveries that were not settled.
    pub fn answer(self) -> Answer<Result<(), Unsettled>> {
        let Self {
            of,
            mut failed,
            mut waiting,
        } = self;
        if waiting.is_empty() {
            return Answer::ready(Unsettled::check(failed, of));
        }
        Answer::later(async move {
            poll_fn(|cx| {
                waiting.retain_mut(|(place, answer)| match Pin::new(answer).poll(cx) {
                    Poll::Pending => true,
                    Poll::Ready(Ok(())) => false,
                    Poll::Ready(Err(error)) => {
                        failed.push((*place, error));
                        false
                    }
                });
                if waiting.is_empty() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            Unsettled::check(failed, of)
        })
    }
}
