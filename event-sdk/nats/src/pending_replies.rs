//! `PendingReplies`: requests and publishes that await a reply, by the token in the reply
//! subject.

mod reply_token;
mod resend;

pub(super) use self::reply_token::ReplyToken;
pub(super) use self::resend::{Extra, Resend};

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_nats::StatusCode;
use bytes::Bytes;

/// Everything that waits for an answer.
///
/// A slot is used again and again, each time with another generation, so that
/// a late answer finds no pending reply.
#[derive(Debug, Default)]
pub(super) struct PendingReplies {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) payload: Bytes,
    pub(super) status: Option<StatusCode>,
}

/// Why there is no answer, and will be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoReply {
    /// None came in time.
    Late,
    /// The server does not allow publishing to this subject.
    Denied,
    /// The server does not allow subscribing to where answers come.
    Deaf,
    /// The transport was closed.
    Closed,
    /// The message was not taken by the client after all.
    NotSent,
}

impl Reply {
    pub(super) fn is_no_responders(&self) -> bool {
        self.status == Some(StatusCode::NO_RESPONDERS)
    }
}

/// Something that waits.
#[derive(Debug)]
pub(super) struct PendingReply {
    /// Where the question was sent.
    pub(super) subject: async_nats::Subject,
    /// The connection that it counts for, if it is counted.
    pub(super) counted: Option<u32>,
    /// The place in the order of what was handed over.
    pub(super) number: u64,
    /// When it was sent.
    pub(super) since: Instant,
    /// Whether the answer is still awaited.
    wanted: bool,
    /// How it is sent again if its connection is lost.
    resend: Option<Resend>,
    waker: Option<Waker>,
}

impl PendingReply {
    pub(super) fn new(
        subject: async_nats::Subject,
        counted: Option<u32>,
        number: u64,
        since: Instant,
        wanted: bool,
    ) -> Self {
        Self {
            subject,
            counted,
            number,
            since,
            wanted,
            resend: None,
            waker: None,
        }
    }

    /// It may be sent again over the next connection.
    pub(super) fn resend(mut self, resend: Option<Resend>) -> Self {
        self.resend = resend;
        self
    }
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Free,
    Waiting(PendingReply),
    Answered(Result<Reply, NoReply>),
}

impl PendingReplies {
    /// Begins to wait.
    pub(super) fn open(&mut self, wait: PendingReply) -> ReplyToken {
        let content = Content::Waiting(wait);
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(index as usize)
        {
            slot.content = content;
            return ReplyToken {
                index,
                generation: slot.generation,
            };
        }
        // As many as messages in flight: far from the end of an u32.
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot {
            generation: 0,
            content,
        });
        ReplyToken {
            index,
            generation: 0,
        }
    }

    /// Gives the answer to who waits for it. What waited, if it waited still;
    /// its waker is to be woken.
    pub(super) fn answer(
        &mut self,
        token: ReplyToken,
        answer: Result<Reply, NoReply>,
    ) -> Option<(PendingReply, Option<Waker>)> {
        let slot = self.slot(token)?;
        match std::mem::replace(&mut slot.content, Content::Free) {
            Content::Waiting(mut wait) => {
                let waker = wait.waker.take();
                if wait.wanted {
                    slot.content = Content::Answered(answer);
                } else {
                    self.release(token);
                }
                Some((wait, waker))
            }
            // A second answer, of two streams that store the same subject.
            other => {
                slot.content = other;
                None
            }
        }
    }

    /// The answer, if it is there; otherwise `cx` is woken when it is.
    pub(super) fn poll(
        &mut self,
        token: ReplyToken,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Reply, NoReply>> {
        let Some(slot) = self.slot(token) else {
            return Poll::Pending;
        };
        match std::mem::replace(&mut slot.content, Content::Free) {
            Content::Answered(answer) => {
                self.release(token);
                Poll::Ready(answer)
            }
            Content::Waiting(mut wait) => {
                match &mut wait.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                slot.content = Content::Waiting(wait);
                Poll::Pending
            }
            Content::Free => Poll::Pending,
        }
    }

    /// Nobody wants the answer any more; it is awaited all the same.
    pub(super) fn abandon(&mut self, token: ReplyToken) {
        let Some(slot) = self.slot(token) else {
            return;
        };
        match &mut slot.content {
            Content::Waiting(wait) => {
                wait.wanted = false;
                wait.waker = None;
            }
            Content::Answered(_) => self.release(token),
            Content::Free => {}
        }
    }

    /// The question was sent somewhere else.
    pub(super) fn redirect(&mut self, token: ReplyToken, subject: async_nats::Subject) {
        if let Some(slot) = self.slot(token)
            && let Content::Waiting(wait) = &mut slot.content
        {
            wait.subject = subject;
        }
    }

    /// What waits and `which` holds of.
    pub(super) fn waiting(&self, which: impl Fn(&PendingReply) -> bool) -> Vec<ReplyToken> {
        let slots = (0..).zip(&self.slots);
        slots
            .filter_map(|(index, slot)| match &slot.content {
                Content::Waiting(wait) if which(wait) => Some(ReplyToken {
                    index,
                    generation: slot.generation,
                }),
                _ => None,
            })
            .collect()
    }

    /// What waits, may be sent again, and counts for another connection than this one, in the
    /// order in which it was handed over.
    pub(super) fn lost(&self, connection: u32) -> Vec<(u64, ReplyToken)> {
        let lost = self.waiting(|wait| {
            wait.resend.is_some() && wait.counted.is_some_and(|counted| counted != connection)
        });
        let number = |token: ReplyToken| match &self.slots.get(token.index as usize)?.content {
            Content::Waiting(wait) => Some((wait.number, token)),
            _ => None,
        };
        let mut lost: Vec<_> = lost.into_iter().filter_map(number).collect();
        lost.sort_unstable_by_key(|(number, _)| *number);
        lost
    }

    /// Counts it for this connection, over which it is sent again: its subject, and how.
    pub(super) fn move_to(
        &mut self,
        token: ReplyToken,
        connection: u32,
    ) -> Option<(async_nats::Subject, Resend)> {
        match &mut self.slot(token)?.content {
            Content::Waiting(wait) => {
                let resend = wait.resend.clone()?;
                wait.counted = Some(connection);
                Some((wait.subject.clone(), resend))
            }
            _ => None,
        }
    }

    /// What has waited for longer than `limit`, or than `unwanted` if nobody
    /// wants the answer any more. Who asks without being counted has a limit of
    /// their own.
    pub(super) fn overdue(
        &self,
        now: Instant,
        limit: Duration,
        unwanted: Duration,
    ) -> Vec<ReplyToken> {
        self.waiting(|wait| {
            let limit = match (wait.wanted, wait.counted) {
                (false, _) => unwanted,
                (true, Some(_)) => limit,
                (true, None) => return false,
            };
            now.saturating_duration_since(wait.since) >= limit
        })
    }

    fn slot(&mut self, token: ReplyToken) -> Option<&mut Slot> {
        self.slots
            .get_mut(token.index as usize)
            .filter(|slot| slot.generation == token.generation)
    }

    fn release(&mut self, token: ReplyToken) {
        if let Some(slot) = self.slot(token) {
            slot.content = Content::Free;
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(token.index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(wanted: bool) -> PendingReply {
        PendingReply::new("subject".into(), Some(0), 1, Instant::now(), wanted)
    }

    fn reply(text: &'static str) -> Reply {
        Reply {
            payload: Bytes::from_static(text.as_bytes()),
            status: None,
        }
    }

    fn poll(
        pending_replies: &mut PendingReplies,
        token: ReplyToken,
    ) -> Poll<Result<Reply, NoReply>> {
        pending_replies.poll(token, &mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_answer_finds_who_waits_for_it() {
        let mut pending_replies = PendingReplies::default();
        let one = pending_replies.open(wait(true));
        let other = pending_replies.open(wait(true));
        assert!(poll(&mut pending_replies, one).is_pending());
        let (_, waker) = pending_replies.answer(one, Ok(reply("one"))).unwrap();
        assert!(waker.is_some());
        let Poll::Ready(Ok(answer)) = poll(&mut pending_replies, one) else {
            panic!("no answer");
        };
        assert_eq!(answer.payload, "one");
        assert!(poll(&mut pending_replies, other).is_pending());
    }

    #[test]
    fn a_late_answer_finds_nobody() {
        let mut pending_replies = PendingReplies::default();
        let first = pending_replies.open(wait(true));
        pending_replies.answer(first, Ok(reply("first")));
        assert!(poll(&mut pending_replies, first).is_ready());
        let second = pending_replies.open(wait(true));
        assert_eq!(second.index, first.index);
        assert!(pending_replies.answer(first, Ok(reply("late"))).is_none());
        assert!(poll(&mut pending_replies, second).is_pending());
        assert!(poll(&mut pending_replies, first).is_pending());
    }

    #[test]
    fn only_the_first_answer_counts() {
        let mut pending_replies = PendingReplies::default();
        let token = pending_replies.open(wait(true));
        assert!(pending_replies.answer(token, Ok(reply("first"))).is_some());
        assert!(pending_replies.answer(token, Ok(reply("second"))).is_none());
        let Poll::Ready(Ok(answer)) = poll(&mut pending_replies, token) else {
            panic!("no answer");
        };
        assert_eq!(answer.payload, "first");
    }

    #[test]
    fn what_nobody_wants_is_awaited_and_then_forgotten() {
        let mut pending_replies = PendingReplies::default();
        let dropped = pending_replies.open(wait(true));
        pending_replies.abandon(dropped);
        let never = pending_replies.open(wait(false));
        assert_eq!(pending_replies.waiting(|_| true), [dropped, never]);
        for token in [dropped, never] {
            assert!(pending_replies.answer(token, Ok(reply(""))).is_some());
        }
        assert_eq!(pending_replies.waiting(|_| true), []);
        assert_eq!(pending_replies.free.len(), 2);
    }

    #[test]
    fn an_answer_that_is_not_fetched_leaves_its_slot() {
        let mut pending_replies = PendingReplies::default();
        let token = pending_replies.open(wait(true));
        pending_replies.answer(token, Err(NoReply::Closed));
        pending_replies.abandon(token);
        assert_eq!(pending_replies.free.len(), 1);
        pending_replies.abandon(token);
        assert_eq!(pending_replies.free.len(), 1, "abandoned twice");
    }

    #[test]
    fn what_waits_too_long_is_found() {
        let mut pending_replies = PendingReplies::default();
        let token = pending_replies.open(wait(true));
        let now = Instant::now();
        let (limit, short) = (Duration::from_secs(10), Duration::from_secs(1));
        let overdue = |pending_replies: &PendingReplies, after| {
            pending_replies.overdue(now + after, limit, short)
        };
        assert_eq!(overdue(&pending_replies, short), []);
        assert_eq!(overdue(&pending_replies, limit), [token]);
        let unwanted = pending_replies.open(wait(false));
        assert_eq!(overdue(&pending_replies, 2 * short), [unwanted]);
        pending_replies.answer(token, Err(NoReply::Late));
        let mut question = wait(true);
        question.counted = None;
        pending_replies.open(question);
        assert_eq!(overdue(&pending_replies, 2 * limit), [unwanted]);
        assert!(matches!(
            poll(&mut pending_replies, token),
            Poll::Ready(Err(_))
        ));
    }
}
