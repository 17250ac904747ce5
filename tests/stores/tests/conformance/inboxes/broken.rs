//! Mutation test of the suite of inboxes: each broken promise fails its cases, and every case can fail.

use std::collections::BTreeSet;
use std::time::Duration;

use event_sdk_store_conformance::{InboxSuite, inbox_cases};
use futures_util::{StreamExt as _, stream};

use super::memory::InMemory;
use super::sabotage::Sabotage::{self, *};

type Names = BTreeSet<&'static str>;

/// Each sabotage, and the cases that must find it.
const EXPECTED: &[(Sabotage, &[&str])] = &[
    (
        ForgetsRecords,
        &[
            "a_repeat_has_no_effect",
            "a_repeat_in_a_later_run_has_no_effect",
            "a_batch_has_each_effect_once",
            "repeats_in_a_batch_have_no_effect",
        ],
    ),
    (ForgetsEffects, &["an_effect_is_committed_with_its_record"]),
    (
        KeepsFailedEffects,
        &[
            "a_failed_effect_leaves_nothing",
            "a_dead_event_is_recorded_and_has_no_effect",
            "a_failed_batch_leaves_nothing",
        ],
    ),
    (KeepsFailedRecords, &["a_failed_effect_leaves_nothing"]),
    (
        SharesRecords,
        &[
            "consumers_have_records_of_their_own",
            "consumers_give_up_for_themselves",
        ],
    ),
    (
        LocksNothing,
        &["of_two_deliveries_at_once_one_has_the_effect"],
    ),
    (
        CountsTroubles,
        &[
            "a_busy_database_is_an_outage",
            "a_lock_timeout_is_an_outage",
            "a_deadlock_is_an_outage",
            "a_serialization_failure_is_an_outage",
            "a_lost_connection_is_an_outage",
            "a_busy_database_fails_no_event_of_a_batch",
        ],
    ),
    (DeniesTroubles, &["a_busy_database_is_an_outage"]),
    (
        ForgetsTheDead,
        &[
            "a_dead_event_is_recorded_and_has_no_effect",
            "a_dead_event_is_not_handled_again",
        ],
    ),
    (
        HandlesTheDead,
        &[
            "a_dead_event_is_not_handled_again",
            "a_dead_event_holds_its_key",
        ],
    ),
    (
        ForgetsReasons,
        &[
            "a_dead_event_keeps_its_first_reason",
            "a_dead_event_is_not_handled_again",
        ],
    ),
    (
        GivesUpWhatIsDone,
        &[
            "an_event_that_is_done_is_not_given_up",
            "an_event_that_is_done_has_no_letter",
        ],
    ),
    (
        RecordsWithoutAnId,
        &["a_letter_without_an_event_id_has_no_record"],
    ),
    (
        RedrivesNothing,
        &[
            "a_redrive_passes_a_dead_record",
            "a_repeated_redrive_has_one_effect",
        ],
    ),
    (
        RedrivesWhatIsDone,
        &[
            "a_redrive_of_a_done_event_has_no_effect",
            "a_repeated_redrive_has_one_effect",
        ],
    ),
    (IgnoresRedriveNumbers, &["a_redrive_can_die_again"]),
    (LosesLetters, &["a_letter_and_its_record_are_stored"]),
    (
        LosesKeysOfLetters,
        &["a_letter_comes_back_as_it_was_written"],
    ),
    (RepeatsLetters, &["a_letter_is_stored_once"]),
    (ReplacesLetters, &["each_redrive_has_a_letter"]),
    (HidesItsInbox, &["the_letters_name_their_inbox"]),
    (
        IgnoresEpochs,
        &[
            "a_replaced_owner_has_no_effect",
            "a_replaced_owner_gives_nothing_up",
            "a_replaced_owner_stores_no_letter",
        ],
    ),
    (
        RefusesOwners,
        &["an_owner_has_effects", "an_owner_gives_up_again_and_again"],
    ),
    (SharesEpochsOfPartitions, &["each_partition_has_its_epoch"]),
    (SharesEpochsOfConsumers, &["each_consumer_has_its_epochs"]),
    (FailsWholeBatches, &["one_failure_leaves_the_others"]),
    (
        IgnoresKeysInBatches,
        &[
            "later_events_of_a_failed_key_wait",
            "a_dead_event_holds_its_key",
        ],
    ),
    (ReportsTheDeadLate, &["a_dead_event_holds_its_key"]),
    (
        RegistersNothing,
        &["a_source_is_known_with_its_first_record"],
    ),
    (
        CleansNothing,
        &["old_records_are_deleted", "a_cleaner_cleans"],
    ),
    (CleansTheYoung, &["young_records_stay"]),
    (CleansAboveTheFloor, &["records_above_the_floor_stay"]),
    (CleansAllAtOnce, &["records_are_deleted_in_batches"]),
    (CleansOtherConsumers, &["records_of_other_consumers_stay"]),
    (CleansBesideLetters, &["an_open_letter_keeps_its_record"]),
    (CleansRedrives, &["a_redrive_that_is_done_keeps_its_record"]),
    (LowersFloors, &["the_floor_never_falls"]),
    (EveryoneCleans, &["one_cleaner_cleans"]),
    (NobodyCleans, &["one_cleaner_cleans", "a_cleaner_cleans"]),
    (
        AcceptsOlder,
        &["an_event_whose_record_may_be_gone_is_refused"],
    ),
    (RefusesWhateverIsNew, &["a_first_delivery_is_never_refused"]),
];

/// Runs the cases that must find it; says so if one does not.
async fn run((how, expected): (Sabotage, &'static [&'static str])) -> Option<String> {
    let suite = InboxSuite::new()
        .only(expected)
        .unwrap()
        // What is broken never comes.
        .patience(Duration::from_secs(3))
        .timeout(Duration::from_secs(20));
    let report = suite.run(InMemory(how)).await;
    let failed: Names = report.failed().map(|result| result.case.name()).collect();
    let found: Names = expected.iter().copied().collect();
    (failed != found).then(|| format!("{how:?} was not found:\n{report:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_promise_is_found() {
    let missed: Vec<_> = stream::iter(EXPECTED)
        .map(|expected| run(*expected))
        .buffer_unordered(8)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn each_case_can_fail() {
    let found = EXPECTED.iter().flat_map(|(_, cases)| *cases).copied();
    let found: Names = found.collect();
    let all: Names = inbox_cases().map(|case| case.name()).collect();
    assert_eq!(all, found);
}

#[test]
fn each_sabotage_is_tried_once() {
    let mut tried: Vec<_> = EXPECTED.iter().map(|(how, _)| format!("{how:?}")).collect();
    let count = tried.len();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried.len(), count);
    assert!(count > 40, "{count} ways to break a promise");
}
