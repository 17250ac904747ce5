//! `cargo xtask tidy`: rules for packages, modules and files that the compiler does not check.
//!
//! - Our packages depend on each other as the block in ARCHITECTURE.md says.
//! - Sibling modules do not depend on each other in circles, but for those in `allowed.txt`.
//! - Files keep to the rules of CONTRIBUTING.md on length, first line and name.
//! - The secrets table of the tests has a row for each option of the NATS transport.
//! - The lock files of packages outside the workspace have what our packages need.
//! - Links between pages lead to files and headings that exist.
//! - Links that doc comments define are used, and the front page of docs.rs links each page of docs/.
//! - The page about other systems has each row once, with tests that exist.

mod block;
mod packages;

mod code;
mod imports;
mod modules;
mod paths;
mod scope;
mod test_only;

mod allowed;
mod cycles;

mod files;
mod locks;
mod map;
mod secrets;

mod doc_links;
mod links;
mod markdown;
mod seeds;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::metadata::{Metadata, Package, Target};
use crate::process::root;
use allowed::Allowed;
use block::Block;
use cycles::Cycle;
use modules::Tree;

/// What `cargo xtask tidy` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Print every package and module with the first sentence of its documentation
    Map,
    /// Print the cycles between sibling modules, in the form of `xtask/src/tidy/allowed.txt`
    Cycles,
}

/// Checks the rules, or prints what was asked for.
pub(crate) fn run(args: &Args) -> Result<()> {
    let metadata = Metadata::workspace()?;
    let root = root();
    match args.command {
        None => check(&metadata),
        Some(Command::Map) => print_map(&metadata, &root),
        Some(Command::Cycles) => {
            print!("{}", allowed::list(&cycles(&metadata, &root)?));
            Ok(())
        }
    }
}

/// Checks all rules, then prints every fault.
pub(crate) fn check(metadata: &Metadata) -> Result<()> {
    let root = root();
    let read = |path: &str| {
        fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
    };
    let block = Block::find(&read("ARCHITECTURE.md")?)?;
    let mut faults = packages::check(metadata, &block, &root);
    let allowed = Allowed::parse(&read(allowed::FILE)?)?;
    faults.extend(allowed.compare(&cycles(metadata, &root)?));
    faults.extend(files::check(&root)?);
    faults.extend(secrets::check(&root)?);
    faults.extend(locks::check(metadata, &root)?);
    faults.extend(links::check(&root)?);
    faults.extend(doc_links::check(&root)?);
    faults.extend(seeds::check(&root)?);
    for fault in &faults {
        eprintln!("{fault}\n");
    }
    match faults.len() {
        0 => Ok(()),
        1 => bail!("tidy found 1 fault"),
        count => bail!("tidy found {count} faults"),
    }
}

/// The cycles of all libraries and binaries.
fn cycles(metadata: &Metadata, root: &Path) -> Result<Vec<Cycle>> {
    let mut all = Vec::new();
    for package in metadata.members() {
        for (target, tree) in crates(package, &["lib", "proc-macro", "bin"], root)? {
            let name = match target.kind() {
                "bin" if package.name != target.name => {
                    format!("{} ({})", package.name, target.name)
                }
                _ => package.name.clone(),
            };
            all.extend(cycles::find(&name, &tree));
        }
    }
    Ok(all)
}

fn print_map(metadata: &Metadata, root: &Path) -> Result<()> {
    let kinds = ["lib", "proc-macro", "bin", "example", "test", "bench"];
    println!(
        "A module `a::b` is in the file a/b.rs beside the first file of its crate (src/lib.rs), \
         unless a file is named.\n"
    );
    for package in metadata.members() {
        let crates = crates(package, &kinds, root)?;
        println!("{}", map::package(package, &crates, root));
    }
    Ok(())
}

/// The crates of some kinds that cargo builds from a package, in the order of the kinds.
fn crates<'a>(
    package: &'a Package,
    kinds: &[&str],
    root: &Path,
) -> Result<Vec<(&'a Target, Tree)>> {
    let targets = kinds.iter().flat_map(|kind| package.targets(kind));
    targets
        .map(|target| Ok((target, Tree::read(&target.src_path, root)?)))
        .collect()
}
