//! Resolves paths to the modules that define them.

use std::collections::BTreeSet;

use super::modules::Tree;
use super::scope::{Definition, Reach, Source};

impl Tree {
    /// The modules that `path`, written in the module `from`, depends on: every module that it
    /// names, and those where the item at its end is defined, past all re-exports.
    ///
    /// A path into another crate, to a local variable, or to anything else that is not found
    /// here gives the modules on its way only.
    pub(super) fn modules_of(&self, from: usize, path: &[String]) -> BTreeSet<usize> {
        let mut named = BTreeSet::new();
        let mut trail = Trail::default();
        let ends = self.walk(from, path, &mut trail, &mut |module| {
            named.insert(module);
        });
        // A single name that is a module's stands for something else: a variable, a field.
        let keep = |target: &Target| path.len() > 1 || matches!(target, Target::Item(_));
        named.extend(
            ends.iter()
                .filter(|target| keep(target))
                .map(Target::module),
        );
        named
    }

    fn walk(
        &self,
        from: usize,
        path: &[String],
        trail: &mut Trail,
        named: &mut dyn FnMut(usize),
    ) -> Vec<Target> {
        let mut modules = vec![from];
        for (index, segment) in path.iter().enumerate() {
            let last = index + 1 == path.len();
            let mut targets = Vec::new();
            for module in modules {
                let found = match segment.as_str() {
                    "crate" => vec![Target::Module(0)],
                    "self" if index == 0 => vec![Target::Module(module)],
                    "super" => {
                        let parent = self.modules[module].parent;
                        parent.map(Target::Module).into_iter().collect()
                    }
                    name => self.lookup(module, name, from, trail),
                };
                targets.extend(found);
            }
            let is_module = |target: &Target| matches!(target, Target::Module(_));
            if last {
                return targets;
            }
            // Of all that has the name, only a module, or else a type, can have a path go on.
            if !targets.iter().any(is_module) {
                return targets;
            }
            targets.retain(is_module);
            modules = targets.iter().map(Target::module).collect();
            for module in &modules {
                named(*module);
            }
        }
        Vec::new()
    }

    /// What `name` means in the scope of `module`, for code in `from`.
    fn lookup(&self, module: usize, name: &str, from: usize, trail: &mut Trail) -> Vec<Target> {
        // Imports may go round in circles.
        if !trail.insert((module, name.to_owned())) {
            return Vec::new();
        }
        let scope = &self.modules[module].scope;
        let mut found = Vec::new();
        for definition in scope.names.get(name).into_iter().flatten() {
            match definition {
                Definition::Module(child) => found.push(Target::Module(*child)),
                Definition::Item => found.push(Target::Item(module)),
                Definition::Import(import) => {
                    if self.reaches(module, import, from) && !is_itself(import, name) {
                        found.extend(self.walk(module, &import.path, trail, &mut |_| {}));
                    }
                }
            }
        }
        if !scope.names.contains_key(name) {
            for import in &scope.globs {
                if self.reaches(module, import, from) {
                    let targets = self.walk(module, &import.path, &mut trail.clone(), &mut |_| {});
                    for target in targets {
                        if let Target::Module(other) = target {
                            found.extend(self.lookup(other, name, module, trail));
                        }
                    }
                }
            }
        }
        trail.remove(&(module, name.to_owned()));
        found
    }

    /// Whether code in `from` may use what `import` brings into `module`.
    fn reaches(&self, module: usize, import: &Source, from: usize) -> bool {
        let top = match import.reach {
            Reach::Crate => return true,
            Reach::Module => module,
            Reach::Parent => self.modules[module].parent.unwrap_or(module),
        };
        self.ancestry(from).contains(&top)
    }
}

/// `use name;`, which can only mean another crate.
fn is_itself(import: &Source, name: &str) -> bool {
    import.path.len() == 1 && import.path[0] == name
}

/// The names that are being looked up.
type Trail = BTreeSet<(usize, String)>;

/// What a path leads to.
enum Target {
    Module(usize),
    /// An item defined in this module.
    Item(usize),
}

impl Target {
    fn module(&self) -> usize {
        match self {
            Self::Module(module) | Self::Item(module) => *module,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The modules on which `path`, used in the module `from`, depends.
    fn resolved(files: &[(&str, &str)], from: &str, path: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let tree = Tree::read(&folder.path().join("lib.rs"), folder.path()).unwrap();
        let mut modules = 0..tree.modules.len();
        let from = modules.find(|module| tree.path(*module) == from).unwrap();
        let path: Vec<_> = path.split("::").map(str::to_owned).collect();
        let found = tree.modules_of(from, &path).into_iter();
        found.map(|module| tree.path(module)).collect()
    }

    #[test]
    fn absolute_and_relative_paths_lead_to_the_module_of_the_item() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "mod inner { }"),
            ("b.rs", "pub mod deep; pub struct Item;"),
            ("b/deep.rs", "pub fn run() {}"),
        ];
        let both = ["crate", "crate::b"];
        assert_eq!(resolved(&files, "crate::a", "crate::b::Item"), both);
        assert_eq!(resolved(&files, "crate::a", "super::b::Item::new"), both);
        let deep = ["crate", "crate::b", "crate::b::deep"];
        let up = ["crate", "crate::a", "crate::b", "crate::b::deep"];
        assert_eq!(resolved(&files, "crate::a", "super::b::deep::run"), deep);
        let path = "super::super::b::deep::run";
        assert_eq!(resolved(&files, "crate::a::inner", path), up);
        assert_eq!(
            resolved(&files, "crate::b", "self::deep::run")[1..],
            deep[2..]
        );
        assert_eq!(resolved(&files, "crate::b", "deep::run"), deep[2..]);
    }

    #[test]
    fn paths_into_other_crates_lead_nowhere() {
        let files = [("lib.rs", "mod a; use serde::de; use serde;"), ("a.rs", "")];
        assert_eq!(resolved(&files, "crate", "serde::de::Error"), [""; 0]);
        assert_eq!(resolved(&files, "crate", "serde"), [""; 0]);
        assert_eq!(resolved(&files, "crate::a", "std::fs::read"), [""; 0]);
    }

    #[test]
    fn an_imported_or_renamed_module_goes_on_where_it_is() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "use super::b as other; use crate::b::{self, Item as Thing};",
            ),
            ("b.rs", "pub struct Item; pub mod deep { pub struct Low; }"),
        ];
        for path in ["other::Item", "b::Item", "Thing", "Thing::new"] {
            assert_eq!(resolved(&files, "crate::a", path), ["crate::b"], "{path}");
        }
        let deep = ["crate::b", "crate::b::deep"];
        assert_eq!(resolved(&files, "crate::a", "b::deep::Low"), deep);
    }

    #[test]
    fn a_reexport_is_followed_to_the_definition_also_through_chains_and_globs() {
        let files = [
            (
                "lib.rs",
                "mod a; mod b; mod c; pub use b::Item; pub use c::*;",
            ),
            ("a.rs", ""),
            ("b.rs", "pub use crate::c::Far as Item;"),
            ("c.rs", "mod deep; pub use deep::*; pub struct Near;"),
            ("c/deep.rs", "pub struct Far;"),
        ];
        let far = ["crate", "crate::c::deep"];
        assert_eq!(resolved(&files, "crate::a", "super::Item"), far);
        assert_eq!(resolved(&files, "crate::a", "crate::Far"), far);
        assert_eq!(
            resolved(&files, "crate::a", "crate::Near"),
            ["crate", "crate::c"]
        );
        let named = ["crate", "crate::b", "crate::c::deep"];
        assert_eq!(resolved(&files, "crate::a", "crate::b::Item"), named);
    }

    #[test]
    fn a_glob_brings_in_what_its_user_may_see() {
        let files = [
            ("lib.rs", "mod a; mod b; use b::Item; pub(crate) mod d;"),
            ("a.rs", "use super::*;"),
            (
                "b.rs",
                "use crate::d::Hidden; pub(super) use crate::d::Shown; pub struct Item;",
            ),
            ("d.rs", "pub struct Hidden; pub struct Shown;"),
        ];
        assert_eq!(resolved(&files, "crate::a", "Item"), ["crate::b"]);
        let hidden = resolved(&files, "crate::a", "crate::b::Hidden");
        assert_eq!(hidden, ["crate", "crate::b"]);
        let shown = resolved(&files, "crate::a", "crate::b::Shown");
        assert_eq!(shown, ["crate", "crate::b", "crate::d"]);
    }

    #[test]
    fn a_name_alone_is_an_item_and_no_module() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use super::{b, b::run};"),
            ("b.rs", "pub fn run() {}"),
        ];
        assert_eq!(resolved(&files, "crate::a", "b"), [""; 0]);
        assert_eq!(resolved(&files, "crate::a", "run"), ["crate::b"]);
    }

    #[test]
    fn imports_that_go_round_in_circles_end() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub use super::b::*; pub use super::b::x;"),
            ("b.rs", "pub use super::a::*; pub use super::a::x;"),
        ];
        assert_eq!(resolved(&files, "crate::a", "x"), [""; 0]);
        assert_eq!(resolved(&files, "crate::a", "y"), [""; 0]);
    }
}
