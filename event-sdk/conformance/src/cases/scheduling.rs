//! Cases for schedules: messages that are stored at a later time, replaced, cancelled and listed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::closing::refused;
use super::{Failure, history, joined, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::note::{Note, handed_over};
use crate::reader::{Reader, number};
use crate::rig::Rig;
use crate::timetable::{far, in_millis};
use event_sdk_core::stream::{Retention, StreamSpec};
use event_sdk_core::transport::{
    Body, Cancellation, ErrorKind, Order, ScheduleRequest, StreamChange,
};

cases! { "scheduling":
    a_message_is_stored_at_its_time [Store, Scheduler]
        "A scheduled message is stored once, not before its time, with its subject, headers and body.";
    a_waiting_message_is_not_delivered [Store, Scheduler, StreamAdmin, ConsumerAdmin]
        "A scheduled message is not delivered before its time, and nothing waits for it.";
    history_has_no_waiting_message [Store, Scheduler, History]
        "History has no message that waits for its time.";
    messages_fire_in_the_order_of_their_times [Store, Scheduler]
        "Scheduled messages are stored in the order of their times.";
    a_time_in_the_past_is_now [Store, Scheduler]
        "A message that is scheduled for a time in the past is stored soon.";
    a_later_schedule_replaces_the_earlier [Store, Scheduler]
        "Scheduling a message under the key of a waiting one replaces that.";
    a_schedule_is_replaced_shortly_before_it_fires [Store, Scheduler]
        "A schedule that fires soon is replaced, or fires beside the new one, as the answer says.";
    a_cancelled_schedule_does_not_fire [Store, Scheduler]
        "The message of a schedule that was cancelled in time is not stored.";
    a_cancellation_says_whether_it_was_in_time [Store, Scheduler]
        "Cancelling tells a waiting schedule, one that has fired, and none from each other.";
    schedules_are_listed [Store, Scheduler]
        "A list has the waiting schedules below a prefix by their keys, as they were requested.";
    a_long_list_of_schedules_is_complete [Store, Scheduler]
        "A list has all waiting schedules, however many.";
    a_schedule_needs_no_transport [Store, Scheduler]
        "A message is stored at its time if the transport that scheduled it is closed.";
    a_schedule_is_shared [Store, Scheduler]
        "A schedule can be listed, replaced and cancelled through another transport.";
    a_schedule_outlives_the_age_of_messages [Store, Scheduler]
        "The maximum age of messages does not end a schedule.";
    a_work_queue_has_schedules [Store, Scheduler, RetentionByAck]
        "A work queue stores a scheduled message at its time for its consumer.";
    a_stream_without_schedules_refuses_them [Store, Scheduler]
        "A stream that does not allow schedules refuses them, and has none.";
    what_cannot_be_scheduled_is_refused [Store, Scheduler, StreamAdmin]
        "A malformed key, a foreign subject, a missing stream, too late a time and too large a body are refused.";
    a_stream_comes_to_allow_schedules [Store, Scheduler, StreamAdmin]
        "Applying a stream allows schedules, says so, and never takes them back.";
    a_value_is_scheduled [Store, Scheduler, ValueHandover]
        "A value that is scheduled arrives as the same value.";
    after_closing_nothing_is_scheduled [Store, Scheduler]
        "After closing, scheduling, cancelling and listing answer that the transport was closed.";
    a_drain_leaves_scheduling [Store, Scheduler]
        "During a drain, schedules are made, cancelled and listed as long as publishing is allowed.";
}

const SOON: i64 = 1_000;

async fn a_message_is_stored_at_its_time(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let at = in_millis(SOON);
    let draft = rig.draft("a.b", 0)?.header("Team", "Zürich")?;
    let draft = draft.bytes(&b"\x00\xff\r\n"[..]);
    let subject = draft.subject.clone();
    rig.try_schedule(rig.request("k", draft, at)).await??;
    let got = reader.message().await?;
    let received = &got.received;
    ensure_eq!(received.subject, subject, "the subject");
    let Body::Encoded(body) = &received.body else {
        return Err(Failure::new("the bytes did not arrive as bytes"));
    };
    ensure_eq!(&**body, b"\x00\xff\r\n", "the body");
    let headers: Vec<_> = received.headers.iter().collect();
    ensure_eq!(headers, [("Team", "Zürich")], "the headers");
    let stored_at = received.info.stored_at;
    ensure!(
        stored_at.is_none_or(|stored_at| stored_at >= at),
        "it was stored at {stored_at:?}, before {at}"
    );
    got.ack().await?;
    ensure_eq!(rig.scheduled("").await?, [""; 0], "what still waits");
    // If it fired twice, it would come before the next one.
    rig.schedule("k", "a", 1, in_millis(SOON)).await?;
    reader.expect_and_ack([1]).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_waiting_message_is_not_delivered(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let config = rig.durable("d")?;
    let mut reader = rig.subscribe(&config).await?;
    rig.schedule("k", "a", 0, far()).await?;
    rig.publish("a", 1).await?;
    reader.expect_and_ack([1]).await?;
    reader.expect_nothing_before_fence(&rig, "a").await?;
    rig.eventually("a consumer that has nothing left", async |rig| {
        let info = rig.consumer_info("d").await??;
        Ok((info.pending == 0 && info.ack_pending == 0).then_some(()))
    })
    .await?;
    let subjects = rig.state().await?.config.subjects;
    ensure_eq!(subjects, [rig.pattern(">")?], "the subjects of the stream");
    rig.cancels("k", Cancellation::InTime, "what waits").await
}

async fn history_has_no_waiting_message(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    rig.publish("a", 1).await?;
    rig.schedule("k", "a", 2, far()).await?;
    rig.publish("a", 3).await?;
    let request = history::everything(&rig, Order::OldestFirst)?;
    let read = history::read(&rig, request).await?;
    ensure_eq!(read, [1, 3], "history");
    Ok(())
}

async fn messages_fire_in_the_order_of_their_times(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let now = Timestamp::now();
    // At least a second apart, as the contract says.
    for (number, millis) in [(3, 3_400), (1, 1_000), (2, 2_200)] {
        let at = now + SignedDuration::from_millis(millis);
        rig.schedule(&format!("k{number}"), "a", number, at).await?;
    }
    if Timestamp::now() > now + SignedDuration::from_millis(1_000) {
        // The machine was too slow to schedule them before the first was due.
        return any_order(&mut reader, [1, 2, 3]).await;
    }
    reader.expect_and_ack([1, 2, 3]).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

/// These messages come, each once.
async fn any_order(reader: &mut Reader, wanted: impl IntoIterator<Item = u64>) -> Outcome {
    let wanted: Vec<u64> = wanted.into_iter().collect();
    let mut numbers = Vec::new();
    while numbers.len() < wanted.len() {
        let got = reader.message().await?;
        numbers.push(got.number()?);
        got.ack().await?;
    }
    numbers.sort_unstable();
    ensure_eq!(numbers, wanted, "the messages");
    Ok(())
}

async fn a_time_in_the_past_is_now(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let before = Timestamp::now();
    for (number, at) in [
        (1, in_millis(-3_600_000)),
        (2, Timestamp::UNIX_EPOCH),
        (3, Timestamp::MIN),
    ] {
        rig.schedule("k", "a", number, at).await?;
        let got = reader.expect(number).await?;
        let stored_at = got.received.info.stored_at;
        ensure!(
            stored_at.is_none_or(|at| at + SignedDuration::from_secs(1) >= before),
            "it was stored at {stored_at:?}, long before it was scheduled"
        );
        got.ack().await?;
    }
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_later_schedule_replaces_the_earlier(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    for (number, at, replaces) in [
        (1, far(), false),
        (2, far(), true),
        (3, in_millis(SOON), true),
    ] {
        let replaced = rig.schedule("k", "a", number, at).await?;
        ensure_eq!(replaced, replaces, "whether {number} replaced another");
    }
    reader.expect_and_ack([3]).await?;
    reader.expect_nothing_before_fence(&rig, "a").await?;
    ensure_eq!(rig.scheduled("").await?, [""; 0], "what still waits");
    let replaced = rig.schedule("k", "a", 4, far()).await?;
    ensure!(!replaced, "a schedule that had fired was replaced");
    rig.cancels("k", Cancellation::InTime, "the last").await
}

async fn a_schedule_is_replaced_shortly_before_it_fires(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let mut wanted = Vec::new();
    for round in 0..4 {
        let key = format!("k{round}");
        let (first, second) = (10 * round + 1, 10 * round + 2);
        // From a second before its time to that time.
        let at = in_millis(1_000 - 300 * i64::try_from(round).unwrap_or(0));
        rig.schedule(&key, "a", first, at).await?;
        let replaced = rig.schedule(&key, "a", second, in_millis(SOON)).await?;
        if !replaced {
            wanted.push(first);
        }
        wanted.push(second);
    }
    any_order(&mut reader, wanted).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_cancelled_schedule_does_not_fire(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let mut wanted = Vec::new();
    for number in 0..4 {
        let key = format!("k{number}");
        let at = in_millis(1_000 - 300 * i64::try_from(number).unwrap_or(0));
        rig.schedule(&key, "a", number, at).await?;
        match rig.cancel(&key).await? {
            Cancellation::InTime => {}
            Cancellation::TooLate => wanted.push(number),
            Cancellation::Unknown => {
                return Err(Failure::new(format!(
                    "the schedule {key} was made and is not known"
                )));
            }
        }
    }
    // Behind all of them.
    rig.schedule("last", "a", 100, in_millis(1_600)).await?;
    wanted.push(100);
    any_order(&mut reader, wanted).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn a_cancellation_says_whether_it_was_in_time(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.cancels("never", Cancellation::Unknown, "what never was")
        .await?;
    rig.schedule("early", "a", 1, far()).await?;
    rig.cancels("early", Cancellation::InTime, "what waits")
        .await?;
    rig.cancels("early", Cancellation::Unknown, "it again")
        .await?;
    rig.schedule("late", "a", 2, in_millis(0)).await?;
    reader.expect_and_ack([2]).await?;
    rig.publish_all("a", 3..20).await?;
    rig.cancels("late", Cancellation::TooLate, "what has fired")
        .await?;
    rig.cancels("late", Cancellation::TooLate, "it again").await
}

async fn schedules_are_listed(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    ensure_eq!(rig.scheduled("").await?, [""; 0], "what waits at first");
    let at = far();
    for (number, key) in (0..).zip(["b.x", "a", "a-b", "a.y", "a.x.z"]) {
        let draft = rig.draft("s", number)?.header("Number", key)?;
        let at = at + SignedDuration::from_secs(i64::try_from(number).unwrap_or(0));
        rig.try_schedule(rig.request(key, draft, at)).await??;
    }
    for (prefix, wanted) in [
        ("", &["a", "a-b", "a.x.z", "a.y", "b.x"][..]),
        ("a", &["a.x.z", "a.y"]),
        ("a.x", &["a.x.z"]),
        ("c", &[]),
    ] {
        ensure_eq!(rig.scheduled(prefix).await?, wanted, "below {prefix:?}");
    }
    let listed = rig.try_list_schedules("b").await??;
    let [one] = &listed[..] else {
        return Err(Failure::new(format!("one was to be listed: {listed:?}")));
    };
    ensure_eq!(one.at, at, "its time");
    ensure_eq!(one.subject, rig.subject("s")?, "its subject");
    ensure_eq!(one.stream, rig.stream, "its stream");
    ensure_eq!(number(&one.body)?, 0, "its body");
    let headers: Vec<_> = one.headers.iter().collect();
    ensure_eq!(headers, [("Number", "b.x")], "its headers");
    ensure!(one.scheduled_at < one.at, "it was scheduled after its time");
    rig.cancel("a.y").await?;
    ensure_eq!(rig.scheduled("a").await?, ["a.x.z"], "after a cancellation");
    let malformed = rig.try_list_schedules("a..b").await?;
    ensure!(
        matches!(&malformed, Err(error) if *error.kind() == ErrorKind::InvalidSubject),
        "a list below no prefix was answered with {malformed:?}"
    );
    Ok(())
}

async fn a_long_list_of_schedules_is_complete(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let (count, at) = (600, far());
    for number in 0..count {
        rig.schedule(&format!("k.{number:04}"), "a", number, at)
            .await?;
    }
    let listed = rig.try_list_schedules("k").await??;
    let numbers: Outcome<Vec<_>> = listed.iter().map(|one| number(&one.body)).collect();
    ensure!(
        numbers?.iter().copied().eq(0..count),
        "{} of {count} schedules are listed in order",
        listed.len()
    );
    Ok(())
}

async fn a_schedule_needs_no_transport(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides_with(StreamSpec::schedules).await?;
    let mut reader = other.subscribe(&other.durable("d")?).await?;
    one.schedule("k", "a", 1, in_millis(SOON)).await?;
    one.close().await??;
    reader.expect_and_ack([1]).await?;
    reader.expect_nothing_before_fence(&other, "a").await
}

async fn a_schedule_is_shared(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.both_sides_with(StreamSpec::schedules).await?;
    one.schedule("k", "a", 1, far()).await?;
    ensure_eq!(other.scheduled("").await?, ["k"], "what the other lists");
    let replaced = other.schedule("k", "a", 2, far()).await?;
    ensure!(replaced, "the other did not replace it");
    one.cancels("k", Cancellation::InTime, "it").await?;
    other.cancels("k", Cancellation::Unknown, "it again").await
}

async fn a_schedule_outlives_the_age_of_messages(fixture: Fixture) -> Outcome {
    // What fires is to be read before it is too old in its turn.
    let age = fixture.ack_wait();
    let rig = fixture
        .rig_with(|stream| stream.schedules().max_age(age))
        .await?;
    rig.publish("a", 0).await?;
    let at = Timestamp::now() + 3 * age;
    rig.schedule("k", "a", 1, at).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    loop {
        let got = reader.message().await?;
        got.ack().await?;
        match got.number()? {
            // It was still young enough.
            0 => {}
            1 => return Ok(()),
            other => return Err(Failure::new(format!("message {other} came"))),
        }
    }
}

async fn a_work_queue_has_schedules(fixture: Fixture) -> Outcome {
    let queue = |stream: StreamSpec| stream.schedules().retention(Retention::WorkQueue);
    let rig = fixture.rig_with(queue).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let at = in_millis(SOON);
    rig.schedule("k", "a", 1, at).await?;
    rig.publish("a", 0).await?;
    if Timestamp::now() >= at {
        // The machine was too slow to publish before.
        return any_order(&mut reader, [0, 1]).await;
    }
    reader.expect_and_ack([0, 1]).await
}

async fn a_stream_without_schedules_refuses_them(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let request = rig.request("k", rig.draft("a", 1)?, in_millis(0));
    let kind = &ErrorKind::InvalidOption;
    rig.schedule_refused(request, "a message of such a stream", kind)
        .await?;
    ensure_eq!(rig.scheduled("").await?, [""; 0], "what waits");
    rig.cancels("k", Cancellation::Unknown, "what was refused")
        .await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_nothing_before_fence(&rig, "a").await
}

async fn what_cannot_be_scheduled_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let good = || Ok::<_, Failure>(rig.request("k", rig.draft("a", 1)?, in_millis(0)));
    let (subject, option) = (ErrorKind::InvalidSubject, ErrorKind::InvalidOption);
    for key in ["", "a..b", "a b", "a.*", "$a"] {
        let mut malformed = good()?;
        malformed.key = key.to_owned().into();
        rig.schedule_refused(malformed, &format!("the key {key:?}"), &subject)
            .await?;
        let cancelled = rig.try_cancel(key).await?;
        ensure!(
            matches!(&cancelled, Err(error) if *error.kind() == subject),
            "cancelling {key:?} was answered with {cancelled:?}"
        );
    }
    let mut foreign = good()?;
    foreign.subject = event_sdk_core::Subject::parse(format!("{}x.a", rig.stream))?;
    rig.schedule_refused(foreign, "a foreign subject", &subject)
        .await?;
    let mut late = good()?;
    late.at = ScheduleRequest::LATEST + SignedDuration::from_secs(1);
    rig.schedule_refused(late, "too late a time", &option)
        .await?;
    let mut missing = good()?;
    missing.stream = format!("{}X", rig.stream).into();
    rig.schedule_refused(missing, "a missing stream", &ErrorKind::StreamNotFound)
        .await?;
    let mut large = good()?;
    let size = rig.transport.capabilities().max_payload() + 1;
    large.body = Body::Encoded(vec![b'x'; size].into());
    match rig.try_schedule(large).await? {
        Err(error) if matches!(error.kind(), ErrorKind::TooLarge { .. }) => {}
        other => {
            let what = format!("too large a body was answered with {other:?}");
            return Err(Failure::new(what));
        }
    }
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_nothing_before_fence(&rig, "a").await?;
    messages(&rig, 1).await
}

async fn a_stream_comes_to_allow_schedules(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let plain = fixture.config('a', |stream| stream.subject(">"))?;
    let allowing = fixture.config('a', |stream| stream.subject(">").schedules())?;
    rig.publish("a", 0).await?;
    let StreamChange::Updated { differences } = rig.apply(&allowing).await? else {
        return Err(Failure::new("allowing schedules changed nothing"));
    };
    let fields: Vec<_> = differences.iter().map(|one| one.field).collect();
    ensure_eq!(fields, ["schedules"], "what was changed");
    let again = rig.apply(&allowing).await?;
    ensure_eq!(again, StreamChange::Unchanged, "applying it again");
    ensure!(
        rig.state().await?.config.schedules,
        "the stream does not say that it allows schedules"
    );
    let Err(error) = rig.try_apply(&plain).await? else {
        return Err(Failure::new("schedules were taken back"));
    };
    let kind = ErrorKind::InvalidOption;
    ensure_eq!(*error.kind(), kind, "the kind of {error}");
    rig.schedule("k", "a", 1, in_millis(SOON)).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack([0, 1]).await
}

async fn a_value_is_scheduled(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    let note = Note::new(7);
    let mut draft = rig.draft("note", 0)?;
    draft.body = note.body();
    let request = rig.request("k", draft, in_millis(SOON));
    rig.try_schedule(request).await??;
    let got = reader.message().await?;
    let (_, arrived) = handed_over(&got.received.body)?;
    ensure_eq!(arrived, note, "the value");
    got.ack().await
}

async fn after_closing_nothing_is_scheduled(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    rig.schedule("k", "a", 1, far()).await?;
    rig.close().await??;
    everything_is_closed(&rig).await
}

async fn everything_is_closed(rig: &Rig) -> Outcome {
    let request = rig.request("k", rig.draft("a", 1)?, far());
    refused("a schedule", rig.try_schedule(request).await?)?;
    refused("a cancellation", rig.try_cancel("k").await?)?;
    refused("a list", rig.try_list_schedules("").await?)
}

async fn a_drain_leaves_scheduling(fixture: Fixture) -> Outcome {
    let rig = fixture.timed_rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    rig.publish("a", 1).await?;
    let held = reader.expect(1).await?;
    let draining = {
        let rig = rig.clone();
        joined(async move { rig.drain(Duration::from_secs(60)).await })
    };
    reader.end().await?;
    rig.schedule("k", "a", 2, far()).await?;
    ensure_eq!(rig.scheduled("").await?, ["k"], "what waits in a drain");
    rig.cancels("k", Cancellation::InTime, "it in a drain")
        .await?;
    held.ack().await?;
    within(rig.patience(), "the end of a drain", draining).await???;
    everything_is_closed(&rig).await
}
