//! Table: which cases fail for which broken promise of coordination.

use event_sdk::transport::Capability;

use super::{Expected, at_least, exactly};
use crate::sabotage::Sabotage as S;

#[rustfmt::skip]
pub(super) const COORDINATING: &[Expected] = &[
    exactly(S::IgnoresRevisions, &[
        "a_deleted_key_is_absent", "a_deletion_expects_a_revision", "a_put_expects_a_revision",
        "an_absent_key_is_put_once", "an_entry_expires", "one_of_many_writers_wins_a_key",
    ]),
    exactly(S::DeletesAnyRevision, &["a_deletion_expects_a_revision"]),
    exactly(S::IsNeverSureOfWrites, &[
        "a_deleted_key_is_absent", "a_deletion_expects_a_revision", "a_put_expects_a_revision",
        "an_absent_key_is_put_once", "an_entry_expires", "one_of_many_writers_wins_a_key",
    ]),
    at_least(S::AnswersAnotherRevision, &[
        "a_large_value_survives", "a_put_expects_a_revision", "any_revision_is_overwritten",
        "keys_may_be_what_subjects_may_be", "the_last_put_says_when_it_expires",
        "two_transports_share_a_bucket", "values_are_any_bytes",
    ]),
    exactly(S::KeepsDeletedEntries, &[
        "a_bucket_is_created_by_apply", "a_deleted_key_is_absent",
        "a_deletion_expects_a_revision", "a_long_list_is_complete",
        "after_closing_nothing_is_coordinated", "a_drain_leaves_coordination",
        "buckets_are_apart", "keys_may_be_what_subjects_may_be", "other_keys_are_refused",
        "two_transports_share_a_bucket",
    ]),
    exactly(S::NeverForgetsDeletedKeys, &["a_bucket_is_created_by_apply", "a_deleted_key_is_absent"]),
    exactly(S::RefusesToDeleteNothing, &["a_deletion_expects_a_revision"]),
    exactly(S::ListsOnePage, &["a_long_list_is_complete"]),
    exactly(S::IgnoresThePrefix, &["a_list_has_what_is_below_a_prefix", "a_long_list_is_complete"]),
    exactly(S::ListsByRevision, &[
        "a_list_has_what_is_below_a_prefix", "a_long_list_is_complete",
        "keys_may_be_what_subjects_may_be",
    ]),
    exactly(S::CutsValuesAtZero, &["a_large_value_survives", "values_are_any_bytes"]),
    exactly(S::ConfirmsTooLargeValues, &["a_large_value_survives"]),
    exactly(S::TakesAnyKey, &["other_keys_are_refused"]),
    exactly(S::TakesHouseKeysOnly, &["keys_may_be_what_subjects_may_be"]),
    exactly(S::IgnoresExpiry, &[
        "an_entry_expires", "an_expiry_of_zero_is_refused", "the_last_put_says_when_it_expires",
    ]),
    exactly(S::ExpiresEarly, &["an_entry_expires"]),
    exactly(S::KeepsTheExpiry, &["an_entry_expires", "the_last_put_says_when_it_expires"]),
    exactly(S::TakesZeroForNoExpiry, &["an_expiry_of_zero_is_refused"]),
    exactly(S::Pretends(Capability::CoordinationExpiry), &[
        "an_entry_expires", "the_age_ends_a_longer_expiry", "an_expiry_of_zero_is_refused", "the_last_put_says_when_it_expires",
    ]),
    exactly(S::IgnoresTheAgeOfBuckets, &[
        "a_bucket_is_compared_and_left",
        "the_age_ends_a_longer_expiry", "the_age_of_a_bucket_ends_its_entries",
    ]),
    exactly(S::CreatesBucketsUnasked, &[
        "a_bucket_is_created_by_apply", "a_bucket_that_cannot_be_is_refused",
    ]),
    at_least(S::AppliesNoBuckets, &[
        "a_bucket_is_changed_and_told", "a_bucket_is_created_by_apply", "a_drain_leaves_coordination",
        "after_closing_nothing_is_coordinated",
    ]),
    exactly(S::CallsEachBucketNew, &[
        "a_bucket_is_changed_and_told", "a_bucket_is_created_by_apply",
    ]),
    exactly(S::ConfirmsBucketsThatCannotBe, &["a_bucket_that_cannot_be_is_refused"]),
    exactly(S::FindsBucketsAlike, &["a_bucket_is_compared_and_left"]),
    exactly(S::HasOneBucket, &["a_bucket_is_compared_and_left", "a_bucket_that_cannot_be_is_refused", "buckets_are_apart"]),
    exactly(S::KeepsBucketsToItself, &[
        "one_of_many_writers_wins_a_key", "two_transports_share_a_bucket",
    ]),
    exactly(S::RefusesToCoordinateWhileDraining, &["a_drain_leaves_coordination"]),
];
