//! `Patience`: what happens to events that were delivered before while their attempt records cannot
//! be read.

use std::time::Duration;

/// How long the store has not answered.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    since: Option<Duration>,
    pause: Duration,
}

/// What to do after the store did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask again at this time.
    AskAgain(Duration),
    /// Start the event alone in the process, with what the process knows.
    StartAlone,
}

impl Patience {
    /// After this time, events start alone.
    pub(crate) const LIMIT: Duration = Duration::from_secs(300);

    const FIRST_PAUSE: Duration = Duration::from_secs(1);
    const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    /// The store did not answer.
    pub(crate) fn failed(&mut self, now: Duration) -> Next {
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) >= Self::LIMIT {
            return Next::StartAlone;
        }
        let doubled = self.pause.saturating_mul(2);
        self.pause = doubled.clamp(Self::FIRST_PAUSE, Self::LONGEST_PAUSE);
        let end = since.saturating_add(Self::LIMIT);
        Next::AskAgain(now.saturating_add(self.pause).min(end))
    }

    /// The store has answered.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_for_five_minutes_and_then_starts_alone() {
        let secs = Duration::from_secs;
        let mut patience = Patience::default();
        let mut now = secs(100);
        let mut asked = Vec::new();
        while let Next::AskAgain(at) = patience.failed(now) {
            asked.push(at.as_secs() - 100);
            now = at;
        }
        assert_eq!(asked[..6], [1, 3, 7, 15, 31, 61]);
        assert_eq!(now, secs(400));
        assert_eq!(patience.failed(secs(500)), Next::StartAlone);
        patience.answered();
        assert_eq!(patience.failed(secs(500)), Next::AskAgain(secs(501)));
    }
}
