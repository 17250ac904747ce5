//! `cargo xtask bench --against <rev>`: benchmarks a revision and the working tree in turn.

mod comparison;
mod figures;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Args, Bench};
use crate::metadata::Metadata;
use crate::process::{cargo, output, root, run as run_command};
use comparison::Comparison;

/// Checks the revision out under the target folder, builds both sides, runs the benches of both in
/// turn, and prints how they compare.
pub(super) fn run(
    workspace: &Metadata,
    rev: &str,
    benches: &[Bench<'_>],
    args: &Args,
) -> Result<()> {
    let folder = workspace.target_directory.join("bench-against");
    let commit = commit(rev)?;
    let sides = [
        Side {
            name: "old",
            manifest: checked_out(&folder, &commit)?.join("Cargo.toml"),
            // Kept for the next revision, which mostly has the same dependencies.
            target: folder.join("build"),
        },
        Side {
            name: "new",
            manifest: root().join("Cargo.toml"),
            target: workspace.target_directory.clone(),
        },
    ];
    for profile in &args.profile {
        for side in &sides {
            for bench in benches {
                run_command(side.bench(profile, *bench).arg("--no-run"))?;
            }
        }
        let mut comparison = Comparison::default();
        for round in 0..args.rounds {
            for number in order(round) {
                for bench in benches {
                    let side = &sides[number];
                    println!(
                        "round {} of {}: {}, {}",
                        round + 1,
                        args.rounds,
                        side.name,
                        bench.1
                    );
                    let mut command = side.bench(profile, *bench);
                    let text = output(command.arg("--").args(&args.harness))?;
                    comparison.add(number, bench.1, figures::read(&text));
                }
            }
        }
        ensure!(
            !comparison.is_empty(),
            "the benchmarks printed no row with a figure"
        );
        println!("\nprofile {profile}; old is {rev} ({})\n", &commit[..12]);
        println!("{comparison}");
    }
    Ok(())
}

/// Which side runs first and which second: neither is always the one that finds a warm machine.
fn order(round: u32) -> [usize; 2] {
    if round.is_multiple_of(2) {
        [0, 1]
    } else {
        [1, 0]
    }
}

/// One state of the sources.
struct Side {
    name: &'static str,
    manifest: PathBuf,
    target: PathBuf,
}

impl Side {
    fn bench(&self, profile: &str, (package, name): Bench<'_>) -> Command {
        let mut command = cargo();
        command
            .args(["bench", "--quiet", "--profile", profile])
            .args(["--package", package, "--bench", name])
            .arg("--manifest-path")
            .arg(&self.manifest)
            .arg("--target-dir")
            .arg(&self.target);
        command
    }
}

fn commit(rev: &str) -> Result<String> {
    let mut command = Command::new("git");
    command.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
    let commit = output(command.arg(format!("{rev}^{{commit}}")))
        .with_context(|| format!("`{rev}` names no commit of this repository"))?;
    Ok(commit.trim().to_owned())
}

/// A worktree of this commit, made if it is not there.
fn checked_out(folder: &Path, commit: &str) -> Result<PathBuf> {
    let tree = folder.join(&commit[..12]);
    if !tree.join("Cargo.toml").is_file() {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
        // Forgets those whose folders were removed with the target folder.
        output(Command::new("git").args(["worktree", "prune"]))?;
        let mut add = Command::new("git");
        run_command(
            add.args(["worktree", "add", "--quiet", "--detach"])
                .arg(&tree)
                .arg(commit),
        )?;
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_take_turns_in_being_first() {
        assert_eq!([0, 1, 2].map(order), [[0, 1], [1, 0], [0, 1]]);
    }

    #[test]
    fn what_is_no_revision_is_named() {
        let error = commit("no-such-revision-here").unwrap_err().to_string();
        assert_eq!(
            error,
            "`no-such-revision-here` names no commit of this repository"
        );
        assert_eq!(commit("HEAD").unwrap().len(), 40);
    }

    #[test]
    fn each_side_has_its_own_manifest_and_target_folder() {
        let side = Side {
            name: "old",
            manifest: "a/Cargo.toml".into(),
            target: "b".into(),
        };
        let command = side.bench("release", ("tests", "speed"));
        let words: Vec<_> = command
            .get_args()
            .filter_map(|word| word.to_str())
            .collect();
        assert_eq!(
            words.join(" "),
            "bench --quiet --profile release --package tests --bench speed \
             --manifest-path a/Cargo.toml --target-dir b"
        );
    }
}
