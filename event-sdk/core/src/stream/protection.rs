//! What a stream protects its messages from: `deny_delete`, `deny_purge` and `allow_rollup` of a
//! `StreamSpec` and a `StreamConfig`, and which changes of them are impossible.

use super::StreamSpec;
use super::config::StreamConfig;

impl StreamSpec {
    /// Denies (`true`) or allows (`false`) the deletion of single messages. Default: an existing
    /// stream stays as it is, and a new stream allows deletion.
    ///
    /// - Once applied, `true` cannot be taken back: the stream never allows deletion again.
    /// - Deleting a message then fails with
    ///   [`DeletionDenied`](crate::transport::ErrorKind::DeletionDenied). Limits, retention, a
    ///   purge or a [roll-up](Self::allow_rollup) can still remove messages.
    /// - Such a stream does not allow [schedules](Self::schedules), because a schedule is cancelled
    ///   by deleting it.
    pub const fn deny_delete(mut self, denied: bool) -> Self {
        self.deny_delete = Some(denied);
        self
    }

    /// Denies (`true`) or allows (`false`) that messages are purged. Default: an existing stream
    /// stays as it is, and a new stream allows purging.
    ///
    /// - Once applied, `true` cannot be taken back: the stream never allows purging again.
    /// - A purge then fails with [`DeletionDenied`](crate::transport::ErrorKind::DeletionDenied).
    ///   Limits, retention or the deletion of a single message can still remove messages.
    /// - Such a stream allows neither [roll-ups](Self::allow_rollup) nor
    ///   [schedules](Self::schedules).
    pub const fn deny_purge(mut self, denied: bool) -> Self {
        self.deny_purge = Some(denied);
        self
    }

    /// Sets whether a message can replace earlier messages when it is stored (a *roll-up*:
    /// [`RollUp`](crate::transport::RollUp), the header `Nats-Rollup`). Default: an existing stream
    /// stays as it is, and a new stream does not allow roll-ups. A stream with
    /// [schedules](Self::schedules) always allows them.
    ///
    /// - Every user that may publish to the stream can then delete all its messages.
    /// - A mirror of this stream, or a stream with this stream as its source, needs
    ///   `allow_rollup(true)` too. Without it, NATS servers before 2.14 do not store the copy of a
    ///   message that rolls up, and a mirror may stop at this message. Later servers store the
    ///   copy, but keep the earlier messages. If a stream has several sources, `RollUp::Stream`
    ///   also deletes the messages of the other sources.
    pub const fn allow_rollup(mut self, allowed: bool) -> Self {
        self.allow_rollup = Some(allowed);
        self
    }
}

impl StreamConfig {
    /// Whether single messages cannot be deleted.
    #[must_use]
    pub fn denies_delete(&self) -> bool {
        self.deny_delete == Some(true)
    }

    /// Whether messages cannot be purged.
    #[must_use]
    pub fn denies_purge(&self) -> bool {
        self.deny_purge == Some(true)
    }

    /// Whether a message can [roll up](crate::transport::RollUp) earlier ones. A stream with
    /// [`schedules`](Self::schedules) always allows it.
    #[must_use]
    pub fn allows_rollup(&self) -> bool {
        self.schedules || self.allow_rollup == Some(true)
    }

    /// Returns the configuration in the form of a stream state: each of the three flags is
    /// `Some(true)` or `None`, and `allow_rollup` is `None` if [`schedules`](Self::schedules) is
    /// set.
    #[must_use]
    pub fn as_state(mut self) -> Self {
        self.deny_delete = self.deny_delete.filter(|denied| *denied);
        self.deny_purge = self.deny_purge.filter(|denied| *denied);
        self.allow_rollup = self
            .allow_rollup
            .filter(|allowed| *allowed && !self.schedules);
        self
    }

    /// The flags that this existing stream keeps if it becomes `wanted`: what `wanted` does not
    /// declare stays as it is.
    #[must_use]
    pub fn keeping_undeclared_flags(&self, mut wanted: Self) -> Self {
        wanted.deny_delete = wanted.deny_delete.or(self.deny_delete);
        wanted.deny_purge = wanted.deny_purge.or(self.deny_purge);
        wanted.allow_rollup = wanted.allow_rollup.or(self.allow_rollup);
        wanted
    }

    /// Why this existing stream never becomes `wanted`, as a clause: it denies deletion or purging,
    /// and `wanted` does not. `None` if nothing is in the way.
    #[must_use]
    pub fn denial_to_keep(&self, wanted: &Self) -> Option<&'static str> {
        if self.denies_delete() && wanted.deny_delete == Some(false) {
            return Some("it denies that messages are deleted, which no server takes back");
        }
        if self.denies_delete() && wanted.schedules && !self.schedules {
            return Some(
                "it denies that messages are deleted, which no server takes back, and schedules are cancelled by deleting them",
            );
        }
        if !self.denies_purge() {
            return None;
        }
        if wanted.deny_purge == Some(false) {
            return Some("it denies that messages are purged, which no server takes back");
        }
        if wanted.allows_rollup() {
            return Some(
                "it denies that messages are purged, which no server takes back, and roll-ups and schedules need it",
            );
        }
        None
    }

    /// Why this existing stream does not become `wanted` while it allows roll-ups, as a clause:
    /// `wanted` denies purging, and leaves open whether roll-ups are allowed.
    #[must_use]
    pub fn rollup_to_declare(&self, wanted: &Self) -> Option<&'static str> {
        let keeps = self.allow_rollup == Some(true) && wanted.allow_rollup.is_none();
        (keeps && !wanted.schedules && wanted.denies_purge()).then_some(
            "it allows roll-ups, which delete messages, and is to deny purging; declare `allow_rollup(false)` too",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_ups_and_schedules_need_purging() {
        let stream = || StreamSpec::new("ORDERS").subject("orders.>");
        let config = |stream: StreamSpec| stream.config("events");
        let both = config(stream().deny_delete(true).deny_purge(true)).unwrap();
        assert!(both.denies_delete() && both.denies_purge() && !both.allows_rollup());
        assert_eq!(
            StreamSpec::of_config(&both, "events").config("events"),
            Ok(both)
        );
        assert!(config(stream().allow_rollup(true)).unwrap().allows_rollup());
        assert!(config(stream().schedules()).unwrap().allows_rollup());
        assert!(config(stream().schedules().deny_purge(false).allow_rollup(true)).is_ok());
        for (wrong, why) in [
            (stream().deny_delete(true).schedules(), "schedules"),
            (stream().deny_purge(true).allow_rollup(true), "roll-ups"),
            (stream().deny_purge(true).schedules(), "schedules"),
            (stream().allow_rollup(false).schedules(), "schedules"),
        ] {
            let error = config(wrong).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_state_has_what_is_denied_or_allowed() {
        let flags = |say: fn(StreamSpec) -> StreamSpec| {
            let stream = StreamSpec::new("ORDERS").subject("orders.>");
            let state = say(stream).config("events").unwrap().as_state();
            assert_eq!(state.check(), Ok(()));
            (state.deny_delete, state.deny_purge, state.allow_rollup)
        };
        let no = flags(|stream| {
            stream
                .deny_delete(false)
                .deny_purge(false)
                .allow_rollup(false)
        });
        assert_eq!(no, (None, None, None));
        let yes = flags(|stream| stream.deny_delete(true).allow_rollup(true));
        assert_eq!(yes, (Some(true), None, Some(true)));
        assert_eq!(flags(|stream| stream.deny_purge(true)).1, Some(true));
        let schedules = flags(|stream| stream.schedules().allow_rollup(true));
        assert_eq!(schedules, (None, None, None));
    }

    #[test]
    fn what_is_denied_stays_denied() {
        let config = |say: fn(StreamSpec) -> StreamSpec| {
            let stream = StreamSpec::new("ORDERS").subject("orders.>");
            say(stream).config("events").unwrap()
        };
        let open = config(|stream| stream);
        let denying = config(|stream| stream.deny_delete(true).deny_purge(true));
        let rolling = config(|stream| stream.allow_rollup(true));
        assert_eq!(open.denial_to_keep(&denying), None);
        assert_eq!(denying.denial_to_keep(&open), None);
        assert_eq!(denying.keeping_undeclared_flags(open.clone()), denying);
        for (wanted, why) in [
            (config(|stream| stream.deny_delete(false)), "deleted"),
            (config(|stream| stream.deny_purge(false)), "purged"),
            (rolling.clone(), "roll-ups"),
            (config(StreamSpec::schedules), "schedules"),
        ] {
            assert_eq!(open.denial_to_keep(&wanted), None);
            let reason = denying.denial_to_keep(&wanted).unwrap();
            assert!(reason.contains(why), "{reason}");
        }
        let deleting = config(|stream| stream.deny_delete(true));
        let scheduling = config(StreamSpec::schedules);
        let reason = deleting.denial_to_keep(&scheduling).unwrap();
        assert!(reason.contains("schedules"), "{reason}");
        assert_eq!(deleting.denial_to_keep(&rolling), None);
        assert!(rolling.rollup_to_declare(&denying).is_some());
        let without = config(|stream| stream.deny_purge(true).allow_rollup(false));
        assert_eq!(rolling.rollup_to_declare(&without), None);
        assert_eq!(rolling.rollup_to_declare(&open), None);
    }
}
