//! `NatsSubscription`: polls the inbox, sends pull requests, starts recovery, and returns items
//! to the subscriber.

mod items;

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::FutureExt;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep};

use super::exhausted::Reports;
use super::gaps::{Found, Gaps};
use super::pace::Pace;
use super::pull::SILENCE;
use super::pull_loop::{ConsumerSignal, PullLoop};
use super::recovery::{Cause, Recovered, Recovery, RecoveryState};
use super::status::{Left, Status};
use super::subjects::Subjects;
use super::went_back;
use crate::receiver::LinkWatch;
use event_sdk_core::transport::{ConsumerConfig, Error, ErrorKind, Incoming, NoticeKind, WentBack};

/// A subscription: the stream of what a consumer has for it.
///
/// It asks for messages when it is polled, and has no task of its own. Where
/// something is amiss it is mended step by step, each step a future that is
/// polled here too.
pub(super) struct NatsSubscription {
    pull_loop: Arc<PullLoop>,
    config: Arc<ConsumerConfig>,
    subjects: Subjects,
    reports: Option<Reports>,
    gaps: Gaps,
    /// A look whether the stream went back; nothing is returned meanwhile.
    looking_back: Option<LookingBack>,
    /// The stream went back, which was told.
    went_back: Option<WentBack>,
    recovering: Option<(Cause, Trying)>,
    outage: Option<RecoveryState>,
    /// The connection for deliveries, on which everything was asked for.
    link: LinkWatch,
    /// Ready when there is another.
    reconnected: Pin<Box<dyn Future<Output = LinkWatch> + Send>>,
    /// Ready when the server denies what it takes to receive.
    denied: Denied,
    /// Runs out when nothing was heard for too long.
    silence: Pin<Box<Sleep>>,
    /// Whether something was heard since that began to run.
    heard: bool,
    /// Requests that ended at once.
    pace: Pace,
    /// How many items were handed out since a look at reports and denials.
    unlooked: u32,
    over: bool,
}

pub(super) type Denied = Pin<Box<dyn Future<Output = Error> + Send>>;

type LookingBack = Pin<Box<dyn Future<Output = Result<Option<WentBack>, Error>> + Send>>;

type Trying = Pin<Box<dyn Future<Output = Recovered> + Send>>;

/// How a poll goes on.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every step is a message, and a box would be an allocation for each"
)]
enum Step {
    /// With an item for the caller.
    Item(Incoming),
    /// With an error, after which nothing comes; one that says no more than that the
    /// transport is drained or closed is not told.
    Over(Error),
}

/// How many messages are handed out before there is a look at reports and denials.
const LOOK_AFTER: u32 = 256;

/// The longest silence is that many times the shortest: where the server does
/// not answer, it is asked more and more rarely.
const LONGEST_SILENCE: u32 = 3;

impl NatsSubscription {
    pub(super) fn new(
        pull_loop: Arc<PullLoop>,
        config: Arc<ConsumerConfig>,
        reports: Option<Reports>,
        gaps: Gaps,
        denied: Denied,
    ) -> Self {
        let link = pull_loop.ack_context.context.receiver().link();
        Self {
            reconnected: Box::pin(link.clone().reconnected()),
            link,
            denied,
            pull_loop,
            config,
            subjects: Subjects::new(),
            reports,
            gaps,
            looking_back: None,
            went_back: None,
            recovering: None,
            outage: None,
            silence: Box::pin(sleep(SILENCE)),
            heard: true,
            pace: Pace::default(),
            unlooked: 0,
            over: false,
        }
    }

    /// Whether the server has denied nothing so far.
    pub(super) fn check_allowed(&mut self) -> Result<(), Error> {
        match self.denied.as_mut().now_or_never() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Looks whether the consumer lies beyond the end of its stream, if that may be asked. Nothing is
    /// returned until the answer is there.
    fn look_back(&mut self) {
        if let Some(consumer) = self.gaps.asked() {
            let ack_context = Arc::clone(&self.pull_loop.ack_context);
            self.looking_back = Some(Box::pin(went_back::look(ack_context, consumer)));
        }
    }

    /// Ready with a step if the stream went back, or else when it is known that it did not.
    fn poll_back(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        if let Some(back) = self.went_back {
            let WentBack { position, last, .. } = back;
            let error = self.error(
                ErrorKind::StreamWentBack { position, last },
                "the stream went back to an older state, and its new messages up to the position of the consumer would not be delivered; compare stream and consumer and repair the consumer, or delete it to start again",
            );
            return Poll::Ready(Some(Step::Over(error)));
        }
        if self.gaps.take_beyond() && self.looking_back.is_none() {
            self.look_back();
        }
        let Some(looking) = &mut self.looking_back else {
            return Poll::Ready(None);
        };
        if self.pull_loop.poll_ended(cx).is_ready() {
            return Poll::Ready(Some(Step::Over(self.closed())));
        }
        if let Poll::Ready(error) = self.denied.as_mut().poll(cx) {
            return Poll::Ready(Some(Step::Over(error)));
        }
        let looked = ready!(looking.as_mut().poll(cx));
        self.looking_back = None;
        let back = looked.unwrap_or_else(|error| {
            tracing::debug!(target: crate::TRACING_TARGET, stream = %self.pull_loop.ack_context.stream, %error, "it is not known whether the stream went back");
            None
        });
        self.went_back = back;
        Poll::Ready(back.map(|back| self.notice(NoticeKind::WentBack(back))))
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Some(step) = ready!(self.poll_back(cx)) {
            return Poll::Ready(step);
        }
        if self.unlooked >= LOOK_AFTER {
            if let Poll::Ready(error) = self.denied.as_mut().poll(cx) {
                return Poll::Ready(Step::Over(error));
            }
            if let Poll::Ready(step) = self.poll_reports(cx) {
                return Poll::Ready(step);
            }
            if let Poll::Ready(step) = self.poll_gaps(false, cx) {
                return Poll::Ready(step);
            }
        }
        if self.gaps.is_due()
            && let Poll::Ready(step) = self.poll_gaps(false, cx)
        {
            return Poll::Ready(step);
        }
        if let Some(gap) = self.gaps.next() {
            return Poll::Ready(self.notice(NoticeKind::Gap(gap)));
        }
        loop {
            if self.gaps.doubts() {
                if self.pull_loop.poll_ended(cx).is_ready() {
                    return Poll::Ready(Step::Over(self.closed()));
                }
                if let Poll::Ready(error) = self.denied.as_mut().poll(cx) {
                    return Poll::Ready(Step::Over(error));
                }
                if let Some(gap) = ready!(self.gaps.poll_doubt(cx)) {
                    return Poll::Ready(self.notice(NoticeKind::Gap(gap)));
                }
            }
            let asks = self.recovering.is_none() && self.link.is_same();
            match self.pull_loop.poll(asks, cx) {
                Poll::Ready(came) => {
                    if let Some(step) = self.take(came) {
                        return Poll::Ready(step);
                    }
                }
                Poll::Pending => {
                    if let Some(step) = ready!(self.wait(cx)) {
                        return Poll::Ready(step);
                    }
                }
            }
        }
    }

    fn take(&mut self, came: ConsumerSignal) -> Option<Step> {
        match came {
            ConsumerSignal::Message(message, reply, ack_pending) => {
                self.hear();
                self.pace.served();
                self.unlooked = self.unlooked.saturating_add(1);
                let found = self.gaps.delivered(&reply);
                if found != Found::Nothing {
                    self.pull_loop.keep_behind((message, reply, ack_pending));
                    return found.gap().map(|gap| self.notice(NoticeKind::Gap(gap)));
                }
                return Some(self.received(&message, reply, ack_pending));
            }
            ConsumerSignal::Behind(message, reply, ack_pending) => {
                return Some(self.received(&message, reply, ack_pending));
            }
            ConsumerSignal::Skipped(reply) => {
                self.hear();
                self.unlooked = self.unlooked.saturating_add(1);
                let gap = self.gaps.delivered(&reply).gap()?;
                return Some(self.notice(NoticeKind::Gap(gap)));
            }
            ConsumerSignal::Unreadable(message) => {
                self.hear();
                let reply = message.reply.as_deref().unwrap_or_default();
                let error = self.error(
                    ErrorKind::Other,
                    format!(
                        "a delivery of {} has a reply subject that is none of JetStream's: {reply}",
                        message.subject_text()
                    ),
                );
                return Some(self.notice(NoticeKind::Unreadable {
                    sequence: None,
                    error,
                }));
            }
            ConsumerSignal::Status(status) => return self.take_status(status),
            ConsumerSignal::Nothing => self.hear(),
            ConsumerSignal::Ended => return Some(Step::Over(self.closed())),
            ConsumerSignal::Disconnected => return Some(Step::Over(self.disconnected())),
        }
        None
    }

    fn take_status(&mut self, status: Status) -> Option<Step> {
        if self.pace.hear(&status, std::time::Instant::now()) {
            self.recovery(Cause::Unserved);
        }
        match status {
            Status::Waiting | Status::Ended(Left::Of(_)) | Status::TooLarge { .. } => self.hear(),
            Status::AtMost(_) | Status::NotLonger(_) | Status::BytesAtMost(_) => {}
            Status::Ended(Left::All) | Status::Crowded => self.recovery(Cause::Unserved),
            Status::Nobody => self.recovery(Cause::Nobody),
            Status::Deleted => self.recovery(Cause::Deleted),
            Status::Refused(why) => {
                return Some(Step::Over(self.error(
                    ErrorKind::Other,
                    format!("the server refuses to serve this consumer: {why}"),
                )));
            }
        }
        None
    }

    /// All is well.
    fn hear(&mut self) {
        self.heard = true;
        if self.recovering.is_none() {
            self.outage = None;
        }
    }

    /// Begins to mend; what is being mended already is left to that.
    fn recovery(&mut self, cause: Cause) {
        if self.recovering.is_some() {
            return;
        }
        self.gaps.interrupted();
        let outage = self.outage.get_or_insert_with(RecoveryState::begin);
        let pause = match cause {
            // It has lasted long enough.
            Cause::Silence | Cause::Reconnected => {
                outage.next_pause();
                std::time::Duration::ZERO
            }
            Cause::Unserved | Cause::Nobody | Cause::Deleted => outage.next_pause(),
        };
        let recovering = Recovery {
            pull_loop: Arc::clone(&self.pull_loop),
            config: Arc::clone(&self.config),
            cause,
            outage: *outage,
            pause,
        };
        self.recovering = Some((cause, Box::pin(recovering.run())));
    }

    /// Where no message is there: ready when there is a step, or another look is
    /// to be taken (`None`).
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        if let Some((cause, recovering)) = &mut self.recovering
            && let Poll::Ready(recovered) = recovering.as_mut().poll(cx)
        {
            let cause = *cause;
            self.recovering = None;
            return Poll::Ready(self.recovered(cause, recovered));
        }
        if let Poll::Ready(step) = self.poll_reports(cx) {
            return Poll::Ready(Some(step));
        }
        let is_idle = self.recovering.is_none() && self.pull_loop.waits();
        if let Poll::Ready(step) = self.poll_gaps(is_idle, cx) {
            return Poll::Ready(Some(step));
        }
        self.watch(cx)
    }

    fn recovered(&mut self, cause: Cause, recovered: Recovered) -> Option<Step> {
        match recovered {
            Recovered::Again => self.listen(),
            // It was only slow: what was asked for is being served.
            Recovered::Renewed(_) if cause == Cause::Silence && self.heard => self.listen(),
            Recovered::Renewed(inbox) => {
                self.pull_loop.renew(inbox);
                self.listen();
            }
            Recovered::Remade(bound, inbox) => {
                self.gaps.remade(&bound);
                self.pull_loop.remake(*bound, inbox);
                self.listen();
                return Some(self.notice(NoticeKind::Recreated));
            }
            Recovered::Still(error) => {
                if let Some(outage) = &mut self.outage {
                    outage.reported = true;
                }
                return Some(self.notice(NoticeKind::Stalled(error)));
            }
            Recovered::Over(error) => return Some(Step::Over(error)),
        }
        None
    }

    /// Begins to listen for signs of life, for longer each time nothing is heard.
    fn listen(&mut self) {
        let tries = self.outage.map_or(0, |outage| outage.tries());
        let silence = SILENCE * tries.clamp(1, LONGEST_SILENCE);
        self.silence.as_mut().reset(Instant::now() + silence);
        self.heard = false;
    }

    /// Watches whether anything is heard while something is awaited.
    fn watch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        if let Poll::Ready(error) = self.denied.as_mut().poll(cx) {
            return Poll::Ready(Some(Step::Over(error)));
        }
        if self.recovering.is_some() {
            return Poll::Pending;
        }
        if let Poll::Ready(link) = self.reconnected.as_mut().poll(cx) {
            self.link = link.clone();
            self.reconnected = Box::pin(link.reconnected());
            // The server, or its files, may be others.
            self.look_back();
            // What was asked for over the old connection may be lost.
            if self.pull_loop.waits() {
                self.recovery(Cause::Reconnected);
            }
            return Poll::Ready(Some(self.notice(NoticeKind::Reconnected)));
        }
        ready!(self.silence.as_mut().poll(cx));
        let is_silent = !self.heard && self.pull_loop.waits();
        // Without a connection there is nothing to be heard.
        if is_silent && self.link.is_connected() {
            self.recovery(Cause::Silence);
        } else {
            let heard = self.heard;
            self.listen();
            self.heard &= heard;
        }
        Poll::Ready(None)
    }

    fn poll_reports(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        self.unlooked = 0;
        let Some(reports) = &mut self.reports else {
            return Poll::Pending;
        };
        // While much comes, there may never be a look with some of tokio's budget left.
        let mut report = pin!(unconstrained(poll_fn(|cx| reports.poll(cx))));
        let report = ready!(report.as_mut().poll(cx));
        Poll::Ready(self.notice(NoticeKind::Exhausted(report)))
    }

    fn poll_gaps(&mut self, is_idle: bool, cx: &mut Context<'_>) -> Poll<Step> {
        let gaps = &mut self.gaps;
        let gap = pin!(unconstrained(poll_fn(|cx| gaps.poll(is_idle, cx)))).poll(cx);
        gap.map(|gap| self.notice(NoticeKind::Gap(gap)))
    }
}

impl Stream for NatsSubscription {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        let context = Arc::clone(&this.pull_loop.ack_context.context);
        // A timer of a runtime that has ended panics.
        if context.monitor().has_lost_runtime() {
            this.over = true;
            return Poll::Ready(Some(Err(this.disconnected())));
        }
        let _entered = context.enter();
        Poll::Ready(Some(match ready!(this.step(cx)) {
            Step::Item(item) => Ok(item),
            Step::Over(error) => {
                this.over = true;
                this.recovering = None;
                if this.pull_loop.ack_context.context.is_end(&error) {
                    return Poll::Ready(None);
                }
                Err(error)
            }
        }))
    }
}

impl Drop for NatsSubscription {
    fn drop(&mut self) {
        self.pull_loop.abandon();
    }
}

impl fmt::Debug for NatsSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsSubscription")
            .field("pull_loop", &self.pull_loop)
            .finish_non_exhaustive()
    }
}
