//! Rows of the table about abilities of transports: managing streams, history, messages.

use event_sdk::transport::Capability;

use super::{Expected, exactly};
use crate::sabotage::Sabotage as S;

#[rustfmt::skip]
pub(super) const ABILITIES: &[Expected] = &[
    exactly(S::Pretends(Capability::StreamAdmin), &[
        "max_age_drops_the_old",
        "a_mirror_has_the_messages_of_its_original", "a_source_is_copied", "what_a_stream_mirrors_stays",
        "a_mirror_becomes_a_stream", "a_place_that_no_server_is_is_refused", "the_retention_changes_to_interest",
        "a_stream_comes_to_allow_schedules",
        "a_stream_stores_advisories", "what_is_no_advisory_is_passed_over",
        "filters_that_match_nothing_any_more_are_not_unchanged", "what_the_stream_stores_no_more_is_refused",
        "what_a_stream_denies_stays_denied", "roll_ups_are_allowed_and_forbidden_later",
        "a_compressed_stream_is_read_as_it_was_written", "a_new_subject_is_stored",
        "a_smaller_limit_drops_the_oldest", "a_stream_is_created",
        "a_stream_that_cannot_be_is_refused", "a_subject_moves_to_another_stream",
        "a_subject_that_is_taken_away_is_kept", "after_closing_nothing_is_managed",
        "an_age_that_is_set_later_counts", "applying_it_again_changes_nothing",
        "many_may_apply_at_once", "subjects_of_another_stream_are_refused",
        "the_retention_of_a_stream_stays", "the_storage_of_a_stream_stays",
        "what_a_new_limit_drops_is_a_gap", "what_grew_too_old_is_a_gap",
        "what_differs_is_changed_and_told",
    ]),
    exactly(S::Pretends(Capability::History), &[
        "history_has_no_waiting_message",
        "after_closing_nothing_is_read", "history_begins_at_a_sequence",
        "history_begins_at_a_time", "history_ends_where_it_was_asked_for", "history_has_values",
        "history_is_in_order", "history_is_what_was_published", "history_keeps_its_filters",
        "history_keeps_its_limit", "history_leaves_out_what_is_dropped",
        "history_of_a_missing_stream_is_an_error", "history_of_nothing_is_empty",
        "history_settles_nothing",
    ]),
    exactly(S::Pretends(Capability::MessageAdmin), &[
        "after_closing_nothing_is_managed", "after_a_drain_nothing_is_settled",
        "while_draining_nothing_is_begun",
        "a_denied_deletion_is_refused", "a_denied_purge_is_refused",
        "a_message_is_got_by_its_sequence",
        "the_last_message_under_a_pattern_is_got",
        "a_message_that_is_not_there_is_none",
        "a_deleted_message_is_gone",
        "a_message_is_deleted_once",
        "before_the_deleted_last_message_lies_another",
        "an_erased_message_is_gone",
        "the_id_of_a_deleted_message_is_remembered",
        "a_purge_empties_the_stream",
        "a_purge_goes_by_its_filter",
        "a_purge_ends_before_a_sequence",
        "a_purge_keeps_the_newest",
        "a_purge_that_contradicts_itself_is_refused",
        "messages_of_a_missing_stream_are_an_error",
        "what_was_deleted_is_a_gap",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::GetsTheNeighbour, &[
        "a_message_is_got_by_its_sequence", "a_message_that_is_not_there_is_none",
        "a_deleted_message_is_gone", "a_message_is_deleted_once", "an_erased_message_is_gone",
        "a_purge_goes_by_its_filter",
        "a_purge_ends_before_a_sequence", "a_purge_keeps_the_newest",
    ]),
    exactly(S::DeletesNoMessages, &[
        "after_closing_nothing_is_managed", "a_denied_deletion_is_refused", "a_denied_purge_is_refused",
        "a_deleted_message_is_gone", "a_message_is_deleted_once", "an_erased_message_is_gone",
        "before_the_deleted_last_message_lies_another",
        "messages_of_a_missing_stream_are_an_error", "what_was_deleted_is_a_gap",
    ]),
    exactly(S::CallsTheMissingDeleted, &["a_message_is_deleted_once", "an_erased_message_is_gone"]),
    exactly(S::PurgesEverything, &[
        "a_purge_goes_by_its_filter", "a_purge_ends_before_a_sequence", "a_purge_keeps_the_newest",
    ]),
    exactly(S::PurgesWithTwoEnds, &["a_purge_that_contradicts_itself_is_refused"]),
    exactly(S::CountsNothingPurged, &[
        "a_purge_empties_the_stream", "a_purge_goes_by_its_filter",
        "a_purge_ends_before_a_sequence", "a_purge_keeps_the_newest",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::Pretends(Capability::DenyDeletion), &["what_a_stream_denies_stays_denied"]),
    exactly(S::ConfirmsDeniedDeletions, &[
        "a_denied_deletion_is_refused", "a_denied_purge_is_refused",
    ]),
    exactly(S::Pretends(Capability::RollUp), &[
        "a_roll_up_replaces_its_subject", "a_roll_up_replaces_the_stream",
        "a_roll_up_has_to_be_allowed", "roll_ups_are_allowed_and_forbidden_later",
        "a_duplicate_rolls_nothing_up",
        "what_is_refused_rolls_nothing_up",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::RollsNothingUp, &[
        "a_roll_up_replaces_its_subject", "a_roll_up_replaces_the_stream",
        "a_roll_up_has_to_be_allowed", "roll_ups_are_allowed_and_forbidden_later",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::RollsUpDuplicates, &["a_duplicate_rolls_nothing_up"]),
    exactly(S::RollsEverythingUp, &["a_roll_up_replaces_its_subject", "a_roll_up_or_purge_of_all_deletes_schedules"]),
    exactly(S::ConfirmsDeniedRollUps, &[
        "a_roll_up_has_to_be_allowed", "roll_ups_are_allowed_and_forbidden_later",
    ]),
    exactly(S::Pretends(Capability::Snapshots), &[
        "a_snapshot_has_all_that_was_stored", "a_snapshot_has_the_consumers_that_are_asked_for",
        "a_restore_over_a_stream_is_refused", "a_snapshot_of_another_stream_is_refused",
        "a_snapshot_of_another_kind_is_refused", "a_snapshot_of_a_missing_stream_is_an_error",
        "after_closing_no_snapshot_is_made",
    ]),
    exactly(S::CountsNothingInSnapshots, &[
        "a_snapshot_has_all_that_was_stored", "a_snapshot_has_the_consumers_that_are_asked_for",
    ]),
    exactly(S::EmptiesSnapshots, &["a_snapshot_has_all_that_was_stored"]),
    exactly(S::LeavesConsumersOut, &["a_snapshot_has_the_consumers_that_are_asked_for"]),
    exactly(S::ConfirmsRestores, &[
        "a_restore_over_a_stream_is_refused", "a_snapshot_of_another_stream_is_refused",
        "a_snapshot_of_another_kind_is_refused",
    ]),
    exactly(S::Pretends(Capability::Advisories), &[
        "a_termination_is_heard",
        "a_message_without_deliveries_left_is_heard",
        "what_others_do_is_heard",
        "advisories_are_chosen",
        "listening_ends_with_the_transport",
    ]),
    exactly(S::HearsNothing, &[
        "a_termination_is_heard",
        "a_message_without_deliveries_left_is_heard",
        "what_others_do_is_heard",
        "advisories_are_chosen",
        "listening_ends_with_the_transport",
    ]),
    exactly(S::HearsEverything, &["advisories_are_chosen"]),
    exactly(S::HearsNoReasons, &["a_termination_is_heard"]),
];
