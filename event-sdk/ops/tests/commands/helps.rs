//! The help of the commands of dead letters, outboxes, schedules and recovery.

use event_sdk_ops::Operations;

use crate::program::piped;
use crate::snapshot::snapshot;

#[tokio::test]
async fn each_command_has_help() {
    let operations = Operations::new("shop");
    let groups = ["dlq", "outbox", "schedule", "recover"];
    let all = event_sdk_ops::commands();
    let all: Vec<_> = all
        .iter()
        .filter(|command| groups.contains(&command.split(' ').next().unwrap()))
        .collect();
    assert_eq!(all.len(), 24, "{all:?}");
    for command in all {
        let help = piped(&operations, &format!("{command} --help")).await;
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{command}");
        snapshot(&format!("{}.help", command.replace(' ', "-")), &help.out);
    }
}
