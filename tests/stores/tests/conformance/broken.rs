//! Mutation test of the suite: each broken promise fails its cases, and every case can fail.

use std::collections::BTreeSet;
use std::time::Duration;

use event_sdk_store_conformance::{Harness, Report, Suite, cases};
use event_sdk_test_stores::{OnPostgres, OnSqlite};
use futures_util::{StreamExt as _, stream};

use crate::sabotage::{Sabotage, Saboteur};
use Sabotage::*;

type Names = BTreeSet<&'static str>;

/// What is broken, and the cases that must find it.
type Expected = (Sabotage, &'static [&'static str]);

/// Each sabotage, and the cases that must find it.
const EXPECTED: &[Expected] = &[
    (
        RollbackCommits,
        &[
            "rolled_back_rows_do_not_exist",
            "a_cancelled_row_does_not_exist",
        ],
    ),
    (
        CommitRollsBack,
        &[
            "committed_rows_are_ready",
            "ids_have_the_order_of_the_inserts",
        ],
    ),
    (LosesHeaders, &["a_row_comes_back_as_it_was_written"]),
    (
        LosesKeys,
        &["a_key_has_one_shard", "a_parked_entry_says_why"],
    ),
    (CancelsNothing, &["a_cancelled_row_does_not_exist"]),
    (
        ClaimsTwice,
        &["a_shard_has_one_owner", "claims_at_once_share_no_shard"],
    ),
    (
        ClaimsNothing,
        &[
            "a_shard_has_one_owner",
            "several_relays_publish_each_row_once",
        ],
    ),
    (
        ForgetsEpochs,
        &[
            "an_ended_lease_can_be_claimed",
            "a_released_shard_is_free_at_once",
        ],
    ),
    (
        AcceptsOldEpochs,
        &[
            "an_old_epoch_changes_nothing",
            "an_entry_that_was_parked_again_is_not_released",
        ],
    ),
    (
        RenewsNothing,
        &[
            "an_ended_lease_can_be_renewed",
            "a_renewal_says_what_is_left",
        ],
    ),
    (
        RenewsWhatIsLost,
        &[
            "an_ended_lease_can_be_claimed",
            "a_renewal_says_what_is_left",
        ],
    ),
    (
        CountsOneRelay,
        &["leaving_gives_all_shards_back", "relays_are_counted"],
    ),
    (ReleasesNothing, &["a_released_shard_is_free_at_once"]),
    (ReleasesOldLeases, &["an_old_lease_releases_nothing"]),
    (LeavesNothing, &["leaving_gives_all_shards_back"]),
    (EveryoneCleans, &["one_relay_cleans"]),
    (NobodyCleans, &["one_relay_cleans"]),
    (
        ReadsNothing,
        &["committed_rows_are_ready", "a_limit_leaves_no_gap"],
    ),
    (
        ReadsBehindThePosition,
        &["rows_are_read_from_a_position_on"],
    ),
    (ReadsBackwards, &["ids_have_the_order_of_the_inserts"]),
    (SkipsARow, &["a_limit_leaves_no_gap"]),
    (ReportsOtherShards, &["a_key_has_one_shard"]),
    (
        SeesNothingAhead,
        &[
            "an_unpublished_row_ahead_is_reported",
            "a_parked_row_is_not_read",
        ],
    ),
    (
        SeesNoParkedAhead,
        &[
            "a_parked_row_is_not_read",
            "new_rows_wait_for_a_release",
            "a_parked_row_is_ahead_of_its_key",
        ],
    ),
    (
        SeesAlwaysAhead,
        &[
            "a_published_row_is_not_ahead",
            "a_parked_row_holds_no_other_key",
        ],
    ),
    (ReadsNothingBelow, &["rows_below_a_position_are_read"]),
    (IgnoresExcept, &["rows_below_a_position_are_read"]),
    (IgnoresExceptedKeys, &["keys_are_excepted_below_a_position"]),
    (ReadsNothingOfKeys, &["rows_of_keys_are_read"]),
    (ReadsKeysToTheEnd, &["rows_of_keys_are_read"]),
    (IgnoresFloors, &["nothing_is_looked_at_below_a_floor"]),
    (ReadsKnownRowsOfKeys, &["rows_of_keys_are_read"]),
    (
        DueTooEarly,
        &[
            "a_scheduled_row_waits_for_its_time",
            "rows_of_the_future_are_published_at_their_time",
        ],
    ),
    (
        DueInDisorder,
        &["due_rows_come_in_the_order_of_their_times"],
    ),
    (
        DueNever,
        &[
            "a_scheduled_row_waits_for_its_time",
            "a_due_row_is_not_cancelled_once_it_was_read",
        ],
    ),
    (DueWithKey, &["scheduled_rows_take_no_part_in_the_order"]),
    (
        HasNoWork,
        &[
            "a_scheduled_row_waits_for_its_time",
            "retried_entries_are_work_of_the_relay",
            "a_retried_key_goes_on_in_order",
        ],
    ),
    (
        MarksNothing,
        &[
            "a_published_row_is_not_parked",
            "a_marked_row_is_not_ready",
            "a_dropped_relay_is_succeeded",
        ],
    ),
    (MarksOldEpochs, &["an_old_epoch_marks_nothing"]),
    (MarksMissingRows, &["missing_rows_are_left_out"]),
    (MarksNothingTwice, &["marking_again_changes_nothing"]),
    (ForgetsPublishedRows, &["published_rows_are_kept"]),
    (ForgetsPlaces, &["published_rows_are_kept"]),
    (ReadsOnePageForever, &["published_rows_are_read_in_pages"]),
    (
        ForgetsNewestRows,
        &["the_newest_row_of_each_stream_is_found"],
    ),
    (
        ReadsNewestPageForever,
        &["published_rows_are_read_backwards"],
    ),
    (ForgetsOwnTimes, &["a_mark_keeps_its_own_time"]),
    (CountsNoFailures, &["failures_are_counted"]),
    (
        ParksNothing,
        &[
            "a_parked_row_is_not_read",
            "a_row_without_a_key_is_parked_alone",
            "a_refused_row_parks_its_key",
        ],
    ),
    (MovesNothingBehind, &["rows_are_moved_behind_in_batches"]),
    (MovesAllBehind, &["rows_are_moved_behind_in_batches"]),
    (
        ForgetsReasons,
        &[
            "a_parked_entry_says_why",
            "a_row_that_is_parked_again_has_one_entry",
        ],
    ),
    (ReadsAllParked, &["parked_entries_are_read_in_pages"]),
    (ReleasesAllAtOnce, &["released_rows_come_back_in_order"]),
    (ReleasesForever, &["released_rows_come_back_in_order"]),
    (
        ReleasesWhatIsParkedAgain,
        &["an_entry_that_was_parked_again_is_not_released"],
    ),
    (RetriesAll, &["what_is_retried_is_chosen"]),
    (
        RetriesNothing,
        &[
            "retried_entries_are_work_of_the_relay",
            "a_released_row_without_a_key_comes_back",
            "a_released_row_has_no_attempts",
        ],
    ),
    (SkipsAlways, &["a_released_row_is_not_skipped"]),
    (
        SkipsNothing,
        &[
            "a_skipped_row_is_deleted_and_its_key_comes_back",
            "a_skipped_row_without_a_key_leaves_nothing",
        ],
    ),
    (PurgesNothing, &["purging_deletes_the_key_in_batches"]),
    (PurgesAllAtOnce, &["purging_deletes_the_key_in_batches"]),
    (StatusIsEmpty, &["rows_are_counted_by_their_states"]),
    (StatusHasNoAge, &["the_oldest_ready_row_gives_the_age"]),
    (
        StatusCountsTwice,
        &[
            "an_empty_outbox_has_nothing_to_report",
            "the_rate_counts_the_last_seconds",
        ],
    ),
    (StatusOfThePast, &["the_oldest_ready_row_gives_the_age"]),
    (CleansEverything, &["old_published_rows_are_deleted"]),
    (CleansReadyRows, &["other_rows_are_never_deleted"]),
    (
        CleansNothing,
        &[
            "old_published_rows_are_deleted",
            "rows_are_deleted_in_batches",
        ],
    ),
    (CleansAllAtOnce, &["rows_are_deleted_in_batches"]),
    (
        SettlesEverything,
        &[
            "an_open_transaction_is_above_what_is_settled",
            "ids_of_deleted_rows_stay_settled",
        ],
    ),
    (
        TellsOfConcurrentWriters,
        &["a_late_commit_is_found_below", "late_commits_are_published"],
    ),
];

/// Those that only a store with several shards and writers can show.
const EXPECTED_ON_POSTGRES: &[Expected] = &[
    (WritesOneKey, &["keys_are_spread"]),
    (ClaimsMoreThanAsked, &["a_claim_takes_no_more_than_asked"]),
    (IgnoresShards, &["only_the_asked_shards_are_read"]),
    (ReadsNothingBelow, &["a_late_commit_is_found_below"]),
    (SeesNothingAhead, &["a_late_commit_is_ahead_of_its_key"]),
    (
        SettlesEverything,
        &["what_can_still_be_committed_is_not_settled"],
    ),
];

fn failed(report: &Report) -> Names {
    report.failed().map(|result| result.case.name()).collect()
}

/// Runs the cases that must find it.
async fn run<H: Harness>(inner: H, (how, expected): Expected) {
    let suite = Suite::new()
        .only(expected)
        .unwrap()
        // What is broken never comes.
        .patience(Duration::from_secs(5))
        .timeout(Duration::from_secs(20));
    let report = suite.run(Saboteur { inner, how }).await;
    let missed: Vec<_> = expected
        .iter()
        .filter(|name| !failed(&report).contains(*name))
        .collect();
    assert!(
        missed.is_empty(),
        "{how:?} was not found by {missed:?}:\n{report:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_promise_is_found() {
    stream::iter(EXPECTED)
        .map(|expected| run(OnSqlite, *expected))
        .buffer_unordered(6)
        .collect::<()>()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_promise_of_shards_and_writers_is_found() {
    for expected in EXPECTED_ON_POSTGRES {
        run(OnPostgres::directly().await.unwrap(), *expected).await;
    }
}

#[test]
fn each_case_can_fail() {
    let found: Names = [EXPECTED, EXPECTED_ON_POSTGRES]
        .concat()
        .into_iter()
        .flat_map(|(_, cases)| cases)
        .copied()
        .collect();
    let all: Names = cases().map(|case| case.name()).collect();
    assert_eq!(all, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saboteur_that_breaks_nothing_passes() {
    let (inner, how) = (OnSqlite, Nothing);
    let report = Suite::new().run(Saboteur { inner, how }).await;
    report.assert_all_passed();
}

#[test]
fn each_sabotage_is_tried_once() {
    let mut tried: Vec<_> = EXPECTED.iter().map(|(how, _)| format!("{how:?}")).collect();
    let count = tried.len();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried.len(), count);
    assert!(count > 50, "{count} ways to break a promise");
}
