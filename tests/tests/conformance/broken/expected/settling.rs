//! Table: which cases fail for which broken promise of settling.

use super::{Expected, at_least, exactly};
use crate::sabotage::Sabotage as S;

#[rustfmt::skip]
pub(super) const SETTLING: &[Expected] = &[
    at_least(S::ForgetsAcks, &[
        "a_drain_ends_with_the_last_settlement",
        "an_acked_message_stays_away", "acking_twice_is_fine", "a_late_ack_counts",
        "an_ack_outlives_its_subscription", "an_ack_comes_from_anywhere",
        "settling_lets_the_next_in",
    ]),
    exactly(S::ForgetsConfirmedAcks, &[
        "a_redelivery_of_what_runs_starts_nothing", "a_stale_copy_is_not_handed_out",
        "a_confirmed_ack_settles_what_came_before",
        "a_handler_publishes_while_draining",
        "the_info_counts", "the_list_has_each_durable",
        "what_is_confirmed_together_stays_away", "a_batch_names_what_was_not_settled",
        "a_batch_that_was_given_up_can_be_settled", "after_closing_no_batch_is_settled",
        "a_confirmed_ack_keeps_it_away",
        "a_deleted_consumer_is_waited_for_no_more", "a_drain_counts_what_it_found",
        "a_late_confirmed_ack_counts", "a_later_consumer_is_waited_for_too",
        "a_nak_after_a_confirmed_ack_does_nothing", "a_work_queue_drops_what_was_acked",
        "after_a_drain_nothing_is_settled", "after_closing_nothing_is_settled",
        "interest_keeps_it_for_each_consumer", "it_goes_in_whichever_order_it_was_acked",
        "so_can_what_ends_with_its_subscription", "what_is_in_hand_can_be_settled",
        "what_is_not_settled_in_time_is_given_back", "what_ran_out_of_deliveries_may_be_acked_late",
    ]),
    exactly(S::ForgetsConfirmedTerms, &["a_confirmed_term_keeps_it_away", "after_closing_nothing_is_settled"]),
    exactly(S::PutsBackTheTerminated, &[
        "a_term_settles_what_came_before",
        "a_termination_is_heard", "a_message_without_deliveries_left_is_heard", "what_others_do_is_heard", "advisories_are_chosen", "a_stream_stores_advisories", "what_is_no_advisory_is_passed_over",
        "a_nak_after_the_term_does_nothing",
        "a_terminated_message_stays_away", "a_work_queue_drops_what_was_terminated",
        "settlements_of_all_kinds", "settling_lets_the_next_in", "what_is_in_hand_can_be_settled",
    ]),
    exactly(S::IgnoresNakDelay, &[
        "a_nak_holds_nobody_up", "nak_delay_is_kept", "nak_delay_replaces_the_ack_wait",
    ]),
    exactly(S::IgnoresInProgress, &[
        "after_a_drain_nothing_is_settled", "after_closing_nothing_is_settled",
        "in_progress_extends_the_wait",
    ]),
    exactly(S::AcksOneByOne, &[
        "a_confirmed_ack_settles_what_came_before", "a_nak_is_for_one_message",
        "a_term_settles_what_came_before", "an_ack_leaves_what_came_after",
        "an_ack_settles_what_another_subscription_has", "an_ack_settles_what_came_before",
    ]),
    exactly(S::ForgetsLateAcks, &["a_late_ack_counts"]),
    exactly(S::RefusesTheSecondSettlement, &[
        "what_was_settled_before_harms_no_batch", "a_batch_that_was_given_up_can_be_settled",
        "after_closing_no_batch_is_settled",
        "a_confirmed_ack_after_an_ack_is_fine",
        "a_drain_counts_what_it_found", "a_nak_after_a_confirmed_ack_does_nothing",
        "a_nak_after_the_ack_does_nothing", "a_nak_after_the_term_does_nothing",
        "acking_twice_is_fine", "after_a_drain_nothing_is_settled",
        "in_progress_after_the_ack_does_nothing", "in_progress_extends_the_wait",
        "what_ran_out_of_deliveries_may_be_acked_late", "while_draining_nothing_is_begun",
    ]),
    exactly(S::SettlesOnlyTheFirst, &[
        "a_batch_names_what_was_not_settled", "a_batch_that_was_given_up_can_be_settled",
        "after_closing_no_batch_is_settled", "what_is_acked_together_stays_away",
        "what_is_confirmed_together_stays_away", "what_is_put_back_together_comes_again",
        "what_was_settled_before_harms_no_batch",
    ]),
    exactly(S::EndsABatchAtTheFirstError, &[
        "a_batch_names_what_was_not_settled", "after_closing_no_batch_is_settled",
    ]),
    exactly(S::HidesTheUnsettled, &[
        "a_batch_names_what_was_not_settled", "after_closing_no_batch_is_settled",
    ]),
];
