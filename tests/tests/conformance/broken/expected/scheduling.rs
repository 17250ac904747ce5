//! Table: which cases fail for which broken promise of schedules.

use event_sdk::transport::Capability;

use super::{Expected, exactly};
use crate::sabotage::Sabotage as S;

#[rustfmt::skip]
pub(super) const SCHEDULING: &[Expected] = &[
    exactly(S::Pretends(Capability::Scheduler), &[
        "a_message_is_stored_at_its_time", "a_waiting_message_is_not_delivered",
        "history_has_no_waiting_message", "messages_fire_in_the_order_of_their_times",
        "a_time_in_the_past_is_now", "a_later_schedule_replaces_the_earlier",
        "a_schedule_is_replaced_shortly_before_it_fires", "a_cancelled_schedule_does_not_fire",
        "a_cancellation_says_whether_it_was_in_time", "schedules_are_listed",
        "a_long_list_of_schedules_is_complete", "a_schedule_needs_no_transport",
        "a_schedule_is_shared", "a_schedule_outlives_the_age_of_messages",
        "a_work_queue_has_schedules", "a_stream_without_schedules_refuses_them",
        "what_cannot_be_scheduled_is_refused", "a_stream_comes_to_allow_schedules",
        "a_value_is_scheduled", "after_closing_nothing_is_scheduled", "a_drain_leaves_scheduling",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::FiresAtOnce, &[
        "a_message_is_stored_at_its_time", "a_waiting_message_is_not_delivered",
        "history_has_no_waiting_message", "messages_fire_in_the_order_of_their_times",
        "a_later_schedule_replaces_the_earlier", "a_cancellation_says_whether_it_was_in_time",
        "schedules_are_listed", "a_long_list_of_schedules_is_complete", "a_schedule_is_shared",
        "a_work_queue_has_schedules", "a_drain_leaves_scheduling",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::SchedulesNothing, &[
        "a_message_is_stored_at_its_time", "a_waiting_message_is_not_delivered",
        "messages_fire_in_the_order_of_their_times",
        "a_time_in_the_past_is_now", "a_later_schedule_replaces_the_earlier",
        "a_schedule_is_replaced_shortly_before_it_fires", "a_cancelled_schedule_does_not_fire",
        "a_cancellation_says_whether_it_was_in_time", "schedules_are_listed",
        "a_long_list_of_schedules_is_complete", "a_schedule_needs_no_transport",
        "a_schedule_is_shared", "a_schedule_outlives_the_age_of_messages",
        "a_work_queue_has_schedules", "a_stream_without_schedules_refuses_them",
        "what_cannot_be_scheduled_is_refused", "a_stream_comes_to_allow_schedules",
        "a_value_is_scheduled", "after_closing_nothing_is_scheduled", "a_drain_leaves_scheduling",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::ReplacesNothing, &[
        "a_waiting_message_is_not_delivered", "a_later_schedule_replaces_the_earlier",
        "a_cancelled_schedule_does_not_fire",
        "a_cancellation_says_whether_it_was_in_time", "schedules_are_listed",
        "a_schedule_is_shared", "a_drain_leaves_scheduling",
        "a_roll_up_or_purge_of_all_deletes_schedules",
    ]),
    exactly(S::CallsEachScheduleAReplacement, &["a_later_schedule_replaces_the_earlier"]),
    exactly(S::CancelsNothing, &[
        "a_cancelled_schedule_does_not_fire", "a_cancellation_says_whether_it_was_in_time",
        "a_stream_without_schedules_refuses_them", "after_closing_nothing_is_scheduled",
        "a_drain_leaves_scheduling", "schedules_are_listed", "a_schedule_is_shared",
    ]),
    exactly(S::CallsEachCancellationInTime, &[
        "a_cancellation_says_whether_it_was_in_time", "a_stream_without_schedules_refuses_them",
        "a_schedule_is_shared",
    ]),
    exactly(S::ListsAllSchedules, &["schedules_are_listed"]),
    exactly(S::ListsFewSchedules, &["a_long_list_of_schedules_is_complete"]),
    exactly(S::ConfirmsSchedulesThatCannotBe, &[
        "a_stream_without_schedules_refuses_them", "what_cannot_be_scheduled_is_refused",
    ]),
    exactly(S::DropsScheduledHeaders, &["a_message_is_stored_at_its_time", "schedules_are_listed"]),
    exactly(S::RefusesToScheduleWhileDraining, &["a_drain_leaves_scheduling"]),
];
