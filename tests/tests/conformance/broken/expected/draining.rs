//! Table: which cases fail for which broken promise of draining.

use super::{Expected, exactly};
use crate::sabotage::Sabotage as S;

#[rustfmt::skip]
pub(super) const DRAINING: &[Expected] = &[
    exactly(S::DrainsNothing, &[
        "a_drain_leaves_coordination", "a_drain_leaves_scheduling",
        "a_handler_publishes_while_draining", "a_drain_ends_with_the_last_settlement",
        "a_drain_counts_what_it_found", "a_drain_is_for_one_transport_alone",
        "a_drain_waits_as_long_as_it_was_told", "after_a_drain_everything_is_refused",
        "after_a_drain_nothing_is_settled", "closing_ends_a_drain",
        "draining_ends_the_subscriptions", "draining_hands_nothing_more_out",
        "publishes_in_flight_are_confirmed", "so_can_what_ends_with_its_subscription",
        "the_shorter_of_two_drains_ends_both", "what_is_in_hand_can_be_settled",
        "what_is_not_settled_in_time_is_given_back", "while_draining_nothing_is_begun",
        "a_drain_that_was_given_up_is_gone_on_with",
    ]),
    exactly(S::DrainsByClosing, &[
        "a_drain_leaves_coordination", "a_drain_leaves_scheduling",
        "a_handler_publishes_while_draining", "a_drain_ends_with_the_last_settlement",
        "a_drain_counts_what_it_found", "a_drain_waits_as_long_as_it_was_told",
        "draining_hands_nothing_more_out", "so_can_what_ends_with_its_subscription",
        "the_shorter_of_two_drains_ends_both", "what_is_in_hand_can_be_settled",
        "what_is_not_settled_in_time_is_given_back", "while_draining_nothing_is_begun",
        "a_drain_that_was_given_up_is_gone_on_with",
    ]),
    exactly(S::DrainsToTheEnd, &[
        "a_drain_leaves_coordination", "a_drain_leaves_scheduling",
        "a_handler_publishes_while_draining", "a_drain_ends_with_the_last_settlement",
        "a_drain_is_for_one_transport_alone", "a_drain_of_nothing_ends_at_once",
        "after_a_drain_everything_is_refused", "closing_ends_a_drain",
        "draining_ends_the_subscriptions", "draining_hands_nothing_more_out",
        "draining_twice_harms_nobody", "publishes_in_flight_are_confirmed",
        "so_can_what_ends_with_its_subscription", "the_shorter_of_two_drains_ends_both",
        "the_unread_goes_to_others_at_once", "what_is_in_hand_can_be_settled",
        "while_draining_nothing_is_begun",
        "a_drain_that_was_given_up_is_gone_on_with",
    ]),
    exactly(S::DrainsEverybody, &[
        "a_schedule_needs_no_transport",
        "a_durable_that_comes_back_hears_of_a_gap",
        "a_handler_publishes_while_draining",
        "a_drain_is_for_one_transport_alone", "publishes_in_flight_are_confirmed",
        "the_shorter_of_two_drains_ends_both", "the_unread_goes_to_others_at_once",
        "what_is_in_hand_can_be_settled", "what_is_not_settled_in_time_is_given_back",
        "a_drain_that_was_given_up_is_gone_on_with",
        "so_does_what_a_dropped_subscription_left",
    ]),
    exactly(S::KeepsWhatIsInHand, &[
        "a_drain_counts_what_it_found", "the_shorter_of_two_drains_ends_both",
        "what_is_not_settled_in_time_is_given_back",
        "a_drain_that_was_given_up_is_gone_on_with",
    ]),
    exactly(S::CountsNothingDrained, &[
        "a_drain_counts_what_it_found", "so_can_what_ends_with_its_subscription",
        "a_handler_publishes_while_draining",
    ]),
    exactly(S::PublishesWhileDraining, &[
        "a_drain_ends_with_the_last_settlement", "a_handler_publishes_while_draining",
        "after_a_drain_everything_is_refused", "draining_twice_harms_nobody",
        "publishes_in_flight_are_confirmed",
    ]),
    exactly(S::RefusesToPublishWhileDraining, &[
        "a_drain_ends_with_the_last_settlement", "a_handler_publishes_while_draining",
    ]),
];
