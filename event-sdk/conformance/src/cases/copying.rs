//! Cases for copying: mirrors and sources, mirrors that become streams, placement, another retention.

use super::Failure;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::Rig;
use event_sdk_core::stream::{
    PlacementConfig, Retention, StreamConfig, StreamSpec, Upstream, UpstreamConfig,
};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{ErrorKind, Outcome as Done, StreamChange};

cases! { "copying":
    a_mirror_has_the_messages_of_its_original [Store, StreamAdmin, Copies]
        "A mirror comes to have the messages of its original with their sequences, and says what it mirrors.";
    a_source_is_copied [Store, StreamAdmin, Copies]
        "A stream with a source comes to have the messages that the filter of the source matches.";
    what_a_stream_mirrors_stays [Store, StreamAdmin, Copies]
        "Another original for a mirror is refused, and nothing is changed.";
    a_mirror_becomes_a_stream [Store, StreamAdmin, PromoteMirror]
        "A mirror that is applied with subjects and without its original keeps its messages and stores new ones.";
    a_place_that_no_server_is_is_refused [Store, StreamAdmin, Placement]
        "A stream is refused, with its name, if it is to be on servers with a tag that none has.";
    the_retention_changes_to_interest [Store, StreamAdmin, ChangeRetention]
        "A stream of limits becomes one of interest, and says so.";
}

/// Another stream, which copies that of the case.
fn copy(
    fixture: &Fixture,
    letter: char,
    say: impl FnOnce(&mut StreamConfig),
) -> Outcome<StreamConfig> {
    let mut config = fixture.config(letter, |stream| stream.mirror(Upstream::of("OTHER")))?;
    config.mirror = None;
    say(&mut config);
    fixture.will_apply(&config);
    Ok(config)
}

fn mirror(fixture: &Fixture, rig: &Rig) -> Outcome<StreamConfig> {
    let original = UpstreamConfig::new(rig.stream.clone());
    copy(fixture, 'b', |config| config.mirror = Some(original))
}

/// The copy comes to have so many messages.
async fn becomes(copy: &Rig, wanted: u64) -> Outcome {
    let what = format!("a copy of {wanted} messages");
    copy.eventually(&what, async |copy| {
        Ok((copy.state().await?.messages == wanted).then_some(()))
    })
    .await
}

async fn a_mirror_has_the_messages_of_its_original(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..3).await?;
    let config = mirror(&fixture, &rig)?;
    ensure_eq!(rig.apply(&config).await?, StreamChange::Created, "it");
    let copy = rig.under(&config, &fixture.prefix('a'));
    becomes(&copy, 3).await?;
    rig.publish_all("a", 3..5).await?;
    becomes(&copy, 5).await?;
    let state = copy.state().await?;
    ensure_eq!(state.last_sequence, 5, "the last sequence of the mirror");
    ensure_eq!(state.config.mirror, config.mirror, "what it mirrors");
    ensure!(state.config.subjects.is_empty(), "a mirror has subjects");
    ensure_eq!(
        rig.apply(&config).await?,
        StreamChange::Unchanged,
        "applying it again"
    );
    Ok(())
}

async fn a_source_is_copied(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut source = UpstreamConfig::new(rig.stream.clone());
    source.filter = Some(rig.pattern("b")?);
    let config = copy(&fixture, 'b', |config| config.sources = vec![source])?;
    rig.apply(&config).await?;
    rig.publish_all("a", 0..2).await?;
    rig.publish_all("b", 2..5).await?;
    let copy = rig.under(&config, &fixture.prefix('a'));
    // What it copies comes in its order: anything else would have come between.
    let mut copied = copy.subscribe(&copy.ephemeral()?).await?;
    for number in 2..5 {
        copied.expect_and_ack([number]).await?;
    }
    rig.publish("a", 5).await?;
    rig.publish("b", 6).await?;
    copied.expect_and_ack([6]).await?;
    let state = copy.state().await?;
    ensure_eq!(state.messages, 4, "messages of the copy");
    ensure_eq!(state.last_sequence, 4, "the last sequence of the copy");
    ensure_eq!(state.config.sources, config.sources, "its sources");
    Ok(())
}

async fn what_a_stream_mirrors_stays(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let config = mirror(&fixture, &rig)?;
    rig.apply(&config).await?;
    let mut other = config.clone();
    other.mirror = Some(UpstreamConfig::new(Text::from_static("OTHER")));
    refused(&rig, &other, "another original").await?;
    let state = rig.under(&config, "").state().await?;
    ensure_eq!(state.config.mirror, config.mirror, "what it mirrors");
    Ok(())
}

async fn a_mirror_becomes_a_stream(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..3).await?;
    let config = mirror(&fixture, &rig)?;
    rig.apply(&config).await?;
    let copy = rig.under(&config, &fixture.prefix('b'));
    becomes(&copy, 3).await?;
    let promoted = fixture.config('b', |stream| stream.subject(">"))?;
    rig.apply(&promoted).await?;
    ensure_eq!(copy.publish("a", 3).await?, 4, "the next sequence");
    // Other copies, one made after the other: what they have, the first one would have had. (A server
    // takes up to twice as long for one copy to begin as for another.)
    for (letter, messages) in [('c', 4), ('d', 5)] {
        let original = UpstreamConfig::new(rig.stream.clone());
        let other = self::copy(&fixture, letter, |config| config.sources = vec![original])?;
        rig.apply(&other).await?;
        let other = rig.under(&other, &fixture.prefix(letter));
        becomes(&other, messages - 1).await?;
        rig.publish("a", messages).await?;
        becomes(&other, messages).await?;
    }
    let state = copy.state().await?;
    ensure_eq!(state.messages, 4, "messages of what was a mirror");
    ensure_eq!(state.config.mirror, None, "what it mirrors");
    Ok(())
}

async fn a_place_that_no_server_is_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut placed = fixture.config('b', |stream: StreamSpec| stream.subject(">"))?;
    let mut nowhere = PlacementConfig::default();
    nowhere.tags = vec![Text::from_static("no-server-has-this")];
    placed.placement = Some(nowhere);
    fixture.will_apply(&placed);
    refused(&rig, &placed, "a place that is none").await
}

async fn the_retention_changes_to_interest(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let interest = |stream: StreamSpec| stream.subject(">").retention(Retention::Interest);
    let change = rig.apply(&fixture.config('a', interest)?).await?;
    let StreamChange::Updated { differences } = change else {
        return Err(Failure::new(format!("another retention was {change:?}")));
    };
    let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
    ensure_eq!(fields, ["retention"], "what was changed");
    let state = rig.state().await?;
    ensure_eq!(state.config.retention, Retention::Interest, "its retention");
    Ok(())
}

/// Applying is refused because it cannot be, and that is said of the stream.
async fn refused(rig: &Rig, config: &StreamConfig, why: &str) -> Outcome {
    let Err(error) = rig.try_apply(config).await? else {
        return Err(Failure::new(format!("{why} was applied")));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::InvalidOption,
        "the kind of {error}, the answer to {why}"
    );
    ensure_eq!(error.stream(), Some(&*config.name), "the stream in {error}");
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    Ok(())
}
