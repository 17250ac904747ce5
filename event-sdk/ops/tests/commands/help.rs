//! The help of each command, as snapshots; its examples can be parsed.

use event_sdk_ops::Operations;

use crate::program::{piped, words};
use crate::snapshot::snapshot;

/// The commands, and the groups above them.
fn all() -> Vec<String> {
    let mut all = event_sdk_ops::commands();
    let groups: Vec<_> = all
        .iter()
        .filter_map(|command| command.split_once(' '))
        .map(|(group, _)| group.to_owned())
        .collect();
    all.extend(groups);
    all.sort();
    all.dedup();
    all
}

#[tokio::test]
async fn each_command_has_help() {
    let operations = Operations::new("shop");
    let help = piped(&operations, "--help").await;
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    snapshot("shop.help", &help.out);
    for command in all() {
        let help = piped(&operations, &format!("{command} --help")).await;
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{command}");
        snapshot(&format!("{}.help", command.replace(' ', "-")), &help.out);
    }
}

#[tokio::test]
async fn the_help_of_each_command_has_examples_that_can_be_read() {
    let operations = Operations::new("shop");
    for command in event_sdk_ops::commands() {
        let help = piped(&operations, &format!("{command} --help")).await.out;
        let lines = help.lines().map(str::trim_start);
        let examples: Vec<_> = lines
            .filter_map(|line| line.split_once(&*command))
            .filter(|(before, _)| before.is_empty() || before.ends_with("| "))
            .map(|(_, after)| format!("{command}{after}"))
            .collect();
        let has = ["streams plan", "streams verify"].contains(&&*command);
        assert!(
            has || !examples.is_empty(),
            "the help of {command} has no example"
        );
        for example in examples {
            let end = example.find([';', '|']).unwrap_or(example.len());
            let line = example[..end].split(" > ").next().unwrap_or_default();
            let mut args = words(line);
            args.insert(0, "shop".to_owned());
            let parsed = event_sdk_ops::__private::check(args);
            assert_eq!(parsed, Ok(()), "{line}");
        }
    }
}

#[tokio::test]
async fn a_wrong_argument_says_what_is_right() {
    let ran = piped(&Operations::new("shop"), "streams lss").await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("'ls'"), "{}", ran.err);
}
