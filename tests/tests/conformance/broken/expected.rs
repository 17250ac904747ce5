//! Table: which cases fail for which broken promise.

mod abilities;
mod coordinating;
mod draining;
mod scheduling;
mod settling;

use event_sdk::transport::Capability;

use crate::sabotage::Sabotage;
use crate::sabotage::Sabotage as S;

/// What the suite has to say of one broken promise.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) sabotage: Sabotage,
    /// The cases that have to fail.
    pub(super) named: &'static [&'static str],
    pub(super) others: Others,
}

/// What becomes of the cases that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// They pass: the damage is confined.
    Pass,
    /// They may fail: much depends on what is broken.
    MayFail,
}

const fn exactly(sabotage: Sabotage, named: &'static [&'static str]) -> Expected {
    Expected {
        sabotage,
        named,
        others: Others::Pass,
    }
}

const fn at_least(sabotage: Sabotage, named: &'static [&'static str]) -> Expected {
    Expected {
        sabotage,
        named,
        others: Others::MayFail,
    }
}

/// The cases whose consumers begin somewhere else than at the oldest message, by what they find in
/// the stream.
pub(super) const BEGIN_ELSEWHERE: &[&str] = &[
    "a_start_time_is_included",
    "last_begins_at_the_newest_that_matches",
    "last_per_subject_begins_with_each_newest",
    "new_begins_now",
];

/// The whole table.
pub(super) fn all() -> impl Iterator<Item = &'static Expected> {
    let abilities = [
        abilities::ABILITIES,
        coordinating::COORDINATING,
        scheduling::SCHEDULING,
    ];
    [EXPECTED, settling::SETTLING, draining::DRAINING]
        .into_iter()
        .chain(abilities)
        .flatten()
}

#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    exactly(S::Nothing, &[]),
    at_least(S::LosesEveryTenth, &[
        "order_of_one_publisher", "dropped_confirmation_takes_nothing_back",
        "messages_come_in_order", "many_publishers_and_consumers", "a_large_backlog",
    ]),
    at_least(S::AnswersAnotherSequence, &[
        "stored_with_stream_and_sequence", "sequences_count_up_by_one",
        "a_delivery_says_where_it_comes_from", "history_is_what_was_published",
    ]),
    exactly(S::ForgetsMessageIds, &[
        "the_id_of_a_deleted_message_is_remembered",
        "a_duplicate_answers_with_the_first", "a_duplicate_is_not_stored",
        "a_value_may_be_a_duplicate", "an_event_id_is_its_text",
        "an_id_that_cannot_travel_is_refused", "ids_outlive_their_messages",
        "parallel_duplicates_are_stored_once", "the_window_ends",
        "a_duplicate_rolls_nothing_up",
    ]),
    exactly(S::HidesDuplicates, &[
        "the_id_of_a_deleted_message_is_remembered",
        "a_duplicate_answers_with_the_first", "a_value_may_be_a_duplicate",
        "an_event_id_is_its_text", "ids_outlive_their_messages",
        "parallel_duplicates_are_stored_once", "the_window_ends",
        "a_duplicate_rolls_nothing_up",
    ]),
    exactly(S::IgnoresExpectations, &[
        "a_refused_id_is_not_remembered", "every_expectation_has_to_hold",
        "one_of_many_writers_wins", "refused_messages_are_not_delivered",
        "unexpected_entity_sequence_is_refused", "unexpected_stream_sequence_is_refused",
        "unexpected_subject_sequence_is_refused",
        "what_is_refused_rolls_nothing_up",
    ]),
    exactly(S::DropsHeaders, &[
        "a_message_is_got_by_its_sequence",
        "a_value_arrives_as_it_is", "header_values_survive", "headers_count_towards_the_limit",
        "headers_survive", "history_is_what_was_published", "largest_header_survives",
        "many_headers_survive", "max_bytes_keeps_the_newest",
    ]),
    exactly(S::CutsBodiesAtZero, &["a_mebibyte_survives", "every_byte_survives"]),
    exactly(S::ConfirmsWhatNoStreamStores, &[
        "a_new_subject_is_stored", "a_subject_that_is_taken_away_is_kept", "no_stream_is_an_error",
    ]),
    exactly(S::IsNeverSure, &[
        "a_roll_up_has_to_be_allowed", "roll_ups_are_allowed_and_forbidden_later",
        "above_the_limit_is_refused", "every_expectation_has_to_hold", "full_stream_refuses",
        "no_stream_is_an_error", "refused_messages_are_not_delivered",
        "stream_limits_message_size", "unexpected_entity_sequence_is_refused",
        "unexpected_stream_sequence_is_refused", "unexpected_subject_sequence_is_refused",
    ]),
    exactly(S::WaitsForSlowSubscriptions, &[
        "a_slow_subscription_slows_no_other", "a_slow_subscription_slows_no_publisher",
        "many_members_share_the_load",
    ]),
    exactly(S::EncodesValues, &[
        "a_value_arrives_as_it_is", "a_value_comes_again", "every_consumer_gets_the_value",
        "history_has_values", "values_and_bytes_keep_their_order",
    ]),
    at_least(S::KeepsEverything, &[
        "full_stream_refuses", "stream_limits_message_size", "max_messages_keeps_the_newest",
        "max_messages_per_subject_keeps_the_newest", "max_bytes_keeps_the_newest",
        "max_age_drops_the_old", "sequences_are_never_given_again",
        "what_is_gone_is_not_delivered", "what_went_before_is_no_gap",
        "the_state_has_the_configuration",
    ]),
    exactly(S::AppliesNothing, &[
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
        "an_age_that_is_set_later_counts", "many_may_apply_at_once",
        "subjects_of_another_stream_are_refused", "the_retention_of_a_stream_stays",
        "the_storage_of_a_stream_stays",
        "what_a_new_limit_drops_is_a_gap", "what_differs_is_changed_and_told",
    ]),
    exactly(S::CallsEachStreamNew, &[
        "a_stream_comes_to_allow_schedules",
        "what_a_stream_denies_stays_denied", "roll_ups_are_allowed_and_forbidden_later",
        "a_compressed_stream_is_read_as_it_was_written", "a_new_subject_is_stored",
        "applying_it_again_changes_nothing", "what_differs_is_changed_and_told",
    ]),
    exactly(S::HasAnEmptyAccount, &[
        "the_account_counts_memory_apart", "the_account_counts_what_is_reserved",
    ]),
    exactly(S::ConfirmsWhatCannotBe, &[
        "what_a_stream_denies_stays_denied",
        "a_stream_comes_to_allow_schedules",
        "a_stream_that_cannot_be_is_refused", "a_subject_moves_to_another_stream",
        "subjects_of_another_stream_are_refused", "the_retention_of_a_stream_stays",
        "the_storage_of_a_stream_stays",
    ]),
    exactly(S::KeepsWhatWasAcked, &[
        "a_deleted_consumer_is_waited_for_no_more", "a_later_consumer_is_waited_for_too",
        "a_message_of_a_work_queue_is_for_one_consumer", "a_work_queue_drops_what_was_acked",
        "a_work_queue_drops_what_was_terminated", "a_work_queue_refuses_who_would_leave_messages",
        "interest_keeps_it_for_each_consumer",
        "interest_keeps_it_for_whom_it_is_for", "it_goes_in_whichever_order_it_was_acked",
        "limits_hold_all_the_same", "the_retention_of_a_stream_stays",
        "what_is_for_nobody_has_a_sequence", "what_ran_out_of_deliveries_may_be_acked_late",
        "without_acks_it_goes_once_delivered",
    ]),
    exactly(S::KeepsQueuesByInterest, &[
        "a_message_of_a_work_queue_is_for_one_consumer", "a_work_queue_drops_what_was_acked",
        "a_work_queue_refuses_who_would_leave_messages", "limits_hold_all_the_same",
        "the_retention_of_a_stream_stays",
    ]),
    exactly(S::Pretends(Capability::Compression), &[
        "a_compressed_stream_is_read_as_it_was_written",
    ]),
    exactly(S::ChangesConsumers, &[
        "a_filter_that_misses_some_is_a_mismatch", "a_mismatch_changes_nothing",
        "another_ack_policy_is_a_mismatch",
    ]),
    exactly(S::TellsNoDifferences, &[
        "another_backoff_is_followed_and_told", "filters_may_cover_more",
        "other_settings_are_followed_and_told",
    ]),
    exactly(S::CreatesWhatMustExist, &["what_must_exist_is_not_created"]),
    exactly(S::CreatesWhatNeverReceives, &["what_the_stream_never_stores_is_refused"]),
    exactly(S::BindsWhatReceivesNoMore, &["what_the_stream_stores_no_more_is_refused"]),
    at_least(S::WantsTheSameFilters, &["filters_may_cover_more"]),
    exactly(S::ComparesTheStart, &["another_start_is_no_difference"]),
    exactly(S::CopiesToEachMember, &[
        "a_group_shares", "a_live_group_shares", "a_member_that_joins_gets_its_share",
        "other_settings_are_followed_and_told", "many_members_share_the_load",
    ]),
    at_least(S::ForgetsDurables, &[
        "a_durable_goes_on_where_it_was", "a_durable_collects_while_nobody_listens",
        "a_durable_shares", "the_start_counts_once",
    ]),
    at_least(S::IgnoresFilters, &[
        "a_filter_without_wildcards", "a_star_matches_one_token",
        "an_arrow_matches_what_follows", "several_filters_are_one_consumer",
        "a_filter_that_matches_nothing", "pending_counts_what_the_filter_matches",
    ]),
    exactly(S::BeginsAtTheOldest, &[
        "a_slow_subscription_hears_of_a_gap", "a_start_sequence_is_included",
        "a_start_sequence_may_lie_ahead", "a_start_time_is_included",
        "a_work_queue_refuses_who_would_leave_messages", "another_backoff_is_followed_and_told",
        "binding_takes_the_consumer_as_it_is", "other_settings_are_followed_and_told",
        "last_begins_at_the_newest_that_matches", "last_per_subject_begins_with_each_newest",
        "new_begins_now", "what_was_dropped_behind_the_start_is_a_gap",
    ]),
    at_least(S::BeginsBehind, BEGIN_ELSEWHERE),
    exactly(S::IgnoresMaxAckPending, &[
        "a_change_keeps_the_position", "wider_filters_go_on_where_it_was",
        "another_backoff_is_followed_and_told", "binding_takes_the_consumer_as_it_is",
        "filters_may_cover_more", "other_settings_are_followed_and_told",
        "max_ack_pending_holds_back",
        "max_ack_pending_is_for_all_members",
    ]),
    exactly(S::IgnoresMaxDeliver, &[
        "a_message_without_deliveries_left_is_heard",
        "a_nak_of_the_last_delivery_is_reported", "an_exhausted_message_is_reported",
        "another_backoff_is_followed_and_told", "binding_takes_the_consumer_as_it_is",
        "other_settings_are_followed_and_told", "max_deliver_is_kept",
        "what_ran_out_unheard_is_reported",
    ]),
    exactly(S::IgnoresBackoff, &["another_backoff_is_followed_and_told", "backoff_replaces_the_ack_wait"]),
    exactly(S::AppliesNoDurables, &[
        "filters_that_match_nothing_any_more_are_not_unchanged",
        "a_change_keeps_the_position", "a_durable_is_created_and_found",
        "another_ack_policy_cannot_be_applied",
        "applying_to_a_missing_stream_is_an_error", "filters_that_match_nothing_are_not_applied",
        "many_may_apply_a_durable_at_once", "narrower_filters_go_on_where_it_was",
        "only_durables_are_applied", "the_info_counts", "unsettled_deliveries_stay",
        "wider_filters_go_on_where_it_was", "the_list_has_each_durable",
        "a_reset_goes_forward", "a_reset_before_the_start_is_refused",
    ]),
    exactly(S::MakesDurablesAnew, &[
        "a_change_keeps_the_position", "unsettled_deliveries_stay", "wider_filters_go_on_where_it_was",
    ]),
    exactly(S::ConfirmsDurablesThatCannotBe, &[
        "another_ack_policy_cannot_be_applied", "applying_to_a_missing_stream_is_an_error",
        "filters_that_match_nothing_any_more_are_not_unchanged",
        "filters_that_match_nothing_are_not_applied", "only_durables_are_applied",
    ]),
    exactly(S::CountsNoPositions, &[
        "deliveries_are_numbered", "narrower_filters_go_on_where_it_was", "the_info_counts", "unsettled_deliveries_stay",
        "a_paused_consumer_delivers_nothing", "a_reset_goes_back", "a_reset_forgets_the_unsettled",
    ]),
    exactly(S::DeletesNothing, &[
        "a_batch_names_what_was_not_settled",
        "a_deleted_consumer_is_waited_for_no_more", "after_a_drain_nothing_is_settled",
        "after_closing_nothing_is_managed", "deleting_ends_the_subscriptions",
        "deleting_forgets_the_consumer_alone", "deleting_what_is_not_there_is_an_error",
        "interest_keeps_it_for_each_consumer", "while_draining_nothing_is_begun",
    ]),
    exactly(S::ListsNoConsumers, &[
        "the_list_has_each_durable", "the_list_of_a_missing_stream_is_an_error",
    ]),
    exactly(S::PausesNothing, &[
        "a_paused_consumer_delivers_nothing", "a_paused_consumer_repeats_nothing",
        "steering_what_is_not_there_is_an_error",
    ]),
    exactly(S::PausesForGood, &[
        "a_paused_consumer_delivers_nothing", "a_paused_consumer_repeats_nothing",
        "steering_what_is_not_there_is_an_error",
    ]),
    exactly(S::ResetsNothing, &[
        "a_reset_before_the_start_is_refused", "a_reset_forgets_the_unsettled",
        "a_reset_goes_back", "a_reset_goes_forward", "steering_what_is_not_there_is_an_error",
    ]),
    at_least(S::Reorders, &[
        "messages_come_in_order", "order_of_one_publisher", "backlog_and_live_meet",
        "a_large_backlog", "many_publishers_and_consumers", "prefetch_is_no_limit_of_unsettled",
    ]),
    at_least(S::DeliversTwice, &[
        "an_acked_message_stays_away", "a_group_shares", "every_consumer_gets_its_own_copy",
        "what_was_read_is_no_gap", "a_redelivery_of_what_runs_starts_nothing",
        "a_slow_handler_repeats_nothing",
    ]),
    at_least(S::HandsOutTheStale, &["a_stale_copy_is_not_handed_out"]),
    at_least(S::CountsNoAttempts, &[
        "attempts_count_up", "an_unsettled_message_comes_again", "a_nak_brings_it_back_at_once",
        "a_value_comes_again",
    ]),
    at_least(S::NeverRedelivers, &[
        "an_unsettled_message_comes_again", "a_nak_brings_it_back_at_once",
        "a_redelivery_is_the_same_message", "a_dropped_subscription_gives_back_the_unsettled",
        "a_member_that_leaves_loses_nothing", "members_come_and_go",
        "without_max_deliver_it_comes_until_settled",
    ]),
    exactly(S::HidesGaps, &[
        "what_was_deleted_is_a_gap",
        "a_durable_that_comes_back_hears_of_a_gap", "a_gap_counts_what_was_for_the_consumer",
        "a_slow_subscription_hears_of_a_gap", "holes_are_gaps", "what_a_new_limit_drops_is_a_gap",
        "what_grew_too_old_is_a_gap", "a_gap_spans_no_more_than_what_was_dropped",
        "what_was_dropped_behind_the_start_is_a_gap",
    ]),
    exactly(S::WidensGaps, &[
        "what_was_deleted_is_a_gap",
        "a_durable_that_comes_back_hears_of_a_gap", "a_gap_counts_what_was_for_the_consumer",
        "a_gap_spans_no_more_than_what_was_dropped", "a_slow_subscription_hears_of_a_gap",
        "holes_are_gaps", "what_a_new_limit_drops_is_a_gap", "what_grew_too_old_is_a_gap",
        "what_was_dropped_behind_the_start_is_a_gap",
    ]),
    exactly(S::HidesExhausted, &[
        "a_nak_of_the_last_delivery_is_reported", "an_exhausted_message_is_reported",
        "what_ran_out_unheard_is_reported",
    ]),
    at_least(S::LosesTheUnread, &[
        "a_dropped_subscription_gives_back_the_unread_at_once", "a_durable_goes_on_where_it_was",
        "a_member_that_leaves_loses_nothing", "draining_hands_nothing_more_out",
        "members_come_and_go", "the_unread_goes_to_others_at_once",
        "so_does_what_a_dropped_subscription_left",
    ]),
    exactly(S::ReadsForwardOnly, &[
        "history_begins_at_a_sequence", "history_begins_at_a_time",
        "history_ends_where_it_was_asked_for", "history_is_in_order",
        "history_keeps_its_filters", "history_keeps_its_limit",
        "history_leaves_out_what_is_dropped",
    ]),
    exactly(S::IgnoresTheLimit, &["history_keeps_its_filters", "history_keeps_its_limit"]),
    exactly(S::CountsNoConsumers, &[
        "many_may_apply_a_durable_at_once",
        "a_group_ends_with_its_last_subscription", "a_mismatch_changes_nothing",
        "an_ephemeral_ends_with_its_subscription", "binding_takes_the_consumer_as_it_is",
        "deleting_forgets_the_consumer_alone", "history_settles_nothing", "many_may_bind_at_once",
        "the_state_counts", "what_differs_is_changed_and_told",
    ]),
    exactly(S::Hides(Capability::Deduplication), &[
        "the_id_of_a_deleted_message_is_remembered",
        "a_duplicate_answers_with_the_first", "a_duplicate_is_not_stored",
        "a_refused_id_is_not_remembered", "a_value_may_be_a_duplicate",
        "an_event_id_is_its_text", "an_id_that_cannot_travel_is_refused",
        "ids_belong_to_their_stream", "ids_outlive_their_messages", "no_window_no_deduplication",
        "other_ids_are_no_duplicates",
        "parallel_duplicates_are_stored_once", "the_window_ends",
        "a_duplicate_rolls_nothing_up",
    ]),
    exactly(S::Pretends(Capability::ValueHandover), &[
        "a_value_arrives_as_it_is", "a_value_comes_again", "a_value_may_be_a_duplicate",
        "every_consumer_gets_the_value", "history_has_values", "a_value_is_scheduled",
        "values_and_bytes_keep_their_order",
    ]),
    exactly(S::Pretends(Capability::ExpectStream), &[
        "a_refused_id_is_not_remembered", "every_expectation_has_to_hold",
        "expected_stream_sequence_is_stored", "refused_messages_are_not_delivered",
        "unexpected_stream_sequence_is_refused",
        "what_is_refused_rolls_nothing_up",
    ]),
    exactly(S::Pretends(Capability::ExpectSubject), &[
        "before_the_deleted_last_message_lies_another",
        "every_expectation_has_to_hold", "expected_subject_sequence_is_stored",
        "one_of_many_writers_wins", "unexpected_subject_sequence_is_refused",
    ]),
    exactly(S::Pretends(Capability::ExpectPattern), &[
        "expected_entity_sequence_is_stored", "unexpected_entity_sequence_is_refused",
    ]),
    exactly(S::Pretends(Capability::SeveralFilters), &[
        "filters_may_cover_more", "overlapping_filters_are_refused", "several_filters_are_one_consumer",
        "the_order_of_filters_is_no_difference",
    ]),
    exactly(S::Pretends(Capability::AckAll), &[
        "a_confirmed_ack_settles_what_came_before", "a_nak_is_for_one_message",
        "a_term_settles_what_came_before", "acks_go_on_after_a_redelivery",
        "an_ack_leaves_what_came_after", "an_ack_settles_what_another_subscription_has",
        "an_ack_settles_what_came_before",
    ]),
    exactly(S::Pretends(Capability::Backoff), &[
        "another_backoff_is_followed_and_told", "backoff_replaces_the_ack_wait",
    ]),
    exactly(S::GoesOnAfterClosing, &[
        "listening_ends_with_the_transport", "after_closing_nothing_is_scheduled",
        "after_closing_no_snapshot_is_made", "after_closing_no_batch_is_settled",
        "after_closing_nothing_is_coordinated",
        "after_closing_nobody_subscribes", "after_closing_nothing_is_managed",
        "after_closing_nothing_is_published", "after_closing_nothing_is_read",
        "after_closing_nothing_is_settled", "closing_ends_a_drain",
        "closing_ends_the_subscriptions", "closing_twice_harms_nobody", "closing_while_publishing",
        "closing_while_subscribing", "the_state_of_the_connection_is_told",
    ]),
    exactly(S::DeniesItsConnection, &["the_state_of_the_connection_is_told"]),
    exactly(S::ConcealsItsEnd, &["the_state_of_the_connection_is_told"]),
    exactly(S::LeavesSubscriptionsOpen, &[
        "a_drain_leaves_scheduling",
        "a_drain_leaves_coordination",
        "a_handler_publishes_while_draining", "a_drain_ends_with_the_last_settlement",
        "a_drain_counts_what_it_found", "a_drain_is_for_one_transport_alone",
        "closing_ends_a_drain", "closing_ends_the_subscriptions", "closing_while_publishing",
        "closing_while_subscribing", "deleting_ends_the_subscriptions",
        "draining_ends_the_subscriptions", "draining_hands_nothing_more_out",
        "so_can_what_ends_with_its_subscription", "the_shorter_of_two_drains_ends_both",
        "what_is_in_hand_can_be_settled", "while_draining_nothing_is_begun",
        "a_drain_that_was_given_up_is_gone_on_with",
    ]),
    exactly(S::EndsWithoutAWord, &["deleting_ends_the_subscriptions"]),
    exactly(S::CallsTheEndAFailure, &[
        "a_drain_leaves_scheduling",
        "a_drain_leaves_coordination",
        "a_handler_publishes_while_draining", "a_drain_ends_with_the_last_settlement",
        "a_drain_counts_what_it_found", "a_drain_is_for_one_transport_alone",
        "closing_ends_a_drain", "closing_ends_the_subscriptions", "closing_while_publishing",
        "closing_while_subscribing", "draining_ends_the_subscriptions",
        "draining_hands_nothing_more_out",
        "so_can_what_ends_with_its_subscription", "the_shorter_of_two_drains_ends_both",
        "what_is_in_hand_can_be_settled", "while_draining_nothing_is_begun",
        "a_drain_that_was_given_up_is_gone_on_with",
    ]),
    exactly(S::Panics, &[
        "a_new_subject_is_stored", "a_subject_moves_to_another_stream",
        "after_closing_nothing_is_read", "streams_are_found_by_subject",
    ]),
    exactly(S::Hangs, &[
        "a_new_subject_is_stored", "a_subject_moves_to_another_stream",
        "after_closing_nothing_is_read", "streams_are_found_by_subject",
    ]),
    at_least(S::BlursErrors, &[
        "another_ack_policy_cannot_be_applied", "applying_to_a_missing_stream_is_an_error",
        "filters_that_match_nothing_are_not_applied", "only_durables_are_applied",
        "requests_that_ask_for_nothing_are_refused", "the_info_of_a_missing_consumer_is_an_error",
        "no_stream_is_an_error", "full_stream_refuses", "above_the_limit_is_refused",
        "unexpected_stream_sequence_is_refused", "a_missing_stream_is_an_error",
        "a_filter_that_misses_some_is_a_mismatch", "another_ack_policy_is_a_mismatch", "what_must_exist_is_not_created", "what_the_stream_never_stores_is_refused", "deleting_what_is_not_there_is_an_error",
        "the_state_of_a_missing_stream_is_an_error", "history_of_a_missing_stream_is_an_error",
    ]),
    at_least(S::CallsEverythingADuplicate, &[
        "stored_with_stream_and_sequence", "without_an_id_there_are_no_duplicates",
        "other_ids_are_no_duplicates", "ids_belong_to_their_stream",
    ]),
    exactly(S::FillsEmptyBodies, &["empty_body_survives"]),
    exactly(S::MindsTheOrderOfFilters, &["the_order_of_filters_is_no_difference"]),
    exactly(S::SharesNamesAcrossStreams, &["a_name_belongs_to_its_stream"]),
    exactly(S::CountsFromZero, &[
        "a_new_stream_is_empty", "a_smaller_limit_drops_the_oldest", "max_age_drops_the_old",
        "max_messages_keeps_the_newest", "the_state_counts",
    ]),
    exactly(S::HasNoName, &["the_transport_says_what_it_is"]),
];
