//! Cases for payloads: bodies, headers, and their maximum sizes.

use super::messages;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::fixture::Fixture;
use crate::rig::{Draft, Rig};
use event_sdk_core::headers::MAX_HEADER_LEN;
use event_sdk_core::transport::{
    AckPolicy, Body, DeliverPolicy, Error, ErrorKind, Outcome as Done,
};

cases! { "payload":
    every_byte_survives []
        "A body arrives byte for byte, whatever the bytes are.";
    empty_body_survives []
        "A body may be empty.";
    headers_survive []
        "Headers arrive with their names and values.";
    header_values_survive []
        "A header's value may be empty, have spaces within, and be any text without control characters.";
    largest_header_survives []
        "A header may have 4096 bytes.";
    many_headers_survive []
        "A message may have many headers.";
    a_mebibyte_survives []
        "A body as large as the transport declares, up to a mebibyte, is taken and arrives.";
    above_the_limit_is_refused []
        "A message larger than declared is refused with its size and the limit, and nothing was done.";
    headers_count_towards_the_limit []
        "The limit is for headers and body together.";
    stream_limits_message_size [Store, StreamAdmin]
        "A stream's own limit for one message is kept.";
}

const MEBIBYTE: usize = 1 << 20;

/// Above this a case does not make a message only to see it refused.
const TOO_MUCH_TO_TRY: usize = 256 << 20;

/// Publishes it and expects that it arrives as it is, stored or not.
async fn arrives(rig: &Rig, draft: Draft) -> Outcome {
    let mut config = rig.ephemeral()?;
    config.ack = AckPolicy::None;
    config.deliver = DeliverPolicy::New;
    let mut reader = rig.subscribe(&config).await?;
    let stored = rig.store(draft.clone()).await?;
    let mut got = reader.message().await?;
    // The copy that the consumer reads may have been behind.
    while rig.copies() > 1 && got.received.info.sequence < stored.sequence {
        got = reader.message().await?;
    }
    ensure_eq!(got.received.subject, draft.subject, "the subject");
    for (name, value) in draft.headers.iter() {
        ensure_eq!(
            got.received.headers.get(name),
            Some(value),
            "the header {name}"
        );
    }
    let (Body::Encoded(sent), Body::Encoded(found)) = (&draft.body, &got.received.body) else {
        return Err(super::Failure::new("the bytes arrived as a value"));
    };
    // Not `ensure_eq!`: a mebibyte in a message helps nobody.
    ensure!(
        sent == found,
        "{} bytes were published and {} others arrived",
        sent.len(),
        found.len()
    );
    Ok(())
}

async fn every_byte_survives(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let bytes: Vec<u8> = (0..=u8::MAX).chain((0..=u8::MAX).rev()).collect();
    arrives(&rig, rig.draft("a", 0)?.bytes(bytes)).await
}

async fn empty_body_survives(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    arrives(&rig, rig.draft("a", 0)?.bytes(Vec::new())).await
}

async fn headers_survive(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let draft = rig
        .draft("a", 0)?
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )?
        .header("X-Request.Id_1", "one")?;
    arrives(&rig, draft).await
}

async fn header_values_survive(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let draft = rig
        .draft("a", 0)?
        .header("Empty", "")?
        .header("Spaces", "two  spaces and: a colon")?
        .header("Text", "Zürich – 東京 🛫")?;
    arrives(&rig, draft).await
}

async fn largest_header_survives(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let value = "v".repeat(MAX_HEADER_LEN - "Large".len());
    arrives(&rig, rig.draft("a", 0)?.header("Large", &value)?).await
}

async fn many_headers_survive(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut draft = rig.draft("a", 0)?;
    for number in 0..100 {
        draft = draft.header(&format!("Header-{number}"), &number.to_string())?;
    }
    arrives(&rig, draft).await
}

async fn a_mebibyte_survives(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let size = rig.transport.capabilities().max_payload().min(MEBIBYTE);
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
    arrives(&rig, rig.draft("a", 0)?.bytes(bytes)).await
}

async fn above_the_limit_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let limit = rig.transport.capabilities().max_payload();
    if limit < TOO_MUCH_TO_TRY {
        let draft = rig.draft("a", 0)?.bytes(vec![b' '; limit + 1]);
        let error = rig.refused(draft, "a message above the limit").await?;
        too_large(&error, limit + 1, limit)?;
    }
    arrives(&rig, rig.draft("a", 1)?).await
}

async fn headers_count_towards_the_limit(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let limit = rig.transport.capabilities().max_payload();
    if limit < TOO_MUCH_TO_TRY {
        let draft = rig.draft("a", 0)?.bytes(vec![b' '; limit]);
        let draft = draft.header("One", "too many")?;
        let error = rig
            .refused(draft, "a body at the limit with a header")
            .await?;
        ensure!(
            matches!(error.kind(), ErrorKind::TooLarge { .. }),
            "the kind of {error} is {:?}",
            error.kind()
        );
    }
    arrives(&rig, rig.draft("a", 1)?).await
}

async fn stream_limits_message_size(fixture: Fixture) -> Outcome {
    let rig = fixture
        .rig_with(|stream| stream.max_message_size(2000))
        .await?;
    rig.publish("a", 0).await?;
    let draft = rig.draft("a", 1)?.bytes(vec![b' '; 2001]);
    let error = rig
        .refused(draft, "a message above the stream's limit")
        .await?;
    too_large(&error, 2001, 2000)?;
    rig.publish("a", 2).await?;
    messages(&rig, 2).await
}

fn too_large(error: &Error, size: usize, limit: usize) -> Outcome {
    ensure_eq!(
        *error.kind(),
        ErrorKind::TooLarge { size, limit },
        "the kind of {error}"
    );
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    Ok(())
}
