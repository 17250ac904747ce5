//! The wire contract with clients in Python and Node, over a real server: golden vectors,
//! events in both directions, correlation.
//!
//! The clients (`tests/clients/`) were written by `docs/wire-contract.md` alone and use
//! NATS's own packages for their languages.

mod client;
mod rig;

mod broken;
mod golden;
mod ours;
mod stories;
mod theirs;
mod without_sdk;

use client::Client;

/// Makes a test of each function for each language.
macro_rules! in_each_language {
    ($($module:ident::$test:ident,)*) => {
        mod python_client {
            $(#[tokio::test]
            async fn $test() {
                super::$module::$test(super::Client::python()).await;
            })*
        }

        mod node_client {
            $(#[tokio::test]
            async fn $test() {
                super::$module::$test(super::Client::node()).await;
            })*
        }
    };
}

in_each_language! {
    golden::the_golden_vectors_hold,
    ours::what_we_publish_is_read,
    ours::the_numbers_and_texts_of_data_survive,
    ours::foreign_subjects_are_found,
    theirs::what_it_publishes_is_read,
    theirs::loose_forms_are_read,
    theirs::the_same_event_is_stored_once,
    theirs::a_retry_in_another_language_is_the_same_event,
    broken::what_we_cannot_read_is_told_apart,
    broken::what_it_cannot_read_is_told_apart,
    broken::data_of_127_nested_values_are_read,
}
