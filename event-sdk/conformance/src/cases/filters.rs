//! Cases for filters: a consumer receives the matching subjects only.

use super::Failure;
use crate::case::cases;
use crate::failure::{Outcome, ensure_eq};
use crate::fence::FENCE;
use crate::fixture::Fixture;
use event_sdk_core::transport::DeliverPolicy;

cases! { "filters":
    a_filter_without_wildcards [Store]
        "A filter without wildcards matches one subject.";
    a_star_matches_one_token [Store]
        "A star matches one whole token, wherever it stands.";
    an_arrow_matches_what_follows [Store]
        "`>` matches one token or more at the end.";
    several_filters_are_one_consumer [Store, SeveralFilters]
        "A consumer with several filters receives what any of them matches, in one order.";
    a_filter_that_matches_nothing [Store]
        "A consumer whose filter matches nothing waits until something does.";
    pending_counts_what_the_filter_matches [Store]
        "What a consumer has still to receive is never counted too low, and ends at zero.";
}

const SUBJECTS: [&str; 9] = [
    "order",
    "order.placed",
    "order.placed.7",
    "order.paid",
    "order.paid.7",
    "order.paid.7.x",
    "orders.placed",
    "invoice.paid",
    "invoice.paid.7",
];

/// Publishes to each of the subjects; a consumer with these filters receives
/// those that are wanted.
async fn receives(fixture: Fixture, filters: &[&str], wanted: &[&str]) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.filters = filters
        .iter()
        .map(|filter| rig.pattern(filter))
        .collect::<Result<_, Failure>>()?;
    let mut live = rig.subscribe(&config).await?;
    for (number, subject) in (0..).zip(SUBJECTS) {
        rig.publish(subject, number).await?;
    }
    let mut late = rig.subscribe(&config).await?;
    for reader in [&mut live, &mut late] {
        for subject in wanted {
            let got = reader.message().await?;
            ensure_eq!(
                got.received.subject,
                rig.subject(subject)?,
                "what {filters:?} received"
            );
            got.ack().await?;
        }
    }
    rig.publish(wanted[0], FENCE).await?;
    live.expect_and_ack([FENCE]).await?;
    late.expect_and_ack([FENCE]).await
}

async fn a_filter_without_wildcards(fixture: Fixture) -> Outcome {
    receives(fixture, &["order.placed"], &["order.placed"]).await
}

async fn a_star_matches_one_token(fixture: Fixture) -> Outcome {
    receives(fixture, &["*.paid"], &["order.paid", "invoice.paid"]).await
}

async fn an_arrow_matches_what_follows(fixture: Fixture) -> Outcome {
    let wanted = [
        "order.placed",
        "order.placed.7",
        "order.paid",
        "order.paid.7",
        "order.paid.7.x",
    ];
    receives(fixture, &["order.>"], &wanted).await
}

async fn several_filters_are_one_consumer(fixture: Fixture) -> Outcome {
    let filters = ["order.*.7", "invoice.>", "orders.placed"];
    let wanted = [
        "order.placed.7",
        "order.paid.7",
        "orders.placed",
        "invoice.paid",
        "invoice.paid.7",
    ];
    receives(fixture, &filters, &wanted).await
}

async fn a_filter_that_matches_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.filters = vec![rig.pattern("later")?];
    config.deliver = DeliverPolicy::All;
    rig.publish_all("now", 0..5).await?;
    let mut reader = rig.subscribe(&config).await?;
    rig.publish_all("now", 5..10).await?;
    reader.expect_nothing_before_fence(&rig, "later").await
}

async fn pending_counts_what_the_filter_matches(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut config = rig.ephemeral()?;
    config.filters = vec![rig.pattern("a")?];
    for number in 0..10 {
        rig.publish(if number % 2 == 0 { "b" } else { "a" }, number)
            .await?;
    }
    let mut reader = rig.subscribe(&config).await?;
    for number in [1, 3, 5, 7, 9] {
        let got = reader.expect(number).await?;
        let left = (9 - number) / 2;
        match got.received.info.pending {
            Some(pending) if pending >= left && (left > 0 || pending == 0) => {}
            pending => {
                return Err(Failure::new(format!(
                    "{pending:?} are to come after message {number}, there are {left}"
                )));
            }
        }
        got.ack().await?;
    }
    Ok(())
}
