//! Checks that a variable of the environment can give each argument of a program. The tests of several examples include
//! this file.

use std::collections::HashSet;

use clap::Command;

/// The page that lists the variables.
const PAGE: &str = include_str!("../README.md");

/// Asserts that each argument has a variable of its own, which begins with `prefix` and is in the README. Arguments in
/// `without` have none.
pub(crate) fn assert_each_has_one(program: &Command, prefix: &str, without: &[&str]) {
    let mut commands = vec![program];
    let mut names = HashSet::new();
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            if without.contains(&id) {
                assert_eq!(argument.get_env(), None, "{id}");
                continue;
            }
            let name = argument.get_env().and_then(|name| name.to_str());
            let name = name.unwrap_or_else(|| panic!("`{id}` has no variable"));
            assert!(name.starts_with(prefix), "{id}: {name}");
            assert!(PAGE.contains(&format!("`{name}`")), "README: {name}");
            assert!(names.insert(name.to_owned()), "{name} is of two arguments");
        }
    }
    assert!(!names.is_empty());
}
