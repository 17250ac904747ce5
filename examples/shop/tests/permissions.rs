//! The shop runs under the users that its topology gives it, and without any one of their permissions something fails,
//! and names the subject.

mod scenes;

#[path = "../../testing/before.rs"]
mod before;

#[path = "../../testing/operator.rs"]
mod operator;

#[path = "../../testing/users.rs"]
mod users;

use event_sdk_topology::permissions::Role;
use users::Program;

use crate::config;
use crate::topology::{self, PARTITIONS, SINGLE};

#[test]
fn each_line_is_needed_and_all_of_them_suffice() {
    let program = Program {
        users: topology::users(&SINGLE).build().unwrap(),
        loader: config,
    };
    program.assert_lines_are_needed(
        |_, line| !is_of_another_partition(line),
        async |role, place| match role {
            Role::Deployment => scenes::deploys(place).await,
            Role::Service => Box::pin(scenes::serves(place)).await,
            Role::Operator => scenes::operates(place).await,
            _ => scenes::monitors(place).await,
        },
    );
}

/// Partitions are alike: the sample has the lines of the first one.
fn is_of_another_partition(subject: &str) -> bool {
    (1..PARTITIONS).any(|number| subject.contains(&format!("orders-p{number}")))
}
