//! docs/commands.md has a section for each command, and for nothing else.

const PAGE: &str = include_str!("../../../../docs/commands.md");

#[test]
fn the_page_has_a_section_for_each_command() {
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix("## `"));
    let sections: Vec<_> = headings.map(|line| line.trim_end_matches('`')).collect();
    assert_eq!(
        sections,
        event_sdk_ops::commands(),
        "in the order of the help"
    );
    for section in PAGE.split("\n## `").skip(1) {
        let (name, text) = section.split_once('`').unwrap();
        assert!(text.contains("Exit codes: 0"), "{name} has no exit codes");
        assert!(
            text.contains(&format!("shop {name}")),
            "{name} has no example"
        );
    }
}
