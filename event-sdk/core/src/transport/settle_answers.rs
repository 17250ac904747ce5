//! `SettleCompletions`: joins the results of several settlements into one future.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use super::{Completion, Error, Unsettled};

/// Joins the completions of a batch's settlements into one [`Completion`], for transports. A
/// completion that is already `Ok` takes no memory.
#[derive(Debug, Default)]
pub struct SettleCompletions {
    of: usize,
    failed: Vec<(usize, Error)>,
    waiting: Vec<(usize, Completion<Result<(), Error>>)>,
}

impl SettleCompletions {
    /// Starts a batch of `of` deliveries.
    #[must_use]
    pub fn new(of: usize) -> Self {
        Self {
            of,
            ..Self::default()
        }
    }

    /// Adds the completion of the delivery at index `place` of the batch.
    pub fn add(&mut self, place: usize, answer: Completion<Result<(), Error>>) {
        match answer.try_into_ready() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.failed.push((place, error)),
            Err(answer) => self.waiting.push((place, answer)),
        }
    }

    /// Returns the joined completion, which is ready when all completions are.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries that were not settled.
    pub fn answer(self) -> Completion<Result<(), Unsettled>> {
        let Self {
            of,
            mut failed,
            mut waiting,
        } = self;
        if waiting.is_empty() {
            return Completion::ready(Unsettled::check(failed, of));
        }
        Completion::later(async move {
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
