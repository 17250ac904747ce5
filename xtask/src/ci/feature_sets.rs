//! CI table of the feature sets in which the published packages must compile, each with its reason.
//!
//! The table is checked against the manifests, so that a feature or a published package without a
//! row fails, and a row for something that is gone as well. Tests, benches, examples and what is
//! not published are compiled with the whole workspace only, as `cargo xtask test` compiles them.

use anyhow::{Result, bail, ensure};

use crate::metadata::{Metadata, Package};

/// Every promised feature set. A package stands alone in its rows: built together with others or
/// with its tests, it could use what only they ask of a shared dependency.
pub(super) const TABLE: &[FeatureSet] = &[
    FeatureSet {
        package: "event-sdk-subject",
        features: Features::All,
        reason: "depended on by itself; has no features",
    },
    FeatureSet {
        package: "event-sdk-derive",
        features: Features::All,
        reason: "compiled by itself for every user; has no features",
    },
    FeatureSet {
        package: "event-sdk-core",
        features: Features::None,
        reason: "what shared crates of events depend on",
    },
    FeatureSet {
        package: "event-sdk-core",
        features: Features::Only("schemars"),
        reason: "a shared crate of events that derives JsonSchema",
    },
    FeatureSet {
        package: "event-sdk-core",
        features: Features::Only("read-back"),
        reason: "what event-sdk-testing asks of it",
    },
    FeatureSet {
        package: "event-sdk-core",
        features: Features::All,
        reason: "features only add",
    },
    FeatureSet {
        package: "event-sdk-clock",
        features: Features::All,
        reason: "what transports and tests of users take their time from; has no features",
    },
    FeatureSet {
        package: "event-sdk-conformance",
        features: Features::All,
        reason: "the tests of another transport; has no features",
    },
    FeatureSet {
        package: "event-sdk-memory",
        features: Features::All,
        reason: "a program that takes the transport without the bus; has no features",
    },
    FeatureSet {
        package: "event-sdk-nats",
        features: Features::All,
        reason: "a program that takes the transport without the bus; has no features",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::None,
        reason: "a service that brings its own transport",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Default,
        reason: "what `cargo add event-sdk` gives",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Only("memory"),
        reason: "the memory transport, chosen by name",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Only("nats"),
        reason: "a service whose events travel over NATS alone",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Only("signal"),
        reason: "a service that brings its own transport, and ends at a signal",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Only("config"),
        reason: "a service that brings its own transport, and is configured",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Several(&["config", "memory"]),
        reason: "a service that is configured to use memory, or nothing",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Several(&["config", "nats"]),
        reason: "a service that is configured to use NATS, or nothing",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::Only("schemars"),
        reason: "a service whose events derive JsonSchema",
    },
    FeatureSet {
        package: "event-sdk",
        features: Features::All,
        reason: "features only add",
    },
    FeatureSet {
        package: "event-sdk-nats-server",
        features: Features::All,
        reason: "tests that need a server and no event-sdk; has no features",
    },
    FeatureSet {
        package: "event-sdk-testing",
        features: Features::None,
        reason: "the tests of a service that need no server",
    },
    FeatureSet {
        package: "event-sdk-observe",
        features: Features::None,
        reason: "features only add; a service may take it before it chooses one",
    },
    FeatureSet {
        package: "event-sdk-observe",
        features: Features::Only("otel"),
        reason: "a service that exports traces with OpenTelemetry",
    },
    FeatureSet {
        package: "event-sdk-observe",
        features: Features::Only("health"),
        reason: "a service that answers probes by its own means",
    },
    FeatureSet {
        package: "event-sdk-observe",
        features: Features::Only("outbox"),
        reason: "the same, with the depth and age of its outbox",
    },
    FeatureSet {
        package: "event-sdk-observe",
        features: Features::Only("axum"),
        reason: "a service that answers probes over HTTP with axum",
    },
    FeatureSet {
        package: "event-sdk-observe",
        features: Features::Only("metrics"),
        reason: "a service that exports metrics, and checks its health elsewhere",
    },
    FeatureSet {
        package: "event-sdk-observe",
        features: Features::All,
        reason: "features only add",
    },
    FeatureSet {
        package: "event-sdk-topology",
        features: Features::None,
        reason: "a service that declares its topology",
    },
    FeatureSet {
        package: "event-sdk-topology",
        features: Features::All,
        reason: "the program that operates services; features only add",
    },
    FeatureSet {
        package: "event-sdk-ops",
        features: Features::None,
        reason: "the commands of a program on memory, without a database and backups",
    },
    FeatureSet {
        package: "event-sdk-ops",
        features: Features::Only("backup"),
        reason: "a program that backs streams up, and has no database",
    },
    FeatureSet {
        package: "event-sdk-ops",
        features: Features::Only("nats"),
        reason: "a program on NATS without a database",
    },
    FeatureSet {
        package: "event-sdk-ops",
        features: Features::Only("outbox"),
        reason: "a program with outbox and inbox, without backups",
    },
    FeatureSet {
        package: "event-sdk-ops",
        features: Features::All,
        reason: "features only add",
    },
    FeatureSet {
        package: "event-sdk-store",
        features: Features::All,
        reason: "the stores of another database; has no features",
    },
    FeatureSet {
        package: "event-sdk-store-conformance",
        features: Features::All,
        reason: "the tests of another store; has no features",
    },
    FeatureSet {
        package: "event-sdk-sql",
        features: Features::None,
        reason: "features only add; a crate that is generic over the database",
    },
    FeatureSet {
        package: "event-sdk-sql",
        features: Features::Default,
        reason: "what `cargo add event-sdk-sql` gives",
    },
    FeatureSet {
        package: "event-sdk-sql",
        features: Features::Only("sqlite"),
        reason: "SQLite, chosen by name",
    },
    FeatureSet {
        package: "event-sdk-sql",
        features: Features::Only("postgres"),
        reason: "a service on PostgreSQL alone",
    },
    FeatureSet {
        package: "event-sdk-sql",
        features: Features::Only("tls"),
        reason: "features only add; without PostgreSQL it has no effect",
    },
    FeatureSet {
        package: "event-sdk-sql",
        features: Features::All,
        reason: "features only add",
    },
    FeatureSet {
        package: "event-sdk-testing",
        features: Features::Only("nats"),
        reason: "the tests of a service that start a real server",
    },
    FeatureSet {
        package: "event-sdk-testing",
        features: Features::All,
        reason: "features only add",
    },
    FeatureSet {
        package: "event-schemas-subset",
        features: Features::All,
        reason: "of use to every program that compares JSON Schemas; has no features",
    },
    FeatureSet {
        package: "event-schemas",
        features: Features::None,
        reason: "a program that makes something else of a catalogue",
    },
    FeatureSet {
        package: "event-schemas",
        features: Features::Only("cli"),
        reason: "a user's binary that mounts the command line",
    },
    FeatureSet {
        package: "event-schemas",
        features: Features::Only("sources"),
        reason: "a test of one's own that no event is in no catalogue",
    },
    FeatureSet {
        package: "event-schemas",
        features: Features::All,
        reason: "features only add",
    },
];

/// A published package and the features it is compiled with.
#[derive(Clone, Copy)]
pub(super) struct FeatureSet {
    package: &'static str,
    features: Features,
    /// Who needs it.
    pub(super) reason: &'static str,
}

/// Which features of the package are on.
#[derive(Clone, Copy)]
enum Features {
    None,
    Default,
    /// One feature alone, without the default ones.
    Only(&'static str),
    /// These together, without the default ones.
    Several(&'static [&'static str]),
    All,
}

impl FeatureSet {
    /// For headings and the final table.
    pub(super) fn name(&self) -> String {
        let package = self.package;
        match self.features {
            Features::None => format!("{package} (no features)"),
            Features::Default => format!("{package} (default)"),
            Features::Only(feature) => format!("{package} ({feature})"),
            Features::Several(features) => format!("{package} ({})", features.join(", ")),
            Features::All => format!("{package} (all features)"),
        }
    }

    /// What selects it on cargo's command line.
    pub(super) fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = vec!["--package", self.package, "--lib"];
        match self.features {
            Features::Default => {}
            Features::All => arguments.push("--all-features"),
            Features::None => arguments.push("--no-default-features"),
            Features::Only(feature) => {
                arguments.extend(["--no-default-features", "--features", feature]);
            }
            Features::Several(features) => {
                arguments.push("--no-default-features");
                for feature in features {
                    arguments.extend(["--features", feature]);
                }
            }
        }
        arguments
    }
}

/// Refuses a table that does not cover the workspace as it is.
pub(super) fn check(table: &[FeatureSet], metadata: &Metadata) -> Result<()> {
    let published: Vec<_> = metadata.members().filter(|p| p.is_published()).collect();
    for set in table {
        let name = set.package;
        ensure!(
            published.iter().any(|package| package.name == name),
            "the feature sets name `{name}`, which is no published package of this workspace: {ADVICE}"
        );
    }
    for package in published {
        let sets: Vec<_> = table
            .iter()
            .filter(|set| set.package == package.name)
            .collect();
        check_package(package, &sets)?;
    }
    Ok(())
}

const ADVICE: &str = "put right the table in xtask/src/ci/feature_sets.rs";

fn check_package(package: &Package, sets: &[&FeatureSet]) -> Result<()> {
    let name = &package.name;
    let has_all = sets.iter().any(|set| matches!(set.features, Features::All));
    ensure!(
        has_all,
        "`{name}` has no feature set with all features: {ADVICE}"
    );
    for set in sets {
        let named = match set.features {
            Features::Only(feature) => &[feature][..],
            Features::Several(features) => features,
            Features::None | Features::Default | Features::All => &[],
        };
        for feature in named {
            ensure!(
                package.features.contains_key(*feature),
                "`{name}` has no feature `{feature}`: {ADVICE}"
            );
        }
    }
    for feature in package.features.keys() {
        let covered = sets.iter().any(|set| match set.features {
            Features::Default => feature == "default",
            Features::Only(only) => feature == only,
            Features::None | Features::Several(_) | Features::All => false,
        });
        if !covered {
            bail!("the feature `{feature}` of `{name}` has no set of its own: {ADVICE}");
        }
    }
    let has_none = sets
        .iter()
        .any(|set| matches!(set.features, Features::None));
    ensure!(
        has_none || package.features.is_empty(),
        "`{name}` has features and no set without them: {ADVICE}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const fn set(package: &'static str, features: Features) -> FeatureSet {
        FeatureSet {
            package,
            features,
            reason: "for the test",
        }
    }

    const GOOD: [FeatureSet; 4] = [
        set("sdk", Features::None),
        set("sdk", Features::Default),
        set("sdk", Features::Only("memory")),
        set("sdk", Features::All),
    ];

    /// A published `sdk` with the features `default` and `memory`, and unpublished `tests`.
    fn workspace() -> Metadata {
        let package = |name: &str, publish, features| {
            json!({
                "id": name, "name": name, "version": "1.0.0", "rust_version": null,
                "publish": publish, "features": features, "targets": [],
            })
        };
        let features = json!({ "default": ["memory"], "memory": [] });
        let json = json!({
            "packages": [
                package("sdk", json!(null), features),
                package("tests", json!([]), json!({ "slow": [] })),
            ],
            "target_directory": "target", "workspace_members": ["sdk", "tests"], "resolve": null,
        });
        Metadata::parse(&json.to_string()).unwrap()
    }

    fn refusal(table: &[FeatureSet]) -> String {
        check(table, &workspace()).unwrap_err().to_string()
    }

    fn without(index: usize) -> Vec<FeatureSet> {
        let mut table = GOOD.to_vec();
        table.remove(index);
        table
    }

    #[test]
    fn the_real_table_covers_the_real_workspace() {
        check(TABLE, &Metadata::workspace().unwrap()).unwrap();
    }

    #[test]
    fn a_table_that_covers_everything_passes() {
        check(&GOOD, &workspace()).unwrap();
    }

    #[test]
    fn what_has_no_row_is_named() {
        assert!(refusal(&without(0)).contains("`sdk` has features and no set without them"));
        assert!(refusal(&without(1)).contains("feature `default` of `sdk` has no set"));
        assert!(refusal(&without(2)).contains("feature `memory` of `sdk` has no set"));
        assert!(refusal(&without(3)).contains("`sdk` has no feature set with all features"));
    }

    #[test]
    fn a_row_for_what_does_not_exist_is_refused() {
        let with = |extra| refusal(&[GOOD.as_slice(), &[extra]].concat());
        let package = with(set("gone", Features::All));
        assert!(
            package.contains("`gone`, which is no published"),
            "{package}"
        );
        let unpublished = with(set("tests", Features::All));
        assert!(
            unpublished.contains("`tests`, which is no published"),
            "{unpublished}"
        );
        for features in [
            Features::Only("gone"),
            Features::Several(&["memory", "gone"]),
        ] {
            let feature = with(set("sdk", features));
            assert!(feature.contains("`sdk` has no feature `gone`"), "{feature}");
        }
    }

    #[test]
    fn each_set_says_how_cargo_selects_it() {
        let arguments = |features| set("a", features).arguments().join(" ");
        assert_eq!(
            arguments(Features::None),
            "--package a --lib --no-default-features"
        );
        assert_eq!(arguments(Features::Default), "--package a --lib");
        assert_eq!(
            arguments(Features::Only("f")),
            "--package a --lib --no-default-features --features f"
        );
        assert_eq!(
            arguments(Features::Several(&["f", "g"])),
            "--package a --lib --no-default-features --features f --features g"
        );
        assert_eq!(arguments(Features::All), "--package a --lib --all-features");
    }
}
