//! Cases for messages: get, delete and purge by stream and sequence.

use super::{Failure, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::reader::number;
use crate::rig::Rig;
use event_sdk_core::transport::{
    Body, Deletion, Error, ErrorKind, FoundMessage, Outcome as Done, PurgeRequest,
    TransportExt as _, WhichMessage,
};

cases! { "messages":
    a_message_is_got_by_its_sequence [Store, MessageAdmin]
        "Getting a message by its sequence returns it as it was published.";
    the_last_message_under_a_pattern_is_got [Store, MessageAdmin]
        "Getting the last message under a pattern returns the newest that it matches.";
    a_message_that_is_not_there_is_none [Store, MessageAdmin]
        "Getting a message that the stream never had, or has no more, returns none.";
    a_deleted_message_is_gone [Store, MessageAdmin, StreamAdmin]
        "A deleted message is in the stream no more; the others stay under their sequences.";
    a_message_is_deleted_once [Store, MessageAdmin]
        "Deleting says whether there was a message.";
    before_the_deleted_last_message_lies_another [Store, MessageAdmin, ExpectSubject]
        "When the last message of a subject is deleted, the one before it is the last.";
    an_erased_message_is_gone [Store, MessageAdmin]
        "A message that is deleted with its bytes is gone, and its neighbours can be read.";
    the_id_of_a_deleted_message_is_remembered [Store, MessageAdmin, Deduplication]
        "Within the duplicate window, the id of a deleted message is one that was stored.";
    a_purge_empties_the_stream [Store, MessageAdmin, StreamAdmin]
        "A purge without conditions deletes all messages and counts them; sequences go on.";
    a_purge_goes_by_its_filter [Store, MessageAdmin, StreamAdmin]
        "A purge with a filter deletes what it matches and nothing else.";
    a_purge_ends_before_a_sequence [Store, MessageAdmin, StreamAdmin]
        "A purge before a sequence deletes what lies before it, and never moves the stream's end.";
    a_purge_keeps_the_newest [Store, MessageAdmin, StreamAdmin]
        "A purge that keeps some messages deletes all but the newest of those that it is about.";
    a_purge_that_contradicts_itself_is_refused [Store, MessageAdmin, StreamAdmin]
        "A purge before a sequence that also keeps the newest is refused.";
    messages_of_a_missing_stream_are_an_error [Store, MessageAdmin]
        "Getting, deleting and purging in a stream that does not exist is an error that names it.";
}

impl Rig {
    pub(crate) async fn try_get(
        &self,
        which: WhichMessage,
    ) -> Outcome<Result<Option<FoundMessage>, Error>> {
        let answer = self.transport.get_message(&self.stream, which);
        within(self.patience(), "getting a message", answer).await
    }

    pub(crate) async fn try_delete(
        &self,
        sequence: u64,
        deletion: Deletion,
    ) -> Outcome<Result<bool, Error>> {
        let answer = self
            .transport
            .delete_message(&self.stream, sequence, deletion);
        within(self.patience(), "deleting a message", answer).await
    }

    pub(crate) async fn try_purge(&self, request: PurgeRequest) -> Outcome<Result<u64, Error>> {
        let answer = self.transport.purge_messages(request);
        within(self.patience(), "a purge", answer).await
    }

    /// The number of the message at this sequence.
    async fn number_at(&self, sequence: u64) -> Outcome<Option<u64>> {
        let found = self.try_get(WhichMessage::Sequence(sequence)).await??;
        found.map(|found| number(&found.body)).transpose()
    }

    /// The sequence of the last message under this pattern.
    async fn last_under(&self, relative: &str) -> Outcome<Option<u64>> {
        let which = WhichMessage::LastUnder(self.pattern(relative)?);
        let found = self.try_get(which).await??;
        Ok(found.map(|found| found.sequence))
    }

    pub(crate) async fn delete(&self, sequence: u64) -> Outcome<bool> {
        Ok(self.try_delete(sequence, Deletion::Remove).await??)
    }

    /// Purges what is said, and checks the count.
    async fn purge(&self, wanted: u64, say: impl FnOnce(&mut PurgeRequest)) -> Outcome {
        let mut request = PurgeRequest::all(self.stream.clone());
        say(&mut request);
        let shown = format!("how much was purged by {request:?}");
        ensure_eq!(self.try_purge(request).await??, wanted, "{shown}");
        Ok(())
    }

    /// These sequences are there, and nothing else.
    async fn has(&self, wanted: &[u64], last: u64) -> Outcome {
        for sequence in 1..=last {
            let there = self.number_at(sequence).await?.is_some();
            ensure_eq!(there, wanted.contains(&sequence), "sequence {sequence}");
        }
        messages(self, wanted.len() as u64).await?;
        ensure_eq!(self.state().await?.last_sequence, last, "the last sequence");
        Ok(())
    }
}

async fn a_message_is_got_by_its_sequence(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 1).await?;
    let draft = rig.draft("b.c", 2)?.header("Some", "header")?;
    let stored = rig.store(draft.clone()).await?;
    rig.publish("b.c", 3).await?;
    let found = rig.try_get(WhichMessage::Sequence(2)).await??;
    let Some(found) = found else {
        return Err(Failure::new("a message that was stored is not there"));
    };
    ensure_eq!(stored.sequence, Some(found.sequence), "the sequence");
    ensure_eq!(found.stream, rig.stream, "the stream");
    ensure_eq!(*found.subject, *draft.subject.as_str(), "the subject");
    let headers = found.headers.as_ref().ok();
    ensure_eq!(headers, Some(&draft.headers), "the headers");
    let (Body::Encoded(body), Body::Encoded(wanted)) = (&found.body, &draft.body) else {
        return Err(Failure::new("the body is not the bytes that were stored"));
    };
    ensure_eq!(body, wanted, "the body");
    let first = rig.try_get(WhichMessage::Sequence(1)).await??;
    let before = first.map(|first| first.stored_at);
    ensure!(
        before.is_some_and(|before| before <= found.stored_at),
        "message 2 was stored at {}, and message 1 at {before:?}",
        found.stored_at
    );
    Ok(())
}

async fn the_last_message_under_a_pattern_is_got(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for (number, subject) in (1..).zip(["a.x", "a.y", "b.x", "a.x", "b.x"]) {
        rig.publish(subject, number).await?;
    }
    for (pattern, wanted) in [
        ("a.y", Some(2)),
        ("a.x", Some(4)),
        ("a.*", Some(4)),
        ("*.x", Some(5)),
        (">", Some(5)),
        ("a.z", None),
        ("c.>", None),
    ] {
        ensure_eq!(rig.last_under(pattern).await?, wanted, "under {pattern}");
    }
    Ok(())
}

async fn a_message_that_is_not_there_is_none(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(2)).await?;
    for sequence in [0, 1, 9] {
        ensure_eq!(rig.number_at(sequence).await?, None, "an empty stream");
    }
    ensure_eq!(rig.last_under(">").await?, None, "an empty stream's last");
    rig.publish_all("a", 1..5).await?;
    for (sequence, wanted) in [(0, None), (2, None), (3, Some(3)), (4, Some(4)), (5, None)] {
        let found = rig.number_at(sequence).await?;
        ensure_eq!(found, wanted, "sequence {sequence} of 3 and 4");
    }
    Ok(())
}

async fn a_deleted_message_is_gone(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for number in 1..=5 {
        rig.publish(if number % 2 == 0 { "a" } else { "b" }, number)
            .await?;
    }
    ensure!(rig.delete(3).await?, "there was a message at 3");
    ensure!(rig.delete(1).await?, "there was a message at 1");
    rig.has(&[2, 4, 5], 5).await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack([2, 4, 5]).await?;
    rig.publish("b", 6).await?;
    reader.expect_and_ack([6]).await?;
    rig.has(&[2, 4, 5, 6], 6).await
}

async fn a_message_is_deleted_once(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..4).await?;
    for (sequence, wanted) in [(2, true), (2, false), (0, false), (4, false), (1, true)] {
        let deleted = rig.delete(sequence).await?;
        ensure_eq!(deleted, wanted, "whether {sequence} was deleted");
    }
    ensure_eq!(rig.number_at(3).await?, Some(3), "the one that is left");
    Ok(())
}

async fn before_the_deleted_last_message_lies_another(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for (number, subject) in (1..).zip(["a", "b", "a", "b", "a"]) {
        rig.publish(subject, number).await?;
    }
    ensure!(rig.delete(5).await?, "there was a message at 5");
    ensure_eq!(rig.last_under("a").await?, Some(3), "the last of a");
    ensure_eq!(rig.last_under(">").await?, Some(4), "the last of all");
    let mut draft = rig.draft("a", 6)?;
    draft.expect.last_subject_sequence = Some(3);
    rig.store(draft).await?;
    ensure_eq!(rig.last_under("a").await?, Some(6), "the last of a");
    for sequence in [3, 6, 1] {
        ensure!(rig.delete(sequence).await?, "deleting {sequence}");
    }
    ensure_eq!(rig.last_under("a").await?, None, "the last of a");
    ensure_eq!(rig.last_under("b").await?, Some(4), "the last of b");
    Ok(())
}

async fn an_erased_message_is_gone(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..4).await?;
    for wanted in [true, false] {
        let erased = rig.try_delete(2, Deletion::Erase).await??;
        ensure_eq!(erased, wanted, "whether there was a message to erase");
    }
    ensure_eq!(rig.number_at(2).await?, None, "the erased message");
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack([1, 3]).await
}

async fn the_id_of_a_deleted_message_is_remembered(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let draft = rig.draft("a", 1)?.id("same");
    rig.store(draft.clone()).await?;
    rig.publish("a", 2).await?;
    ensure!(rig.delete(1).await?, "there was a message at 1");
    for purged in [false, true] {
        let again = rig.store(draft.clone()).await?;
        let said = (again.duplicate, again.sequence);
        ensure_eq!(said, (true, Some(1)), "the id again (purged: {purged})");
        rig.try_purge(PurgeRequest::all(rig.stream.clone()))
            .await??;
    }
    Ok(())
}

async fn a_purge_empties_the_stream(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.purge(0, |_| {}).await?;
    rig.publish_all("a", 1..6).await?;
    rig.purge(5, |_| {}).await?;
    rig.has(&[], 5).await?;
    rig.purge(0, |_| {}).await?;
    let sequence = rig.publish("a", 6).await?;
    ensure_eq!(sequence, 6, "the sequence of a message after a purge");
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack([6]).await
}

async fn a_purge_goes_by_its_filter(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for (number, subject) in (1..).zip(["a.x", "a.y", "b.x", "a.x", "b.y"]) {
        rig.publish(subject, number).await?;
    }
    let (x, nothing) = (rig.pattern("*.x")?, rig.pattern("c.>")?);
    rig.purge(0, |request| request.filter = Some(nothing))
        .await?;
    rig.purge(3, |request| request.filter = Some(x)).await?;
    rig.has(&[2, 5], 5).await?;
    let y = rig.pattern("a.y")?;
    rig.purge(1, |request| request.filter = Some(y)).await?;
    rig.has(&[5], 5).await
}

async fn a_purge_ends_before_a_sequence(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for number in 1..=6 {
        rig.publish(if number % 2 == 0 { "even" } else { "odd" }, number)
            .await?;
    }
    let odd = rig.pattern("odd")?;
    for before in [0, 1] {
        rig.purge(0, |request| request.before = Some(before))
            .await?;
        rig.purge(0, |request| {
            request.before = Some(before);
            request.filter = Some(odd.clone());
        })
        .await?;
    }
    rig.has(&[1, 2, 3, 4, 5, 6], 6).await?;
    rig.purge(2, |request| {
        request.before = Some(5);
        request.filter = Some(odd.clone());
    })
    .await?;
    rig.has(&[2, 4, 5, 6], 6).await?;
    rig.purge(1, |request| request.before = Some(4)).await?;
    rig.has(&[4, 5, 6], 6).await?;
    rig.purge(3, |request| request.before = Some(1_000)).await?;
    let sequence = rig.publish("odd", 7).await?;
    ensure_eq!(sequence, 7, "the sequence behind a purge beyond the end");
    rig.has(&[7], 7).await
}

async fn a_purge_keeps_the_newest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for number in 1..=8 {
        rig.publish(if number % 2 == 0 { "even" } else { "odd" }, number)
            .await?;
    }
    let odd = rig.pattern("odd")?;
    rig.purge(0, |request| {
        request.keep = Some(4);
        request.filter = Some(odd.clone());
    })
    .await?;
    rig.purge(3, |request| {
        request.keep = Some(1);
        request.filter = Some(odd.clone());
    })
    .await?;
    rig.has(&[2, 4, 6, 7, 8], 8).await?;
    rig.purge(0, |request| request.keep = Some(9)).await?;
    rig.purge(3, |request| request.keep = Some(2)).await?;
    rig.has(&[7, 8], 8).await?;
    rig.purge(2, |request| request.keep = Some(0)).await?;
    rig.has(&[], 8).await
}

async fn a_purge_that_contradicts_itself_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..4).await?;
    let mut request = PurgeRequest::all(rig.stream.clone());
    request.before = Some(3);
    request.keep = Some(1);
    let Err(error) = rig.try_purge(request).await? else {
        return Err(Failure::new("a purge with two ends was accepted"));
    };
    let kind = ErrorKind::InvalidOption;
    ensure_eq!(*error.kind(), kind, "the kind of {error}");
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    messages(&rig, 3).await
}

async fn messages_of_a_missing_stream_are_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut missing = rig.clone();
    missing.stream = format!("{}X", rig.stream).into();
    let stream = missing.stream.clone();
    let get = missing.try_get(WhichMessage::Sequence(1)).await?;
    let delete = missing.try_delete(1, Deletion::Remove).await?;
    let purge = missing.try_purge(PurgeRequest::all(stream.clone())).await?;
    for (what, error) in [
        ("get", get.err()),
        ("delete", delete.err()),
        ("purge", purge.err()),
    ] {
        let Some(error) = error else {
            return Err(Failure::new(format!("{what} in no stream worked")));
        };
        let kind = ErrorKind::StreamNotFound;
        ensure_eq!(
            *error.kind(),
            kind,
            "the kind of {error}, the answer to {what}"
        );
        ensure_eq!(error.stream(), Some(&*stream), "the stream in {error}");
    }
    Ok(())
}
