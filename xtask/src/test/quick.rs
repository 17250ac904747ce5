//! `cargo xtask test --quick`: table of the tests that it leaves out (clusters, other
//! languages, browser).

use std::fmt;

/// Some tests that are left out for one reason.
pub(super) struct LeftOut {
    /// What they need.
    needs: &'static str,
    /// Parts of their names, as the test programs' `--skip` takes them: a module with its colons,
    /// or a test.
    pub(super) names: &'static [&'static str],
}

/// All that is left out, in one place. A test below fails if a name is of no test any more, or
/// if a test of a cluster is not named.
pub(super) const TABLE: &[LeftOut] = &[
    LeftOut {
        needs: "clusters of three servers",
        names: &[
            "cluster::",
            "leader_killed::",
            "one_owner_keeps_the_ledger_whatever_fails",
            "owners_of_partitions_keep_the_ledger_whatever_fails",
            "racing_writers::",
            "nats_on_a_cluster_of_three",
            "a_hostile_client_on_a_cluster",
            "it_moves_before_a_server_of_a_cluster_stops",
        ],
    },
    LeftOut {
        needs: "clients in Python and Node",
        names: &[
            "python_client::",
            "node_client::",
            "a_story_goes_from_rust_over_python_and_node_to_rust",
            "a_story_goes_from_rust_over_node_and_python_to_rust",
        ],
    },
    LeftOut {
        needs: "the tools of other teams",
        names: &[
            "the_official_parser_finds_no_fault",
            "the_official_parser_refuses_what_is_broken",
            "no_datum_of_the_suite_contradicts_a_verdict",
            "pydantic_has_the_verdicts_of_our_decoder",
            "typescript_compiles_what_is_good_and_nothing_of_another_type",
        ],
    },
    LeftOut {
        needs: "a browser",
        names: &["people_find_their_way_in_a_browser"],
    },
];

/// The arguments of a test program that leave them out.
pub(super) fn skips() -> impl Iterator<Item = &'static str> {
    let names = TABLE.iter().flat_map(|left_out| left_out.names);
    names.flat_map(|name| ["--skip", name])
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.needs, self.names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The folders of tests that start servers or other programs.
    const FOLDERS: [&str; 6] = [
        "event-sdk/tests",
        "event-sdk/nats/tests",
        "event-sdk/observe/tests",
        "event-sdk/topology/tests",
        "tests/tests",
        "tests/servers/tests",
    ];

    fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }

    fn all_sources() -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for folder in FOLDERS.map(|folder| root().join(folder)) {
            // A package may have moved, and its tests with it.
            if folder.is_dir() {
                sources(&folder, &mut found);
            }
        }
        assert!(!found.is_empty());
        found
    }

    /// Whether the source has tests whose names contain `name`.
    fn has(path: &Path, text: &str, name: &str) -> bool {
        match name.strip_suffix("::") {
            Some(module) => {
                path.file_stem().is_some_and(|stem| stem == module)
                    || text.contains(&format!("mod {module} {{"))
            }
            None => text.contains(&format!("fn {name}(")),
        }
    }

    #[test]
    fn every_name_is_of_tests() {
        let sources = all_sources();
        for name in TABLE.iter().flat_map(|left_out| left_out.names) {
            let known = sources.iter().any(|(path, text)| has(path, text, name));
            assert!(known, "no test is called {name}");
        }
    }

    #[test]
    fn every_source_that_starts_a_cluster_is_named() {
        let starts = ["Cluster::start(", "start_cluster("];
        for (path, text) in all_sources() {
            if starts.iter().any(|start| text.contains(start)) {
                let mut clusters = TABLE[0].names.iter();
                let named = clusters.any(|name| has(&path, &text, name));
                assert!(
                    named,
                    "{} starts a cluster, and TABLE names none of its tests",
                    path.display()
                );
            }
        }
    }

    #[test]
    fn names_are_skipped_and_shown() {
        let skips: Vec<_> = skips().collect();
        assert_eq!(
            skips[..4],
            ["--skip", "cluster::", "--skip", "leader_killed::"]
        );
        assert_eq!(
            TABLE[3].to_string(),
            "a browser: people_find_their_way_in_a_browser"
        );
    }
}
